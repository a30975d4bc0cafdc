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

use std::io::{Read, Write};
use std::path::{Path, PathBuf};

use crate::error::{Error, Result};
use crate::format::frame::HEADER_LEN;

const MAGIC: [u8; 8] = *b"RECIORS1";
/// Bytes before the first entry.
const HEAD: usize = 24;
/// Bytes of an entry.
const ENTRY: usize = 12;
/// Bytes of the CRC at the end.
const FOOT: usize = 4;
/// Bytes read at a time: whole entries.
const CHUNK: usize = ENTRY << 16;

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

    /// Writes the bytes of the file.
    ///
    /// # Errors
    /// The writer's.
    pub fn write_to(&self, out: &mut impl Write) -> std::io::Result<()> {
        let mut crc = 0;
        let mut put = |bytes: &[u8]| {
            crc = crc32c::crc32c_append(crc, bytes);
            out.write_all(bytes)
        };
        put(&MAGIC)?;
        put(&(self.len() as u64).to_le_bytes())?;
        put(&self.file_len.to_le_bytes())?;
        for (offset, sum) in self.offsets.iter().zip(&self.crcs) {
            put(&offset.to_le_bytes())?;
            put(&sum.to_le_bytes())?;
        }
        out.write_all(&crc.to_le_bytes())
    }

    /// Reads the bytes of a file, of which there are `len`.
    ///
    /// # Errors
    /// [`ErrorKind::Io`](crate::error::ErrorKind::Io); [`Corrupt`](crate::error::ErrorKind::Corrupt)
    /// if the file is damaged or truncated.
    pub fn from_reader(mut file: impl Read, len: u64) -> Result<Self> {
        let mut head = [0; HEAD];
        if len < (HEAD + FOOT) as u64 {
            return Err(cut_short(len));
        }
        file.read_exact(&mut head)?;
        let (mut all, records) = Self::parse_head(&head, len)?;
        let mut crc = crc32c::crc32c(&head);
        let mut chunk = vec![0; CHUNK.min(records * ENTRY)];
        while all.len() < records {
            let bytes = &mut chunk[..CHUNK.min((records - all.len()) * ENTRY)];
            file.read_exact(bytes)?;
            crc = crc32c::crc32c_append(crc, bytes);
            bytes
                .chunks_exact(ENTRY)
                .try_for_each(|entry| all.add(entry))?;
        }
        let mut foot = [0; FOOT];
        file.read_exact(&mut foot)?;
        if crc != u32::from_le_bytes(foot) {
            return Err(Error::corrupt(
                "the checksum file is damaged: its own CRC is wrong",
            ));
        }
        Ok(all)
    }

    /// Room for the entries of a file with this head, and their number. Nothing is allocated that the file does not have.
    fn parse_head(head: &[u8; HEAD], len: u64) -> Result<(Self, usize)> {
        if head[..8] != MAGIC {
            return Err(Error::corrupt("not a checksum file of recio"));
        }
        let [records, file_len] = [8, 16].map(|at| number(&head[at..at + 8]));
        let wanted = records
            .checked_mul(ENTRY as u64)
            .and_then(|bytes| bytes.checked_add((HEAD + FOOT) as u64));
        if wanted != Some(len) {
            return Err(cut_short(len));
        }
        let mut all = Self {
            file_len,
            ..Self::default()
        };
        let room = all.offsets.try_reserve_exact(records as usize);
        room.and_then(|()| all.crcs.try_reserve_exact(records as usize))
            .map_err(|_| Error::limit(format!("no memory for {records} checksums")))?;
        if records == 0 && file_len != 0 {
            return Err(impossible(0));
        }
        Ok((all, records as usize))
    }

    /// Takes in an entry as it stands in the file, if a record can begin there.
    fn add(&mut self, entry: &[u8]) -> Result<()> {
        let (offset, sum) = entry.split_at(8);
        let offset = number(offset);
        let least = self
            .offsets
            .last()
            .map_or(0, |last| last + HEADER_LEN as u64);
        let is_first = self.offsets.is_empty();
        let room = self.file_len.saturating_sub(HEADER_LEN as u64);
        let fits = offset >= least && offset <= room && offset.is_multiple_of(4);
        if !fits || (is_first && offset != 0) {
            return Err(impossible(offset));
        }
        self.offsets.push(offset);
        self.crcs
            .push(u32::from_le_bytes(std::array::from_fn(|i| sum[i])));
        Ok(())
    }
}

