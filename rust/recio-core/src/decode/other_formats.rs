//! PNG, WebP, BMP, GIF and TIFF decoding, by the `image` crate.

use std::fmt;
use std::io::Cursor;
use std::mem;

use image::codecs::png::PngDecoder;
use image::error::{ImageError, ImageResult};
use image::metadata::Orientation;
use image::{ColorType, ImageDecoder, ImageReader};

use super::convert::{self, Luma};
use super::gamma::{self, Gamma};
use super::{Pixels, Stored, decoder_memory, no_alpha, orient, set_shape, sniff};
use crate::error::{Error, Result};
use crate::image::Image;
use crate::limits::{Format, Limits};

/// An image with its header parsed by the `image` crate.
pub(super) struct OtherFormat<'a> {
    decoder: Box<dyn ImageDecoder + 'a>,
    size: (usize, usize),
    layout: Layout,
    luma: Luma,
    format: Format,
    limits: Limits,
    /// Gamma of a PNG that declares one.
    gamma: Option<f64>,
}

/// Pixel layout of the decoder: 1 or 2 channels are gray, 2 and 4 have alpha.
#[derive(Debug, Clone, Copy)]
struct Layout {
    channels: usize,
    /// Whether samples have 16 bits.
    is_16_bit: bool,
}

impl Layout {
    fn of(color: ColorType) -> Result<Self> {
        use ColorType::{L8, L16, La8, La16, Rgb8, Rgb16, Rgba8, Rgba16};
        let channels = color.channel_count().into();
        match color {
            L8 | La8 | Rgb8 | Rgba8 => Ok(Self {
                channels,
                is_16_bit: false,
            }),
            L16 | La16 | Rgb16 | Rgba16 => Ok(Self {
                channels,
                is_16_bit: true,
            }),
            other => Err(Error::unsupported(format!(
                "pixels of {other:?} are not supported"
            ))),
        }
    }

    fn has_alpha(self) -> bool {
        self.channels.is_multiple_of(2)
    }

    fn bytes(self) -> usize {
        self.channels << usize::from(self.is_16_bit)
    }
}

impl<'a> OtherFormat<'a> {
    pub(super) fn open(payload: &'a [u8], format: Format, limits: &Limits) -> Result<Self> {
        let (decoder, gamma) = decoder(payload, format, limits).map_err(failed)?;
        let (width, height) = decoder.dimensions();
        let size = (width as usize, height as usize);
        let layout = Layout::of(decoder.color_type())?;
        limits.check(size.0, size.1, layout.bytes().max(Pixels::Rgb.channels()))?;
        let luma = match format {
            Format::Png => convert::LIBPNG,
            _ => convert::OPENCV,
        };
        Ok(Self {
            decoder,
            size,
            layout,
            luma,
            format,
            limits: *limits,
            gamma,
        })
    }

    pub(super) fn size(&self) -> (usize, usize) {
        self.size
    }

    /// Return the orientation from the metadata; unreadable metadata is ignored.
    pub(super) fn orientation(&mut self) -> Orientation {
        self.decoder
            .orientation()
            .unwrap_or(Orientation::NoTransforms)
    }

    /// Return the tables for gray of a color PNG, if it declares its gamma.
    fn gamma_tables(&mut self) -> Option<Gamma> {
        if self.format != Format::Png || self.layout.channels < 3 || self.layout.is_16_bit {
            return None;
        }
        let srgb = || {
            self.decoder
                .icc_profile()
                .ok()?
                .filter(|icc| gamma::is_srgb(icc))
                .map(|_| gamma::SRGB)
        };
        self.gamma.or_else(srgb).map(Gamma::new)
    }

    pub(super) fn decode(
        mut self,
        pixels: Pixels,
        orientation: Orientation,
        into: &mut Image,
        spare: &mut Image,
    ) -> Result<()> {
        self.reserve_memory(self.peak_image_bytes(pixels, orientation))?;
        if orientation == Orientation::NoTransforms {
            return self.decode_as_stored(pixels, into, spare);
        }
        self.decode_as_stored(pixels, spare, into)?;
        orient::apply(orientation, spare, into);
        Ok(())
    }

    fn decode_as_stored(
        mut self,
        pixels: Pixels,
        into: &mut Image,
        spare: &mut Image,
    ) -> Result<()> {
        let gamma_tables = if pixels == Pixels::Gray {
            self.gamma_tables()
        } else {
            None
        };
        let Self {
            size, layout, luma, ..
        } = self;
        if pixels == Pixels::Rgba && !layout.has_alpha() {
            return Err(no_alpha(layout.channels));
        }
        set_shape(into, size, layout.bytes());
        if self.format != Format::Png {
            // The GIF decoder skips pixels whose color is not in the palette: they would keep
            // values of an earlier image.
            into.data.fill(0);
        }
        self.read(&mut into.data)?;
        let gray_from_16_bits = layout.is_16_bit && pixels == Pixels::Gray && layout.channels >= 3;
        if layout.is_16_bit && !gray_from_16_bits {
            convert::high_bytes(&mut into.data);
        }
        if layout.channels != pixels.channels() {
            mem::swap(&mut into.data, &mut spare.data);
        }
        set_shape(into, size, pixels.channels());
        if gray_from_16_bits {
            convert::gray_from_16_bits(&spare.data, layout.channels, &mut into.data);
        } else if let Some(gamma) = gamma_tables {
            convert::linear_gray(&spare.data, layout.channels, &gamma, &mut into.data);
        } else if layout.channels != pixels.channels() {
            convert::channels(&spare.data, layout.channels, pixels, luma, &mut into.data);
        }
        Ok(())
    }

