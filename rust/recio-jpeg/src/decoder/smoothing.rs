//! Block smoothing of progressive images that lack scans, as in libjpeg-turbo 3 (`jdcoefct.c`).
//!
//! While low-frequency coefficients of an image are unknown or incomplete, those that are zero are
//! estimated from the DC coefficients of the block and of its neighbors, so that blocks do not
//! show. Rows below the data of an incomplete last scan are estimated as if it did not exist.

use std::array;

use super::progression::{Progression, SMOOTHED, SmoothedBits};
use crate::block::{BLOCK_LEN, ZIGZAG};
use crate::coefficients::Coefficients;
use crate::frame::{Component, Frame, MAX_COMPONENTS};
use crate::tables::QuantizationTable;

/// Weights of the DC coefficients of a block and its 24 neighbors, in 1/256.
type Kernel = [[i32; WINDOW]; WINDOW];

/// Blocks per side of the neighborhood.
const WINDOW: usize = 5;

/// Blocks on each side of the one in the middle.
const MARGIN: usize = WINDOW / 2;

/// DC coefficients of a row of blocks, with the first and the last repeated as a margin.
type DcRow = Vec<i32>;

/// Kernels of coefficients 1 to 9 in zigzag order while no AC coefficient is known.
const WIDE: [Kernel; SMOOTHED - 1] = [
    AC01,
    transpose(AC01),
    AC20,
    AC11,
    transpose(AC20),
    AC03,
    AC12,
    transpose(AC12),
    transpose(AC03),
];

/// Kernels of coefficients 1 to 5, the only ones that are estimated if an AC coefficient is known.
const NARROW: [Kernel; 5] = [
    NARROW_AC01,
    transpose(NARROW_AC01),
    NARROW_AC20,
    NARROW_AC11,
    transpose(NARROW_AC20),
];

const NONE: [i32; WINDOW] = [0; WINDOW];

/// Kernel of the DC coefficient while no AC coefficient is known.
const DC: Kernel = [
    [-2, -6, -8, -6, -2],
    [-6, 6, 42, 6, -6],
    [-8, 42, 152, 42, -8],
    [-6, 6, 42, 6, -6],
    [-2, -6, -8, -6, -2],
];
const AC01: Kernel = [
    [-1, -1, 0, 1, 1],
    [-3, 13, 0, -13, 3],
    [-3, 38, 0, -38, 3],
    [-3, 13, 0, -13, 3],
    [-1, -1, 0, 1, 1],
];
const AC20: Kernel = [
    [0, 0, 1, 0, 0],
    [0, 2, 7, 2, 0],
    [0, -5, -14, -5, 0],
    [0, 2, 7, 2, 0],
    [0, 0, 1, 0, 0],
];
const AC11: Kernel = [
    [-1, 0, 0, 0, 1],
    [0, 9, 0, -9, 0],
    NONE,
    [0, -9, 0, 9, 0],
    [1, 0, 0, 0, -1],
];
const AC03: Kernel = [
    NONE,
    [0, 1, 0, -1, 0],
    [0, 2, 0, -2, 0],
    [0, 1, 0, -1, 0],
    NONE,
];
const AC12: Kernel = [NONE, [0, 1, -3, 1, 0], NONE, [0, -1, 3, -1, 0], NONE];
const NARROW_AC01: Kernel = [NONE, NONE, [-7, 50, 0, -50, 7], NONE, NONE];
const NARROW_AC20: Kernel = [
    [0, 0, -1, 0, 0],
    [0, 0, 13, 0, 0],
    [0, 0, -24, 0, 0],
    [0, 0, 13, 0, 0],
    [0, 0, -1, 0, 0],
];
const NARROW_AC11: Kernel = [
    [0, -1, 0, 1, 0],
    [-1, 10, 0, -10, 1],
    NONE,
    [1, -10, 0, 10, -1],
    [0, 1, 0, -1, 0],
];

