//! The bytes of a JPEG as the decoder gets to see them: this is where missing image data is noticed.
//!
//! A JPEG decoder that comes to a marker in the middle of the coded data carries on with bits of value 0, and zune-jpeg
//! does so even in its strict mode: an end marker put behind half a scan would give half an image. So the decoder is not
//! shown the marker. It is shown the coded data of the scan, and what it then reads past the end is counted, and refused
//! once it is more than a decoder reads ahead.

use zune_core::bytestream::{ZByteIoError, ZByteReaderTrait, ZSeekFrom};

/// What zune-jpeg may read past the last code of a complete scan: its bit buffer has 64 bits.
const READ_AHEAD: usize = 8;

/// Where the coded data that starts at `from` ends: at the first marker that is no restart (ITU T.81, B.1.1.5).
pub(super) fn end_of_scan(payload: &[u8], from: usize) -> usize {
    let mut at = from;
    while let Some(found) = memchr::memchr(0xff, &payload[at..]) {
        at += found;
        match payload.get(at + 1) {
            Some(0 | 0xd0..=0xd7) => at += 2,
            Some(0xff) => at += 1,
            _ => return at,
        }
    }
    payload.len()
}

/// A reader that serves zeros after its bytes, up to the read-ahead, and fails then.
///
/// zune's own reader goes through `std::io::Read` for each byte; a decode over this one takes 8 % less time.
pub(super) struct Input<'a> {
    bytes: &'a [u8],
    position: usize,
}

impl<'a> Input<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, position: 0 }
    }

    fn rest(&self) -> &'a [u8] {
        self.bytes.get(self.position..).unwrap_or_default()
    }
}

impl ZByteReaderTrait for Input<'_> {
    #[inline]
    fn read_byte_no_error(&mut self) -> u8 {
        let byte = self.bytes.get(self.position).copied();
        self.position += 1;
        byte.unwrap_or(0)
    }

    #[inline]
    fn read_exact_bytes(&mut self, buf: &mut [u8]) -> Result<(), ZByteIoError> {
        self.peek_exact_bytes(buf)?;
        self.position += buf.len();
        Ok(())
    }

    fn read_bytes(&mut self, buf: &mut [u8]) -> Result<usize, ZByteIoError> {
        let count = self.peek_bytes(buf)?;
        self.position += count;
        Ok(count)
    }

    fn peek_bytes(&mut self, buf: &mut [u8]) -> Result<usize, ZByteIoError> {
        let count = buf.len().min(self.rest().len());
        buf[..count].copy_from_slice(&self.rest()[..count]);
        Ok(count)
    }

    #[inline]
    fn peek_exact_bytes(&mut self, buf: &mut [u8]) -> Result<(), ZByteIoError> {
        let rest = self.rest();
        let bytes = rest
            .get(..buf.len())
            .ok_or(ZByteIoError::NotEnoughBytes(rest.len(), buf.len()))?;
        buf.copy_from_slice(bytes);
        Ok(())
    }

    #[inline]
    fn z_seek(&mut self, from: ZSeekFrom) -> Result<u64, ZByteIoError> {
        let position = match from {
            ZSeekFrom::Start(position) => usize::try_from(position).ok(),
            ZSeekFrom::End(offset) => self.bytes.len().checked_add_signed(offset as isize),
            ZSeekFrom::Current(offset) => self.position.checked_add_signed(offset as isize),
        };
        self.position = position.ok_or(ZByteIoError::SeekError("a position out of range"))?;
        Ok(self.position as u64)
    }

    /// Never "yes": the decoder takes the end for a reason to stop early, an error for an error.
    #[inline]
    fn is_eof(&mut self) -> Result<bool, ZByteIoError> {
        if self.position > self.bytes.len() + READ_AHEAD {
            return Err(ZByteIoError::NotEnoughBytes(0, 1));
        }
        Ok(false)
    }

    #[inline]
    fn z_position(&mut self) -> Result<u64, ZByteIoError> {
        Ok(self.position as u64)
    }

    fn read_remaining(&mut self, sink: &mut Vec<u8>) -> Result<usize, ZByteIoError> {
        let rest = self.rest();
        sink.extend_from_slice(rest);
        self.position += rest.len();
        Ok(rest.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scan_ends_at_the_first_marker_that_is_no_restart() {
        let stuffed = [0xff, 0, 1, 0xff, 0xd7, 2, 0xff, 0xff, 0, 3];
        let ended = [&stuffed[..], &[0xff, 0xd9, 4]].concat();
        assert_eq!(end_of_scan(&ended, 0), stuffed.len());
        assert_eq!(end_of_scan(&stuffed, 0), stuffed.len());
        assert_eq!(end_of_scan(&[1, 0xff], 0), 1);
        assert_eq!(end_of_scan(&ended, stuffed.len() + 2), ended.len());
    }

    #[test]
    fn zeros_follow_the_last_byte_until_the_read_ahead_is_used_up() {
        let mut input = Input::new(&[5, 6]);
        assert_eq!(
            [input.read_byte_no_error(), input.read_byte_no_error()],
            [5, 6]
        );
        for _ in 0..READ_AHEAD {
            assert_eq!(input.read_byte_no_error(), 0);
            assert!(!input.is_eof().unwrap());
        }
        input.read_byte_no_error();
        assert!(input.is_eof().is_err());
    }

    #[test]
    fn a_read_that_fails_does_not_move() {
        let mut input = Input::new(&[5, 6, 7]);
        let mut four = [0; 4];
        assert!(input.read_exact_bytes(&mut four).is_err());
        assert_eq!(input.z_position().unwrap(), 0);
        assert_eq!(input.read_bytes(&mut four).unwrap(), 3);
        assert_eq!(four, [5, 6, 7, 0]);
        assert_eq!(input.z_seek(ZSeekFrom::Current(-2)).unwrap(), 1);
        assert!(input.z_seek(ZSeekFrom::Current(-2)).is_err());
        assert_eq!(input.read_byte_no_error(), 6);
    }
}