    /// Return the bytes of the images that exist at the same time during decoding.
    fn peak_image_bytes(&self, pixels: Pixels, orientation: Orientation) -> usize {
        let area = self.size.0 * self.size.1;
        let [stored, converted] = [self.layout.bytes(), pixels.channels()].map(|each| area * each);
        if orientation != Orientation::NoTransforms {
            return stored.max(converted) + converted;
        }
        if self.layout.channels == pixels.channels() {
            return stored;
        }
        stored + converted
    }

    /// Check the memory of the images against the limits, and limit the decoder to the rest.
    fn reserve_memory(&mut self, image_bytes: usize) -> Result<()> {
        let area = self.size.0 * self.size.1;
        let unlimited = match self.format {
            // The decoder allocates an image with alpha, or planes, without checking its limits.
            Format::WebP => 4 * area,
            _ => 0,
        };
        self.limits
            .check_memory(image_bytes.saturating_add(unlimited))?;
        let counted = match self.format {
            // Its limits were set when it was opened.
            Format::Png => return Ok(()),
            // It counts the image that it fills.
            Format::Tiff => area * self.layout.bytes(),
            _ => 0,
        };
        let remaining = self.limits.bytes - image_bytes;
        self.decoder
            .set_limits(decoder_limits(remaining + counted))
            .map_err(failed)
    }

    pub(super) fn decode_stored(mut self) -> Result<Stored> {
        let Layout {
            channels,
            is_16_bit,
        } = self.layout;
        // Samples of 16 bits are copied, and gray with alpha is expanded.
        let copies = 1 + usize::from(is_16_bit) + if channels == 2 { 2 } else { 0 };
        self.reserve_memory(copies * self.size.0 * self.size.1 * self.layout.bytes())?;
        let Self { size, layout, .. } = self;
        let mut image = Image::default();
        set_shape(&mut image, size, layout.bytes());
        self.read(&mut image.data)?;
        if layout.is_16_bit {
            return Ok(stored_16_bit(&image.data, size, layout.channels));
        }
        if layout.channels == 2 {
            image.data = convert::gray_alpha_to_rgba(&image.data);
            image.channels = 4;
        }
        Ok(Stored::Bits8(image))
    }

    fn read(self, into: &mut [u8]) -> Result<()> {
        self.decoder.read_image_boxed(into).map_err(failed)
    }
}

fn stored_16_bit(bytes: &[u8], (width, height): (usize, usize), channels: usize) -> Stored {
    let (samples, _) = bytes.as_chunks();
    let mut data: Vec<u16> = samples.iter().copied().map(u16::from_ne_bytes).collect();
    if channels == 2 {
        data = convert::gray_alpha_to_rgba(&data);
    }
    Stored::Bits16 {
        width,
        height,
        channels: if channels == 2 { 4 } else { channels },
        data,
    }
}

/// Return the decoder of a format, and the gamma that a PNG declares.
fn decoder<'a>(
    payload: &'a [u8],
    format: Format,
    limits: &Limits,
) -> ImageResult<(Box<dyn ImageDecoder + 'a>, Option<f64>)> {
    let max_bytes = match format {
        // It counts the image too, and its size is not known yet.
        Format::Tiff => limits.bytes,
        _ => decoder_memory(limits),
    };
    let (bytes, decoder_limits) = (Cursor::new(payload), decoder_limits(max_bytes));
    if format == Format::Png {
        let decoder = PngDecoder::with_limits(bytes, decoder_limits)?;
        let gamma = decoder
            .gamma_value()?
            .filter(|gamma| (0.01..=10.0).contains(gamma));
        return Ok((Box::new(decoder), gamma));
    }
    let mut reader = ImageReader::with_format(bytes, sniff::image_format(format));
    reader.limits(decoder_limits);
    Ok((Box::new(reader.into_decoder()?), None))
}

/// Return limits that let a decoder allocate this many bytes. Image sides are checked by this
/// module, for errors with numbers.
fn decoder_limits(max_bytes: usize) -> image::Limits {
    let mut limits = image::Limits::no_limits();
    limits.max_alloc = Some(max_bytes as u64);
    limits
}

fn failed(error: ImageError) -> Error {
    match error {
        ImageError::Limits(error) => Error::limit(format!("decoding the image: {error}")),
        ImageError::Unsupported(error) => Error::unsupported(error.to_string()),
        error => Error::image(error.to_string()),
    }
}

impl fmt::Debug for OtherFormat<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OtherFormat")
            .field("size", &self.size)
            .field("layout", &self.layout)
            .finish_non_exhaustive()
    }
}
