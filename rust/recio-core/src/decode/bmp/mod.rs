//! BMP: bitmaps of Windows and OS/2, in OpenCV's interpretation.
//!
//! As in OpenCV: 5-bit and 6-bit samples are shifted, not scaled; pixels that a run-length encoded
//! bitmap skips have the first color of the palette; the fourth byte of a pixel is alpha only if
//! the file has bit masks. Unlike OpenCV, the offsets of 4-bit runs are vertical, too.

mod masks;
mod run_length;

use super::Pixels;
use super::channel_order::exchange_red_and_blue;
use super::convert::{self, OPENCV};
use super::input::Input;
use super::raster::{Decode, Properties};
use crate::error::Result;
use masks::Masks;

const FILE_HEADER: usize = 14;
/// Size of the first header of OS/2.
const OS2_HEADER: usize = 12;
/// Size up to the mask of alpha, and offset of the mask of red, in the header or after it.
const MASKS_HEADER: usize = 56;
const MASKS: usize = FILE_HEADER + 40;
/// Size up to the number of colors.
const MIN_INFO_HEADER: usize = 36;

/// Layout of the stored pixels.
#[derive(Debug, Clone, Copy)]
enum Encoding {
    /// Palette indices of 1, 4 or 8 bits.
    Indexed(u8),
    /// Run-length encoded palette indices of 4 or 8 bits.
    RunLength(u8),
    /// 5 bits per sample.
    Rgb555,
    /// 5, 6 and 5 bits per sample.
    Rgb565,
    /// B, G, R.
    Bgr,
    /// B, G, R and a byte of alpha or padding.
    Bgra,
    /// 32 bits that are divided by masks.
    Masked(Masks),
}

/// A BMP with its headers parsed.
pub(super) struct Bmp<'a> {
    input: Input<'a>,
    properties: Properties,
    encoding: Encoding,
    /// R, G, B of each index; zeros where the file has no color.
    palette: Vec<[u8; 3]>,
    /// Offset of the pixels.
    offset: usize,
    is_top_down: bool,
}

impl<'a> Bmp<'a> {
    pub(super) fn open(payload: &'a [u8]) -> Result<Self> {
        let input = Input::little_endian("BMP", payload);
        let offset = input.u32(10)? as usize;
        let size = input.u32(FILE_HEADER)? as usize;
        let header = match size {
            OS2_HEADER => Header::read_os2(&input)?,
            MIN_INFO_HEADER.. => Header::read_info(&input, size)?,
            _ => return Err(input.error(format_args!("a header of {size} bytes at byte 14"))),
        };
        let bits = match header.encoding {
            Encoding::Indexed(bits) | Encoding::RunLength(bits) => bits,
            _ => 0,
        };
        let palette = header.palette(&input, size, bits)?;
        // OpenCV takes bitmaps with a header of OS/2 and gray palettes for gray.
        let is_gray =
            size == OS2_HEADER || bits > 0 && palette.iter().all(|[r, g, b]| r == g && g == b);
        let channels = match header.encoding {
            _ if is_gray => 1,
            Encoding::Bgra | Encoding::Masked(_) if header.has_alpha => 4,
            _ => 3,
        };
        Ok(Self {
            input,
            properties: Properties::of((header.width, header.height), channels),
            encoding: header.encoding,
            palette,
            offset,
            is_top_down: header.is_top_down,
        })
    }

    /// Return the row of the image that is stored as row `y`.
    fn row_number(&self, y: usize) -> usize {
        if self.is_top_down {
            y
        } else {
            self.properties.size.1 - 1 - y
        }
    }

