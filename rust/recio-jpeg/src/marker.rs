//! Markers and marker segments (ITU-T T.81, B.1.1).
//!
//! As lenient as libjpeg: bytes between two segments are skipped, and 0xff may be repeated before a
//! marker.

use crate::error::{Error, Result};

pub(crate) const SOF0: u8 = 0xc0;
pub(crate) const SOF1: u8 = 0xc1;
pub(crate) const SOF2: u8 = 0xc2;
pub(crate) const DHT: u8 = 0xc4;
pub(crate) const RST0: u8 = 0xd0;
pub(crate) const RST7: u8 = 0xd7;
pub(crate) const SOI: u8 = 0xd8;
pub(crate) const EOI: u8 = 0xd9;
pub(crate) const SOS: u8 = 0xda;
pub(crate) const DQT: u8 = 0xdb;
pub(crate) const DRI: u8 = 0xdd;
pub(crate) const APP0: u8 = 0xe0;
pub(crate) const APP1: u8 = 0xe1;
pub(crate) const APP14: u8 = 0xee;
const APP15: u8 = 0xef;
const COM: u8 = 0xfe;
const TEM: u8 = 0x01;

/// Marker, and the content of its segment after the length.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Segment<'a> {
    pub(crate) marker: u8,
    pub(crate) content: &'a [u8],
    /// Position of the content.
    pub(crate) offset: usize,
}

impl Segment<'_> {
    /// Create an error at the segment.
    pub(crate) fn damaged(&self, reason: &'static str) -> Error {
        Error::damaged(self.offset, reason)
    }

    /// Return the position after the segment.
    pub(crate) fn end(&self) -> usize {
        self.offset + self.content.len()
    }
}

/// SOF0 to SOF15, except the three codes among them with another meaning (DHT, JPG, DAC).
pub(crate) fn is_frame_header(marker: u8) -> bool {
    matches!(marker, 0xc0..=0xcf) && !matches!(marker, DHT | 0xc8 | 0xcc)
}

/// Whether a segment is application data or a comment: APP0 to APP15, COM.
pub(crate) fn is_app_or_comment(marker: u8) -> bool {
    matches!(marker, APP0..=APP15 | COM)
}

/// Whether a marker stands alone, without a segment (table B.1).
fn is_standalone(marker: u8) -> bool {
    matches!(marker, SOI | EOI | TEM) || (RST0..=RST7).contains(&marker)
}

/// Segments of a JPEG, in order, from a position on.
#[derive(Debug)]
pub(crate) struct Segments<'a> {
    jpeg: &'a [u8],
    position: usize,
}

impl<'a> Segments<'a> {
    pub(crate) fn new(jpeg: &'a [u8], position: usize) -> Self {
        Self { jpeg, position }
    }

    /// Return the next marker and its segment.
    ///
    /// # Errors
    /// [`Error::Truncated`] if the JPEG ends before or within the segment.
    pub(crate) fn next(&mut self) -> Result<Segment<'a>> {
        self.try_next().ok_or(Error::Truncated {
            offset: self.jpeg.len(),
        })
    }

    fn try_next(&mut self) -> Option<Segment<'a>> {
        let marker = self.marker()?;
        let mut segment = Segment {
            marker,
            content: &[],
            offset: self.position,
        };
        if !is_standalone(marker) {
            let rest = &self.jpeg[self.position..];
            let length = usize::from(u16::from_be_bytes(*rest.first_chunk()?));
            segment.content = rest.get(2..length)?;
            segment.offset += 2;
            self.position += length;
        }
        Some(segment)
    }

    /// Return the code after the next 0xff byte. 0xff followed by 0 is not a marker.
    fn marker(&mut self) -> Option<u8> {
        loop {
            self.position += memchr::memchr(0xff, self.jpeg.get(self.position..)?)?;
            while *self.jpeg.get(self.position)? == 0xff {
                self.position += 1;
            }
            self.position += 1;
            let code = self.jpeg[self.position - 1];
            if code != 0 {
                return Some(code);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_and_fill_between_segments_are_skipped() {
        let jpeg = [
            0xff, 0xd8, 1, 2, 0xff, 0, 3, 0xff, 0xff, 0xdd, 0, 4, 7, 8, 0xff, 0xd9,
        ];
        let mut segments = Segments::new(&jpeg, 0);
        assert_eq!(segments.next().unwrap().marker, SOI);
        let interval = segments.next().unwrap();
        assert_eq!((interval.marker, interval.content), (0xdd, &[7, 8][..]));
        assert_eq!((interval.offset, interval.end()), (12, 14));
        assert_eq!(segments.next().unwrap().marker, EOI);
    }

    #[test]
    fn a_segment_cut_anywhere_is_truncated() {
        let jpeg = [0xff, 0xdd, 0, 4, 7, 8];
        for length in 0..jpeg.len() {
            let error = Segments::new(&jpeg[..length], 0).next().unwrap_err();
            assert_eq!(error, Error::Truncated { offset: length });
        }
        let invalid_length = [0xff, 0xdd, 0, 1, 7, 8];
        assert!(Segments::new(&invalid_length, 0).next().is_err());
    }
}
