//! The bytes of a `.rsum` file ⇄ checksums.

use std::io::{Read, Write};

use super::Checksums;
use crate::error::{Error, Result};
use crate::format::frame::HEADER_LEN;

const MAGIC: [u8; 8] = *b"RECIORS1";
/// Bytes before the first entry.
pub(super) const HEAD: usize = 24;
/// Bytes of an entry.
pub(super) const ENTRY: usize = 12;
/// Bytes of the CRC at the end.
pub(super) const FOOT: usize = 4;
/// Bytes read at a time: whole entries.
const CHUNK: usize = ENTRY << 16;

impl Checksums {
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
                "the checksum file is damaged: its CRC does not match",
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
        "the checksum file is damaged: {len} bytes do not match its header (truncated?)"
    ))
}

fn impossible(offset: u64) -> Error {
    Error::corrupt(format!(
        "the checksum file is damaged: no record can begin at byte {offset}"
    ))
}
