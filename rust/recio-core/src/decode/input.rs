//! The bytes of an image file, read at offsets, with errors that state the format and the byte.

use crate::error::{Error, Result};

/// The bytes of an image file.
#[derive(Debug, Clone, Copy)]
pub(super) struct Input<'a> {
    pub(super) bytes: &'a [u8],
    /// Name of the format in errors.
    format: &'static str,
    is_big_endian: bool,
}

impl<'a> Input<'a> {
    pub(super) fn little_endian(format: &'static str, bytes: &'a [u8]) -> Self {
        Self {
            bytes,
            format,
            is_big_endian: false,
        }
    }

    pub(super) fn big_endian(format: &'static str, bytes: &'a [u8]) -> Self {
        Self {
            is_big_endian: true,
            ..Self::little_endian(format, bytes)
        }
    }

    pub(super) fn is_big_endian(&self) -> bool {
        self.is_big_endian
    }

    /// Return `length` bytes from `offset`.
    pub(super) fn slice(&self, offset: usize, length: usize) -> Result<&'a [u8]> {
        let end = offset.checked_add(length);
        end.and_then(|end| self.bytes.get(offset..end))
            .ok_or_else(|| self.cut_short(offset, length))
    }

    pub(super) fn u8(&self, offset: usize) -> Result<u8> {
        Ok(self.slice(offset, 1)?[0])
    }

    pub(super) fn u16(&self, offset: usize) -> Result<u16> {
        Ok(self.number(offset, 2)? as u16)
    }

    pub(super) fn u32(&self, offset: usize) -> Result<u32> {
        Ok(self.number(offset, 4)? as u32)
    }

    /// Return the unsigned number of 1 to 8 bytes at `offset`.
    pub(super) fn number(&self, offset: usize, length: usize) -> Result<u64> {
        let bytes = self.slice(offset, length)?;
        let append = |number, byte: &u8| number << 8 | u64::from(*byte);
        Ok(if self.is_big_endian {
            bytes.iter().fold(0, append)
        } else {
            bytes.iter().rev().fold(0, append)
        })
    }

    /// Return the error that an image of this format is damaged.
    pub(super) fn error(&self, message: impl std::fmt::Display) -> Error {
        Error::image(format!("{}: {message}", self.format))
    }

    /// Return the error that an image of this format is valid, but not supported.
    pub(super) fn unsupported(&self, message: impl std::fmt::Display) -> Error {
        Error::unsupported(format!("{}: {message}", self.format))
    }

    /// Return the error that a file ends too early.
    pub(super) fn cut_short(&self, offset: usize, length: usize) -> Error {
        let size = self.bytes.len();
        self.error(format_args!(
            "the file is cut short: it has {size} bytes, but {length} at byte {offset} are needed"
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_in_both_byte_orders() {
        let bytes = [1, 2, 3, 4, 5];
        let (little, big) = (
            Input::little_endian("X", &bytes),
            Input::big_endian("X", &bytes),
        );
        assert_eq!(
            (little.u16(1).unwrap(), big.u16(1).unwrap()),
            (0x302, 0x203)
        );
        assert_eq!(little.u32(0).unwrap(), 0x0403_0201);
        assert_eq!(big.number(2, 3).unwrap(), 0x03_0405);
    }

    #[test]
    fn the_error_past_the_end_states_the_bytes() {
        let input = Input::little_endian("BMP", &[0; 5]);
        assert_eq!(
            input.u32(3).unwrap_err().to_string(),
            "BMP: the file is cut short: it has 5 bytes, but 4 at byte 3 are needed"
        );
        assert!(input.slice(usize::MAX, 2).is_err());
    }
}