    /// Convert one stored row to R, G, B, A.
    fn convert_row(&self, stored: &[u8], out: &mut [u8]) {
        let out = out.as_chunks_mut::<4>().0;
        let color = |[r, g, b]: [u8; 3]| [r, g, b, 255];
        match self.encoding {
            Encoding::Indexed(_) | Encoding::RunLength(_) => {
                let bits = self.bits_per_pixel();
                let (per_byte, shift) = (8 / bits, 8 - bits);
                for (x, pixel) in out.iter_mut().enumerate() {
                    let index = stored[x / per_byte] << (x % per_byte * bits) >> shift;
                    *pixel = color(self.palette[usize::from(index)]);
                }
            }
            Encoding::Rgb555 => convert_16(stored, out, |v| [v >> 7, v >> 2, v << 3], 0xf8),
            Encoding::Rgb565 => convert_16(stored, out, |v| [v >> 8, v >> 3, v << 3], 0xfc),
            Encoding::Bgr => {
                for (&[b, g, r], pixel) in stored.as_chunks().0.iter().zip(out) {
                    *pixel = color([r, g, b]);
                }
            }
            Encoding::Masked(masks) => {
                for (&bytes, pixel) in stored.as_chunks().0.iter().zip(out) {
                    *pixel = masks.rgba(u32::from_le_bytes(bytes));
                }
            }
            Encoding::Bgra => {
                for (&[b, g, r, a], pixel) in stored.as_chunks().0.iter().zip(out) {
                    *pixel = [r, g, b, a];
                }
            }
        }
    }

    fn bits_per_pixel(&self) -> usize {
        match self.encoding {
            Encoding::Indexed(bits) => bits.into(),
            Encoding::RunLength(_) => 8,
            Encoding::Rgb555 | Encoding::Rgb565 => 16,
            Encoding::Bgr => 24,
            Encoding::Bgra | Encoding::Masked(_) => 32,
        }
    }

    fn read_rows(&self, mut write: impl FnMut(usize, &[u8])) -> Result<()> {
        let (width, height) = self.properties.size;
        let length = (width * self.bits_per_pixel()).div_ceil(8);
        let stride = length.next_multiple_of(4);
        for y in 0..height {
            let start = y
                .checked_mul(stride)
                .and_then(|at| at.checked_add(self.offset));
            write(y, self.input.slice(start.unwrap_or(usize::MAX), length)?);
        }
        Ok(())
    }
}

/// Convert pixels of 16 bits; `split` moves the samples to the upper bits of the lowest byte.
/// `green_mask` selects the bits of green, of which there may be 6.
fn convert_16(stored: &[u8], out: &mut [[u8; 4]], split: impl Fn(u16) -> [u16; 3], green_mask: u8) {
    for (&bytes, pixel) in stored.as_chunks().0.iter().zip(out) {
        let [r, g, b] = split(u16::from_le_bytes(bytes)).map(|sample| sample as u8);
        *pixel = [r & 0xf8, g & green_mask, b & 0xf8, 255];
    }
}

impl Decode for Bmp<'_> {
    fn properties(&self) -> &Properties {
        &self.properties
    }

    fn working_bytes(&self, _: Pixels) -> usize {
        match self.encoding {
            Encoding::RunLength(_) => self.properties.area(),
            _ => 0,
        }
    }

    fn read(self: Box<Self>, pixels: Pixels, into: &mut [u8], spare: &mut Vec<u8>) -> Result<()> {
        let width = self.properties.size.0;
        let mut rgba = vec![0; width * 4];
        let length = width * pixels.channels();
        let mut write = |y, stored: &[u8]| {
            let row = &mut into[self.row_number(y) * length..][..length];
            if matches!((self.encoding, pixels), (Encoding::Bgr, Pixels::Rgb)) {
                exchange_red_and_blue(stored, row);
                return;
            }
            self.convert_row(stored, &mut rgba);
            if matches!((self.encoding, pixels), (Encoding::Masked(_), Pixels::Gray)) {
                masks::to_gray(&rgba, row);
                return;
            }
            convert::channels(&rgba, 4, pixels, OPENCV, row);
        };
        let Encoding::RunLength(bits) = self.encoding else {
            return self.read_rows(write);
        };
        run_length::decode(&self.input, self.offset, bits, self.properties.size, spare)?;
        let rows = spare.chunks_exact(width).enumerate();
        rows.for_each(|(y, indices)| write(y, indices));
        Ok(())
    }
}

