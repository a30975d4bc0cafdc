//! Sequential reader, for `MXRecordIO`.
//!
//! Small records are read many at a time, and taken from memory one after another: in a fifth of
//! the time of a read each, most of which is the system call.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use crate::error::{Error, Result};
use crate::format::frame;
use crate::memory;
use crate::progress::Interrupt;
use crate::read::record_file::{Record, RecordFile};
use crate::read::scan;
use crate::storage::location::Location;

/// Bytes of a record up to which the records after it are loaded too.
const MAX_SMALL: usize = 4096;
/// Bytes that are loaded at first, and after a jump.
const MIN_LOADED: usize = 4096;
/// Bytes that are loaded at a time in the end.
const MAX_LOADED: usize = 64 << 10;

/// Reads the records of a file in order, from any thread: each record goes to exactly one caller.
///
/// Nothing waits for its lock, because a lock that is held by another thread during a fork is never
/// released in the child: where it is held, records are read one by one.
#[derive(Debug)]
pub struct Reader {
    file: RecordFile,
    /// Offset of the next record.
    offset: AtomicU64,
    loaded: Mutex<Loaded>,
    /// Whether the last record that was read by itself was small.
    are_small: AtomicBool,
}

/// Bytes of a file in memory.
#[derive(Debug, Default)]
struct Loaded {
    bytes: Vec<u8>,
    /// Offset of the first byte.
    start: u64,
}

impl Loaded {
    /// Returns the bytes from `offset` on.
    fn from(&self, offset: u64) -> Option<&[u8]> {
        let at = usize::try_from(offset.checked_sub(self.start)?).ok()?;
        self.bytes.get(at..)
    }

    /// Loads the bytes from `offset` on: more of them if they follow those that were loaded before.
    fn load(&mut self, file: &RecordFile, offset: u64) {
        let is_next = self.from(offset).is_some() && !self.bytes.is_empty();
        let len = if is_next {
            (2 * self.bytes.len()).min(MAX_LOADED)
        } else {
            MIN_LOADED
        };
        let left = file.len().saturating_sub(offset);
        self.bytes.resize(left.min(len as u64) as usize, 0);
        self.start = offset;
        if file.read_exact_at(&mut self.bytes, offset).is_err() {
            // Reading the record returns the error, if it concerns that.
            self.bytes.clear();
        }
    }
}

impl Reader {
    /// Opens a file at its first record.
    ///
    /// # Errors
    /// [`ErrorKind::Io`](crate::error::ErrorKind::Io).
    pub fn open(location: impl Into<Location>) -> Result<Self> {
        Ok(Self {
            file: RecordFile::open(location)?,
            offset: AtomicU64::new(0),
            loaded: Mutex::default(),
            are_small: AtomicBool::new(false),
        })
    }

    /// Lets a local file be closed in favor of others, until it is read again.
    ///
    /// # Errors
    /// [`ErrorKind::Io`](crate::error::ErrorKind::Io).
    pub fn shared(self) -> Result<Self> {
        Ok(Self {
            file: self.file.shared()?,
            ..self
        })
    }

    /// Returns the file.
    #[must_use]
    pub fn file(&self) -> &RecordFile {
        &self.file
    }

    /// Calls `copy` with the next record and moves on, if all of it is loaded.
    pub fn read_loaded<T>(&self, mut copy: impl FnMut(&[u8]) -> T) -> Option<T> {
        loop {
            let offset = self.tell();
            let (copied, next) = self.loaded_at(offset, |record, next| (copy(record), next))?;
            // If another thread was faster, the record is its.
            if self.claim(offset, next) {
                return Some(copied);
            }
        }
    }

    /// Calls `copy` with the record at `offset` and the offset of the next, if all of it is loaded
    /// and it is neither split nor damaged.
    pub fn loaded_at<T>(&self, offset: u64, copy: impl FnOnce(&[u8], u64) -> T) -> Option<T> {
        let loaded = self.loaded.try_lock().ok()?;
        let bytes = loaded.from(offset)?;
        let len = self.file.frame_in(bytes, offset, None)?;
        Some(copy(frame::whole(&bytes[..len])?, offset + len as u64))
    }

    /// Loads the records from `offset` on, if that is a single read of a local file, and the last
    /// record was small.
    pub fn load(&self, offset: u64) {
        if self.file.is_local()
            && self.are_small.load(Ordering::Relaxed)
            && let Ok(mut loaded) = self.loaded.try_lock()
        {
            loaded.load(&self.file, offset);
        }
    }

    /// Moves from `offset` to `next`. Returns whether no other thread has moved before.
    fn claim(&self, offset: u64, next: u64) -> bool {
        let order = Ordering::Relaxed;
        let claimed = self.offset.compare_exchange(offset, next, order, order);
        claimed.is_ok()
    }

