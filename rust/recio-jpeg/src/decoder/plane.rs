//! The samples of one component: of two rows of MCUs, so that a row at the border of both has its neighbours.

use super::layout::Part;
use crate::coefficients::Coefficients;
use crate::cpu::Level;
use crate::idct::{self, Divisors, SLACK};
use crate::upsample::{self, Upsampling};

/// Samples before the first of a row: room for the neighbour that a border does not have.
const PAD: usize = 32;

/// The samples. Row `y` of the component stands in the place of its number modulo the places, a power of two.
#[derive(Debug, Default)]
pub(super) struct Plane {
    samples: Vec<u8>,
    stride: usize,
    places: usize,
    /// A row that was upsampled.
    line: Vec<u8>,
}

impl Plane {
    /// Takes another component's shape.
    pub(super) fn reset(&mut self, part: &Part) {
        if !part.is_needed {
            return;
        }
        self.stride = (PAD + part.blocks.len() * part.size + SLACK + 1).next_multiple_of(PAD);
        self.places = (2 * part.down * part.size).next_power_of_two();
        self.samples.resize(self.stride * self.places, 0);
    }

    /// Transforms the blocks of row `mcus` of MCUs. `held` is where these are among the coefficients: the column of blocks
    /// that is the first there, and the row.
    pub(super) fn transform(
        &mut self,
        level: Level,
        part: &Part,
        divisors: &Divisors,
        coefficients: (&Coefficients, usize),
        mcus: usize,
        held: (usize, usize),
    ) {
        let (coefficients, component) = coefficients;
        let columns = part.blocks.start - held.0..part.blocks.end - held.0;
        for y in 0..part.down {
            let blocks = coefficients.row(component, held.1 + y, columns.clone());
            let first = (mcus * part.down + y) * part.size;
            let start = self.start(first);
            let out = &mut self.samples[start + PAD..];
            idct::row(level, part.size, blocks, divisors, out, self.stride);
            if part.upsampling.looks_aside() {
                (first..first + part.size).for_each(|y| self.repeat_borders(part, y));
            }
        }
    }

    fn start(&self, y: usize) -> usize {
        (y & (self.places - 1)) * self.stride
    }

    /// Gives a row the neighbours that it lacks at the component's borders.
    fn repeat_borders(&mut self, part: &Part, y: usize) {
        let start = self.start(y);
        let row = &mut self.samples[start..][..self.stride];
        if part.blocks.start == 0 {
            row[PAD - 1] = row[PAD];
        }
        if part.width <= part.blocks.end * part.size {
            let end = PAD + part.width - part.blocks.start * part.size;
            row[end] = row[end - 1];
        }
    }

    /// Row `y` of the picture, `width` pixels from column `x` on.
    pub(super) fn row(
        &mut self,
        level: Level,
        part: &Part,
        (x, width): (usize, usize),
        y: usize,
        sums: &mut Vec<u16>,
    ) -> &[u8] {
        let (across, _) = part.upsampling.ratios();
        let rows = part.rows(y).map(|y| self.start(y));
        let first = PAD + part.columns.start - part.blocks.start * part.size;
        let columns = part.columns.len();
        let Self { samples, line, .. } = self;
        let within =
            |aside: usize| rows.map(|row| &samples[row + first - aside..][..columns + 2 * aside]);
        line.resize(columns * across, 0);
        match part.upsampling {
            Upsampling::None | Upsampling::Repeat(1, _) => return within(0)[0],
            Upsampling::Across => upsample::across(level, within(1)[0], line),
            Upsampling::Both => upsample::both(level, within(1), sums, line),
            Upsampling::Down => upsample::down(level, within(0), y.is_multiple_of(2), line),
            Upsampling::Repeat(times, _) => upsample::repeat(within(0)[0], times, line),
        }
        &line[x - part.columns.start * across..][..width]
    }
}
