//! Stores of objects: buckets, servers, and file systems of the caller's.

use std::fmt::Debug;
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use crate::error::Result;

/// Receives the bytes of a read that was started.
pub type OnRead = Box<dyn FnOnce(Result<Vec<u8>>) + Send>;

/// A store of objects, by their URLs.
///
/// Errors are [`ErrorKind::Io`](crate::error::ErrorKind::Io) with the kind that the same error of a
/// local file has. Their text has no credentials.
pub trait Store: Debug + Send + Sync {
    /// Opens an object for reading.
    ///
    /// # Errors
    /// `NotFound` if there is no such object, and others.
    fn open(&self, url: &Path) -> Result<Arc<dyn Object>>;

    /// Starts to write an object, which appears when it is finished.
    ///
    /// # Errors
    /// The object cannot be written.
    fn create(&self, url: &Path) -> Result<Box<dyn Upload>>;
}

/// An object that is open for reading: the bytes that it had when it was opened.
///
/// If it is replaced, reads return an error,
/// [`ErrorKind::Corrupt`](crate::error::ErrorKind::Corrupt).
pub trait Object: Debug + Send + Sync {
    /// Returns the length in bytes.
    fn len(&self) -> u64;

    /// Returns whether the object has no bytes.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Returns what changes if the object is replaced, such as its etag.
    fn identity(&self) -> Option<&str>;

    /// Fills `bytes` from `offset`, and waits for that.
    ///
    /// # Errors
    /// The bytes cannot be read, or end before that.
    fn read_exact_at(&self, bytes: &mut [u8], offset: u64) -> Result<()>;

    /// Starts a read and returns. `done` is called once, in another thread.
    ///
    /// # Errors
    /// Returns `done` if this object has only reads that wait.
    fn start_read(&self, range: Range<u64>, done: OnRead) -> Result<(), OnRead> {
        let _ = range;
        Err(done)
    }
}

/// An object that is being written. If it is dropped before it is finished, nothing remains.
pub trait Upload: Send {
    /// Appends bytes.
    ///
    /// # Errors
    /// They cannot be written. Then the object cannot be finished.
    fn write_all(&mut self, bytes: &[u8]) -> Result<()>;

    /// Makes the object appear under its URL, and replace an older one.
    ///
    /// # Errors
    /// It cannot be written. Then nothing remains.
    fn finish(self: Box<Self>) -> Result<()>;
}
