//! Stores of objects: buckets, servers, and file systems of the caller's.

use std::fmt::{self, Debug};
use std::io;
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;
use std::time::SystemTime;

use crate::error::{Error, Result};

/// What receives the bytes of a read that was started.
pub struct OnRead {
    done: Box<dyn FnOnce(Result<Vec<u8>>) + Send>,
    is_wanted: IsWanted,
}

/// Returns whether bytes are still wanted.
pub type IsWanted = Arc<dyn Fn() -> bool + Send + Sync>;

impl OnRead {
    /// Calls `done` with the outcome. The bytes are wanted as long as `is_wanted` returns true;
    /// after that, the read may end with any error.
    pub fn new(
        done: impl FnOnce(Result<Vec<u8>>) + Send + 'static,
        is_wanted: impl Fn() -> bool + Send + Sync + 'static,
    ) -> Self {
        Self {
            done: Box::new(done),
            is_wanted: Arc::new(is_wanted),
        }
    }

    /// Returns the function that returns whether the bytes are still wanted.
    #[must_use]
    pub fn is_wanted(&self) -> IsWanted {
        Arc::clone(&self.is_wanted)
    }

    /// Passes the outcome on.
    pub fn call(self, outcome: Result<Vec<u8>>) {
        (self.done)(outcome);
    }

    /// Changes the outcome before it is passed on.
    #[must_use]
    pub fn map(
        self,
        change: impl FnOnce(Result<Vec<u8>>) -> Result<Vec<u8>> + Send + 'static,
    ) -> Self {
        let done = self.done;
        Self {
            done: Box::new(move |outcome| done(change(outcome))),
            is_wanted: self.is_wanted,
        }
    }
}

impl Debug for OnRead {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("OnRead")
    }
}

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

    /// Opens an object of which any bytes are read next, not its beginning.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    fn open_for_random_reads(&self, url: &Path) -> Result<Arc<dyn Object>> {
        self.open(url)
    }

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
