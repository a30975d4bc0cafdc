//! Checksums ⇄ bytes of a `.rsum` file.

use std::io::{Read, Write};

use super::Checksums;
use crate::error::{Error, Result};
use crate::format::frame::HEADER_LEN;

/// First bytes of the file.
pub(crate) const MAGIC: [u8; 8] = *b"RECIORS1";
/// Bytes before the first entry.
pub(super) const HEADER: usize = 24;
/// Bytes of an entry.
pub(super) const ENTRY: usize = 12;
/// Bytes of the CRC at the end.
pub(super) const FOOTER: usize = 4;
/// Bytes read at a time: a multiple of the entries.
const CHUNK: usize = ENTRY << 16;

impl Checksums {
    /// Writes a `.rsum` file.
    ///
    /// # Errors
    /// Those of the writer.
    pub fn write_to(&self, out: &mut impl Write) -> std::io::Result<()> {
        let mut crc = 0;
        let mut put = |bytes: &[u8]| {
            crc = crc32c::crc32c_append(crc, bytes);
            out.write_all(bytes)
        };
        put(&MAGIC)?;
        put(&(self.len() as u64).to_le_bytes())?;
        put(&self.file_len.to_le_bytes())?;
        for (offset, record_crc) in self.offsets.iter().zip(&self.crcs) {
            put(&offset.to_le_bytes())?;
            put(&record_crc.to_le_bytes())?;
        }
        out.write_all(&crc.to_le_bytes())
    }

    /// Reads a `.rsum` file of `len` bytes.
    ///
    /// # Errors
    /// [`ErrorKind::Io`](crate::error::ErrorKind::Io);
    /// [`Corrupt`](crate::error::ErrorKind::Corrupt) if the file is damaged or truncated.
    pub fn from_reader(mut file: impl Read, len: u64) -> Result<Self> {
        let mut header = [0; HEADER];
        if len < (HEADER + FOOTER) as u64 {
            return Err(wrong_length(len));
        }
        file.read_exact(&mut header)?;
        let (mut checksums, records) = Self::parse_header(&header, len)?;
        let mut crc = crc32c::crc32c(&header);
        let mut chunk = vec![0; CHUNK.min(records * ENTRY)];
        while checksums.len() < records {
            let bytes = &mut chunk[..CHUNK.min((records - checksums.len()) * ENTRY)];
            file.read_exact(bytes)?;
            crc = crc32c::crc32c_append(crc, bytes);
            bytes
                .chunks_exact(ENTRY)
                .try_for_each(|entry| checksums.push_entry(entry))?;
        }
        let mut footer = [0; FOOTER];
        file.read_exact(&mut footer)?;
        if crc != u32::from_le_bytes(footer) {
            return Err(Error::corrupt(
                "the checksum file is damaged: its CRC does not match",
            ));
        }
        Ok(checksums)
    }

    /// Parses the header of a file of `len` bytes. Returns checksums with capacity for its entries,
    /// and their number, which the length of the file must confirm before memory is allocated.
    fn parse_header(header: &[u8; HEADER], len: u64) -> Result<(Self, usize)> {
        if header[..8] != MAGIC {
            return Err(Error::corrupt("not a checksum file of recio"));
        }
        let [records, file_len] = [8, 16].map(|at| number(&header[at..at + 8]));
        let expected_len = records
            .checked_mul(ENTRY as u64)
            .and_then(|bytes| bytes.checked_add((HEADER + FOOTER) as u64));
        if expected_len != Some(len) {
            return Err(wrong_length(len));
        }
        let mut checksums = Self {
            file_len,
            ..Self::default()
        };
        let reserved = checksums.offsets.try_reserve_exact(records as usize);
        reserved
            .and_then(|()| checksums.crcs.try_reserve_exact(records as usize))
            .map_err(|_| Error::limit(format!("no memory for {records} checksums")))?;
        if records == 0 && file_len != 0 {
            return Err(invalid_offset(0));
        }
        Ok((checksums, records as usize))
    }

    /// Parses an entry and appends it, if a record can begin at its offset.
    fn push_entry(&mut self, entry: &[u8]) -> Result<()> {
        let (offset, crc) = entry.split_at(8);
        let offset = number(offset);
        let min = self
            .offsets
            .last()
            .map_or(0, |last| last + HEADER_LEN as u64);
        let is_first = self.offsets.is_empty();
        let max = self.file_len.saturating_sub(HEADER_LEN as u64);
        let is_valid = (min..=max).contains(&offset) && offset.is_multiple_of(4);
        if !is_valid || (is_first && offset != 0) {
            return Err(invalid_offset(offset));
        }
        self.offsets.push(offset);
        self.crcs
            .push(u32::from_le_bytes(std::array::from_fn(|i| crc[i])));
        Ok(())
    }
}

fn number(bytes: &[u8]) -> u64 {
    u64::from_le_bytes(std::array::from_fn(|i| bytes[i]))
}

fn wrong_length(len: u64) -> Error {
    Error::corrupt(format!(
        "the checksum file is damaged: {len} bytes do not match its header (truncated?)"
    ))
}

fn invalid_offset(offset: u64) -> Error {
    Error::corrupt(format!(
        "the checksum file is damaged: no record can begin at byte {offset}"
    ))
}
