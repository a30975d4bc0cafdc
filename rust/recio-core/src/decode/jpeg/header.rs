//! The header of a JPEG: what can be known before a pixel is decoded, read in place (ITU T.81, annex B).
//!
//! It goes from marker to marker up to the first scan, and is as lenient on the way as libjpeg: bytes between two segments
//! are passed over. It takes no notice of tables; the decoder reads those.

use image::metadata::Orientation;

use crate::error::{Error, Result};

const START_OF_IMAGE: u8 = 0xd8;
const END_OF_IMAGE: u8 = 0xd9;
const START_OF_SCAN: u8 = 0xda;
const EXIF: u8 = 0xe1;
const BASELINE: u8 = 0xc0;
const EXTENDED: u8 = 0xc1;
const PROGRESSIVE: u8 = 0xc2;

/// What EXIF's TIFF structure follows in its segment.
const EXIF_PREFIX: &[u8] = b"Exif\0\0";

/// The header of a JPEG.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Header {
    pub(super) frame: Frame,
    pub(super) orientation: Orientation,
    /// The components that the first scan holds.
    pub(super) scan_components: usize,
    /// Where the first scan's coded data starts.
    pub(super) scan: usize,
}

/// The frame header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Frame {
    pub(super) is_progressive: bool,
    pub(super) width: usize,
    pub(super) height: usize,
    pub(super) components: usize,
    /// The largest sampling factors, across and down.
    pub(super) sampling: (u8, u8),
}

impl Header {
    /// Reads the header of a payload that starts as a JPEG does.
    pub(super) fn read(payload: &[u8]) -> Result<Self> {
        let mut segments = Segments { payload, at: 0 };
        let mut frame = None;
        let mut orientation = None;
        loop {
            let (marker, segment) = segments.next()?;
            match marker {
                START_OF_SCAN => {
                    return Ok(Self {
                        frame: frame.ok_or_else(|| damaged("it has no frame before its scan"))?,
                        orientation: orientation.unwrap_or(Orientation::NoTransforms),
                        scan_components: segment.first().copied().unwrap_or(0).into(),
                        scan: segments.at,
                    });
                }
                marker if is_frame(marker) => frame = Some(Frame::read(marker, segment)?),
                EXIF => orientation = orientation.or_else(|| exif_orientation(segment)),
                END_OF_IMAGE => return Err(damaged("it ends before its first scan")),
                _ => {}
            }
        }
    }
}

impl Frame {
    fn read(marker: u8, segment: &[u8]) -> Result<Self> {
        if !matches!(marker, BASELINE | EXTENDED | PROGRESSIVE) {
            return Err(Error::image(format!(
                "a JPEG of type SOF{} (lossless, hierarchical or arithmetic) is not supported",
                marker - BASELINE
            )));
        }
        let &[_precision, h1, h0, w1, w0, _, ref components @ ..] = segment else {
            return Err(damaged("its frame header is too short"));
        };
        let (components, _) = components.as_chunks::<3>();
        let across = components.iter().map(|[_, factors, _]| factors >> 4);
        let down = components.iter().map(|[_, factors, _]| factors & 15);
        Ok(Self {
            is_progressive: marker == PROGRESSIVE,
            width: u16::from_be_bytes([w1, w0]).into(),
            height: u16::from_be_bytes([h1, h0]).into(),
            components: components.len(),
            sampling: (across.max().unwrap_or(0), down.max().unwrap_or(0)),
        })
    }
}

/// SOF0 to SOF15, less the three codes among them that mean something else (DHT, JPG, DAC).
fn is_frame(marker: u8) -> bool {
    matches!(marker, 0xc0..=0xcf) && !matches!(marker, 0xc4 | 0xc8 | 0xcc)
}

fn exif_orientation(segment: &[u8]) -> Option<Orientation> {
    Orientation::from_exif_chunk(segment.strip_prefix(EXIF_PREFIX)?)
}

fn damaged(how: &str) -> Error {
    Error::image(format!("the JPEG is damaged: {how}"))
}

/// The segments of a header, in order.
struct Segments<'a> {
    payload: &'a [u8],
    at: usize,
}

