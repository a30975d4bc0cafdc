//! Object of a known length, which is opened at its first read.

use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::SystemTime;

use super::store::{Object, OnRead, Store};
use crate::error::{Error, Result};

/// The object, whose length a manifest states.
#[derive(Debug)]
pub(super) struct LazyObject {
    store: Arc<dyn Store>,
    url: PathBuf,
    len: u64,
    opened: OnceLock<Arc<dyn Object>>,
    /// Held by the thread that opens it.
    opening: Mutex<()>,
}

impl LazyObject {
    pub(super) fn new(store: &Arc<dyn Store>, url: &Path, len: u64) -> Self {
        Self {
            store: Arc::clone(store),
            url: url.to_path_buf(),
            len,
            opened: OnceLock::new(),
            opening: Mutex::default(),
        }
    }

    fn object(&self) -> Result<&Arc<dyn Object>> {
        if let Some(object) = self.opened.get() {
            return Ok(object);
        }
        let _opening = self.opening.lock().unwrap_or_else(PoisonError::into_inner);
        if self.opened.get().is_none() {
            let object = self.store.open_for_random_reads(&self.url)?;
            check_len(object.len(), self.len)?;
            _ = self.opened.set(object);
        }
        Ok(self.opened.get().expect("it was set"))
    }
}

/// Compares the length of a file with the one that a manifest states.
///
/// # Errors
/// They differ.
pub(super) fn check_len(len: u64, stated: u64) -> Result<()> {
    if len == stated {
        return Ok(());
    }
    Err(Error::corrupt(format!(
        "{len} bytes, but the manifest of its set states {stated}: the file was truncated or replaced, or the manifest is \
         of another one"
    )))
}

impl Object for LazyObject {
    fn len(&self) -> u64 {
        self.len
    }

    fn identity(&self) -> Option<&str> {
        self.object().ok()?.identity()
    }

    fn modified(&self) -> Option<SystemTime> {
        self.object().ok()?.modified()
    }

    fn read_exact_at(&self, bytes: &mut [u8], offset: u64) -> Result<()> {
        self.object()?.read_exact_at(bytes, offset)
    }

    fn start_read(&self, range: Range<u64>, done: OnRead) -> Result<(), OnRead> {
        // Opening it waits, which a read that is only started must not do.
        match self.opened.get() {
            Some(object) => object.start_read(range, done),
            None => Err(done),
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::storage::location::{Location, Shard};
    use crate::storage::memory_store::MemoryStore;

    fn shard(bytes: u64) -> Shard {
        Shard {
            bytes,
            records: 1,
            has_checksums: false,
            has_identities: false,
        }
    }

    #[test]
    fn it_is_opened_at_the_first_read() {
        let store = MemoryStore::default();
        let file = store.at("s3://b/a.rec").of_shard(shard(5)).open().unwrap();
        assert_eq!((file.len(), file.is_local()), (5, false));
        let mut bytes = [0; 2];
        let missing = file.read_exact_at(&mut bytes, 3).unwrap_err();
        assert!(
            missing.to_string().starts_with("s3://b/a.rec: "),
            "{missing}"
        );
        store.put("s3://b/a.rec", b"01234");
        file.read_exact_at(&mut bytes, 3).unwrap();
        assert_eq!(&bytes, b"34");
    }

    #[test]
    fn another_length_than_the_stated_one_is_an_error() {
        let store = MemoryStore::default();
        store.put("s3://b/a.rec", b"01234");
        let file = store.at("s3://b/a.rec").of_shard(shard(6)).open().unwrap();
        let error = file.read_exact_at(&mut [0], 0).unwrap_err().to_string();
        assert!(
            error.contains("a.rec: 5 bytes, but the manifest of its set states 6"),
            "{error}"
        );
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.rec");
        std::fs::write(&path, "01234").unwrap();
        let location = Location::from(path);
        assert!(location.clone().of_shard(shard(5)).open().is_ok());
        let error = location.of_shard(shard(4)).open().unwrap_err().to_string();
        assert!(
            error.contains("a.rec: 5 bytes, but the manifest"),
            "{error}"
        );
    }
}
