//! Samples of a row of MCUs, extended at the edges of the image as by libjpeg.
//!
//! The last column is repeated before downsampling, the last row after it. A row of the image that
//! completes a pair of rows is the last one repeated.

use super::color::{self, STEP};
use super::image_rows::ImageRows;
use super::layout::{ComponentLayout, Layout};
use crate::cpu::SimdLevel;
use crate::frame::BLOCK_SIZE;

/// Samples of the components in a row of MCUs.
#[derive(Debug, Default)]
pub(super) struct Planes {
    samples: [Vec<u8>; 3],
    /// Length of a row of each plane, a multiple of what the kernels process at once.
    pub(super) stride: usize,
    /// Cb and Cr of up to two rows before downsampling.
    full: [[Vec<u8>; 2]; 2],
}

impl Planes {
    /// Make room for the rows of MCUs of an image.
    pub(super) fn resize(&mut self, layout: &Layout) {
        self.stride = layout.width.next_multiple_of(2 * STEP);
        for (plane, component) in self.samples.iter_mut().zip(&layout.components) {
            plane.resize(component.vertical * BLOCK_SIZE * self.stride, 0);
        }
        for row in self.full.as_flattened_mut() {
            row.resize(self.stride, 0);
        }
    }

    /// Return the samples of a row of blocks of a component.
    pub(super) fn block_row(&self, component: usize, row: usize) -> &[u8] {
        let len = BLOCK_SIZE * self.stride;
        &self.samples[component][row * len..][..len]
    }

    /// Fill the planes with a row of MCUs.
    pub(super) fn fill(
        &mut self,
        level: SimdLevel,
        image: &ImageRows<'_>,
        layout: &Layout,
        mcu_row: usize,
    ) {
        let vertical = layout.components[0].vertical;
        for group in 0..BLOCK_SIZE {
            let first = (mcu_row * BLOCK_SIZE + group) * vertical;
            if first >= image.height() {
                self.repeat_last(group, vertical);
                continue;
            }
            for row in 0..vertical {
                let pixels = image.row((first + row).min(image.height() - 1));
                self.convert(level, image, pixels, (group * vertical + row, row));
            }
            if layout.components.len() > 1 {
                self.downsample(level, &layout.components[0], group);
            }
        }
    }

    /// Convert a row of the image to a row of luma, and to rows of chroma before downsampling.
    fn convert(
        &mut self,
        level: SimdLevel,
        image: &ImageRows<'_>,
        pixels: &[u8],
        (luma_row, full_row): (usize, usize),
    ) {
        let luma = &mut self.samples[0][luma_row * self.stride..][..self.stride];
        let [cb, cr] = &mut self.full;
        let rows = [luma, &mut cb[full_row][..], &mut cr[full_row][..]];
        color::convert_row(level, image.order(), pixels, rows.map(|row| &mut row[..]));
        let luma = &mut self.samples[0][luma_row * self.stride..][..self.stride];
        for row in [luma, &mut cb[full_row], &mut cr[full_row]] {
            let last = row[image.width() - 1];
            row[image.width()..].fill(last);
        }
    }

    /// Reduce chroma to a row of its planes.
    fn downsample(&mut self, level: SimdLevel, luma: &ComponentLayout, group: usize) {
        for (plane, full) in self.samples[1..].iter_mut().zip(&self.full) {
            let row = &mut plane[group * self.stride..][..self.stride / luma.horizontal];
            match (luma.horizontal, luma.vertical) {
                (1, _) => row.copy_from_slice(&full[0]),
                (_, 1) => color::average_pairs(level, &full[0], row),
                _ => color::average_squares(level, [&full[0], &full[1]], row),
            }
        }
    }

    /// Repeat the last row of each plane, so that a group of rows below the image is filled.
    fn repeat_last(&mut self, group: usize, vertical: usize) {
        for (plane, rows) in self.samples.iter_mut().zip([vertical, 1, 1]) {
            for row in group * rows..(group + 1) * rows {
                let start = row * self.stride;
                if !plane.is_empty() {
                    plane.copy_within(start - self.stride..start, start);
                }
            }
        }
    }
}
