//! Transcoding: an image file → the image that is packed, decoded, cropped, resized and encoded.
//!
//! The pixels are those of MXNet's im2rec, which are those of OpenCV's `imread`, `resize` and
//! `imencode`.

use crate::decode::{self, Pixels, Source, Stored};
use crate::encode::{self, ColorOrder, JpegOptions};
use crate::error::{Error, Result};
use crate::image::{Image, Rect, View};
use crate::limits::Limits;
use crate::ops::resize::{Interpolation, resize};

/// Settings for decoding, changing and encoding images.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Transcode {
    /// Whether damage in the data of a JPEG is filled, or an error.
    pub fill_damage: bool,
    /// Channels of the packed image.
    pub color: Color,
    /// Whether to crop the central square.
    pub center_crop: bool,
    /// Length of the shorter side after cropping, in pixels. Smaller images are enlarged.
    pub resize: Option<usize>,
    /// Format of the packed image.
    pub encoding: Encoding,
}

/// Channels of a packed image, with the numbers of MXNet and OpenCV.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Color {
    /// As stored in the file, not rotated. A JPEG cannot store alpha.
    Stored = -1,
    /// Gray, rotated upright.
    Gray = 0,
    /// R, G, B, rotated upright.
    Rgb = 1,
}

/// Format of a packed image.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    /// JPEG with a quality from 1 to 100.
    Jpeg(u8),
    /// PNG with a zlib level from 0 to 9.
    Png(u8),
}

/// Transcodes images and reuses its buffers.
#[derive(Default)]
pub(super) struct Transcoder {
    image: Image,
    scratch: decode::Scratch,
}

impl Transcoder {
    /// Transcodes an image file and appends the result to `out`.
    pub(super) fn transcode(
        &mut self,
        file: &[u8],
        options: &Transcode,
        limits: &Limits,
        out: &mut Vec<u8>,
    ) -> Result<()> {
        let source = Source::open(file, limits)?.fill_damage(options.fill_damage);
        let pixels = match options.color {
            Color::Gray => Pixels::Gray,
            Color::Rgb => Pixels::Rgb,
            Color::Stored => {
                return match source.decode_stored(Image::default(), &mut self.scratch)? {
                    Stored::Bits8(image) => options.write_stored(image, limits, out),
                    image @ Stored::Bits16 { .. } => options.write_16_bits(&image, out),
                };
            }
        };
        source.decode(pixels, &mut self.image, &mut self.scratch)?;
        options.write(self.image.view(), limits, out)
    }
}

impl Transcode {
    fn write_stored(&self, mut image: Image, limits: &Limits, out: &mut Vec<u8>) -> Result<()> {
        if matches!(self.encoding, Encoding::Jpeg(_)) {
            drop_alpha(&mut image);
        }
        self.write(image.view(), limits, out)
    }

    fn write(&self, mut view: View<'_>, limits: &Limits, out: &mut Vec<u8>) -> Result<()> {
        if self.center_crop {
            view = view.crop(central_square(view.width, view.height));
        }
        match self.resize {
            Some(side) => {
                let resized = resize_shorter_side(view, side, limits)?;
                self.encoding.encode(resized.view(), out)
            }
            None => self.encoding.encode(view, out),
        }
    }

    fn write_16_bits(&self, image: &Stored, out: &mut Vec<u8>) -> Result<()> {
        match (self, image) {
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
            ) => {
                let size = (*width, *height, *channels);
                encode::encode_png_16(data, size, ColorOrder::Rgb, *level, out)
            }
            _ => Err(Error::image(
                "16 bits per sample are kept only in a PNG of the same size; --color 1 or 0 converts them to 8 bits",
            )),
        }
    }
}

impl Encoding {
    fn encode(self, view: View<'_>, out: &mut Vec<u8>) -> Result<()> {
        match self {
            Self::Jpeg(quality) => {
                let options = JpegOptions {
                    quality,
                    ..JpegOptions::default()
                };
                encode::encode_jpeg(&view, ColorOrder::Rgb, &options, out)
            }
            Self::Png(level) => encode::encode_png(&view, ColorOrder::Rgb, level, out),
        }
    }
}

fn drop_alpha(image: &mut Image) {
    if image.channels == 4 {
        let opaque = image.data.chunks_exact(4).flat_map(|pixel| &pixel[..3]);
        image.data = opaque.copied().collect();
        image.channels = 3;
    }
}

fn central_square(width: usize, height: usize) -> Rect {
    let side = width.min(height);
    Rect {
        x: (width - side) / 2,
        y: (height - side) / 2,
        width: side,
        height: side,
    }
}

/// Resizes an image; the length of the longer side is rounded down, as in MXNet.
fn resize_shorter_side(view: View<'_>, side: usize, limits: &Limits) -> Result<Image> {
    let (width, height) = (view.width, view.height);
    let scaled = |longer: usize, shorter: usize| longer.saturating_mul(side) / shorter.max(1);
    let (width, height) = if height > width {
        (side, scaled(height, width))
    } else {
        (scaled(width, height), side)
    };
    limits.check(width, height, view.channels)?;
    Ok(resize(view, width, height, Interpolation::Linear))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn central_square_is_as_wide_as_the_shorter_side() {
        let square = |width, height| {
            let Rect {
                x,
                y,
                width,
                height,
            } = central_square(width, height);
            (x, y, width, height)
        };
        assert_eq!(square(10, 5), (2, 0, 5, 5));
        assert_eq!(square(5, 8), (0, 1, 5, 5));
    }

    #[test]
    fn longer_side_is_scaled_and_rounded_down() {
        let size = |width, height, side| {
            let image = Image::filled(width, height, 3, 9);
            let resized = resize_shorter_side(image.view(), side, &Limits::DEFAULT)?;
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
    fn drop_alpha_keeps_three_channels() {
        let mut image = Image {
            width: 2,
            height: 1,
            channels: 4,
            data: (0..8).collect(),
        };
        drop_alpha(&mut image);
        assert_eq!((image.channels, image.data), (3, vec![0, 1, 2, 4, 5, 6]));
    }
}
