//! Segmentation mask decoding: a PNG → class numbers as stored.
//!
//! A mask is a PNG of one channel. Decoding it as an image would expand a palette to colors and
//! scale gray of few bits to 255; in a mask, palette indices or unscaled gray values are the class
//! numbers (as in PASCAL VOC). Hence a separate decoder.

use std::fmt;
use std::io::Cursor;

use png::{BitDepth, ColorType, DecodingError, Transformations};

use super::{decoder_memory, guarded, set_shape, sniff, too_much_memory};
use crate::error::{Error, Result};
use crate::image::Image;
use crate::limits::{Format, Limits};
use crate::memory;

/// A mask with its header parsed and checked against the limits; class numbers are decoded by
/// [`decode`](Self::decode).
pub struct Mask<'a> {
    reader: png::Reader<Cursor<&'a [u8]>>,
    size: (usize, usize),
    /// Bits per number: 1, 2, 4 or 8.
    bits: usize,
}

impl<'a> Mask<'a> {
    /// Read the header.
    ///
    /// # Errors
    /// [`ErrorKind::Image`](crate::error::ErrorKind::Image) if the payload is not a mask, or
    /// damaged; [`ErrorKind::Limit`](crate::error::ErrorKind::Limit) if it is larger than `limits`
    /// allow.
    pub fn open(payload: &'a [u8], limits: &Limits) -> Result<Self> {
        guarded(|| match sniff::format(payload, &Limits::default())? {
            Format::Png => Self::open_png(payload, limits),
            format => Err(not_a_mask(&format!("{format:?}").to_uppercase())),
        })
    }

    fn open_png(payload: &'a [u8], limits: &Limits) -> Result<Self> {
        let allowance = png::Limits {
            bytes: decoder_memory(limits),
        };
        let mut decoder = png::Decoder::new_with_limits(Cursor::new(payload), allowance);
        decoder.set_transformations(Transformations::IDENTITY);
        decoder.set_ignore_text_chunk(true);
        decoder.set_ignore_iccp_chunk(true);
        let info = decoder.read_header_info().map_err(failed)?;
        let (size, color) = (info.size(), info.color_type);
        let (size, bits) = ((size.0 as usize, size.1 as usize), info.bit_depth);
        let has_classes = matches!(color, ColorType::Grayscale | ColorType::Indexed);
        if !has_classes || bits == BitDepth::Sixteen {
            let bits = bits as u8;
            return Err(not_a_mask(&format!("a PNG of {color:?}, {bits} bits")));
        }
        limits.check(size.0, size.1, 1)?;
        if bits != BitDepth::Eight {
            // Packed and unpacked.
            let packed = stride(size.0, bits as usize) * size.1;
            limits.check_memory(size.0 * size.1 + packed)?;
        }
        Ok(Self {
            reader: decoder.read_info().map_err(failed)?,
            size,
            bits: bits as usize,
        })
    }

    /// Return width and height, in pixels. No orientation is applied to masks.
    #[must_use]
    pub fn size(&self) -> (usize, usize) {
        self.size
    }

    /// Decode into `into`, an image of one channel. `packed` is a buffer for packed rows; both keep
    /// their memory.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub fn decode(mut self, into: &mut Image, packed: &mut Vec<u8>) -> Result<()> {
        let (width, height) = self.size;
        let stride = stride(width, self.bits);
        set_shape(into, self.size, 1);
        if self.bits == 8 {
            return self.read(&mut into.data);
        }
        memory::resize(packed, stride * height, 0)?;
        self.read(packed)?;
        let rows = packed.chunks_exact(stride);
        for (row, out) in rows.zip(into.data.chunks_exact_mut(width)) {
            unpack(row, self.bits, out);
        }
        Ok(())
    }

    fn read(&mut self, into: &mut [u8]) -> Result<()> {
        let frame = guarded(|| self.reader.next_frame(into).map_err(failed))?;
        if (frame.width as usize, frame.height as usize) != self.size {
            return Err(Error::image("the first frame does not cover the mask"));
        }
        Ok(())
    }
}

/// Return the number of bytes of a packed row.
fn stride(width: usize, bits: usize) -> usize {
    (width * bits).div_ceil(8)
}

/// Unpack numbers from bytes, the first in the highest bits.
fn unpack(row: &[u8], bits: usize, out: &mut [u8]) {
    let (per_byte, shift) = (8 / bits, 8 - bits);
    for (x, number) in out.iter_mut().enumerate() {
        *number = row[x / per_byte] << (x % per_byte * bits) >> shift;
    }
}

