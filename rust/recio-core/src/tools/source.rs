//! A file that records are copied from: their keys, and their bytes, once these are certain to be sound.

use std::path::Path;

use crate::error::{Error, Result};
use crate::format::index::Entry;
use crate::read::record_file::RecordFile;
use crate::read::scan;
use crate::read::sidecar::load_index;

/// An open file.
pub(super) struct Source {
    file: RecordFile,
    /// Its records, in the order in which they stand.
    entries: Vec<Entry>,
}

impl Source {
    /// Opens a file, with the index and the checksums beside it if there are any, and finds its records.
    ///
    /// # Errors
    /// I/O errors; damage in the file's framing, its index or its checksums; an index that lists only some of the records.
    pub(super) fn open(rec: &Path) -> Result<Self> {
        let file = RecordFile::open(rec)?;
        file.check_len()?;
        let idx = rec.with_extension("idx");
        let entries = if idx.exists() {
            indexed(&file, &idx)?
        } else {
            scan::rebuild_index(&file)?.0
        };
        Ok(Self { file, entries })
    }

    /// The number of records.
    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    /// The key of record `i`.
    pub(super) fn key(&self, i: usize) -> u64 {
        self.entries[i].key
    }

    /// The keys of all records, in the order in which these stand.
    pub(super) fn keys(&self) -> impl Iterator<Item = u64> {
        self.entries.iter().map(|entry| entry.key)
    }

    /// Reads all bytes of record `i`.
    ///
    /// # Errors
    /// As [`RecordFile::read_frame`].
    pub(super) fn frames<'b>(&self, i: usize, buffer: &'b mut Vec<u8>) -> Result<&'b [u8]> {
        let offset = self.entries[i].offset;
        let next = self.entries.get(i + 1).map(|entry| entry.offset);
        let found = self.file.read_frame(offset, next, buffer);
        match found.and_then(|found| found.ok_or_else(|| Error::corrupt("the file ends here"))) {
            Ok(frames) => Ok(frames),
            Err(error) => Err(error
                .at_record(i as u64)
                .at_offset(offset)
                .at_path(self.file.path())),
        }
    }
}

/// The records of a file and the keys that its index gives them.
fn indexed(file: &RecordFile, idx: &Path) -> Result<Vec<Entry>> {
    let entries = load_index(idx, Some(file.len()))?.in_file_order();
    let (mut agree, mut ordinal) = (true, 0);
    let records = scan::scan(file, |found| {
        let listed = entries.get(ordinal).map(|entry| entry.offset);
        agree &= listed == Some(found.offset);
        ordinal += 1;
    })?;
    if agree && records == entries.len() as u64 {
        return Ok(entries);
    }
    Err(Error::corrupt(format!(
        "it lists {} records, but {} has {records}, and whether to keep the others only you know; `recio index` lists all",
        entries.len(),
        file.path().display()
    ))
    .at_path(idx))
}