/// Properties in either kind of header.
struct Header {
    width: usize,
    height: usize,
    is_top_down: bool,
    encoding: Encoding,
    has_alpha: bool,
    /// Number of colors in the palette.
    colors: usize,
}

impl Header {
    fn read_os2(input: &Input<'_>) -> Result<Self> {
        let encoding = match input.u16(FILE_HEADER + 10)? {
            bits @ (1 | 4 | 8) => Encoding::Indexed(bits as u8),
            24 => Encoding::Bgr,
            32 => Encoding::Bgra,
            bits => return Err(input.unsupported(format_args!("{bits} bits per pixel at byte 24"))),
        };
        Ok(Self {
            width: input.u16(FILE_HEADER + 4)?.into(),
            height: input.u16(FILE_HEADER + 6)?.into(),
            is_top_down: false,
            encoding,
            has_alpha: false,
            colors: 256,
        })
    }

    fn read_info(input: &Input<'_>, size: usize) -> Result<Self> {
        let signed =
            |offset| Ok::<i32, crate::error::Error>(input.u32(FILE_HEADER + offset)? as i32);
        let (width, height) = (signed(4)?, signed(8)?);
        let (bits, compression) = (input.u16(FILE_HEADER + 14)?, input.u32(FILE_HEADER + 16)?);
        let colors = input.u32(FILE_HEADER + 32)? as usize;
        if colors > 256 && bits <= 8 {
            return Err(input.error(format_args!("a palette of {colors} colors at byte 46")));
        }
        let width = usize::try_from(width)
            .map_err(|_| input.error(format_args!("a width of {width} pixels at byte 18")))?;
        let encoding = match (bits, compression) {
            (1 | 4 | 8, 0) => Encoding::Indexed(bits as u8),
            (8, 1) | (4, 2) => Encoding::RunLength(bits as u8),
            (16, 0) => Encoding::Rgb555,
            (32, 3) if size >= MASKS_HEADER => Encoding::Masked(Masks::read(input, MASKS)?),
            (16 | 32, 3) => masked(input, bits)?,
            (24, 0) => Encoding::Bgr,
            (32, 0) => Encoding::Bgra,
            _ => {
                return Err(input.unsupported(format_args!(
                    "{bits} bits per pixel with compression {compression} are not supported"
                )));
            }
        };
        Ok(Self {
            width,
            height: height.unsigned_abs() as usize,
            is_top_down: height < 0,
            encoding,
            has_alpha: bits == 32 && compression == 3,
            colors,
        })
    }

    /// Return the colors of all indices of this many bits.
    fn palette(&self, input: &Input<'_>, size: usize, bits: u8) -> Result<Vec<[u8; 3]>> {
        if bits == 0 {
            return Ok(Vec::new());
        }
        let all = 1 << bits;
        let entry = if size == OS2_HEADER { 3 } else { 4 };
        let count = if self.colors == 0 {
            all
        } else {
            self.colors.min(all)
        };
        let stored = input.slice(FILE_HEADER + size, count * entry)?;
        let mut palette: Vec<_> = stored
            .chunks_exact(entry)
            .map(|c| [c[2], c[1], c[0]])
            .collect();
        palette.resize(all, [0; 3]);
        Ok(palette)
    }
}

/// Return the encoding of bit masks. OpenCV knows these two of 16 bits; of 32 bits it ignores the
/// masks in short headers.
fn masked(input: &Input<'_>, bits: u16) -> Result<Encoding> {
    let offset = MASKS;
    let masks = [
        input.u32(offset)?,
        input.u32(offset + 4)?,
        input.u32(offset + 8)?,
    ];
    match (bits, masks) {
        (16, [0x7c00, 0x3e0, 0x1f]) => Ok(Encoding::Rgb555),
        (16, [0xf800, 0x7e0, 0x1f]) => Ok(Encoding::Rgb565),
        (32, [0xff_0000, 0xff00, 0xff]) => Ok(Encoding::Bgra),
        (_, [r, g, b]) => Err(input.unsupported(format_args!(
            "the bit masks {r:#x}, {g:#x}, {b:#x} of {bits} bits per pixel are not supported"
        ))),
    }
}