const fn transpose(kernel: Kernel) -> Kernel {
    let mut transposed = [NONE; WINDOW];
    let mut index = 0;
    while index < WINDOW * WINDOW {
        let (y, x) = (index / WINDOW, index % WINDOW);
        transposed[y][x] = kernel[x][y];
        index += 1;
    }
    transposed
}

/// Block smoothing of an image.
#[derive(Debug)]
pub(super) struct Smoothing {
    frame: Frame,
    components: [ComponentSmoothing; MAX_COMPONENTS],
    /// Last MCU row in which the last scan has data.
    last_good_row: usize,
}

/// Quantization table of a component, and the bits of its coefficients that are known after the
/// last scan and before it.
#[derive(Debug, Default, Clone, Copy)]
struct ComponentSmoothing {
    steps: [i64; SMOOTHED],
    known_bits: [SmoothedBits; 2],
}

impl Smoothing {
    /// Return `None` if the image needs no smoothing, or does not allow it: the DC coefficients of
    /// all components must be known.
    pub(super) fn new(
        frame: &Frame,
        progression: &Progression,
        quantization: &[Option<QuantizationTable>; MAX_COMPONENTS],
        last_good_row: usize,
    ) -> Option<Self> {
        if !frame.is_progressive {
            return None;
        }
        let mut components = [ComponentSmoothing::default(); MAX_COMPONENTS];
        let mut is_useful = false;
        for (index, smoothing) in components[..frame.components().len()]
            .iter_mut()
            .enumerate()
        {
            let table: &[u16; BLOCK_LEN] = quantization[index].as_ref()?;
            smoothing.steps = array::from_fn(|k| table[usize::from(ZIGZAG[k])].into());
            smoothing.known_bits = progression.smoothed_bits(index);
            let [dc, ac @ ..] = smoothing.known_bits[0];
            if dc.is_none() || smoothing.steps.contains(&0) {
                return None;
            }
            is_useful |= ac.iter().any(|&bit| bit != Some(0));
        }
        is_useful.then_some(Self {
            frame: *frame,
            components,
            last_good_row,
        })
    }

    /// Estimate the coefficients of all blocks.
    pub(super) fn apply(&self, coefficients: &mut Coefficients) {
        for (index, component) in self.frame.components().iter().enumerate() {
            let geometry = Geometry::new(&self.frame, component);
            // The DC coefficients of the rows above, which are overwritten.
            let mut above: [DcRow; 2] = [vec![], vec![]];
            for y in 0..geometry.rows {
                let current = geometry.dc_row(coefficients, index, y);
                self.smooth_row(coefficients, index, &geometry, y, &above, &current);
                let [_, last] = above;
                above = [last, current];
            }
        }
    }

    fn smooth_row(
        &self,
        coefficients: &mut Coefficients,
        index: usize,
        geometry: &Geometry,
        y: usize,
        above: &[DcRow; 2],
        current: &[i32],
    ) {
        let smoothing = &self.components[index];
        let is_good = y / geometry.rows_per_mcu <= self.last_good_row;
        let known_bits = &smoothing.known_bits[usize::from(!is_good)];
        let [up, down] = geometry.neighbors(y);
        let below = |distance: usize| {
            let y = y + distance;
            (distance > 0).then(|| geometry.dc_row(coefficients, index, y))
        };
        let below = down.map(below);
        let above = up.map(|distance| match distance {
            0 => current,
            _ => &above[2 - distance],
        });
        let rows: [&[i32]; WINDOW] = [
            above[1],
            above[0],
            current,
            below[0].as_deref().unwrap_or(current),
            below[1].as_deref().unwrap_or(current),
        ];
        for x in 0..geometry.columns {
            let window = rows.map(|row| array::from_fn(|dx| row[x..x + WINDOW][dx]));
            smoothing.smooth_block(coefficients, (index, x, y), known_bits, &window);
        }
    }
}

