//! Image decoding: JPEG, PNG, WebP, BMP, GIF (first frame) and TIFF, and segmentation masks.
//!
//! Decoding has two steps, so that a plan can be made before any pixel is decoded: [`Source::open`]
//! reads the header and checks it against the [`Limits`]; then [`Source::stream`] passes on the
//! rows of the region that a plan uses, or [`Source::decode`] fills an [`Image`]. JPEG is decoded
//! by recio-jpeg, which decodes only that region. The format is detected from the bytes, not from a
//! file name.
//!
//! The pixels are those of OpenCV 4.8.1: alpha is dropped, not blended; 16-bit samples are reduced
//! to 8 bits; palettes are expanded; CMYK becomes RGB. What OpenCV decodes and recio does not is an
//! error that names it. `make test-formats` compares thousands of images.
//!
//! **Missing image data is an error**, never gray rows; OpenCV fills in the missing data of a
//! truncated JPEG. Extra bytes are not damage, because many photographs have them. `jpeg.rs` lists
//! what is damage in a JPEG.
//!
//! ```text
//! mod            Source, Pixels, Stored, Scratch
//! sniff          format detection
//! jpeg           JPEG, by recio-jpeg: a region, row by row
//! raster         what the other formats have in common: limits, orientation, images as stored
//! png            PNG, by the crate `png`; colors and gray as libpng
//! webp           WebP, by the crate `image-webp`
//! bmp, gif, tiff BMP, GIF and TIFF
//! guard          a panic of a decoder → an error
//! mask           Mask: a PNG of class numbers
//! input          numbers at offsets, with errors that state the byte
//! convert, orient    channels; EXIF orientation
//! channel_order      B, G, R instead of R, G, B
//! ```

mod bmp;
mod channel_order;
mod convert;
mod gif;
mod guard;
mod input;
mod jpeg;
mod mask;
mod orient;
mod png;
mod raster;
mod sniff;
mod tiff;
mod webp;

use crate::error::{Error, Result};
use crate::image::{Image, Rect, RowSource};
use crate::limits::{Format, Limits};
use crate::memory;
use guard::guarded;
use jpeg::Jpeg;
pub use mask::Mask;
use orient::Orientation;
use raster::Raster;
pub use sniff::format_of;

/// Pixel format to decode to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pixels {
    /// One channel: the Y channel of a color JPEG, otherwise the luma as computed by libpng or
    /// OpenCV.
    Gray,
    /// R, G, B. Gray is repeated, alpha is dropped.
    Rgb,
    /// R, G, B, A; only from an image that has alpha.
    Rgba,
}

impl Pixels {
    /// Return the number of samples per pixel.
    #[must_use]
    pub fn channels(self) -> usize {
        match self {
            Self::Gray => 1,
            Self::Rgb => 3,
            Self::Rgba => 4,
        }
    }
}

/// An image as stored: depth and channels are kept. The orientation is applied to TIFF only, as in
/// OpenCV.
///
/// One channel is gray; three are R, G, B; four are R, G, B, A, or G, G, G, A for a gray image with
/// alpha.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stored {
    /// 8 bits per sample, or fewer in the file.
    Bits8(Image),
    /// 16 bits per sample.
    Bits16 {
        /// Pixels per row.
        width: usize,
        /// Number of rows.
        height: usize,
        /// Samples per pixel: 1, 3 or 4.
        channels: usize,
        /// `height × width × channels` samples.
        data: Vec<u16>,
    },
}

/// An encoded image with its header parsed and checked against the limits.
#[derive(Debug)]
pub struct Source<'a> {
    decoder: FormatDecoder<'a>,
    orientation: Orientation,
    is_bgr: bool,
}

