//! Uploads in parts, several at a time. The object appears when the upload is finished.

use std::collections::VecDeque;
use std::io;
use std::mem;
use std::process;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use object_store::multipart::PartId;
use object_store::path::Path as Key;
use object_store::{MultipartId, ObjectStoreExt};
use tokio::time;

use super::client::Client;
use super::cloud::{self, Cloud};
use super::runtime::Pending;
use crate::error::{Error, Result};
use crate::storage::store::Upload;

/// Length of a part. Stores allow 10,000 parts, so the later ones of a very long object are longer.
const PART: usize = 16 << 20;
const LATE_PART: usize = 64 << 20;
const EARLY_PARTS: usize = 5000;

/// Longest object that is kept in memory until it is finished, and sent by one request then. Many
/// outputs may wait for each other.
const SHORT: usize = 256 << 10;

/// Parts that are sent at once.
const PARTS_IN_FLIGHT: usize = 4;

/// Longest time that an upload which was dropped waits until its parts are removed.
const ABORT_TIMEOUT: Duration = Duration::from_secs(10);

/// Largest difference between the clocks of a server and of this machine.
const CLOCK_SKEW: Duration = Duration::from_secs(300);

/// Upload of an object.
pub(super) struct UrlUpload {
    client: Arc<Client>,
    store: Arc<dyn Cloud>,
    key: Key,
    process: u32,
    started: SystemTime,
    len: u64,
    /// Bytes of the next part.
    buffer: Vec<u8>,
    /// None as long as there is one part only: a short object is sent by one request.
    id: Option<MultipartId>,
    in_flight: VecDeque<Pending<PartId>>,
    sent: Vec<PartId>,
}

impl UrlUpload {
    /// Starts an upload.
    ///
    /// # Errors
    /// The objects of this server cannot be written.
    pub(super) fn new(client: Arc<Client>, key: &str) -> Result<Self> {
        let Some(store) = client.cloud().cloned() else {
            let text =
                "objects of HTTP servers cannot be written: write a local file, and upload it";
            return Err(io::Error::new(io::ErrorKind::Unsupported, text).into());
        };
        Ok(Self {
            client,
            store,
            key: cloud::parse_key(key)?,
            process: process::id(),
            started: SystemTime::now(),
            len: 0,
            buffer: Vec::new(),
            id: None,
            in_flight: VecDeque::new(),
            sent: Vec::new(),
        })
    }

    fn part_len(&self) -> usize {
        match self.sent.len() + self.in_flight.len() {
            ..EARLY_PARTS => PART,
            _ => LATE_PART,
        }
    }

    /// Runs a request, and waits for it.
    fn run<T: Send + 'static>(
        &self,
        request: impl Future<Output = object_store::Result<T>> + Send + 'static,
    ) -> Result<T, Error> {
        self.start(request)?.wait()
    }

    fn start<T: Send + 'static>(
        &self,
        request: impl Future<Output = object_store::Result<T>> + Send + 'static,
    ) -> Result<Pending<T>> {
        let client = Arc::clone(&self.client);
        Pending::start(async move {
            let answer = request.await.map_err(cloud::failure);
            answer.map_err(|failure| client.explain(failure))
        })
    }

    fn target(&self) -> (Arc<dyn Cloud>, Key) {
        (Arc::clone(&self.store), self.key.clone())
    }

    /// Returns the id of the upload, which begins with its first part.
    fn id(&mut self) -> Result<MultipartId> {
        if self.id.is_none() {
            let (store, key) = self.target();
            self.id = Some(self.run(async move { store.create_multipart(&key).await })?);
        }
        Ok(self.id.clone().unwrap_or_default())
    }

    /// Starts to send the buffer as a part.
    fn send_part(&mut self) -> Result<()> {
        let (store, key) = self.target();
        let id = self.id()?;
        self.wait_for_parts(PARTS_IN_FLIGHT - 1)?;
        let number = self.sent.len() + self.in_flight.len();
        let part = Bytes::from(mem::take(&mut self.buffer));
        let sending = async move { store.put_part(&key, &id, number, part.into()).await };
        let sending = self.start(sending)?;
        self.in_flight.push_back(sending);
        Ok(())
    }

    /// Waits until at most a number of parts are on the way.
    fn wait_for_parts(&mut self, max: usize) -> Result<()> {
        while self.in_flight.len() > max {
            if let Some(part) = self.in_flight.pop_front() {
                self.sent.push(part.wait()?);
            }
        }
        Ok(())
    }

    fn complete(&mut self, id: MultipartId) -> Result<()> {
        let ((store, key), sent) = (self.target(), mem::take(&mut self.sent));
        let (len, started) = (self.len, self.started);
        let client = Arc::clone(&self.client);
        let request = Pending::start(async move {
            let completed = store.complete_multipart(&key, &id, sent).await;
            let Err(failure) = completed.map_err(cloud::failure) else {
                return Ok(());
            };
            // The answer to an earlier try may be lost, and then there is no such upload any more.
            if failure.tries > 1 && has_appeared(&*store, &key, len, started).await {
                return Ok(());
            }
            Err(client.explain(failure))
        });
        request?.wait()
    }
}

/// Returns whether an object of a length appeared since a time.
async fn has_appeared(store: &dyn Cloud, key: &Key, len: u64, since: SystemTime) -> bool {
    let found = store.head(key).await;
    found.is_ok_and(|found| {
        let modified = SystemTime::from(found.last_modified);
        found.size == len && modified + CLOCK_SKEW >= since
    })
}

impl Upload for UrlUpload {
    fn write_all(&mut self, mut bytes: &[u8]) -> Result<()> {
        self.len += bytes.len() as u64;
        while !bytes.is_empty() {
            if self.buffer.len() == self.part_len() {
                self.send_part()?;
            }
            let room = self.part_len() - self.buffer.len();
            let (now, later) = bytes.split_at(room.min(bytes.len()));
            self.buffer.extend_from_slice(now);
            bytes = later;
        }
        Ok(())
    }

    fn prepare(&mut self) -> Result<()> {
        let is_short = self.id.is_none() && self.buffer.len() <= SHORT;
        if !is_short && !self.buffer.is_empty() {
            self.send_part()?;
        }
        self.wait_for_parts(0)
    }

    fn finish(mut self: Box<Self>) -> Result<()> {
        self.prepare()?;
        if let Some(id) = self.id.clone() {
            self.complete(id)?;
            self.id = None;
            return Ok(());
        }
        let (store, key) = self.target();
        let object = Bytes::from(mem::take(&mut self.buffer));
        self.run(async move { store.put(&key, object.into()).await })
            .map(drop)
    }
}

impl Drop for UrlUpload {
    fn drop(&mut self) {
        // A forked process has a copy of the upload, which is not its own.
        let Some(id) = self.id.take().filter(|_| self.process == process::id()) else {
            return;
        };
        self.in_flight.clear();
        let (store, key) = self.target();
        let abort = async move {
            let abort = store.abort_multipart(&key, &id);
            _ = time::timeout(ABORT_TIMEOUT, abort).await;
            Ok(())
        };
        // Nobody can be told: the error that led here is known.
        _ = Pending::start(abort).and_then(|aborted| aborted.wait());
    }
}
