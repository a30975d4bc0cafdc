//! PNG, WebP, BMP, GIF and TIFF, read by the `image` crate.

use std::fmt;
use std::io::Cursor;
use std::mem;

use image::codecs::png::PngDecoder;
use image::error::{ImageError, ImageResult};
use image::metadata::Orientation;
use image::{ColorType, ImageDecoder, ImageReader};

use super::convert::{self, Luma};
use super::gamma::{self, Gamma};
use super::{Pixels, Stored, no_alpha, orient, own_memory, shape, sniff};
use crate::error::{Error, Result};
use crate::image::Image;
use crate::limits::{Format, Limits};

/// An image whose header the `image` crate has read.
pub(super) struct Other<'a> {
    decoder: Box<dyn ImageDecoder + 'a>,
    size: (usize, usize),
    layout: Layout,
    luma: Luma,
    format: Format,
    limits: Limits,
    /// The gamma that a PNG says it was encoded with.
    gamma: Option<f64>,
}

/// How the decoder lays out a pixel: 1 or 2 channels are gray, 2 and 4 have alpha.
#[derive(Debug, Clone, Copy)]
struct Layout {
    channels: usize,
    /// 16 bits a sample.
    wide: bool,
}

impl Layout {
    fn of(color: ColorType) -> Result<Self> {
        use ColorType::{L8, L16, La8, La16, Rgb8, Rgb16, Rgba8, Rgba16};
        let channels = color.channel_count().into();
        match color {
            L8 | La8 | Rgb8 | Rgba8 => Ok(Self {
                channels,
                wide: false,
            }),
            L16 | La16 | Rgb16 | Rgba16 => Ok(Self {
                channels,
                wide: true,
            }),
            other => Err(Error::image(format!(
                "pixels of {other:?} are not supported"
            ))),
        }
    }

    fn has_alpha(self) -> bool {
        self.channels.is_multiple_of(2)
    }

    fn bytes(self) -> usize {
        self.channels << usize::from(self.wide)
    }
}

impl<'a> Other<'a> {
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

    /// As the metadata has it; metadata that cannot be read is no reason to refuse the image.
    pub(super) fn orientation(&mut self) -> Orientation {
        self.decoder
            .orientation()
            .unwrap_or(Orientation::NoTransforms)
    }

