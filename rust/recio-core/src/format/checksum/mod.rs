//! The `.rsum` file: a checksum of each record, for which RecordIO has no field.
//!
//! It is beside the `.rec` and the `.idx`, which remain as all other readers expect them. Binary,
//! little-endian:
//!
//! | offset | size | content |
//! |---|---|---|
//! | 0 | 8 | `RECIORS1` |
//! | 8 | 8 | number of records, n |
//! | 16 | 8 | length of the `.rec` file in bytes |
//! | 24 | 12 · n | per record, in file order: offset of its header (8), CRC32C of its frame (4) |
//! | 24 + 12 · n | 4 | CRC32C of everything before it |
//!
//! A frame includes headers, data and padding, up to the next record, so the frames are the whole
//! file. An entry takes 12 bytes in memory too.
//!
//! The file is as untrusted as any other: its own CRC detects damage, not manipulation. Reading
//! therefore checks that records can begin at the offsets.

mod codec;

pub(crate) use codec::MAGIC as FILE_MAGIC;

use std::path::{Path, PathBuf};

/// Checksum of a record, and the range of the file that it covers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Entry {
    /// Offset of the record's first header.
    pub offset: u64,
    /// Offset of the next record, or the length of the file.
    pub end: u64,
    /// CRC32C of the bytes in between.
    pub crc: u32,
}

/// Contents of a `.rsum` file. Can be built record by record while a `.rec` file is written.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Checksums {
    /// Offsets of the records, ascending.
    offsets: Vec<u64>,
    /// CRC32C of each record.
    crcs: Vec<u32>,
    /// End of the last record.
    file_len: u64,
}

/// Extension of a checksum file.
pub const EXTENSION: &str = "rsum";

/// Returns the path of the `.rsum` file that belongs to a `.rec` file.
#[must_use]
pub fn path_for(rec: &Path) -> PathBuf {
    rec.with_extension(EXTENSION)
}

/// Returns the CRC32C of a frame.
///
/// The crate `crc32c` has a throughput of 25 GB/s for a record of 10 kB in cache, more than that of
/// memory; `crc-fast` has twice that, but more dependencies.
#[must_use]
pub fn crc(frame: &[u8]) -> u32 {
    crc32c::crc32c(frame)
}

impl Checksums {
    /// Appends the next record.
    ///
    /// # Panics
    /// If `offset` is not the end of the previous record, or 0 for the first.
    pub fn push(&mut self, offset: u64, frame: &[u8]) {
        assert_eq!(offset, self.file_len, "records are contiguous");
        self.offsets.push(offset);
        self.crcs.push(crc(frame));
        self.file_len += frame.len() as u64;
    }

    /// Returns the number of records.
    #[must_use]
    pub fn len(&self) -> usize {
        self.offsets.len()
    }

    /// Returns whether there are no records.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.offsets.is_empty()
    }

    /// Returns the length of the `.rec` file for which the checksums were computed.
    #[must_use]
    pub fn file_len(&self) -> u64 {
        self.file_len
    }

    /// Returns the offsets of the records, ascending.
    #[must_use]
    pub fn offsets(&self) -> &[u64] {
        &self.offsets
    }

    /// Returns the entry of the record at `offset`, if there is one.
    #[must_use]
    pub fn get(&self, offset: u64) -> Option<Entry> {
        let i = self.offsets.binary_search(&offset).ok()?;
        Some(self.entry(i))
    }

    /// Returns the entries of all records, in file order.
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