#[derive(Debug)]
enum FormatDecoder<'a> {
    Jpeg(Jpeg<'a>),
    Other(Raster<'a>),
}

impl<'a> Source<'a> {
    /// Read the header.
    ///
    /// # Errors
    /// [`ErrorKind::Image`](crate::error::ErrorKind::Image) if the payload is empty, of no known
    /// format, or damaged; [`ErrorKind::Limit`](crate::error::ErrorKind::Limit) if the image is
    /// larger than `limits` allow.
    pub fn open(payload: &'a [u8], limits: &Limits) -> Result<Self> {
        match sniff::format(payload, limits)? {
            Format::Jpeg => {
                let jpeg = Jpeg::open(payload, limits)?;
                Ok(Self::new(jpeg.orientation(), FormatDecoder::Jpeg(jpeg)))
            }
            format => guarded(|| {
                let other = Raster::open(payload, format, limits)?;
                Ok(Self::new(other.orientation(), FormatDecoder::Other(other)))
            }),
        }
    }

    fn new(orientation: Orientation, decoder: FormatDecoder<'a>) -> Self {
        Self {
            decoder,
            orientation,
            is_bgr: false,
        }
    }

    /// Return width and height of the decoded image, in pixels, after the EXIF orientation.
    #[must_use]
    pub fn size(&self, pixels: Pixels) -> (usize, usize) {
        let (width, height) = match &self.decoder {
            FormatDecoder::Jpeg(jpeg) => jpeg.size(),
            FormatDecoder::Other(other) => other.size(),
        };
        if orient::swaps_sides(self.applied_orientation(pixels)) {
            (height, width)
        } else {
            (width, height)
        }
    }

    /// Tolerate damage in a JPEG's scans if `is_enabled`: missing data becomes gray, unreadable
    /// data is guessed, as in libjpeg.
    #[must_use]
    pub fn fill_damage(mut self, is_enabled: bool) -> Self {
        if let (FormatDecoder::Jpeg(jpeg), true) = (&mut self.decoder, is_enabled) {
            jpeg.fill_damage();
        }
        self
    }

    /// Make decoding into an image return B, G, R instead of R, G, B if `is_enabled`; alpha stays
    /// last. Not for [`stream`](Self::stream).
    #[must_use]
    pub fn bgr(mut self, is_enabled: bool) -> Self {
        self.is_bgr = is_enabled;
        self
    }

    /// Make [`decode`](Self::decode) reject a JPEG with data after the last pixel. MXNet and most
    /// software accept such an image, whose pixels after the damage are garbage.
    #[must_use]
    pub fn strict(mut self) -> Self {
        if let FormatDecoder::Jpeg(jpeg) = &mut self.decoder {
            jpeg.set_strict();
        }
        self
    }

    /// Select decoding of a JPEG at 1/2, 1/4 or 1/8 of its size, the smallest scale that is at
    /// least 1/`times`. Return the divisor of the size, which is rounded up. It is 1 for other
    /// formats, and for a rotated image: the pixel added by rounding could be at the left or the
    /// top.
    pub fn shrink(&mut self, times: usize) -> usize {
        match &mut self.decoder {
            FormatDecoder::Jpeg(jpeg) if self.orientation == Orientation::NoTransforms => {
                jpeg.shrink(times)
            }
            _ => 1,
        }
    }

    /// Decode into `into`. The EXIF orientation is applied to gray and RGB, not to RGBA (as in
    /// OpenCV).
    ///
    /// After an error the contents of `into` are undefined.
    ///
    /// # Errors
    /// [`ErrorKind::Image`](crate::error::ErrorKind::Image) if the image is damaged, or RGBA is
    /// requested and it has no alpha; [`ErrorKind::Limit`](crate::error::ErrorKind::Limit) if
    /// decoding it takes more than the limits allow.
    ///
    /// A panic of a decoder becomes an error too, and nothing is printed.
    pub fn decode(self, pixels: Pixels, into: &mut Image, scratch: &mut Scratch) -> Result<()> {
        let (width, height) = self.size(pixels);
        self.decode_region(pixels, Rect::of_size(width, height), into, scratch)
    }

    /// Decode the image as stored. The memory of `into` is used if the image has 8 bits per sample.
    ///
    /// # Errors
    /// As [`decode`](Self::decode).
    pub fn decode_stored(self, mut into: Image, scratch: &mut Scratch) -> Result<Stored> {
        let is_bgr = self.is_bgr;
        let mut stored = match self.decoder {
            FormatDecoder::Jpeg(jpeg) => {
                jpeg.decode_stored(is_bgr, &mut into, &mut scratch.jpeg)?;
                return Ok(Stored::Bits8(into));
            }
            FormatDecoder::Other(other) => guarded(|| other.decode_stored(into))?,
        };
        if is_bgr {
            match &mut stored {
                Stored::Bits8(image) => channel_order::exchange_in_image(image),
                Stored::Bits16 { channels, data, .. } => {
                    channel_order::exchange_in_samples(data, *channels);
                }
            }
        }
        Ok(stored)
    }

    /// Return the number of samples of the image as stored.
    #[must_use]
    pub fn stored_len(&self) -> usize {
        let ((width, height), channels) = match &self.decoder {
            FormatDecoder::Jpeg(jpeg) => (jpeg.size(), jpeg.stored_pixels().channels()),
            FormatDecoder::Other(other) => (other.size(), other.channels()),
        };
        width * height * channels
    }

    /// Decode a region. Of a JPEG, only the region is decoded.
    ///
    /// # Errors
    /// As [`decode`](Self::decode).
    ///
    /// # Panics
    /// If the region leaves the image or is empty.
    pub fn decode_region(
        self,
        pixels: Pixels,
        region: Rect,
        into: &mut Image,
        scratch: &mut Scratch,
    ) -> Result<()> {
        let (orientation, size) = (self.applied_orientation(pixels), self.size(pixels));
        let is_bgr = self.is_bgr && pixels != Pixels::Gray;
        let Scratch { jpeg, spare } = scratch;
        match self.decoder {
            FormatDecoder::Jpeg(decoder) if orientation == Orientation::NoTransforms => {
                decoder.decode((pixels, is_bgr), region, into, jpeg)
            }
            FormatDecoder::Jpeg(decoder) => {
                // The stored and the oriented image.
                decoder.check_memory(2 * region.width * region.height * pixels.channels())?;
                let stored = orient::stored_region(orientation, region, size);
                decoder.decode((pixels, is_bgr), stored, spare, jpeg)?;
                orient::apply(orientation, spare, into);
                Ok(())
            }
            FormatDecoder::Other(other) => {
                guarded(|| other.decode(pixels, orientation, into, spare))?;
                if region != Rect::of_size(size.0, size.1) {
                    spare.collect(&mut into.view().crop(region));
                    std::mem::swap(spare, into);
                }
                if is_bgr {
                    channel_order::exchange_in_image(into);
                }
                Ok(())
            }
        }
    }

    /// Call `work` with the rows of a region; only pixels in `required`, relative to the region,
    /// are valid. Rows of a JPEG without EXIF orientation are decoded on demand; other images are
    /// decoded into `into` first.
    ///
    /// # Errors
    /// As [`decode`](Self::decode); `work` may have seen rows by then.
    ///
    /// # Panics
    /// If the region leaves the image, `required` leaves the region, or either is empty.
    pub fn stream(
        self,
        pixels: Pixels,
        (region, required): (Rect, Rect),
        into: &mut Image,
        scratch: &mut Scratch,
        work: impl FnOnce(&mut dyn RowSource),
    ) -> Result<()> {
        match (self.applied_orientation(pixels), self) {
            (
                Orientation::NoTransforms,
                Self {
                    decoder: FormatDecoder::Jpeg(decoder),
                    ..
                },
            ) => decoder.stream(pixels, (region, required), &mut scratch.jpeg, work),
            (_, source) => {
                source.decode_region(pixels, region, into, scratch)?;
                work(&mut into.view());
                Ok(())
            }
        }
    }

    fn applied_orientation(&self, pixels: Pixels) -> Orientation {
        match pixels {
            Pixels::Gray | Pixels::Rgb => self.orientation,
            Pixels::Rgba => Orientation::NoTransforms,
        }
    }
}

/// Buffers for decoding. Reused, it makes later images free of allocation.
#[derive(Debug, Default)]
pub struct Scratch {
    jpeg: jpeg::Scratch,
    /// An image before it is oriented or cropped.
    spare: Image,
}

impl Scratch {
    /// Free buffers of more than `max_bytes` bytes.
    pub fn trim(&mut self, max_bytes: usize) {
        self.jpeg.trim(max_bytes);
        self.spare.trim(max_bytes);
    }
}

/// Decode an image as stored (OpenCV's `IMREAD_UNCHANGED`, but in the order R, G, B).
///
/// # Errors
/// Those of [`Source::open`] and [`Source::decode`].
pub fn decode_stored(payload: &[u8], limits: &Limits) -> Result<Stored> {
    Source::open(payload, limits)?.decode_stored(Image::default(), &mut Scratch::default())
}

/// Set the shape of an image. Its memory and old pixels are kept; the caller overwrites all of
/// them.
fn set_shape<T: Copy + Default>(
    image: &mut Image<T>,
    (width, height): (usize, usize),
    channels: usize,
) {
    image.width = width;
    image.height = height;
    image.channels = channels;
    let len = width * height * channels;
    let missing = len.saturating_sub(image.data.len());
    memory::reserve_or_unwind(&mut image.data, missing);
    image.data.resize(len, T::default());
}

fn no_alpha(channels: usize) -> Error {
    Error::image(format!("expected 4 channels, got {channels}"))
}

/// Return the memory limit of a decoder before the image size is known: a sixteenth of that of an
/// image, but at least enough for a color profile.
fn decoder_memory(limits: &Limits) -> usize {
    (limits.bytes / 16).max(4 << 20)
}

/// Return the error of a decoder that counts its memory itself.
fn too_much_memory(format: &str) -> Error {
    Error::limit(format!(
        "{format}: decoding takes too much memory: limits=Limits(bytes=...) or --max-bytes raises the limit"
    ))
}

#[cfg(test)]
mod tests;