fn number(bytes: &[u8]) -> u64 {
    u64::from_le_bytes(std::array::from_fn(|i| bytes[i]))
}

fn cut_short(len: u64) -> Error {
    Error::corrupt(format!(
        "the checksum file is damaged: {len} bytes are not what its head says (cut short?)"
    ))
}

fn impossible(offset: u64) -> Error {
    Error::corrupt(format!(
        "the checksum file is damaged: no record of such a file can begin at byte {offset}"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn three() -> Checksums {
        let mut sums = Checksums::default();
        sums.push(0, b"12345678");
        sums.push(8, b"123456789abc");
        sums.push(20, b"87654321");
        sums
    }

    fn bytes_of(sums: &Checksums) -> Vec<u8> {
        let mut bytes = Vec::new();
        sums.write_to(&mut bytes).unwrap();
        bytes
    }

    fn read(bytes: &[u8]) -> Result<Checksums> {
        Checksums::from_reader(bytes, bytes.len() as u64)
    }

    /// The bytes with their last four made the CRC of the others.
    fn sealed(mut bytes: Vec<u8>) -> Vec<u8> {
        let foot = bytes.len() - FOOT;
        let crc = crc32c::crc32c(&bytes[..foot]);
        bytes[foot..].copy_from_slice(&crc.to_le_bytes());
        bytes
    }

    #[test]
    fn the_format_is_that_of_the_table() {
        let mut sums = Checksums::default();
        sums.push(0, b"123456789");
        // The check value of CRC32C in every catalogue of CRCs.
        let mut expected = b"RECIORS1".to_vec();
        for number in [1u64, 9, 0] {
            expected.extend(number.to_le_bytes());
        }
        expected.extend(0xe306_9283u32.to_le_bytes());
        expected.extend([0; 4]);
        assert_eq!(bytes_of(&sums), sealed(expected));
    }

    #[test]
    fn what_is_written_is_read_again() {
        for sums in [Checksums::default(), three()] {
            assert_eq!(read(&bytes_of(&sums)).unwrap(), sums);
        }
    }

    #[test]
    fn more_entries_than_are_read_at_a_time_are_read() {
        let mut sums = Checksums::default();
        (0..200_000).for_each(|i| sums.push(8 * i, &(8 * i).to_le_bytes()));
        assert_eq!(read(&bytes_of(&sums)).unwrap(), sums);
    }

    #[test]
    fn a_record_is_found_by_where_it_begins() {
        let sums = three();
        let entry = sums.get(8).unwrap();
        assert_eq!((entry.end, entry.crc), (20, crc(b"123456789abc")));
        assert_eq!(sums.get(20).unwrap().end, sums.file_len());
        assert_eq!(sums.get(12), None);
        assert_eq!(sums.entries().nth(1), Some(entry));
    }

    #[test]
    fn every_flipped_bit_and_every_cut_is_an_error() {
        let bytes = bytes_of(&three());
        for bit in 0..8 * bytes.len() {
            let mut flipped = bytes.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            assert!(read(&flipped).is_err(), "bit {bit}");
        }
        for len in 0..bytes.len() {
            assert!(read(&bytes[..len]).is_err(), "cut at {len}");
        }
    }

    #[test]
    fn offsets_where_no_record_can_begin_are_refused_though_the_crc_is_right() {
        let with = |at: usize, number: u64| {
            let mut bytes = bytes_of(&three());
            bytes[at..at + 8].copy_from_slice(&number.to_le_bytes());
            read(&sealed(bytes)).unwrap_err().to_string()
        };
        let second = HEAD + ENTRY;
        for (at, number) in [
            (HEAD, 4),
            (second, 0),
            (second, 4),
            (second, 10),
            (second, 24),
            (second, u64::MAX - 3),
            (16, 24),
        ] {
            let error = with(at, number);
            assert!(error.contains("no record of such a file"), "{error}");
        }
    }

    #[test]
    fn a_count_that_the_file_does_not_have_allocates_nothing() {
        for records in [0u64, 2, 4, u64::MAX, u64::MAX / 12] {
            let mut bytes = bytes_of(&three());
            bytes[8..16].copy_from_slice(&records.to_le_bytes());
            let error = read(&sealed(bytes)).unwrap_err().to_string();
            assert!(error.contains("cut short?"), "{error}");
        }
    }
}
