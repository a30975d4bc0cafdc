//! Payload → pixels.
//!
//! Two steps, so that a plan can be drawn up before any pixel exists: [`Source::open`] reads the header and holds it to
//! the [`Limits`]; [`Source::decode`] fills a [`Picture`] whose buffer is used again for the next image. JPEG has a path
//! of its own; PNG, WebP, BMP, GIF (its first frame) and TIFF are read by the `image` crate. The format is told from the
//! bytes, never from a name.
//!
//! The pixels are those of OpenCV 4, which MXNet decodes with: alpha is dropped, not blended; of 16 bits the high byte
//! stays; palettes are expanded; a CMYK JPEG becomes RGB. JPEG leaves room for rounding, so there the last levels differ.
//!
//! **Missing image data is an error**, never grey rows; OpenCV fills in what a truncated JPEG lacks and goes on. Bytes to
//! spare are not damage, for real photographs have them. Where the line runs for a JPEG is in `jpeg/mod.rs`.
//!
//! Masks of class numbers have a way of their own, [`Mask`].
//!
//! Nothing is known here of records, nor of what the pixels are for.

mod convert;
mod gamma;
mod jpeg;
mod mask;
mod orient;
mod others;
mod sniff;

use std::panic::{AssertUnwindSafe, catch_unwind};

use image::ImageFormat;
use image::metadata::Orientation;

use crate::error::{Error, Result};
use crate::limits::Limits;
use crate::picture::Picture;
use jpeg::Jpeg;
pub use mask::Mask;
use others::Other;

/// The channels to decode to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pixels {
    /// One channel. Of a colour JPEG its Y channel; of other colours their luma, as libpng or OpenCV computes it.
    Grey,
    /// R, G, B. Grey is repeated, alpha dropped.
    Rgb,
    /// R, G, B, A; only from an image that has alpha.
    Rgba,
}

impl Pixels {
    /// Samples in a pixel.
    #[must_use]
    pub fn channels(self) -> usize {
        match self {
            Self::Grey => 1,
            Self::Rgb => 3,
            Self::Rgba => 4,
        }
    }
}

/// An image as the file has it: its depth and its channels kept, its EXIF orientation not applied.
///
/// One channel is grey; three are R, G, B; four are R, G, B, A, or G, G, G, A of a grey image with alpha.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stored {
    /// 8 bits a sample, or fewer in the file.
    Bits8(Picture),
    /// 16 bits a sample.
    Bits16 {
        /// Pixels in a row.
        width: usize,
        /// Rows.
        height: usize,
        /// Samples in a pixel: 1, 3 or 4.
        channels: usize,
        /// `height × width × channels` samples.
        data: Vec<u16>,
    },
}

/// An image whose header is read and within the limits; its pixels are still encoded.
#[derive(Debug)]
pub struct Source<'a> {
    coded: Coded<'a>,
    orientation: Orientation,
}

#[derive(Debug)]
enum Coded<'a> {
    Jpeg(Jpeg<'a>),
    Other(Other<'a>),
}

impl<'a> Source<'a> {
    /// Reads the header.
    ///
    /// # Errors
    /// [`ErrorKind::Image`](crate::error::ErrorKind::Image) if the payload is empty, of no known format, or damaged;
    /// [`ErrorKind::Limit`](crate::error::ErrorKind::Limit) if the image is larger than `limits` allow.
    pub fn open(payload: &'a [u8], limits: &Limits) -> Result<Self> {
        guarded(|| match sniff::format(payload)? {
            ImageFormat::Jpeg => {
                let jpeg = Jpeg::open(payload, limits)?;
                Ok(Self {
                    orientation: jpeg.orientation(),
                    coded: Coded::Jpeg(jpeg),
                })
            }
            format => {
                let mut other = Other::open(payload, format, limits)?;
                Ok(Self {
                    orientation: other.orientation(),
                    coded: Coded::Other(other),
                })
            }
        })
    }

    /// Width and height of the picture that [`decode`](Self::decode) makes of it, in pixels.
    #[must_use]
    pub fn size(&self, pixels: Pixels) -> (usize, usize) {
        let (width, height) = match &self.coded {
            Coded::Jpeg(jpeg) => jpeg.size(),
            Coded::Other(other) => other.size(),
        };
        if orient::is_sideways(self.turn(pixels)) {
            (height, width)
        } else {
            (width, height)
        }
    }

    /// Decodes into `into`, its EXIF orientation applied to grey and RGB, not to RGBA (as OpenCV has it).
    ///
    /// `spare` holds what an image needs on the way. Both buffers keep their memory from image to image, so neither is
    /// allocated anew once it has grown. After an error what they hold is no image, but they may be used again.
    ///
    /// # Errors
    /// [`ErrorKind::Image`](crate::error::ErrorKind::Image) if the image is damaged, or has no alpha and RGBA is asked for;
    /// [`ErrorKind::Limit`](crate::error::ErrorKind::Limit) if decoding it takes more than `limits` allow.
    ///
    /// A panic of a decoder becomes an error too, after the process's panic hook has seen it.
    pub fn decode(self, pixels: Pixels, into: &mut Picture, spare: &mut Picture) -> Result<()> {
        let turn = self.turn(pixels);
        guarded(|| {
            if turn == Orientation::NoTransforms {
                return self.coded.decode(pixels, into, spare);
            }
            self.coded.decode(pixels, spare, into)?;
            orient::apply(turn, spare, into);
            Ok(())
        })
    }

    fn turn(&self, pixels: Pixels) -> Orientation {
        match pixels {
            Pixels::Grey | Pixels::Rgb => self.orientation,
            Pixels::Rgba => Orientation::NoTransforms,
        }
    }
}

impl Coded<'_> {
    fn decode(self, pixels: Pixels, into: &mut Picture, spare: &mut Picture) -> Result<()> {
        match self {
            Self::Jpeg(jpeg) => jpeg.decode(pixels, into, spare),
            Self::Other(other) => other.decode(pixels, into, spare),
        }
    }
}

/// Decodes an image as the file has it (OpenCV's `IMREAD_UNCHANGED`, but R, G, B).
///
/// # Errors
/// Those of [`Source::open`] and [`Source::decode`].
pub fn decode_stored(payload: &[u8], limits: &Limits) -> Result<Stored> {
    let source = Source::open(payload, limits)?;
    guarded(|| match source.coded {
        Coded::Jpeg(jpeg) => jpeg.decode_stored(),
        Coded::Other(other) => other.decode_stored(),
    })
}

/// Gives a picture its shape. Its memory is kept, and its old pixels too: whoever shapes it overwrites them all.
fn shape(picture: &mut Picture, (width, height): (usize, usize), channels: usize) {
    picture.width = width;
    picture.height = height;
    picture.channels = channels;
    picture.data.resize(width * height * channels, 0);
}

fn no_alpha(channels: usize) -> Error {
    Error::image(format!("expected 4 channels, got {channels}"))
}

/// Runs a decoder. Most are not written for hostile input, and one that panics must not take its thread along.
///
/// What the decoder may leave half done is pixels in a buffer, so it is safe to go on.
fn guarded<T>(decode: impl FnOnce() -> Result<T>) -> Result<T> {
    catch_unwind(AssertUnwindSafe(decode)).unwrap_or_else(|panic| {
        let message = panic
            .downcast_ref::<&str>()
            .copied()
            .or_else(|| panic.downcast_ref::<String>().map(String::as_str));
        Err(Error::image(format!(
            "the decoder panicked: {}",
            message.unwrap_or("it did not say why")
        )))
    })
}

#[cfg(test)]
mod tests;
