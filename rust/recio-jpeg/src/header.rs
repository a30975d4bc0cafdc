//! JPEG header: size, color space and orientation (ITU-T T.81, annex B; JFIF; Exif).
//!
//! The header is read from marker to marker up to the first scan. Tables are ignored here;
//! `tables.rs` reads them.

use crate::coefficients::Coefficients;
use crate::error::{Error, Result};
use crate::frame::Frame;
use crate::marker::{APP0, APP1, APP14, EOI, SOS, Segment, Segments, is_frame_header};
use crate::orientation;

/// Header of a JPEG.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Header {
    pub(crate) frame: Frame,
    pub(crate) color_space: ColorSpace,
    orientation: u8,
    /// Whether the first scan contains the entire image.
    pub(crate) is_single_scan: bool,
}

/// Color space of the components.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ColorSpace {
    /// Gray.
    Gray,
    /// Luma and two chroma components, as in JFIF.
    YCbCr,
    /// Red, green and blue.
    Rgb,
    /// C, M, Y, K. Adobe's programs store them inverted: 255 is no ink.
    Cmyk,
    /// CMYK, with C, M, Y stored as luma and chroma.
    Ycck,
}

impl Header {
    /// Read the header.
    ///
    /// # Errors
    /// [`Error::Truncated`] or [`Error::Damaged`] if it is incomplete or invalid,
    /// [`Error::Unsupported`] if the coding process is not 8-bit sequential or progressive Huffman
    /// coding.
    pub fn read(jpeg: &[u8]) -> Result<Self> {
        let mut segments = Segments::new(jpeg, 0);
        let (mut frame, mut color_markers, mut orientation) = (None, ColorMarkers::default(), None);
        let scan_components = loop {
            let segment = segments.next()?;
            match segment.marker {
                SOS => break segment.content.first().copied(),
                EOI => return Err(segment.damaged("it ends before the first scan")),
                marker if is_frame_header(marker) && frame.is_some() => {
                    return Err(segment.damaged("there is more than one frame header"));
                }
                marker if is_frame_header(marker) => frame = Some(Frame::read(&segment)?),
                APP1 => orientation = orientation.or_else(|| orientation::read(segment.content)),
                APP0 | APP14 => color_markers.read(&segment),
                _ => {}
            }
        };
        let frame = frame.ok_or(Error::damaged(
            0,
            "there is no frame header before the first scan",
        ))?;
        let has_all = scan_components.map(usize::from) == Some(frame.components().len());
        Ok(Self {
            frame,
            color_space: color_markers.color_space(&frame),
            orientation: orientation.unwrap_or(1),
            is_single_scan: has_all && !frame.is_progressive,
        })
    }

    /// Return the stored width and height in pixels.
    #[must_use]
    pub fn size(&self) -> (usize, usize) {
        (self.frame.width, self.frame.height)
    }

    /// Return whether the JPEG is progressive. Progressive JPEGs take several times as long to
    /// decode.
    #[must_use]
    pub fn is_progressive(&self) -> bool {
        self.frame.is_progressive
    }

    /// Return the color space of the components.
    #[must_use]
    pub fn color_space(&self) -> ColorSpace {
        self.color_space
    }

    /// Return the Exif orientation, 1 to 8; 1 if there is none.
    #[must_use]
    pub fn orientation(&self) -> u8 {
        self.orientation
    }

    /// Return the bytes of memory for the coefficients of an image in several scans, which are held
    /// all at once. Return 0 for an image in one scan, which holds one row of MCUs.
    #[must_use]
    pub fn coefficient_bytes(&self) -> usize {
        if self.is_single_scan {
            return 0;
        }
        let (columns, rows) = self.frame.mcus();
        let components = self.frame.components().iter();
        let blocks: usize = components.map(|c| c.horizontal * c.vertical).sum();
        (columns * rows)
            .saturating_mul(blocks)
            .saturating_mul(Coefficients::BLOCK_BYTES)
    }
}

/// Markers that determine the color space: the JFIF segment, Adobe's segment with its transform.
/// The component ids decide if both are missing. The rules are libjpeg's.
#[derive(Debug, Default)]
struct ColorMarkers {
    is_jfif: bool,
    transform: Option<u8>,
}

impl ColorMarkers {
    fn read(&mut self, segment: &Segment<'_>) {
        match (segment.marker, segment.content) {
            (APP0, [b'J', b'F', b'I', b'F', 0, ..]) if segment.content.len() >= 14 => {
                self.is_jfif = true;
            }
            (
                APP14,
                &[
                    b'A',
                    b'd',
                    b'o',
                    b'b',
                    b'e',
                    _,
                    _,
                    _,
                    _,
                    _,
                    _,
                    transform,
                    ..,
                ],
            ) => {
                self.transform = Some(transform);
            }
            _ => {}
        }
    }

    fn color_space(&self, frame: &Frame) -> ColorSpace {
        let components = frame.components();
        match (components.len(), self.transform) {
            (1, _) => ColorSpace::Gray,
            (4, None | Some(0)) => ColorSpace::Cmyk,
            (4, _) => ColorSpace::Ycck,
            _ if self.is_jfif => ColorSpace::YCbCr,
            (_, Some(0)) => ColorSpace::Rgb,
            (_, None) if components.iter().map(|c| c.id).eq(*b"RGB") => ColorSpace::Rgb,
            _ => ColorSpace::YCbCr,
        }
    }
}
