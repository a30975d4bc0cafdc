//! Markers and marker segments (ITU-T T.81, B.1.1).
//!
//! As lenient as libjpeg: bytes between two segments are skipped, 0xff may be repeated before a
//! marker, and an application segment or a comment with an impossible length is empty.

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
const DNL: u8 = 0xdc;
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

/// Write a segment. The content must be shorter than 65,534 bytes.
pub(crate) fn write_segment(marker: u8, content: &[u8], out: &mut Vec<u8>) {
    out.extend([0xff, marker]);
    out.extend((content.len() as u16 + 2).to_be_bytes());
    out.extend(content);
}

/// Whether no image needs the content of a segment.
fn is_optional(marker: u8) -> bool {
    is_app_or_comment(marker) || marker == DNL
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
    /// [`Error::Truncated`] if the JPEG ends before or within the segment, [`Error::Damaged`] if
    /// the length of a segment that the image needs is less than 2.
    pub(crate) fn next(&mut self) -> Result<Segment<'a>> {
        let truncated = Error::Truncated {
            offset: self.jpeg.len(),
        };
        let marker = self.marker().ok_or(truncated.clone())?;
        let content = if is_standalone(marker) {
            &[]
        } else {
            let length = self.length().ok_or(truncated.clone())?;
            if length < 2 && !is_optional(marker) {
                let reason = "the length of a marker segment must be at least 2";
                return Err(Error::damaged(self.position, reason));
            }
            let rest = &self.jpeg[self.position..];
            rest.get(..length.saturating_sub(2)).ok_or(truncated)?
        };
        let offset = self.position;
        self.position += content.len();
        Ok(Segment {
            marker,
            content,
            offset,
        })
    }

    /// Return the length of the next segment, which includes its own two bytes.
    fn length(&mut self) -> Option<usize> {
        let length = self.jpeg.get(self.position..)?.first_chunk()?;
        self.position += 2;
        Some(u16::from_be_bytes(*length).into())
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
    }

    #[test]
    fn a_length_below_two_is_an_error_except_in_segments_that_no_image_needs() {
        for length in [0, 1] {
            for marker in [0xe1, 0xee, 0xfe, 0xdc] {
                let jpeg = [0xff, marker, 0, length, 0xff, 0xd9];
                let mut segments = Segments::new(&jpeg, 0);
                let empty = segments.next().unwrap();
                assert_eq!((empty.marker, empty.content), (marker, &[][..]));
                assert_eq!(segments.next().unwrap().marker, EOI);
            }
            for marker in [0xc0, 0xc4, 0xda, 0xdb, 0xdd] {
                let jpeg = [0xff, marker, 0, length, 7, 8];
                let error = Segments::new(&jpeg, 0).next().unwrap_err();
                assert!(
                    error.to_string().contains("at byte 4: the length of"),
                    "{error}"
                );
            }
        }
    }
}
