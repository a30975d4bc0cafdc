//! Payload → pixels.
//!
//! Two steps, so that a plan can be drawn up before any pixel exists: [`Source::open`] reads the header and holds it to
//! the [`Limits`]; then [`Source::stream`] hands over the rows of the part that a plan uses, or [`Source::decode`] fills a
//! [`Image`]. JPEG is read by recio-jpeg, which decodes no more than that part needs; PNG, WebP, BMP, GIF (its first
//! frame) and TIFF by the `image` crate. The format is told from the bytes, never from a name.
//!
//! The pixels are those of OpenCV 4, which MXNet decodes with: alpha is dropped, not blended; of 16 bits the high byte
//! stays; palettes are expanded; a CMYK JPEG becomes RGB.
//!
//! **Missing image data is an error**, never gray rows; OpenCV fills in what a truncated JPEG lacks and goes on. Bytes to
//! spare are not damage, for real photographs have them. Where the line runs for a JPEG is in `jpeg.rs`.
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

use image::metadata::Orientation;

use crate::error::{Error, Result};
use crate::image::{Image, Rect, RowSource};
use crate::limits::{Format, Limits};
use jpeg::Jpeg;
pub use mask::Mask;
use others::Other;
pub use sniff::format_of;

/// The channels to decode to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pixels {
    /// One channel. Of a color JPEG its Y channel; of other colors their luma, as libpng or OpenCV computes it.
    Gray,
    /// R, G, B. Gray is repeated, alpha dropped.
    Rgb,
    /// R, G, B, A; only from an image that has alpha.
    Rgba,
}

impl Pixels {
    /// Samples in a pixel.
    #[must_use]
    pub fn channels(self) -> usize {
        match self {
            Self::Gray => 1,
            Self::Rgb => 3,
            Self::Rgba => 4,
        }
    }
}