impl<'a> Segments<'a> {
    /// The next marker and what its segment holds.
    fn next(&mut self) -> Result<(u8, &'a [u8])> {
        self.marker_and_segment()
            .ok_or_else(|| damaged("it is cut off within its header"))
    }

    fn marker_and_segment(&mut self) -> Option<(u8, &'a [u8])> {
        let marker = self.marker()?;
        if matches!(marker, START_OF_IMAGE | END_OF_IMAGE) {
            return Some((marker, &[]));
        }
        let rest = &self.payload[self.at..];
        let length = usize::from(u16::from_be_bytes(*rest.first_chunk()?));
        let segment = rest.get(2..length)?;
        self.at += length;
        Some((marker, segment))
    }

    /// The code after the next byte 0xff; 0xff may be repeated, and 0 after it makes it no marker.
    fn marker(&mut self) -> Option<u8> {
        loop {
            self.at += memchr::memchr(0xff, &self.payload[self.at..])?;
            while *self.payload.get(self.at)? == 0xff {
                self.at += 1;
            }
            self.at += 1;
            let code = self.payload[self.at - 1];
            if code != 0 {
                return Some(code);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn segment(marker: u8, content: &[u8]) -> Vec<u8> {
        let length = (content.len() as u16 + 2).to_be_bytes();
        [&[0xff, marker], &length[..], content].concat()
    }

    /// 3 wide, 2 high, 4:2:0.
    fn frame(marker: u8) -> Vec<u8> {
        let components = [[1, 0x22, 0], [2, 0x11, 1], [3, 0x11, 1]];
        segment(
            marker,
            &[&[8, 0, 2, 0, 3, 3], components.as_flattened()].concat(),
        )
    }

    fn payload(segments: &[Vec<u8>]) -> Vec<u8> {
        [&[0xff, START_OF_IMAGE], &segments.concat()[..]].concat()
    }

    #[test]
    fn the_size_is_known_before_the_scan() {
        let payload = payload(&[frame(BASELINE), segment(START_OF_SCAN, &[3])]);
        let header = Header::read(&payload).unwrap();
        assert_eq!((header.frame.width, header.frame.height), (3, 2));
        assert_eq!((header.frame.components, header.scan_components), (3, 3));
        assert_eq!(header.frame.sampling, (2, 2));
        assert_eq!(header.scan, payload.len());
        assert_eq!(header.orientation, Orientation::NoTransforms);
    }

    #[test]
    fn bytes_and_fill_between_segments_are_passed_over() {
        let odd = payload(&[
            vec![1, 2, 3, 4, 5, 0xff, 0, 6],
            vec![0xff, 0xff],
            frame(EXTENDED),
            segment(START_OF_SCAN, &[1]),
        ]);
        assert_eq!(Header::read(&odd).unwrap().frame.width, 3);
    }

    #[test]
    fn a_header_cut_anywhere_is_an_error() {
        let whole = payload(&[frame(BASELINE), segment(START_OF_SCAN, &[3])]);
        for length in 0..whole.len() {
            let error = Header::read(&whole[..length]).unwrap_err().to_string();
            assert!(error.contains("cut off within its header"), "{error}");
        }
    }

    #[test]
    fn a_header_without_frame_or_scan_says_so() {
        let no_frame = payload(&[segment(START_OF_SCAN, &[3])]);
        let no_scan = payload(&[frame(BASELINE), vec![0xff, END_OF_IMAGE]]);
        let short = payload(&[segment(BASELINE, &[8, 0])]);
        let length_one = payload(&[vec![0xff, 0xdb, 0, 1]]);
        for (payload, problem) in [
            (no_frame, "no frame before its scan"),
            (no_scan, "ends before its first scan"),
            (short, "frame header is too short"),
            (length_one, "cut off"),
        ] {
            let error = Header::read(&payload).unwrap_err().to_string();
            assert!(error.contains(problem), "{error}");
        }
    }

    #[test]
    fn frame_types_that_nothing_decodes_are_named() {
        let arithmetic = payload(&[frame(0xc9)]);
        let error = Header::read(&arithmetic).unwrap_err().to_string();
        assert!(error.contains("SOF9"), "{error}");
    }
}
