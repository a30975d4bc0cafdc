//! PNG, by the crate `png`; colors, alpha and gray as libpng 1.6 converts them for OpenCV.
//!
//! As in OpenCV: 16-bit samples are reduced to their high byte, gray of colors is computed before;
//! an image has alpha if it has an alpha channel, or colors and a chunk `tRNS`; EXIF orientation is
//! applied wherever the chunk `eXIf` is.

mod chunks;
mod color_space;
mod gamma;

use std::io::Cursor;

use ::png::{ColorType, DecodingError, Limits as PngLimits, Reader, Transformations};
use recio_jpeg::exif_orientation;

use super::orient::Orientation;
use super::raster::{Decode, Properties};
use super::{Pixels, decoder_memory, too_much_memory};
use crate::error::{Error, Result};
use crate::limits::Limits;
use crate::memory;
use chunks::Chunks;
use color_space::ColorSpace;
use gamma::Luma;

/// A PNG with the chunks before its image data parsed.
pub(super) struct Png<'a> {
    payload: &'a [u8],
    reader: Reader<Cursor<&'a [u8]>>,
    properties: Properties,
    color: ColorType,
    bits: usize,
    metadata: Metadata,
}

impl<'a> Png<'a> {
    pub(super) fn open(payload: &'a [u8], limits: &Limits) -> Result<Self> {
        let reader = open_reader(payload, limits).map_err(|error| failed(payload, &error))?;
        let info = reader.info();
        let (color, bits) = (info.color_type, info.bit_depth as usize);
        let is_transparent = info.trns.as_ref().is_some_and(|trns| !trns.is_empty());
        let channels = match color {
            ColorType::Grayscale => 1,
            ColorType::GrayscaleAlpha | ColorType::Rgba => 4,
            ColorType::Rgb | ColorType::Indexed if is_transparent => 4,
            ColorType::Rgb | ColorType::Indexed => 3,
        };
        let metadata = Metadata::read(payload, color, bits);
        let size = (info.width as usize, info.height as usize);
        Ok(Self {
            payload,
            properties: Properties {
                is_16_bit: bits == 16,
                orientation: Orientation::from_exif(metadata.orientation),
                ..Properties::of(size, channels)
            },
            reader,
            color,
            bits,
            metadata,
        })
    }

    /// Return the bytes of a stored row.
    fn stride(&self) -> usize {
        (self.properties.size.0 * self.color.samples() * self.bits).div_ceil(8)
    }

    fn read_stored(&mut self, into: &mut [u8]) -> Result<()> {
        let frame = self.reader.next_frame(into);
        let frame = frame.map_err(|error| failed(self.payload, &error))?;
        if (frame.width as usize, frame.height as usize) != self.properties.size {
            return Err(Error::image(
                "PNG: the first frame does not cover the image",
            ));
        }
        Ok(())
    }

    /// Return whether the stored samples are those of the pixels.
    fn is_stored_as(&self, pixels: Pixels) -> bool {
        let color = match pixels {
            Pixels::Gray => ColorType::Grayscale,
            Pixels::Rgb => ColorType::Rgb,
            Pixels::Rgba => ColorType::Rgba,
        };
        self.bits == 8 && self.color == color
    }

    /// Return R, G, B, A of each palette index, whether or not the file has a color for it.
    fn palette(&self) -> Vec<[u8; 4]> {
        let info = self.reader.info();
        let colors = info.palette.as_deref().unwrap_or(&[]).as_chunks::<3>().0;
        let alpha = info.trns.as_deref().unwrap_or(&[]);
        let entry = |i| {
            let [r, g, b] = colors.get(i).copied().unwrap_or([0; 3]);
            [r, g, b, alpha.get(i).copied().unwrap_or(255)]
        };
        (0..256).map(entry).collect()
    }

    /// Return the transparent color of an image of R, G, B: three 16-bit samples.
    fn transparent(&self) -> Option<[u16; 3]> {
        let trns = self.reader.info().trns.as_deref()?;
        if self.bits == 16 {
            let &[r, g, b] = trns.as_chunks().0.first_chunk()?;
            return Some([r, g, b].map(u16::from_be_bytes));
        }
        // The crate has removed the upper bytes.
        Some(trns.first_chunk::<3>()?.map(u16::from))
    }