impl ComponentSmoothing {
    fn smooth_block(
        &self,
        coefficients: &mut Coefficients,
        (component, x, y): (usize, usize, usize),
        known_bits: &SmoothedBits,
        window: &[[i32; WINDOW]; WINDOW],
    ) {
        // Flat neighborhoods need no estimates. There may be millions without any data.
        if window.as_flattened().iter().all(|&dc| dc == window[0][0]) {
            return;
        }
        let (block, mask) = coefficients.block_with_mask(component, x, y);
        let has_no_ac = known_bits[1..].iter().all(Option::is_none);
        let kernels: &[Kernel] = if has_no_ac { &WIDE } else { &NARROW };
        for (k, kernel) in (1..).zip(kernels) {
            let coefficient = block.zigzag_mut(k);
            if known_bits[k] != Some(0) && *coefficient == 0 {
                *coefficient = self.estimate(k, kernel, known_bits[k], window);
                *mask |= 1 << k;
            }
        }
        if has_no_ac {
            block.0[0] = self.estimate(0, &DC, None, window);
        }
    }

    /// Estimate a coefficient whose bits from `lowest_bit` on are known to be zero.
    fn estimate(
        &self,
        k: usize,
        kernel: &Kernel,
        lowest_bit: Option<u32>,
        window: &[[i32; WINDOW]; WINDOW],
    ) -> i16 {
        let weighted = kernel.as_flattened().iter().zip(window.as_flattened());
        let sum: i32 = weighted.map(|(weight, dc)| weight * dc).sum();
        let numerator = self.steps[0] * i64::from(sum);
        let step = self.steps[k];
        let magnitude = (((step << 7) + numerator.abs()) / (step << 8)) as i32;
        let magnitude = lowest_bit.map_or(magnitude, |bit| magnitude.min((1 << bit) - 1));
        magnitude.wrapping_mul(numerator.signum() as i32) as i16
    }
}

/// Blocks of a component.
struct Geometry {
    columns: usize,
    rows: usize,
    /// Rows of stored blocks, some of which may be below the image.
    stored_rows: usize,
    rows_per_mcu: usize,
    mcu_rows: usize,
}

impl Geometry {
    fn new(frame: &Frame, component: &Component) -> Self {
        let (columns, rows) = frame.blocks(component);
        let rows_per_mcu = frame.block_rows_at_once(component);
        Self {
            columns,
            rows,
            stored_rows: frame.mcus().1 * component.vertical,
            rows_per_mcu,
            mcu_rows: rows.div_ceil(rows_per_mcu),
        }
    }

    /// Return the DC coefficients of a row of blocks; zeros below the last row.
    fn dc_row(&self, coefficients: &Coefficients, component: usize, y: usize) -> DcRow {
        if y >= self.stored_rows {
            return vec![0; self.columns + 2 * MARGIN];
        }
        let (blocks, _) = coefficients.block_row(component, y, 0..self.columns);
        let dc = |x: usize| blocks[x.clamp(MARGIN, self.columns + 1) - MARGIN].0[0];
        (0..self.columns + 2 * MARGIN)
            .map(|x| dc(x).into())
            .collect()
    }

    /// Return the distances of the two rows above and of the two rows below that are used. At the
    /// border the next row inside is used instead. Near the lower border, this is as in libjpeg,
    /// which counts rows as if all MCU rows had as many blocks as the last.
    fn neighbors(&self, y: usize) -> [[usize; 2]; 2] {
        let mcu_row = y / self.rows_per_mcu;
        let is_last = mcu_row == self.mcu_rows - 1;
        let rows_in_mcu = if is_last {
            self.rows - mcu_row * self.rows_per_mcu
        } else {
            self.rows_per_mcu
        };
        let number = mcu_row * rows_in_mcu + y % self.rows_per_mcu;
        let last = rows_in_mcu * self.mcu_rows - 1;
        [number.min(2), (last - number).min(2)].map(|distance| [distance.min(1), distance])
    }
}