    /// The tables for gray of a color PNG, if it names its gamma.
    fn linear_light(&mut self) -> Option<Gamma> {
        if self.format != Format::Png || self.layout.channels < 3 || self.layout.wide {
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
        turn: Orientation,
        into: &mut Image,
        spare: &mut Image,
    ) -> Result<()> {
        self.claim(self.pictures(pixels, turn))?;
        if turn == Orientation::NoTransforms {
            return self.decode_as_stored(pixels, into, spare);
        }
        self.decode_as_stored(pixels, spare, into)?;
        orient::apply(turn, spare, into);
        Ok(())
    }

    fn decode_as_stored(
        mut self,
        pixels: Pixels,
        into: &mut Image,
        spare: &mut Image,
    ) -> Result<()> {
        let linear_light = if pixels == Pixels::Gray {
            self.linear_light()
        } else {
            None
        };
        let Self {
            size, layout, luma, ..
        } = self;
        if pixels == Pixels::Rgba && !layout.has_alpha() {
            return Err(no_alpha(layout.channels));
        }
        shape(into, size, layout.bytes());
        if self.format != Format::Png {
            // A GIF's decoder leaves out pixels whose color is not in the palette: they would be those of an image before.
            into.data.fill(0);
        }
        self.read(&mut into.data)?;
        let wide_gray = layout.wide && pixels == Pixels::Gray && layout.channels >= 3;
        if layout.wide && !wide_gray {
            convert::narrow(&mut into.data);
        }
        if layout.channels != pixels.channels() {
            mem::swap(&mut into.data, &mut spare.data);
        }
        shape(into, size, pixels.channels());
        if wide_gray {
            convert::wide_gray(&spare.data, layout.channels, &mut into.data);
        } else if let Some(gamma) = linear_light {
            convert::linear_gray(&spare.data, layout.channels, &gamma, &mut into.data);
        } else if layout.channels != pixels.channels() {
            convert::channels(&spare.data, layout.channels, pixels, luma, &mut into.data);
        }
        Ok(())
    }

    /// Bytes of the pictures that there are at a time, on the way to one of these pixels.
    fn pictures(&self, pixels: Pixels, turn: Orientation) -> usize {
        let area = self.size.0 * self.size.1;
        let [stored, wanted] = [self.layout.bytes(), pixels.channels()].map(|each| area * each);
        if turn != Orientation::NoTransforms {
            return stored.max(wanted) + wanted;
        }
        if self.layout.channels == pixels.channels() {
            return stored;
        }
        stored + wanted
    }

    /// Refuses pictures that take more than the limits allow. What they leave is the decoder's.
    fn claim(&mut self, pictures: usize) -> Result<()> {
        let area = self.size.0 * self.size.1;
        let own = match self.format {
            // It makes a picture with alpha of one without, or planes, and asks nobody.
            Format::WebP => 4 * area,
            _ => 0,
        };
        self.limits.check_memory(pictures.saturating_add(own))?;
        let counted = match self.format {
            // It was told when it was opened.
            Format::Png => return Ok(()),
            // It counts the picture that it fills.
            Format::Tiff => area * self.layout.bytes(),
            _ => 0,
        };
        let left = self.limits.bytes - pictures;
        self.decoder
            .set_limits(allowance(left + counted))
            .map_err(failed)
    }

    pub(super) fn decode_stored(mut self) -> Result<Stored> {
        let Layout { channels, wide } = self.layout;
        // Samples of 16 bits are copied, and alpha of gray is spread.
        let copies = 1 + usize::from(wide) + if channels == 2 { 2 } else { 0 };
        self.claim(copies * self.size.0 * self.size.1 * self.layout.bytes())?;
        let Self { size, layout, .. } = self;
        let mut picture = Image::default();
        shape(&mut picture, size, layout.bytes());
        self.read(&mut picture.data)?;
        if layout.wide {
            return Ok(stored_wide(&picture.data, size, layout.channels));
        }
        if layout.channels == 2 {
            picture.data = convert::spread_alpha(&picture.data);
            picture.channels = 4;
        }
        Ok(Stored::Bits8(picture))
    }

    fn read(self, into: &mut [u8]) -> Result<()> {
        self.decoder.read_image_boxed(into).map_err(failed)
    }
}

fn stored_wide(bytes: &[u8], (width, height): (usize, usize), channels: usize) -> Stored {
    let (samples, _) = bytes.as_chunks();
    let mut data: Vec<u16> = samples.iter().copied().map(u16::from_ne_bytes).collect();
    if channels == 2 {
        data = convert::spread_alpha(&data);
    }
    Stored::Bits16 {
        width,
        height,
        channels: if channels == 2 { 4 } else { channels },
        data,
    }
}

/// The decoder of a format, and the gamma that a PNG names.
fn decoder<'a>(
    payload: &'a [u8],
    format: Format,
    limits: &Limits,
) -> ImageResult<(Box<dyn ImageDecoder + 'a>, Option<f64>)> {
    let own = match format {
        // It counts the picture too, whose size is not known yet.
        Format::Tiff => limits.bytes,
        _ => own_memory(limits),
    };
    let (bytes, allowance) = (Cursor::new(payload), allowance(own));
    if format == Format::Png {
        let decoder = PngDecoder::with_limits(bytes, allowance)?;
        let gamma = decoder
            .gamma_value()?
            .filter(|gamma| (0.01..=10.0).contains(gamma));
        return Ok((Box::new(decoder), gamma));
    }
    let mut reader = ImageReader::with_format(bytes, sniff::name_of(format));
    reader.limits(allowance);
    Ok((Box::new(reader.into_decoder()?), None))
}

/// Lets a decoder allocate so many bytes. The sides are checked here, with the numbers in the error.
fn allowance(bytes: usize) -> image::Limits {
    let mut allowance = image::Limits::no_limits();
    allowance.max_alloc = Some(bytes as u64);
    allowance
}

fn failed(error: ImageError) -> Error {
    match error {
        ImageError::Limits(error) => Error::limit(format!("decoding the image: {error}")),
        error => Error::image(error.to_string()),
    }
}

impl fmt::Debug for Other<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Other")
            .field("size", &self.size)
            .field("layout", &self.layout)
            .finish_non_exhaustive()
    }
}