    /// Reads the next record; `None` at the end of the file.
    ///
    /// # Errors
    /// As [`read_from`](Self::read_from). The reader stays at the damaged record.
    pub fn read(&self, interrupt: &Interrupt<'_>) -> Result<Option<Vec<u8>>> {
        loop {
            let offset = self.tell();
            let Some((record, next)) = self.read_from(offset, interrupt)? else {
                return Ok(None);
            };
            if self.claim(offset, next) {
                return Ok(Some(record));
            }
        }
    }

    /// Reads the record at `offset` without moving, and returns it with the offset of the next;
    /// `None` at the end of the file.
    ///
    /// # Errors
    /// As [`RecordFile::read`], with the ordinal of the record, for which the records before it are
    /// counted; `Interrupted`.
    pub fn read_from(
        &self,
        offset: u64,
        interrupt: &Interrupt<'_>,
    ) -> Result<Option<(Vec<u8>, u64)>> {
        let mut buffer = Vec::new();
        let read = self.file.read(offset, None, &mut buffer);
        let record = read.map_err(|error| self.locate(error, offset, interrupt))?;
        let is_small = |record: &Record<'_>| record.bytes.len() <= MAX_SMALL;
        let are_small = record.as_ref().is_some_and(is_small);
        self.are_small.store(are_small, Ordering::Relaxed);
        let copied = record.map(|record| Ok((memory::copied(record.bytes)?, record.next)));
        copied.transpose()
    }

    /// Reads the record at `offset` into `buffer`, which must have room for the header of the next
    /// record too, and moves to that. Returns `None` if the record is longer, split or damaged.
    pub fn read_small<'b>(&self, offset: u64, buffer: &'b mut [u8]) -> Option<&'b [u8]> {
        let len = self
            .file
            .len()
            .checked_sub(offset)?
            .min(buffer.len() as u64);
        let bytes = &mut buffer[..len as usize];
        self.file.read_exact_at(bytes, offset).ok()?;
        let len = self.file.frame_in(bytes, offset, None)?;
        let record = frame::whole(&bytes[..len])?;
        self.seek(offset + len as u64);
        Some(record)
    }

    /// Reads the record at `offset`, and moves to the next, whose offset is `next` if it is known.
    /// Without it, the header of the next record is compared too: a local file may change while it
    /// is read.
    ///
    /// # Errors
    /// As [`RecordFile::read_existing`].
    pub fn read_at(&self, offset: u64, next: Option<u64>) -> Result<Vec<u8>> {
        let mut buffer = Vec::new();
        let record = self.file.read_existing(offset, next, &mut buffer)?;
        self.seek(record.next);
        memory::copied(record.bytes)
    }

    /// Moves to the record at `offset`.
    pub fn seek(&self, offset: u64) {
        self.offset.store(offset, Ordering::Relaxed);
    }

    /// Returns the offset of the next record.
    #[must_use]
    pub fn tell(&self) -> u64 {
        self.offset.load(Ordering::Relaxed)
    }

    /// Adds the ordinal of the record at `offset` to an error, by counting the records before it in
    /// a local file. Of an object all of it would have to be read, from a store that may be down.
    fn locate(&self, error: Error, offset: u64, interrupt: &Interrupt<'_>) -> Error {
        if !self.file.is_local() {
            return error;
        }
        match scan::ordinal(&self.file, offset, interrupt) {
            Ok(Some(record)) => error.at_record(record),
            Ok(None) => error,
            Err(interrupted) => interrupted,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reading_continues_after_the_record_of_read_at() {
        let mut bytes = Vec::new();
        let offsets = [&b"one"[..], b"two", b"three"].map(|record| {
            let offset = bytes.len() as u64;
            frame::encode(record, &mut bytes).unwrap();
            offset
        });
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.rec");
        std::fs::write(&path, bytes).unwrap();
        let reader = Reader::open(&path).unwrap();
        while reader.read(&Interrupt::never()).unwrap().is_some() {}
        assert_eq!(reader.read_at(offsets[1], None).unwrap(), b"two");
        assert_eq!(reader.read(&Interrupt::never()).unwrap().unwrap(), b"three");
        assert_eq!(reader.read(&Interrupt::never()).unwrap(), None);
        assert!(
            reader
                .read_at(reader.file().len(), None)
                .unwrap_err()
                .to_string()
                .contains("the file ends")
        );
    }

    #[test]
    fn an_error_after_read_at_has_the_ordinal() {
        let mut bytes = Vec::new();
        for record in [&b"one"[..], b"two", b"three"] {
            frame::encode(record, &mut bytes).unwrap();
        }
        bytes.truncate(bytes.len() - 4);
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.rec");
        std::fs::write(&path, bytes).unwrap();
        let reader = Reader::open(&path).unwrap();
        reader.read_at(12, None).unwrap();
        let error = reader.read(&Interrupt::never()).unwrap_err().to_string();
        assert!(
            error.contains("record 2 at byte 24: a fragment of 5 bytes"),
            "{error}"
        );
    }
}
