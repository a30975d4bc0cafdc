//! Sample plane of one component: two rows of MCUs, so that rows at their border have both
//! neighbors.

use super::layout::ComponentLayout;
use crate::coefficients::Coefficients;
use crate::cpu::SimdLevel;
use crate::idct::{self, DequantTable, SLACK};
use crate::upsample::{self, Upsampling};

/// Samples before the first of a row, for the missing neighbor at the left border.
const PAD: usize = 32;

/// Ring of sample rows: row `y` of the component is in slot `y % slots`. `slots` is a power of two.
#[derive(Debug, Default)]
pub(super) struct Plane {
    samples: Vec<u8>,
    stride: usize,
    slots: usize,
    /// Upsampled row.
    upsampled: Vec<u8>,
}

impl Plane {
    /// Resize the plane for another component.
    pub(super) fn reset(&mut self, layout: &ComponentLayout) {
        if !layout.is_needed {
            return;
        }
        self.stride = (PAD + layout.block_columns.len() * layout.block_size + SLACK + 1)
            .next_multiple_of(PAD);
        self.slots = (2 * layout.vertical * layout.block_size).next_power_of_two();
        self.samples.resize(self.stride * self.slots, 0);
    }

    /// Transform the blocks of one MCU row. `origin` is the block column and block row of the first
    /// stored coefficients of that MCU row.
    pub(super) fn transform(
        &mut self,
        level: SimdLevel,
        layout: &ComponentLayout,
        dequant: &DequantTable,
        coefficients: (&Coefficients, usize),
        mcu_row: usize,
        origin: (usize, usize),
    ) {
        let (coefficients, component) = coefficients;
        let columns = layout.block_columns.start - origin.0..layout.block_columns.end - origin.0;
        for y in 0..layout.vertical {
            let blocks = coefficients.block_row(component, origin.1 + y, columns.clone());
            let first_row = (mcu_row * layout.vertical + y) * layout.block_size;
            let start = self.row_start(first_row);
            let out = &mut self.samples[start + PAD..];
            idct::transform_blocks(level, layout.block_size, blocks, dequant, out, self.stride);
            if layout.upsampling.needs_neighbors() {
                (first_row..first_row + layout.block_size)
                    .for_each(|y| self.repeat_borders(layout, y));
            }
        }
    }

    fn row_start(&self, y: usize) -> usize {
        (y & (self.slots - 1)) * self.stride
    }

    /// Repeat the samples at the left and right border of the component.
    fn repeat_borders(&mut self, layout: &ComponentLayout, y: usize) {
        let start = self.row_start(y);
        let row = &mut self.samples[start..][..self.stride];
        if layout.block_columns.start == 0 {
            row[PAD - 1] = row[PAD];
        }
        if layout.width <= layout.block_columns.end * layout.block_size {
            let end = PAD + layout.width - layout.block_columns.start * layout.block_size;
            row[end] = row[end - 1];
        }
    }

    /// Return row `y` of the image, `width` pixels from column `x`.
    pub(super) fn row(
        &mut self,
        level: SimdLevel,
        layout: &ComponentLayout,
        (x, width): (usize, usize),
        y: usize,
        sums: &mut Vec<u16>,
    ) -> &[u8] {
        let (horizontal, _) = layout.upsampling.factors();
        let rows = layout.rows(y).map(|y| self.row_start(y));
        let first =
            PAD + layout.sample_columns.start - layout.block_columns.start * layout.block_size;
        let columns = layout.sample_columns.len();
        let Self {
            samples, upsampled, ..
        } = self;
        let source = |margin: usize| {
            rows.map(|row| &samples[row + first - margin..][..columns + 2 * margin])
        };
        upsampled.resize(columns * horizontal, 0);
        match layout.upsampling {
            Upsampling::None | Upsampling::Repeat(1, _) => return source(0)[0],
            Upsampling::H2V1 => upsample::h2v1(level, source(1)[0], upsampled),
            Upsampling::H2V2 => upsample::h2v2(level, source(1), sums, upsampled),
            Upsampling::H1V2 => upsample::h1v2(level, source(0), y.is_multiple_of(2), upsampled),
            Upsampling::Repeat(times, _) => upsample::repeat(source(0)[0], times, upsampled),
        }
        &upsampled[x - layout.sample_columns.start * horizontal..][..width]
    }
}
