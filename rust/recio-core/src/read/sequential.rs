//! Sequential reader, for `MXRecordIO`.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::error::{Error, Result};
use crate::memory;
use crate::progress::Interrupt;
use crate::read::record_file::RecordFile;
use crate::read::scan;
use crate::storage::location::Location;

/// Reads the records of a file in order, from any thread: each record goes to exactly one caller.
///
/// It has no lock, because a lock that is held by another thread during a fork is never released in
/// the child.
#[derive(Debug)]
pub struct Reader {
    file: RecordFile,
    /// Offset of the next record.
    offset: AtomicU64,
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
            // If another thread was faster, the record is its.
            let claimed =
                self.offset
                    .compare_exchange(offset, next, Ordering::Relaxed, Ordering::Relaxed);
            if claimed.is_ok() {
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
        let copied = record.map(|record| Ok((memory::copied(record.bytes)?, record.next)));
        copied.transpose()
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
    use crate::format::frame;

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
