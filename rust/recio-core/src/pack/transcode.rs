//! An image file's bytes → the bytes that are packed in their place: decoded, cropped, resized, encoded anew.
//!
//! The pixels are those of MXNet's im2rec, which is OpenCV's `imread`, `resize` and `imencode`. Nothing is known here of
//! lists and records.

use crate::decode::{self, Pixels, Source, Stored};
use crate::encode;
use crate::error::{Error, Result};
use crate::image::{Image, Rect, View};
use crate::limits::Limits;
use crate::ops::resize::{Interpolation, resize};

/// How images are made anew.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Recode {
    /// The channels that are kept.
    pub color: Color,
    /// Whether the middle is cut out, as large a square as there is.
    pub center_crop: bool,
    /// The length in pixels that the shorter side gets, after cropping; smaller images are enlarged.
    pub resize: Option<usize>,
    /// The format to write.
    pub encoding: Encoding,
}

/// The channels of an image that are kept. The numbers are MXNet's and OpenCV's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Color {
    /// As the file has them, turned as they are stored. A JPEG cannot keep alpha.
    Stored = -1,
    /// Gray, turned upright.
    Gray = 0,
    /// R, G, B, turned upright.
    Rgb = 1,
}

/// A format to write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    /// JPEG, of this quality from 1 to 100.
    Jpeg(u8),
    /// PNG, of this zlib level from 1 to 9.
    Png(u8),
}

/// The memory that one image after another is decoded into.
#[derive(Default)]
pub(super) struct Recoder {
    picture: Image,
    scratch: decode::Scratch,
}

impl Recoder {
    /// Makes an image anew and appends it to `out`.
    pub(super) fn recode(&mut self, file: &[u8], how: &Recode, out: &mut Vec<u8>) -> Result<()> {
        let limits = Limits::default();
        let pixels = match how.color {
            Color::Gray => Pixels::Gray,
            Color::Rgb => Pixels::Rgb,
            Color::Stored => match decode::decode_stored(file, &limits)? {
                Stored::Bits8(picture) => return how.write(how.storable(picture).view(), out),
                deep @ Stored::Bits16 { .. } => return how.write_deep(&deep, out),
            },
        };
        Source::open(file, &limits)?.decode(pixels, &mut self.picture, &mut self.scratch)?;
        how.write(self.picture.view(), out)
    }
}

impl Recode {
    /// Without alpha, if the format has none.
    fn storable(&self, mut picture: Image) -> Image {
        if matches!(self.encoding, Encoding::Jpeg(_)) {
            drop_alpha(&mut picture);
        }
        picture
    }

    fn write(&self, mut view: View<'_>, out: &mut Vec<u8>) -> Result<()> {
        if self.center_crop {
            view = view.crop(middle_square(view.width, view.height));
        }
        match self.resize {
            Some(side) => self
                .encoding
                .encode(resize_shorter(view, side)?.view(), out),
            None => self.encoding.encode(view, out),
        }
    }

    fn write_deep(&self, stored: &Stored, out: &mut Vec<u8>) -> Result<()> {
        match (self, stored) {
            (
                Self {
                    encoding: Encoding::Png(level),
                    resize: None,
                    center_crop: false,
                    ..
                },
                Stored::Bits16 {
                    width,
                    height,
                    channels,
                    data,
                },
            ) => encode::encode_png_16(data, (*width, *height, *channels), *level, out),
            _ => Err(Error::image(
                "16 bits a sample are kept only in a PNG of the same size; --color 1 or 0 makes 8 bits of them",
            )),
        }
    }
}

impl Encoding {
    fn encode(self, view: View<'_>, out: &mut Vec<u8>) -> Result<()> {
        match self {
            Self::Jpeg(quality) => encode::encode_jpeg(&view, quality, out),
            Self::Png(level) => encode::encode_png(&view, level, out),
        }
    }
}

fn drop_alpha(picture: &mut Image) {
    if picture.channels == 4 {
        let opaque = picture.data.chunks_exact(4).flat_map(|pixel| &pixel[..3]);
        picture.data = opaque.copied().collect();
        picture.channels = 3;
    }
}

fn middle_square(width: usize, height: usize) -> Rect {
    let side = width.min(height);
    Rect {
        x: (width - side) / 2,
        y: (height - side) / 2,
        width: side,
        height: side,
    }
}

/// The longer side's length is rounded down, as MXNet does.
fn resize_shorter(view: View<'_>, side: usize) -> Result<Image> {
    let (width, height) = (view.width, view.height);
    let scaled = |longer: usize, shorter: usize| longer.saturating_mul(side) / shorter.max(1);
    let (width, height) = if height > width {
        (side, scaled(height, width))
    } else {
        (scaled(width, height), side)
    };
    Limits::default().check(width, height, view.channels)?;
    Ok(resize(view, width, height, Interpolation::Linear))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_middle_square_is_as_wide_as_the_shorter_side() {
        let square = |width, height| {
            let Rect {
                x,
                y,
                width,
                height,
            } = middle_square(width, height);
            (x, y, width, height)
        };
        assert_eq!(square(10, 5), (2, 0, 5, 5));
        assert_eq!(square(5, 8), (0, 1, 5, 5));
    }

    #[test]
    fn the_shorter_side_gets_the_length_and_the_longer_is_rounded_down() {
        let size = |width, height, side| {
            let picture = Image::filled(width, height, 3, 9);
            let resized = resize_shorter(picture.view(), side)?;
            Ok::<_, Error>((resized.width, resized.height))
        };
        assert_eq!(size(7, 10, 5).unwrap(), (5, 7));
        assert_eq!(size(10, 7, 5).unwrap(), (7, 5));
        assert_eq!(size(3, 4, 30).unwrap(), (30, 40));
        assert!(
            size(1, 20, 1000)
                .unwrap_err()
                .to_string()
                .contains("1000x20000")
        );
    }

    #[test]
    fn a_jpeg_gets_no_alpha() {
        let mut picture = Image {
            width: 2,
            height: 1,
            channels: 4,
            data: (0..8).collect(),
        };
        drop_alpha(&mut picture);
        assert_eq!(
            (picture.channels, picture.data),
            (3, vec![0, 1, 2, 4, 5, 6])
        );
    }
}
