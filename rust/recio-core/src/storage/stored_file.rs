//! A file that is open for positioned reads, wherever it is.

use std::io::{self, Cursor, Read, Seek, SeekFrom};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use super::lazy_object::{LazyObject, check_len};
use super::local_file::LocalFile;
use super::location::Location;
use super::store::{Object, OnRead};
use crate::error::Result;
use crate::memory;

/// Open file.
#[derive(Debug)]
pub struct StoredFile {
    location: Location,
    /// The path or the URL, for messages.
    shown: PathBuf,
    file: Backend,
}

#[derive(Debug)]
enum Backend {
    Local(LocalFile),
    Object(Arc<dyn Object>),
}

impl Backend {
    fn open(location: &Location) -> Result<Self> {
        let (path, stated) = (location.path(), location.shard().map(|shard| shard.bytes));
        let Some(store) = location.store() else {
            let file = LocalFile::open(path)?;
            stated.map_or(Ok(()), |stated| check_len(file.len(), stated))?;
            return Ok(Self::Local(file));
        };
        Ok(Self::Object(match stated {
            Some(len) => Arc::new(LazyObject::new(store, path, len)),
            None => store.open(path)?,
        }))
    }
}

impl StoredFile {
    pub(super) fn open(location: &Location) -> Result<Self> {
        let shown = location.shown();
        let file = Backend::open(location).map_err(|error| error.at_path(&shown))?;
        Ok(Self {
            location: location.clone(),
            shown,
            file,
        })
    }

    /// Lets a local file be closed in favor of others, until it is read again.
    ///
    /// # Errors
    /// [`ErrorKind::Io`](crate::error::ErrorKind::Io).
    pub fn shared(self) -> Result<Self> {
        let file = match self.file {
            Backend::Local(file) => Backend::Local(file.shared()?),
            object @ Backend::Object(_) => object,
        };
        Ok(Self { file, ..self })
    }

    /// Returns where the file is.
    #[must_use]
    pub fn location(&self) -> &Location {
        &self.location
    }

    /// Returns the path, or the URL without credentials, for messages.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.shown
    }

    /// Returns whether the file is in the local file system.
    #[must_use]
    pub fn is_local(&self) -> bool {
        matches!(self.file, Backend::Local(_))
    }

    /// Returns the length in bytes when the file was opened.
    #[must_use]
    pub fn len(&self) -> u64 {
        match &self.file {
            Backend::Local(file) => file.len(),
            Backend::Object(object) => object.len(),
        }
    }

    /// Returns whether the file was empty when it was opened.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Returns what changes if an object is replaced, such as its etag; none for a local file.
    #[must_use]
    pub fn identity(&self) -> Option<&str> {
        match &self.file {
            Backend::Local(_) => None,
            Backend::Object(object) => object.identity(),
        }
    }

    /// Returns when an object was written, if its store reports that; none for a local file.
    #[must_use]
    pub fn modified(&self) -> Option<SystemTime> {
        match &self.file {
            Backend::Local(_) => None,
            Backend::Object(object) => object.modified(),
        }
    }

    /// Fills `bytes` from `offset`.
    ///
    /// # Errors
    /// [`ErrorKind::Io`](crate::error::ErrorKind::Io); `Corrupt` if the file has been truncated or
    /// replaced since it was opened. Both have the path.
    pub fn read_exact_at(&self, bytes: &mut [u8], offset: u64) -> Result<()> {
        match &self.file {
            Backend::Local(file) => file.read_exact_at(bytes, offset),
            Backend::Object(object) => {
                let read = object.read_exact_at(bytes, offset);
                read.map_err(|error| error.at_path(&self.shown))
            }
        }
    }

    /// Starts a read and returns. `done` is called once, in another thread.
    ///
    /// # Errors
    /// Returns `done` if this file has only reads that wait.
    pub fn start_read(&self, range: Range<u64>, done: OnRead) -> Result<(), OnRead> {
        let Backend::Object(object) = &self.file else {
            return Err(done);
        };
        let path = self.shown.clone();
        object.start_read(
            range,
            done.map(move |bytes| bytes.map_err(|error| error.at_path(&path))),
        )
    }

    /// Returns a reader from the beginning. Of an object, this reads all bytes.
    ///
    /// # Errors
    /// As [`read_all`](Self::read_all).
    pub fn reader(&self) -> Result<Reader<'_>> {
        Ok(match &self.file {
            Backend::Local(file) => Reader::Local(file, 0),
            Backend::Object(_) => Reader::Bytes(Cursor::new(self.read_all()?)),
        })
    }

    /// Reads all bytes.
    ///
    /// # Errors
    /// As [`read_exact_at`](Self::read_exact_at); no memory.
    pub fn read_all(&self) -> Result<Vec<u8>> {
        let mut bytes = Vec::new();
        let len = usize::try_from(self.len()).unwrap_or(usize::MAX);
        memory::resize(&mut bytes, len, 0)?;
        self.read_exact_at(&mut bytes, 0)?;
        Ok(bytes)
    }
}

/// Sequential reader of an open file.
#[derive(Debug)]
pub enum Reader<'a> {
    /// A local file, read from a position.
    Local(&'a LocalFile, u64),
    /// The bytes of an object.
    Bytes(Cursor<Vec<u8>>),
}

impl Read for Reader<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Local(file, position) => {
                let read = file.read_at(buffer, *position)?;
                *position += read as u64;
                Ok(read)
            }
            Self::Bytes(bytes) => bytes.read(buffer),
        }
    }
}

impl Seek for Reader<'_> {
    fn seek(&mut self, target: SeekFrom) -> io::Result<u64> {
        let (file, position) = match self {
            Self::Local(file, position) => (file, position),
            Self::Bytes(bytes) => return bytes.seek(target),
        };
        let target = match target {
            SeekFrom::Start(target) => Some(target),
            SeekFrom::End(offset) => file.len().checked_add_signed(offset),
            SeekFrom::Current(offset) => position.checked_add_signed(offset),
        };
        *position = target.ok_or(io::ErrorKind::InvalidInput)?;
        Ok(*position)
    }
}
