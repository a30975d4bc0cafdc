//! Random coefficients, from uniform blocks to blocks that no transform produces.

use super::frame::Frame;
use crate::fuzz_rng::FuzzRng;

/// Coefficients of a block in zigzag order.
pub(super) type Block = [i32; 64];

/// Maximum DC coefficient: differences must fit 15 bits.
const MAX_DC: i32 = 16_383;

/// Blocks of all components.
pub(super) struct Blocks {
    grids: Vec<(usize, Vec<Block>)>,
}

/// Distribution of the coefficients of a block.
struct Style {
    /// Probability, in 1/64, that a coefficient is nonzero.
    density: usize,
    /// Bits of the largest AC coefficient.
    bits: u32,
    dc_bits: u32,
    /// Coefficients from this index on are zero.
    end: usize,
}

impl Blocks {
    pub(super) fn random(frame: &Frame, rng: &mut FuzzRng<'_>) -> Self {
        let styles = [Style::random(rng), Style::random(rng)];
        let mut rng = rng.fork();
        let (columns, rows) = frame.mcus();
        let grids = frame.components.iter().map(|component| {
            let (columns, rows) = (columns * component.horizontal, rows * component.vertical);
            let blocks = (0..columns * rows).map(|_| styles[rng.below(2)].block(&mut rng));
            (columns, blocks.collect())
        });
        Self {
            grids: grids.collect(),
        }
    }

    pub(super) fn block(&self, component: usize, x: usize, y: usize) -> &Block {
        let (columns, blocks) = &self.grids[component];
        &blocks[y * columns + x]
    }
}

impl Style {
    fn random(rng: &mut FuzzRng<'_>) -> Self {
        Self {
            density: rng.pick(&[0, 2, 8, 8, 32, 64]),
            bits: rng.pick(&[1, 1, 2, 3, 4, 6, 8, 10, 12, 15]),
            dc_bits: rng.pick(&[0, 4, 7, 9, 10, 11, 14]),
            end: rng.pick(&[2, 4, 11, 33, 64, 64]),
        }
    }

    fn block(&self, rng: &mut FuzzRng<'_>) -> Block {
        let mut block = [0; 64];
        block[0] = number(self.dc_bits, rng).clamp(-MAX_DC, MAX_DC);
        for coefficient in &mut block[1..self.end] {
            if rng.below(64) < self.density {
                *coefficient = number(self.bits, rng);
            }
        }
        block
    }
}

/// Return a number of at most `bits` bits. All lengths are equally likely.
fn number(bits: u32, rng: &mut FuzzRng<'_>) -> i32 {
    let length = rng.between(0, bits as usize);
    let magnitude = rng.below(1 << length) as i32;
    if rng.one_in(2) { -magnitude } else { magnitude }
}