/// An image as the file has it: its depth and its channels kept, its EXIF orientation not applied.
///
/// One channel is gray; three are R, G, B; four are R, G, B, A, or G, G, G, A of a gray image with alpha.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stored {
    /// 8 bits a sample, or fewer in the file.
    Bits8(Image),
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
        match sniff::format(payload, limits)? {
            Format::Jpeg => {
                let jpeg = Jpeg::open(payload, limits)?;
                Ok(Self {
                    orientation: jpeg.orientation(),
                    coded: Coded::Jpeg(jpeg),
                })
            }
            format => guarded(|| {
                let mut other = Other::open(payload, format, limits)?;
                Ok(Self {
                    orientation: other.orientation(),
                    coded: Coded::Other(other),
                })
            }),
        }
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

    /// Lets damage in a JPEG's scans pass: what is missing becomes gray, what cannot be read is guessed, as libjpeg does.
    #[must_use]
    pub fn fill_damage(mut self, is_wanted: bool) -> Self {
        if let (Coded::Jpeg(jpeg), true) = (&mut self.coded, is_wanted) {
            jpeg.fill_damage();
        }
        self
    }

    /// Makes [`decode`](Self::decode) refuse a JPEG that has data left over when all pixels are there: MXNet and most software
    /// take such an image, of which the pixels behind the damage are garbage.
    #[must_use]
    pub fn strict(mut self) -> Self {
        if let Coded::Jpeg(jpeg) = &mut self.coded {
            jpeg.be_strict();
        }
        self
    }

    /// Decodes a JPEG at 1/2, 1/4 or 1/8 of its size, the smallest that is no smaller than 1/`times`. Gives by what the size
    /// is divided, rounded up: by 1 for other formats, and for a picture that is turned, of which the pixel that rounding
    /// adds may come to lie at the left or the top.
    pub fn shrink(&mut self, times: usize) -> usize {
        match &mut self.coded {
            Coded::Jpeg(jpeg) if self.orientation == Orientation::NoTransforms => {
                jpeg.shrink(times)
            }
            _ => 1,
        }
    }

    /// Decodes into `into`, its EXIF orientation applied to gray and RGB, not to RGBA (as OpenCV has it).
    ///
    /// After an error what `into` holds is no image.
    ///
    /// # Errors
    /// [`ErrorKind::Image`](crate::error::ErrorKind::Image) if the image is damaged, or has no alpha and RGBA is asked for;
    /// [`ErrorKind::Limit`](crate::error::ErrorKind::Limit) if decoding it takes more than the limits allow.
    ///
    /// A panic of a decoder becomes an error too, after the process's panic hook has seen it.
    pub fn decode(self, pixels: Pixels, into: &mut Image, scratch: &mut Scratch) -> Result<()> {
        let (width, height) = self.size(pixels);
        self.decode_part(pixels, Rect::of_size(width, height), into, scratch)
    }

    /// Decodes a part of it: of a JPEG, no more than that part needs.
    ///
    /// # Errors
    /// As [`decode`](Self::decode).
    ///
    /// # Panics
    /// If the part leaves the picture or has no pixels.
    pub fn decode_part(
        self,
        pixels: Pixels,
        part: Rect,
        into: &mut Image,
        scratch: &mut Scratch,
    ) -> Result<()> {
        let (turn, size) = (self.turn(pixels), self.size(pixels));
        let Scratch { jpeg, spare } = scratch;
        match self.coded {
            Coded::Jpeg(coded) if turn == Orientation::NoTransforms => {
                coded.decode(pixels, part, into, jpeg)
            }
            Coded::Jpeg(coded) => {
                // As it is stored, and as it is turned.
                coded.check_memory(2 * part.width * part.height * pixels.channels())?;
                coded.decode(pixels, orient::stored(turn, part, size), spare, jpeg)?;
                orient::apply(turn, spare, into);
                Ok(())
            }
            Coded::Other(other) => {
                guarded(|| other.decode(pixels, turn, into, spare))?;
                if part != Rect::of_size(size.0, size.1) {
                    spare.collect(&mut into.view().crop(part));
                    std::mem::swap(spare, into);
                }
                Ok(())
            }
        }
    }

    /// Has `work` take the rows of a part of it, of which what lies in `needed` means something. The rows of a JPEG that
    /// lies upright are decoded as they are taken; others are decoded into `into` first.
    ///
    /// # Errors
    /// As [`decode`](Self::decode); `work` may have seen rows by then.
    ///
    /// # Panics
    /// If the part leaves the picture, or what is needed the part; if either has no pixels.
    pub fn stream(
        self,
        pixels: Pixels,
        (part, needed): (Rect, Rect),
        into: &mut Image,
        scratch: &mut Scratch,
        work: impl FnOnce(&mut dyn RowSource),
    ) -> Result<()> {
        match (self.turn(pixels), self) {
            (
                Orientation::NoTransforms,
                Self {
                    coded: Coded::Jpeg(coded),
                    ..
                },
            ) => coded.stream(pixels, (part, needed), &mut scratch.jpeg, work),
            (_, source) => {
                source.decode_part(pixels, part, into, scratch)?;
                work(&mut into.view());
                Ok(())
            }
        }
    }

    fn turn(&self, pixels: Pixels) -> Orientation {
        match pixels {
            Pixels::Gray | Pixels::Rgb => self.orientation,
            Pixels::Rgba => Orientation::NoTransforms,
        }
    }
}

/// What decoding needs on the way. Reused, it makes later images free of allocation.
#[derive(Debug, Default)]
pub struct Scratch {
    jpeg: jpeg::Scratch,
    /// A picture that is turned or cut afterwards.
    spare: Image,
}

impl Scratch {
    /// Gives back buffers of more than `most` bytes.
    pub fn trim(&mut self, most: usize) {
        self.jpeg.trim(most);
        self.spare.trim(most);
    }
}

/// Decodes an image as the file has it (OpenCV's `IMREAD_UNCHANGED`, but R, G, B).
///
/// # Errors
/// Those of [`Source::open`] and [`Source::decode`].
pub fn decode_stored(payload: &[u8], limits: &Limits) -> Result<Stored> {
    match Source::open(payload, limits)?.coded {
        Coded::Jpeg(jpeg) => jpeg.decode_stored(),
        Coded::Other(other) => guarded(|| other.decode_stored()),
    }
}

/// Gives a picture its shape. Its memory is kept, and its old pixels too: whoever shapes it overwrites them all.
fn shape(picture: &mut Image, (width, height): (usize, usize), channels: usize) {
    picture.width = width;
    picture.height = height;
    picture.channels = channels;
    picture.data.resize(width * height * channels, 0);
}

fn no_alpha(channels: usize) -> Error {
    Error::image(format!("expected 4 channels, got {channels}"))
}

/// What a decoder may allocate for itself before the image's size is known: a sixteenth of what a picture may take, but room
/// for a profile of colors in any case.
fn own_memory(limits: &Limits) -> usize {
    (limits.bytes / 16).max(4 << 20)
}

/// Runs a decoder of the `image` crate's. Some panic on hostile input, and none must take its thread along.
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
