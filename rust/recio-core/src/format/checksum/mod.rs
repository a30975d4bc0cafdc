//! The `.rsum` file: a checksum of each record, which RecordIO itself has no place for.
//!
//! It lies beside the `.rec` and the `.idx`, which stay as they are for all other readers. Binary, little-endian:
//!
//! | offset | size | content |
//! |---|---|---|
//! | 0 | 8 | `RECIORS1` |
//! | 8 | 8 | number of records, n |
//! | 16 | 8 | length of the `.rec` file in bytes |
//! | 24 | 12 · n | for each record, in file order: offset of its first header (8), CRC32C of its bytes on disk (4) |
//! | 24 + 12 · n | 4 | CRC32C of all that stands before it |
//!
//! A record's bytes on disk are its headers, data and padding, up to where the next record begins, so the records' bytes
//! are the whole file's. An entry takes 12 bytes in memory too.
//!
//! The file is as untrusted as any: a CRC of its own tells damage, not malice. What is read here is therefore checked to
//! be offsets at which the records of such a file can begin.

mod codec;

use std::path::{Path, PathBuf};

/// The checksum of a record, and the stretch of the file that it is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Entry {
    /// The offset of the record's first header.
    pub offset: u64,
    /// Where the record ends and the next one begins.
    pub end: u64,
    /// CRC32C of the bytes in between.
    pub crc: u32,
}

/// All of a `.rsum` file in memory; or one that grows, record by record, while a `.rec` file is written.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Checksums {
    /// Where each record begins, ascending.
    offsets: Vec<u64>,
    /// The sum of each.
    crcs: Vec<u32>,
    /// Where the last one ends.
    file_len: u64,
}

/// The name of the `.rsum` file that belongs to a `.rec` file.
#[must_use]
pub fn path_for(rec: &Path) -> PathBuf {
    rec.with_extension("rsum")
}

/// The CRC32C of a record's bytes on disk.
///
/// The crate `crc32c` does 25 GB/s of a record of 10 kB in cache, more than memory gives; `crc-fast` does twice that, and
/// brings more with it.
#[must_use]
pub fn crc(frame: &[u8]) -> u32 {
    crc32c::crc32c(frame)
}

impl Checksums {
    /// Appends the next record, whose bytes on disk are `frame`.
    ///
    /// # Panics
    /// If it does not begin where the one before it ended; the first begins at 0.
    pub fn push(&mut self, offset: u64, frame: &[u8]) {
        assert_eq!(offset, self.file_len, "records stand one behind another");
        self.offsets.push(offset);
        self.crcs.push(crc(frame));
        self.file_len += frame.len() as u64;
    }

    /// The number of records.
    #[must_use]
    pub fn len(&self) -> usize {
        self.offsets.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.offsets.is_empty()
    }

    /// The length of the `.rec` file that these are the checksums of.
    #[must_use]
    pub fn file_len(&self) -> u64 {
        self.file_len
    }

    /// Where the records begin, ascending.
    #[must_use]
    pub fn offsets(&self) -> &[u64] {
        &self.offsets
    }

    /// The record that begins at `offset`, if there is one.
    #[must_use]
    pub fn get(&self, offset: u64) -> Option<Entry> {
        let i = self.offsets.binary_search(&offset).ok()?;
        Some(self.entry(i))
    }

    /// All records, in file order.
    #[must_use]
    pub fn entries(&self) -> impl ExactSizeIterator<Item = Entry> {
        (0..self.len()).map(|i| self.entry(i))
    }

    fn entry(&self, i: usize) -> Entry {
        Entry {
            offset: self.offsets[i],
            end: self.offsets.get(i + 1).map_or(self.file_len, |&next| next),
            crc: self.crcs[i],
        }
    }
}

#[cfg(test)]
mod tests;
