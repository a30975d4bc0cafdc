//! Stores of objects: buckets, servers, and file systems of the caller's.

use std::fmt::Debug;
use std::io;
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;
use std::time::SystemTime;

use crate::error::{Error, Result};

/// Receives the bytes of a read that was started.
pub type OnRead = Box<dyn FnOnce(Result<Vec<u8>>) + Send>;

/// Receives the path of each listed object, relative to the folder. Its error ends the listing.
pub type OnListed<'a> = dyn FnMut(&str) -> Result<()> + 'a;

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

    /// Removes an object, if there is one.
    ///
    /// # Errors
    /// It cannot be removed; `Unsupported` if this store removes none.
    fn delete(&self, url: &Path) -> Result<()> {
        let _ = url;
        Err(unsupported("this store cannot remove objects"))
    }

    /// Lists the objects whose URLs begin with that of a folder and a slash, in any order.
    ///
    /// # Errors
    /// They cannot be listed; `Unsupported` if this store lists none; those of `on_listed`.
    fn list(&self, folder: &Path, on_listed: &mut OnListed<'_>) -> Result<()> {
        let _ = (folder, on_listed);
        Err(unsupported("this store cannot list objects"))
    }
}

fn unsupported(text: &str) -> Error {
    io::Error::new(io::ErrorKind::Unsupported, text).into()
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

    /// Returns when the object was written, if the store reports that.
    fn modified(&self) -> Option<SystemTime> {
        None
    }

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

    /// Sends the bytes so far, so that little can fail when the object is finished. No more are
    /// written after this.
    ///
    /// # Errors
    /// As [`write_all`](Self::write_all).
    fn prepare(&mut self) -> Result<()> {
        Ok(())
    }

    /// Makes the object appear under its URL, and replace an older one.
    ///
    /// # Errors
    /// It cannot be written. Then nothing remains.
    fn finish(self: Box<Self>) -> Result<()>;
}
