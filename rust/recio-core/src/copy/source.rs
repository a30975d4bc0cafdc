//! A file that records are copied from: their keys, and their bytes, once these are certain to be sound.

use std::path::Path;

use crate::error::{Error, Result};
use crate::record::checksum::{self, Checksums};
use crate::record::file::RecordFile;
use crate::record::index::{Entry, Index};
use crate::record::scan;

/// An open file.
pub(super) struct Source {
    file: RecordFile,
    /// Its records, in the order in which they stand.
    entries: Vec<Entry>,
    sums: Option<Checksums>,
}

impl Source {
    /// Opens a file, with the index and the checksums beside it if there are any, and finds its records.
    ///
    /// # Errors
    /// I/O errors; damage in the file's framing, its index or its checksums; an index that lists only some of the records.
    pub(super) fn open(rec: &Path) -> Result<Self> {
        let file = RecordFile::open(rec)?;
        let sums = Checksums::load(rec)?;
        if let Some(sums) = sums.as_ref().filter(|sums| sums.file_len() != file.len()) {
            return Err(Error::corrupt(format!(
                "it describes a .rec of {} bytes, which has {}",
                sums.file_len(),
                file.len()
            ))
            .at_path(&checksum::path_beside(rec)));
        }
        let idx = rec.with_extension("idx");
        let entries = if idx.exists() {
            indexed(&file, &idx)?
        } else {
            scan::rebuild_index(&file)?.0
        };
        Ok(Self {
            file,
            entries,
            sums,
        })
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
    /// As [`RecordFile::frames`], and a checksum that is another.
    pub(super) fn frames<'b>(&self, i: usize, buffer: &'b mut Vec<u8>) -> Result<&'b [u8]> {
        let offset = self.entries[i].offset;
        let next = self.entries.get(i + 1).map(|entry| entry.offset);
        self.read(offset, next, buffer).map_err(|error| {
            error
                .at_record(i as u64)
                .at_offset(offset)
                .at_path(self.file.path())
        })
    }

    fn read<'b>(
        &self,
        offset: u64,
        next: Option<u64>,
        buffer: &'b mut Vec<u8>,
    ) -> Result<&'b [u8]> {
        let frames = self.file.frames(offset, next, buffer)?;
        let frames: &[u8] = frames.ok_or_else(|| Error::corrupt("the file ends here"))?;
        let is_other = |sums: &Checksums| {
            let end = offset + frames.len() as u64;
            sums.get(offset)
                .is_none_or(|entry| (entry.end, entry.sum) != (end, checksum::sum(frames)))
        };
        if self.sums.as_ref().is_some_and(is_other) {
            return Err(Error::corrupt("its checksum is not that of the .rsum"));
        }
        Ok(frames)
    }
}

/// The records of a file and the keys that its index gives them.
fn indexed(file: &RecordFile, idx: &Path) -> Result<Vec<Entry>> {
    let entries = Index::load(idx, Some(file.len()))?.in_file_order();
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
