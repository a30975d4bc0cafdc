//! Chunks of a PNG: metadata that the crate `png` does not return, and damage.

use crate::decode::input::Input;
use crate::error::{Error, Result};

/// Length of the signature.
const SIGNATURE: usize = 8;
/// Bytes of a chunk besides its data: length, type and CRC.
const OVERHEAD: usize = 12;

/// A chunk.
#[derive(Debug, Clone, Copy)]
pub(super) struct Chunk<'a> {
    pub(super) kind: [u8; 4],
    pub(super) data: &'a [u8],
    pub(super) offset: usize,
    /// Type and data, and the CRC of both.
    checked: &'a [u8],
    crc: u32,
}

impl Chunk<'_> {
    #[cfg(test)]
    pub(super) fn for_test(kind: [u8; 4], data: &[u8]) -> Chunk<'_> {
        Chunk {
            kind,
            data,
            offset: 0,
            checked: &[],
            crc: 0,
        }
    }

    pub(super) fn is_intact(&self) -> bool {
        let mut crc = flate2::Crc::new();
        crc.update(self.checked);
        crc.sum() == self.crc
    }
}

/// Iterator over the chunks, until the file ends.
pub(super) struct Chunks<'a> {
    input: Input<'a>,
    offset: usize,
}

impl<'a> Chunks<'a> {
    pub(super) fn of(payload: &'a [u8]) -> Self {
        Self {
            input: Input::big_endian("PNG", payload),
            offset: SIGNATURE,
        }
    }

    fn read(&self) -> Result<Chunk<'a>> {
        let (input, offset) = (&self.input, self.offset);
        let length = input.u32(offset)? as usize;
        let checked = input
            .slice(offset + 4, length + 4)
            .map_err(|_| self.cut_short(length))?;
        let (kind, data) = checked.split_at(4);
        Ok(Chunk {
            kind: kind.try_into().expect("four bytes"),
            data,
            offset,
            checked,
            crc: input
                .u32(offset + 8 + length)
                .map_err(|_| self.cut_short(length))?,
        })
    }

    fn cut_short(&self, length: usize) -> Error {
        let kind = self.input.slice(self.offset + 4, 4).unwrap_or(b"????");
        self.input.error(format_args!(
            "the file is cut short: it has {} bytes, but the chunk {} at byte {} needs {}",
            self.input.bytes.len(),
            kind.escape_ascii(),
            self.offset,
            length + OVERHEAD
        ))
    }
}

impl<'a> Iterator for Chunks<'a> {
    type Item = Chunk<'a>;

    fn next(&mut self) -> Option<Chunk<'a>> {
        let chunk = self.read().ok()?;
        self.offset += OVERHEAD + chunk.data.len();
        (chunk.kind != *b"IEND").then_some(chunk)
    }
}

/// Return an error for the first damaged chunk; `None` if all are intact.
pub(super) fn damage(payload: &[u8]) -> Option<Error> {
    let mut chunks = Chunks::of(payload);
    loop {
        let chunk = match chunks.read() {
            Ok(chunk) => chunk,
            Err(error) => return Some(error),
        };
        let kind = chunk.kind.escape_ascii();
        if !chunk.is_intact() {
            return Some(chunks.input.error(format_args!(
                "the chunk {kind} at byte {} is damaged: its checksum is wrong",
                chunk.offset
            )));
        }
        if chunk.kind == *b"IEND" {
            return None;
        }
        chunks.offset += OVERHEAD + chunk.data.len();
    }
}
