//! A JPEG → one of the same coefficients in which a region is found sooner: a restart marker behind each row of MCUs, and
//! Huffman tables made for it (what `jpegtran -restart 1 -optimize` does).
//!
//! ```text
//! JPEG ─▶ coefficients ─▶ symbols, counted ─▶ codes ─▶ symbols, written ─▶ JPEG
//!         decoder/        symbols.rs          codes.rs symbols.rs, bit_writer.rs ▲
//!   tables, frame, scan, and the original's other segments ── segments.rs ──┘
//! ```
//!
//! A decoder passes over the rows above a region from marker to marker. The tables make up for what the markers take, and
//! shorter codes are read faster. Both are baseline JPEG: no decoder needs to know. Nothing is known here of pixels.

mod bit_writer;
mod codes;
mod segments;
mod symbols;
#[cfg(test)]
mod tests;

use crate::block::Block;
use crate::coefficients::Coefficients;
use crate::decoder::read_coefficients;
use crate::error::{Error, Result};
use crate::frame::{Frame, MAX_COMPONENTS};
use crate::header::{ColorSpace, Header};
use crate::scan::MAX_MCU_BLOCKS;
use crate::tables::QuantizationTable;
use bit_writer::Writer;
use codes::Code;
use symbols::{Counts, Sink, Table};

/// An image that is to be written.
struct Image {
    frame: Frame,
    /// Of each component.
    quantization: [QuantizationTable; MAX_COMPONENTS],
    groups: [usize; MAX_COMPONENTS],
    coefficients: Coefficients,
}

/// The groups of components that have Huffman tables in common: one of the differences of color, one of all else. Baseline
/// JPEGs have two at most.
const GROUPS: usize = 2;

/// Writes a JPEG, of which the header has been read, anew: as baseline JPEG in one scan, with a restart marker behind each
/// row of MCUs and Huffman tables of its own. A decoder makes the same pixels of it.
///
/// Segments of applications and comments stay, so its orientation and colors are the same; what stands behind the end of
/// the image is dropped. The same JPEG comes out if it is done again. It may be longer than the original: of a
/// progressive JPEG mostly, of one with good tables and many rows of little data.
///
/// All coefficients are held, 2 bytes each.
///
/// # Errors
/// Any damage that the [`Decoder`](crate::Decoder) would notice decoding all of it; [`Error::Unsupported`] if it has what
/// baseline JPEGs cannot have in one scan.
pub fn make_seekable(jpeg: &[u8], header: &Header) -> Result<Vec<u8>> {
    let image = Image::read(jpeg, header)?;
    let mut counts = Counts::default();
    image.code(&mut counts)?;
    let codes = counts.codes();
    let mut out = Vec::with_capacity(jpeg.len());
    let rest = segments::write_head(jpeg, &image, &codes, &mut out);
    let mut writer = Writer::new(&codes, &mut out);
    image.code(&mut writer)?;
    writer.finish();
    segments::write_tail(rest, &mut out);
    Ok(out)
}

impl Image {
    fn read(jpeg: &[u8], header: &Header) -> Result<Self> {
        let frame = header.frame;
        let mcu_blocks = frame.components().iter().map(|c| c.horizontal * c.vertical);
        if mcu_blocks.sum::<usize>() > MAX_MCU_BLOCKS {
            return Err(Error::Unsupported("an MCU of more than ten blocks"));
        }
        let mut coefficients = Coefficients::default();
        let quantization = read_coefficients(jpeg, header, &mut coefficients)?;
        Ok(Self {
            frame,
            quantization,
            groups: match header.color_space() {
                ColorSpace::Gray | ColorSpace::Rgb | ColorSpace::Cmyk => [0; MAX_COMPONENTS],
                ColorSpace::YCbCr | ColorSpace::Ycck => [0, 1, 1, 0],
            },
            coefficients,
        })
    }

    /// Gives the symbols of all its MCUs, and the restarts between their rows.
    fn code(&self, sink: &mut impl Sink) -> Result<()> {
        let (columns, rows) = self.frame.mcus();
        for row in 0..rows {
            if row > 0 {
                sink.restart(row - 1);
            }
            let mut predictions = [0; MAX_COMPONENTS];
            for column in 0..columns {
                for (component, prediction) in predictions.iter_mut().enumerate() {
                    self.code_part((component, column, row), prediction, sink)?;
                }
            }
        }
        Ok(())
    }

    /// Gives the symbols of a component's blocks in an MCU.
    ///
    /// Some blocks lie to the right of its samples or below them. What they hold means nothing, and a JPEG whose
    /// components are not interleaved has none: they become what takes least, the same as the block before (libjpeg's way).
    fn code_part(
        &self,
        (component, column, row): (usize, usize, usize),
        prediction: &mut i32,
        sink: &mut impl Sink,
    ) -> Result<()> {
        let Some(of_frame) = self.frame.components().get(component) else {
            return Ok(());
        };
        let (width, height) = self.frame.blocks(of_frame);
        let group = self.groups[component];
        let columns = column * of_frame.horizontal..(column + 1) * of_frame.horizontal;
        for y in row * of_frame.vertical..(row + 1) * of_frame.vertical {
            let (blocks, _) = self.coefficients.block_row(component, y, columns.clone());
            for (x, block) in columns.clone().zip(blocks) {
                if x < width && y < height {
                    symbols::block(block, group, prediction, sink)?;
                } else {
                    symbols::same_again(group, sink);
                }
            }
        }
        Ok(())
    }
}