    /// Convert stored rows to pixels of 8 bits.
    fn convert(&self, stored: &[u8], pixels: Pixels, into: &mut [u8]) {
        let (width, length) = (self.properties.size.0, pixels.channels());
        let is_16_bit = self.bits == 16;
        let luma = Luma::new(
            self.metadata.gamma,
            is_16_bit,
            self.metadata.significant_bits,
        );
        let rows = stored
            .chunks_exact(self.stride())
            .zip(into.chunks_exact_mut(width * length));
        match (self.color, is_16_bit) {
            (ColorType::Indexed, _) => {
                let colors = self.palette();
                let color = |index: u8| to_pixel(colors[usize::from(index)], pixels, &luma);
                let colors: Vec<[u8; 4]> = (0..=255).map(color).collect();
                rows.for_each(|(row, out)| {
                    self.expand(row, out, length, |index| colors[usize::from(index)]);
                });
            }
            (ColorType::Grayscale, false) => {
                let scale = (255 / ((1_u16 << self.bits) - 1)) as u8;
                rows.for_each(|(row, out)| {
                    self.expand(row, out, length, |gray| [gray * scale; 4]);
                });
            }
            (ColorType::Grayscale, true) => {
                rows.for_each(|(row, out)| each::<2>(row, out, length, |[high, _]| [high; 4]));
            }
            (ColorType::GrayscaleAlpha, false) => {
                rows.for_each(|(row, out)| each::<2>(row, out, length, |[g, a]| [g, g, g, a]));
            }
            (ColorType::GrayscaleAlpha, true) => {
                rows.for_each(|(row, out)| {
                    each::<4>(row, out, length, |[g, _, a, _]| [g, g, g, a]);
                });
            }
            // The most frequent conversion has a loop of its own.
            (ColorType::Rgb, false) if pixels == Pixels::Gray => rows.for_each(|(row, out)| {
                let colors = row.as_chunks().0.iter();
                let gray = out.iter_mut().zip(colors);
                gray.for_each(|(gray, rgb)| *gray = luma.of_8(*rgb));
            }),
            (ColorType::Rgb, false) => {
                let transparent = self.transparent();
                let alpha = |rgb: [u8; 3]| {
                    if transparent == Some(rgb.map(u16::from)) {
                        0
                    } else {
                        255
                    }
                };
                rows.for_each(|(row, out)| {
                    each::<3>(row, out, length, |[r, g, b]| {
                        to_pixel([r, g, b, alpha([r, g, b])], pixels, &luma)
                    });
                });
            }
            (ColorType::Rgba, false) => {
                rows.for_each(|(row, out)| {
                    each::<4>(row, out, length, |rgba| to_pixel(rgba, pixels, &luma));
                });
            }
            (ColorType::Rgb, true) => {
                let transparent = self.transparent();
                rows.for_each(|(row, out)| {
                    each::<6>(row, out, length, |bytes| {
                        let rgb = samples_16(&bytes);
                        let alpha = if transparent == Some(rgb) {
                            0
                        } else {
                            u16::MAX
                        };
                        to_pixel_16(rgb, alpha, pixels, &luma)
                    });
                });
            }
            (ColorType::Rgba, true) => rows.for_each(|(row, out)| {
                each::<8>(row, out, length, |bytes| {
                    let alpha = u16::from_be_bytes([bytes[6], bytes[7]]);
                    to_pixel_16(samples_16(&bytes), alpha, pixels, &luma)
                });
            }),
        }
    }

    /// Convert a row of packed samples, each by `convert`.
    fn expand(&self, row: &[u8], out: &mut [u8], length: usize, convert: impl Fn(u8) -> [u8; 4]) {
        let (per_byte, shift) = (8 / self.bits, 8 - self.bits);
        let sample = |x: usize| row[x / per_byte] << (x % per_byte * self.bits) >> shift;
        let width = self.properties.size.0;
        write_pixels((0..width).map(sample).map(convert), length, out);
    }
}

/// Convert each pixel of a row.
#[inline]
fn each<const FROM: usize>(
    row: &[u8],
    out: &mut [u8],
    length: usize,
    convert: impl Fn([u8; FROM]) -> [u8; 4],
) {
    let pixels = row.as_chunks::<FROM>().0.iter();
    write_pixels(pixels.map(|pixel| convert(*pixel)), length, out);
}

/// Write the first `length` samples of each pixel.
#[inline]
fn write_pixels(pixels: impl Iterator<Item = [u8; 4]>, length: usize, out: &mut [u8]) {
    fn write<const LENGTH: usize>(pixels: impl Iterator<Item = [u8; 4]>, out: &mut [u8]) {
        for (samples, pixel) in out.as_chunks_mut::<LENGTH>().0.iter_mut().zip(pixels) {
            samples.copy_from_slice(&pixel[..LENGTH]);
        }
    }
    match length {
        1 => write::<1>(pixels, out),
        3 => write::<3>(pixels, out),
        _ => write::<4>(pixels, out),
    }
}

/// Return a pixel in the first samples of the result.
#[inline]
fn to_pixel(rgba: [u8; 4], pixels: Pixels, luma: &Luma) -> [u8; 4] {
    let [r, g, b, _] = rgba;
    match pixels {
        Pixels::Gray => [luma.of_8([r, g, b]); 4],
        Pixels::Rgb | Pixels::Rgba => rgba,
    }
}

#[inline]
fn to_pixel_16(rgb: [u16; 3], alpha: u16, pixels: Pixels, luma: &Luma) -> [u8; 4] {
    match pixels {
        Pixels::Gray => [luma.of_16(rgb); 4],
        Pixels::Rgb | Pixels::Rgba => {
            let [r, g, b] = rgb.map(|sample| (sample >> 8) as u8);
            [r, g, b, (alpha >> 8) as u8]
        }
    }
}

