//! Object of a store, pinned to the identity that it had when it was opened.

use std::collections::VecDeque;
use std::fmt;
use std::ops::Range;
use std::pin::pin;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use futures_util::future::{Either, select};

use super::client::Client;
use super::failure::{Cause, Failure};
use super::pin::Pin;
use super::read_ahead::{Fetch, ReadAhead};
use super::remote_object::Remote;
use super::runtime::{self, Pending};
use super::settings::Settings;
use crate::error::{Error, ErrorKind, Result};
use crate::storage::address::Address;
use crate::storage::per_process::PerProcess;
use crate::storage::store::{IsWanted, Object, OnRead};

/// Long reads are divided into requests of this length, several at a time.
const PIECE: u64 = 8 << 20;
const PIECES: usize = 8;

/// Time between two looks at whether the bytes of a read are still wanted.
const WANTED_INTERVAL: Duration = Duration::from_millis(100);

/// Object of a URL.
pub(super) struct UrlObject {
    address: Address,
    settings: Settings,
    identity: Option<String>,
    pin: Arc<Pin>,
    has_ranges: bool,
    connected: PerProcess<Connected>,
    ahead: ReadAhead,
}

impl fmt::Debug for UrlObject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "UrlObject({}, {} bytes)", self.address, self.pin.len)
    }
}

/// The way of a process to the object.
#[derive(Clone)]
struct Connected {
    client: Arc<Client>,
    remote: Arc<Remote>,
}

impl Connected {
    fn new(address: &Address, settings: &Settings) -> Result<Self> {
        let client = Client::of(address, settings)?;
        let remote = Arc::new(client.object(address)?);
        Ok(Self { client, remote })
    }
}

impl UrlObject {
    /// Opens an object, of which `beginning` bytes are read at once.
    ///
    /// # Errors
    /// Those of the request; there is none.
    pub(super) fn open(address: Address, settings: Settings, beginning: u64) -> Result<Self> {
        let connected = Connected::new(&address, &settings)?;
        let opening = connected.clone();
        let opened = Pending::start(async move {
            let opened = opening.remote.open(beginning).await;
            opened.map_err(|failure| opening.client.explain(failure))
        });
        let opened = opened?.wait()?;
        let process = PerProcess::new();
        process.get_or_try_make(|| Ok(connected))?;
        Ok(Self {
            address,
            settings,
            identity: opened.pin.identity(),
            pin: Arc::new(opened.pin),
            has_ranges: opened.has_ranges,
            connected: process,
            ahead: ReadAhead::starting_with(opened.beginning),
        })
    }

    /// Prepares the request of a range, for any thread.
    fn request(
        &self,
        range: Range<u64>,
    ) -> Result<impl Future<Output = Result<Bytes>> + Send + use<>> {
        let connected = self
            .connected
            .get_or_try_make(|| Connected::new(&self.address, &self.settings))?;
        let pin = Arc::clone(&self.pin);
        Ok(async move {
            let fetched = connected.remote.fetch(range, &pin).await;
            fetched.map_err(|failure| connected.client.explain(failure))
        })
    }

    /// Reads by requests of their own.
    fn read_directly(&self, bytes: &mut [u8], offset: u64) -> Result<()> {
        // A server without ranges sends all of it, or nothing.
        let piece = if self.has_ranges {
            PIECE as usize
        } else {
            usize::MAX
        };
        let mut starts = (0..bytes.len()).step_by(piece);
        let mut pending = VecDeque::with_capacity(PIECES);
        let mut start_next = |pending: &mut VecDeque<_>, len: usize| -> Result<()> {
            if let Some(start) = starts.next() {
                let end = len.min(start.saturating_add(piece));
                let range = offset + start as u64..offset + end as u64;
                pending.push_back((start..end, self.start(range)?));
            }
            Ok(())
        };
        for _ in 0..PIECES {
            start_next(&mut pending, bytes.len())?;
        }
        while let Some((range, request)) = pending.pop_front() {
            bytes[range].copy_from_slice(&request.wait()?);
            start_next(&mut pending, bytes.len())?;
        }
        Ok(())
    }

    fn check_range(&self, range: &Range<u64>) -> Result<()> {
        if range.start > range.end || range.end > self.pin.len {
            let text = format!(
                "bytes {} to {} of an object of {}",
                range.start, range.end, self.pin.len
            );
            return Err(Error::corrupt(text));
        }
        if !self.has_ranges && !self.pin.is_whole(range) {
            return Err(Failure::new(Cause::NoRanges).into());
        }
        Ok(())
    }
}

/// Waits until the bytes of a read are not wanted any more.
async fn unwanted(is_wanted: IsWanted) {
    while is_wanted() {
        tokio::time::sleep(WANTED_INTERVAL).await;
    }
}

impl Fetch for UrlObject {
    fn start(&self, range: Range<u64>) -> Result<Pending<Bytes>> {
        Pending::start(self.request(range)?)
    }

    fn len(&self) -> u64 {
        self.pin.len
    }
}

impl Object for UrlObject {
    fn len(&self) -> u64 {
        self.pin.len
    }

    fn identity(&self) -> Option<&str> {
        self.identity.as_deref()
    }

    fn modified(&self) -> Option<SystemTime> {
        self.pin.modified()
    }

    fn read_exact_at(&self, bytes: &mut [u8], offset: u64) -> Result<()> {
        let read = match self.ahead.read(bytes, offset, self) {
            // A block has many records, of which others may be the ones that cannot be read.
            Err(error) if !error.is_interrupted() => 0,
            read => read?,
        };
        if read == bytes.len() {
            return Ok(());
        }
        let (offset, bytes) = (offset + read as u64, &mut bytes[read..]);
        self.check_range(&(offset..offset.saturating_add(bytes.len() as u64)))?;
        self.read_directly(bytes, offset)
    }

    fn start_read(&self, range: Range<u64>, done: OnRead) -> Result<(), OnRead> {
        if range.is_empty() {
            return Err(done);
        }
        let request = self.check_range(&range).and_then(|()| self.request(range));
        // What is wrong is reported by the read that waits.
        let (Ok(handle), Ok(request)) = (runtime::handle(), request) else {
            return Err(done);
        };
        handle.spawn(async move {
            let unwanted = unwanted(done.is_wanted());
            let outcome = match select(pin!(request), pin!(unwanted)).await {
                Either::Left((outcome, _)) => outcome.map(Vec::from),
                Either::Right(_) => Err(Error::new(ErrorKind::Interrupted)),
            };
            done.call(outcome);
        });
        Ok(())
    }
}
