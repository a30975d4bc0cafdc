//! One record after another: the reader behind `MXRecordIO`.

use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::error::{Error, Result};
use crate::read::record_file::RecordFile;
use crate::read::scan;

/// Reads the records of a file in order, from any thread: each record goes to exactly one caller.
///
/// There is no lock: one that another thread holds while a process forks would stay held in the child for ever.
#[derive(Debug)]
pub struct Reader {
    file: RecordFile,
    /// Where the next record begins.
    offset: AtomicU64,
}

impl Reader {
    /// Opens a file at its first record.
    ///
    /// # Errors
    /// [`ErrorKind::Io`](crate::error::ErrorKind::Io).
    pub fn open(path: &Path) -> Result<Self> {
        Ok(Self {
            file: RecordFile::open(path)?,
            offset: AtomicU64::new(0),
        })
    }

    /// The file.
    #[must_use]
    pub fn file(&self) -> &RecordFile {
        &self.file
    }

    /// Reads the next record, or nothing at the end of the file.
    ///
    /// # Errors
    /// As [`RecordFile::read`]. The reader stays before the damage: it never gives what it cannot vouch for.
    pub fn read(&self) -> Result<Option<Vec<u8>>> {
        loop {
            let offset = self.tell();
            let Some((record, next)) = self.read_from(offset)? else {
                return Ok(None);
            };
            // If another thread was faster, this record is that one's.
            let taken =
                self.offset
                    .compare_exchange(offset, next, Ordering::Relaxed, Ordering::Relaxed);
            if taken.is_ok() {
                return Ok(Some(record));
            }
        }
    }

    /// Reads the record at `offset` without moving, or nothing at the end of the file; gives where the next one begins.
    ///
    /// # Errors
    /// As [`RecordFile::read`].
    pub fn read_from(&self, offset: u64) -> Result<Option<(Vec<u8>, u64)>> {
        let mut buffer = Vec::new();
        let read = self.file.read(offset, None, &mut buffer);
        let record = read.map_err(|error| self.locate(error, offset))?;
        Ok(record.map(|record| (record.payload.to_vec(), record.next)))
    }

    /// Reads the record at `offset`, and moves behind it.
    ///
    /// # Errors
    /// As [`RecordFile::read`]; the end of the file is one too.
    pub fn read_at(&self, offset: u64) -> Result<Vec<u8>> {
        let mut buffer = Vec::new();
        let Some(record) = self.file.read(offset, None, &mut buffer)? else {
            let error = Error::corrupt("no record here: the file ends");
            return Err(error.at_offset(offset).at_path(self.file.path()));
        };
        self.seek(record.next);
        Ok(record.payload.to_vec())
    }

    /// Moves to the record at `offset`.
    pub fn seek(&self, offset: u64) {
        self.offset.store(offset, Ordering::Relaxed);
    }

    /// Where the next record begins, in bytes.
    #[must_use]
    pub fn tell(&self) -> u64 {
        self.offset.load(Ordering::Relaxed)
    }

    /// Adds the ordinal of the record at `offset` to an error, by counting those before it.
    fn locate(&self, error: Error, offset: u64) -> Error {
        match scan::ordinal(&self.file, offset) {
            Some(record) => error.at_record(record),
            None => error,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::frame;

    #[test]
    fn reading_goes_on_behind_a_record_that_was_jumped_to_even_after_the_end() {
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
        while reader.read().unwrap().is_some() {}
        assert_eq!(reader.read_at(offsets[1]).unwrap(), b"two");
        assert_eq!(reader.read().unwrap().unwrap(), b"three");
        assert_eq!(reader.read().unwrap(), None);
        assert!(
            reader
                .read_at(reader.file().len())
                .unwrap_err()
                .to_string()
                .contains("the file ends")
        );
    }

    #[test]
    fn an_error_after_a_jump_still_counts_the_records() {
        let mut bytes = Vec::new();
        for record in [&b"one"[..], b"two", b"three"] {
            frame::encode(record, &mut bytes).unwrap();
        }
        bytes.truncate(bytes.len() - 4);
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.rec");
        std::fs::write(&path, bytes).unwrap();
        let reader = Reader::open(&path).unwrap();
        reader.read_at(12).unwrap();
        let error = reader.read().unwrap_err().to_string();
        assert!(
            error.contains("record 2 at byte 24: a fragment of 5 bytes"),
            "{error}"
        );
    }
}