#[inline]
fn samples_16(bytes: &[u8]) -> [u16; 3] {
    std::array::from_fn(|i| u16::from_be_bytes([bytes[2 * i], bytes[2 * i + 1]]))
}

impl Decode for Png<'_> {
    fn properties(&self) -> &Properties {
        &self.properties
    }

    fn working_bytes(&self, pixels: Pixels) -> usize {
        if self.is_stored_as(pixels) {
            return 0;
        }
        self.stride() * self.properties.size.1
    }

    fn read(
        mut self: Box<Self>,
        pixels: Pixels,
        into: &mut [u8],
        spare: &mut Vec<u8>,
    ) -> Result<()> {
        if self.is_stored_as(pixels) {
            return self.read_stored(into);
        }
        memory::resize(spare, self.stride() * self.properties.size.1, 0)?;
        self.read_stored(spare)?;
        self.convert(spare, pixels, into);
        Ok(())
    }

    fn read_16(mut self: Box<Self>) -> Result<Vec<u16>> {
        let mut stored = memory::filled(0, self.stride() * self.properties.size.1)?;
        self.read_stored(&mut stored)?;
        let samples = stored
            .as_chunks()
            .0
            .iter()
            .map(|bytes| u16::from_be_bytes(*bytes));
        if self.color.samples() == self.properties.channels {
            return Ok(samples.collect());
        }
        let samples: Vec<u16> = samples.collect();
        if self.color == ColorType::GrayscaleAlpha {
            let pixels = samples.as_chunks::<2>().0.iter();
            return Ok(pixels.flat_map(|&[g, a]| [g, g, g, a]).collect());
        }
        let transparent = self.transparent();
        let pixels = samples.as_chunks::<3>().0.iter();
        let alpha = |rgb: &[u16; 3]| {
            if transparent.as_ref() == Some(rgb) {
                0
            } else {
                u16::MAX
            }
        };
        Ok(pixels
            .flat_map(|rgb| [rgb[0], rgb[1], rgb[2], alpha(rgb)])
            .collect())
    }
}

/// Metadata that the crate `png` does not return as libpng does.
struct Metadata {
    /// In units of 1/100,000.
    gamma: Option<u32>,
    /// Maximum of the chunk `sBIT`, or 0.
    significant_bits: u32,
    /// EXIF orientation, or 0.
    orientation: u8,
}

impl Metadata {
    fn read(payload: &[u8], color: ColorType, bits: usize) -> Self {
        let is_color = !matches!(color, ColorType::Grayscale | ColorType::GrayscaleAlpha);
        let mut space = ColorSpace::default();
        let (mut significant_bits, mut exif) = (0, None);
        // Chunks of the color space count only before the palette and the image data.
        let mut is_before_colors = true;
        for chunk in Chunks::of(payload) {
            match &chunk.kind {
                b"PLTE" | b"IDAT" => is_before_colors = false,
                b"eXIf" if exif.is_none() && chunk.is_intact() => exif = Some(chunk.data),
                b"sBIT" if is_before_colors && chunk.is_intact() => {
                    let bits = significant(chunk.data, color, bits);
                    significant_bits = bits.unwrap_or(significant_bits);
                }
                b"gAMA" | b"sRGB" | b"iCCP" if is_before_colors && chunk.is_intact() => {
                    space.apply(&chunk, is_color);
                }
                _ => {}
            }
        }
        Self {
            gamma: space.gamma,
            significant_bits: significant_bits.into(),
            orientation: exif.and_then(exif_orientation).unwrap_or(0),
        }
    }
}

/// Return the maximum of a valid chunk `sBIT`, which has a number for each channel.
fn significant(numbers: &[u8], color: ColorType, bits: usize) -> Option<u8> {
    let (channels, bits) = match color {
        ColorType::Indexed => (3, 8),
        color => (color.samples(), bits),
    };
    let is_valid = numbers
        .iter()
        .all(|number| (1..=bits).contains(&usize::from(*number)));
    let colors = numbers.iter().take(3).copied().max();
    colors.filter(|_| is_valid && numbers.len() == channels)
}

fn open_reader<'a>(
    payload: &'a [u8],
    limits: &Limits,
) -> Result<Reader<Cursor<&'a [u8]>>, DecodingError> {
    let memory = PngLimits {
        bytes: decoder_memory(limits),
    };
    let mut decoder = ::png::Decoder::new_with_limits(Cursor::new(payload), memory);
    decoder.set_transformations(Transformations::IDENTITY);
    decoder.set_ignore_text_chunk(true);
    decoder.set_ignore_iccp_chunk(true);
    decoder.read_info()
}

fn failed(payload: &[u8], error: &DecodingError) -> Error {
    if matches!(error, DecodingError::LimitsExceeded) {
        return too_much_memory("PNG");
    }
    chunks::damage(payload).unwrap_or_else(|| Error::image(format!("PNG: {error}")))
}
