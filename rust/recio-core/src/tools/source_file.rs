//! A record file whose records are copied: their keys and checked frames.

use std::path::Path;

use crate::error::{Error, Result};
use crate::format::index::Entry;
use crate::read::record_file::RecordFile;
use crate::read::scan;
use crate::read::sidecar::load_index;

/// An open record file and the entries of all its records.
pub(super) struct SourceFile {
    file: RecordFile,
    /// In the order of the file.
    entries: Vec<Entry>,
}

impl SourceFile {
    /// Opens a file with its index and checksums, if they exist, and locates its records.
    ///
    /// # Errors
    /// I/O errors; damage in the framing, the index or the checksums; an index that lists only some
    /// of the records.
    pub(super) fn open(rec: &Path) -> Result<Self> {
        let file = RecordFile::open(rec)?;
        file.check_len()?;
        let idx = rec.with_extension("idx");
        let entries = if idx.exists() {
            load_complete_index(&file, &idx)?
        } else {
            scan::rebuild_index(&file)?.0
        };
        Ok(Self { file, entries })
    }

    /// Number of records.
    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    /// Returns the key of record `i`.
    pub(super) fn key(&self, i: usize) -> u64 {
        self.entries[i].key
    }

    /// Returns the keys of all records in the order of the file.
    pub(super) fn keys(&self) -> impl Iterator<Item = u64> {
        self.entries.iter().map(|entry| entry.key)
    }

    /// Reads and checks the frame of record `i`.
    ///
    /// # Errors
    /// As [`RecordFile::read_frame`].
    pub(super) fn read_frame<'b>(&self, i: usize, buffer: &'b mut Vec<u8>) -> Result<&'b [u8]> {
        let offset = self.entries[i].offset;
        let next = self.entries.get(i + 1).map(|entry| entry.offset);
        let error = match self.file.read_frame(offset, next, buffer) {
            Ok(Some(frame)) => return Ok(frame),
            Ok(None) => Error::corrupt("the file ends here"),
            Err(error) => error,
        };
        Err(error
            .at_record(i as u64)
            .at_offset(offset)
            .at_path(self.file.path()))
    }
}

/// Loads an index that must list all records of the file.
fn load_complete_index(file: &RecordFile, idx: &Path) -> Result<Vec<Entry>> {
    let entries = load_index(idx, Some(file.len()))?.in_file_order();
    let (mut matches, mut i) = (true, 0);
    let records = scan::scan(file, |record| {
        let listed = entries.get(i).map(|entry| entry.offset);
        matches &= listed == Some(record.offset);
        i += 1;
    })?;
    if matches && records == entries.len() as u64 {
        return Ok(entries);
    }
    Err(Error::corrupt(format!(
        "lists {} records, but {} has {records}; `recio index` rebuilds it with all of them",
        entries.len(),
        file.path().display()
    ))
    .at_path(idx))
}
