//! Local cache of objects: blocks that were read once are kept in files.
//!
//! ```text
//! partial_read  bytes of a read of which the cache has some
//! cached_file   the two files of an object: data and log
//! block_table   which blocks the data file has
//! entry_log     format of the log
//! space         bytes of a cache folder, and removal of what is not used
//! ```
//!
//! Reads are of whole blocks, so that each byte of an object is read from the store once, whatever
//! the order of the records. The data file of an object has its length and is sparse: each block is
//! at its offset.
//!
//! Several processes may use a folder. One that is killed leaves blocks without an entry in the
//! log, or an entry whose data did not reach the disk: each entry has the CRC32C of its block,
//! which is compared whenever the block is read. The cache never returns an error: what cannot be
//! read from it is read from the store.
//!
//! A full cache keeps what it has. Objects that no process has open are removed, the ones that
//! were used longest ago first; the blocks of open objects stay. In a shuffled epoch every record
//! is needed once, so replacing the blocks that were used longest ago would remove just those that
//! the next epoch needs first, and a set slightly larger than the cache would never be found in it.
//! What a full cache does not have is read from the store without the rest of its blocks.

mod block_table;
mod cached_file;
mod entry_log;
mod partial_read;
mod space;

use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use super::per_process::PerProcess;
use super::store::{Object, OnListed, OnRead, Store, Upload};
use super::url::without_credentials;
use crate::error::{Error, Result};
use cached_file::{CachedFile, ObjectKey};
use partial_read::PartialRead;
use space::Space;

/// A folder for cached objects.
#[derive(Debug, Clone)]
pub struct Cache {
    folder: PathBuf,
    max_bytes: u64,
}

impl Cache {
    /// Creates the folder, unless it exists. Processes keep at most about `max_bytes` in it.
    ///
    /// # Errors
    /// [`ErrorKind::Io`](crate::error::ErrorKind::Io) with the path.
    pub fn open(folder: &Path, max_bytes: u64) -> Result<Self> {
        std::fs::create_dir_all(folder).map_err(|error| Error::from(error).at_path(folder))?;
        Ok(Self {
            folder: folder.to_path_buf(),
            max_bytes,
        })
    }
}

/// A store whose objects are cached.
#[derive(Debug)]
pub struct CachedStore {
    store: Arc<dyn Store>,
    cache: Cache,
}

impl CachedStore {
    /// Returns a store that reads the objects of `store` through a cache.
    #[must_use]
    pub fn new(store: Arc<dyn Store>, cache: Cache) -> Self {
        Self { store, cache }
    }
}

impl Store for CachedStore {
    fn open(&self, url: &Path) -> Result<Arc<dyn Object>> {
        let object = self.store.open(url)?;
        let Some(identity) = object.identity() else {
            return Err(Error::argument(
                "the server reports neither ETag nor Last-Modified of this object, so a cached copy could be outdated: \
                 omit cache_dir",
            ));
        };
        let key = ObjectKey {
            url: without_credentials(url).to_string_lossy().into_owned(),
            identity: identity.to_owned(),
            len: object.len(),
        };
        Ok(Arc::new(CachedObject {
            object,
            key,
            cache: self.cache.clone(),
            file: PerProcess::new(),
        }))
    }

    fn create(&self, url: &Path) -> Result<Box<dyn Upload>> {
        self.store.create(url)
    }

    fn delete(&self, url: &Path) -> Result<()> {
        self.store.delete(url)
    }

    fn list(&self, folder: &Path, on_listed: &mut OnListed<'_>) -> Result<()> {
        self.store.list(folder, on_listed)
    }
}

/// An object and its files in the cache.
#[derive(Debug)]
struct CachedObject {
    object: Arc<dyn Object>,
    key: ObjectKey,
    cache: Cache,
    /// None if the files cannot be opened.
    file: PerProcess<Option<Arc<CachedFile>>>,
}

impl CachedObject {
    fn file(&self) -> Option<Arc<CachedFile>> {
        let open = || {
            let space = Space::new(&self.cache.folder, self.cache.max_bytes);
            let file = CachedFile::open(&self.cache.folder, &self.key, space);
            Ok(file.ok().map(Arc::new))
        };
        self.file.get_or_try_make(open).ok().flatten()
    }

    /// Reads what the cache has of a range; none if the cache is not to be used for it.
    fn partial_read(&self, range: &Range<u64>) -> Option<PartialRead> {
        if range.is_empty() || range.end > self.len() {
            return None;
        }
        PartialRead::new(self.file()?, range)
    }
}

impl Object for CachedObject {
    fn len(&self) -> u64 {
        self.object.len()
    }

    fn identity(&self) -> Option<&str> {
        self.object.identity()
    }

    fn modified(&self) -> Option<SystemTime> {
        self.object.modified()
    }

    fn read_exact_at(&self, bytes: &mut [u8], offset: u64) -> Result<()> {
        let range = offset..offset.saturating_add(bytes.len() as u64);
        let Some(mut read) = self.partial_read(&range) else {
            return self.object.read_exact_at(bytes, offset);
        };
        if let Some((start, missing)) = read.missing() {
            self.object.read_exact_at(missing, start)?;
            read.insert();
        }
        bytes.copy_from_slice(read.wanted());
        Ok(())
    }

    fn start_read(&self, range: Range<u64>, done: OnRead) -> Result<(), OnRead> {
        let Some(mut read) = self.partial_read(&range) else {
            return self.object.start_read(range, done);
        };
        let Some((start, missing)) = read.missing() else {
            done.call(Ok(read.wanted().to_vec()));
            return Ok(());
        };
        let missing = start..start + missing.len() as u64;
        let is_wanted = done.is_wanted();
        let kept = Arc::new(Mutex::new(Some(done)));
        let take = |kept: &Mutex<Option<OnRead>>| {
            kept.lock().unwrap_or_else(PoisonError::into_inner).take()
        };
        let receiver = Arc::clone(&kept);
        let complete = move |outcome: Result<Vec<u8>>| {
            let Some(done) = take(&receiver) else { return };
            done.call(outcome.map(|fetched| {
                if let Some((_, missing)) = read.missing() {
                    missing.copy_from_slice(&fetched);
                    read.insert();
                }
                read.wanted().to_vec()
            }));
        };
        let started = self
            .object
            .start_read(missing, OnRead::new(complete, move || is_wanted()));
        // The caller, who reads and waits, has to get what it passed.
        started.or_else(|_| take(&kept).map_or(Ok(()), Err))
    }
}

#[cfg(test)]
mod tests;