fn not_a_mask(actual: &str) -> Error {
    Error::image(format!(
        "a mask is a PNG of one channel and at most 8 bits, of class numbers as gray levels or indices of a palette; this is {actual}"
    ))
}

fn failed(error: DecodingError) -> Error {
    match error {
        DecodingError::LimitsExceeded => too_much_memory("PNG"),
        error => Error::image(format!("PNG: {error}")),
    }
}

impl fmt::Debug for Mask<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Mask")
            .field("size", &self.size)
            .field("bits", &self.bits)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Encode packed rows.
    fn png(width: u32, rows: &[&[u8]], color: ColorType, bits: BitDepth) -> Vec<u8> {
        let mut bytes = Vec::new();
        let mut encoder = png::Encoder::new(&mut bytes, width, rows.len() as u32);
        encoder.set_color(color);
        encoder.set_depth(bits);
        encoder.set_palette([10, 20, 30].repeat(4));
        let mut writer = encoder.write_header().unwrap();
        writer.write_image_data(&rows.concat()).unwrap();
        drop(writer);
        bytes
    }

    fn decode(payload: &[u8]) -> Result<Image> {
        // Buffers of another image, with other numbers.
        let (mut mask, mut packed) = (Image::filled(7, 3, 1, 99), vec![0xff; 50]);
        Mask::open(payload, &Limits::default())?.decode(&mut mask, &mut packed)?;
        Ok(mask)
    }

    #[test]
    fn numbers_of_few_bits_are_neither_scaled_nor_expanded() {
        for (bits, row, numbers) in [
            (BitDepth::One, vec![0b1010_0000], [1, 0, 1]),
            (BitDepth::Two, vec![0b1101_1000], [3, 1, 2]),
            (BitDepth::Four, vec![0x2f, 0x10], [2, 15, 1]),
            (BitDepth::Eight, vec![3, 255, 0], [3, 255, 0]),
        ] {
            for color in [ColorType::Grayscale, ColorType::Indexed] {
                let other: Vec<u8> = row.iter().map(|byte| !byte).collect();
                let mask = decode(&png(3, &[&row, &other, &row], color, bits)).unwrap();
                assert_eq!((mask.width, mask.height, mask.channels), (3, 3, 1));
                assert_eq!(mask.data[..3], numbers, "{color:?} {bits:?}");
                assert_eq!(mask.data[6..], numbers, "{color:?} {bits:?}");
            }
        }
    }

    #[test]
    fn the_error_for_other_images_explains_masks() {
        let wide = png(1, &[&[1, 2]], ColorType::Grayscale, BitDepth::Sixteen);
        let rgb = png(1, &[&[1, 2, 3]], ColorType::Rgb, BitDepth::Eight);
        for (payload, actual) in [
            (&wide[..], "a PNG of Grayscale, 16 bits"),
            (&rgb, "a PNG of Rgb, 8 bits"),
            (b"\xff\xd8\xff\xe0", "JPEG"),
        ] {
            let text = decode(payload).unwrap_err().to_string();
            assert!(text.starts_with("a mask is a PNG of one channel"), "{text}");
            assert!(text.ends_with(actual), "{text}");
        }
    }

    #[test]
    fn a_truncated_mask_is_an_error() {
        let rows: Vec<Vec<u8>> = (0..40u8)
            .map(|y| (0..40u8).map(|x| x.wrapping_mul(y) ^ 0x5a).collect())
            .collect();
        let rows: Vec<&[u8]> = rows.iter().map(Vec::as_slice).collect();
        let payload = png(40, &rows, ColorType::Grayscale, BitDepth::Eight);
        assert_eq!(decode(&payload).unwrap().data, rows.concat());
        for len in [40, payload.len() / 2, payload.len() - 30] {
            assert!(
                decode(&payload[..len]).is_err(),
                "{len} of {}",
                payload.len()
            );
        }
    }

    #[test]
    fn a_mask_over_the_limits_is_an_error() {
        let payload = png(3, &[&[1, 2, 3]], ColorType::Grayscale, BitDepth::Eight);
        let limits = Limits {
            side: 2,
            ..Limits::default()
        };
        let error = Mask::open(&payload, &limits).unwrap_err().to_string();
        assert!(error.contains("3x1 pixels"), "{error}");
    }
}
