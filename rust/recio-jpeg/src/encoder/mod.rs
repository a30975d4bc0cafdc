//! Baseline encoding: pixels → the bytes that libjpeg-turbo makes of them.
//!
//! ```text
//! rows ─▶ samples ─▶ downsampling, edges ─▶ coefficients ─▶ bits ─▶ bytes
//!         color/     planes.rs              fdct/           entropy.rs
//! ```
//!
//! A row of MCUs passes through all stages before the next, so that it stays in the cache, and no
//! stage has a copy of the image. The bytes are equal because each stage rounds as libjpeg's does
//! with its default settings: accurate transform, no smoothing, default Huffman tables.

mod bit_buffer;
mod codes;
mod color;
mod entropy;
mod fdct;
mod image_rows;
mod layout;
mod planes;
mod quantization;
mod segments;
#[cfg(test)]
mod tests;

pub use color::ChannelOrder;
pub use image_rows::{EncodeError, ImageRows};

use crate::cpu::SimdLevel;
use codes::CODES;
use entropy::{ComponentBlocks, EntropyEncoder};
use fdct::QuantizedBlock;
use layout::Layout;
use planes::Planes;
use quantization::Divisors;

/// Chroma subsampling.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub enum Subsampling {
    /// Chroma of full size.
    S444,
    /// Chroma of half the width.
    S422,
    /// Chroma of half the width and half the height.
    #[default]
    S420,
}

impl Subsampling {
    /// Return the sampling factors of luma, horizontally and vertically; those of chroma are 1.
    fn factors(self) -> (usize, usize) {
        match self {
            Self::S444 => (1, 1),
            Self::S422 => (2, 1),
            Self::S420 => (2, 2),
        }
    }
}

/// Settings of an encoder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EncodeOptions {
    /// Quality of libjpeg, clamped to 1–100.
    pub quality: u8,
    /// Chroma subsampling of color images.
    pub subsampling: Subsampling,
}

impl Default for EncodeOptions {
    /// Quality 95 and 4:2:0, as in OpenCV.
    fn default() -> Self {
        Self {
            quality: 95,
            subsampling: Subsampling::default(),
        }
    }
}

/// JPEG encoder. It keeps its buffers between images.
pub struct Encoder {
    level: SimdLevel,
    planes: Planes,
    blocks: [Vec<QuantizedBlock>; 3],
    entropy: EntropyEncoder,
}

impl Default for Encoder {
    fn default() -> Self {
        Self::new()
    }
}

impl Encoder {
    /// Create an encoder.
    #[must_use]
    pub fn new() -> Self {
        Self::with_level(SimdLevel::best())
    }

    fn with_level(level: SimdLevel) -> Self {
        Self {
            level,
            planes: Planes::default(),
            blocks: Default::default(),
            entropy: EntropyEncoder::default(),
        }
    }

    /// Append a baseline JPEG of the image to `out`.
    ///
    /// The bytes are those of libjpeg-turbo with `jpeg_set_quality`, and hence of OpenCV's
    /// `imencode` and Pillow's `save`.
    pub fn encode(&mut self, image: &ImageRows<'_>, options: &EncodeOptions, out: &mut Vec<u8>) {
        let is_gray = image.order() == ChannelOrder::Gray;
        let size = (image.width(), image.height());
        let layout = Layout::new(size, is_gray, options.subsampling);
        let tables = quantization::tables(options.quality.clamp(1, 100));
        let divisors = [0, 1].map(|group: usize| Divisors::new(&tables[group]));
        self.planes.resize(&layout);
        segments::write_head(&layout, &tables, out);
        for mcu_row in 0..layout.mcu_rows {
            self.planes.fill(self.level, image, &layout, mcu_row);
            self.transform(&layout, &divisors);
            self.write(&layout, mcu_row, out);
        }
        self.entropy.finish(out);
        segments::write_tail(out);
    }

    /// Transform the blocks of a row of MCUs.
    fn transform(&mut self, layout: &Layout, divisors: &[Divisors; 2]) {
        for (number, (component, blocks)) in
            layout.components.iter().zip(&mut self.blocks).enumerate()
        {
            let stride = component.columns.next_multiple_of(fdct::STEP);
            blocks.resize(stride * component.vertical, QuantizedBlock::ZERO);
            for (row, blocks) in blocks.chunks_exact_mut(stride).enumerate() {
                let samples = self.planes.block_row(number, row);
                let divisors = &divisors[number.min(1)];
                fdct::transform_blocks(self.level, samples, self.planes.stride, divisors, blocks);
            }
        }
    }

    /// Write the blocks of a row of MCUs.
    fn write(&mut self, layout: &Layout, mcu_row: usize, out: &mut Vec<u8>) {
        let codes = &*CODES;
        let components = layout.components.iter().zip(&self.blocks).enumerate();
        let components = components.map(|(number, (component, blocks))| ComponentBlocks {
            codes: &codes[number.min(1)],
            blocks,
            stride: component.columns.next_multiple_of(fdct::STEP),
            columns: component.columns,
            rows: component.rows - mcu_row * component.vertical,
            horizontal: component.horizontal,
            vertical: component.vertical,
        });
        let components: Vec<_> = components.collect();
        self.entropy
            .encode_mcus(layout.mcu_columns, &components, out);
    }
}
