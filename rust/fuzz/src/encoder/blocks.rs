//! Coefficients: from flat blocks to such as no transform yields.

use super::frame::Frame;
use crate::fuzz_rng::Dice;

/// A block's coefficients in the order in which they are coded.
pub(super) type Block = [i32; 64];

/// The largest DC coefficient: differences must fit 15 bits.
const LARGEST_DC: i32 = 16_383;

/// The blocks of all components.
pub(super) struct Blocks {
    areas: Vec<(usize, Vec<Block>)>,
}

/// What the blocks of an image are like.
struct Style {
    /// Chances in 64 that a coefficient is not zero.
    density: usize,
    /// Bits of the largest AC coefficient.
    bits: u32,
    dc_bits: u32,
    /// Coefficients from this one on are zero.
    end: usize,
}

impl Blocks {
    pub(super) fn draw(frame: &Frame, dice: &mut Dice<'_>) -> Self {
        let styles = [Style::draw(dice), Style::draw(dice)];
        let mut dice = dice.fork();
        let (across, down) = frame.mcus();
        let areas = frame.components.iter().map(|component| {
            let (across, down) = (across * component.across, down * component.down);
            let blocks = (0..across * down).map(|_| styles[dice.below(2)].block(&mut dice));
            (across, blocks.collect())
        });
        Self {
            areas: areas.collect(),
        }
    }

    pub(super) fn block(&self, component: usize, x: usize, y: usize) -> &Block {
        let (across, blocks) = &self.areas[component];
        &blocks[y * across + x]
    }
}

impl Style {
    fn draw(dice: &mut Dice<'_>) -> Self {
        Self {
            density: dice.pick(&[0, 2, 8, 8, 32, 64]),
            bits: dice.pick(&[1, 1, 2, 3, 4, 6, 8, 10, 12, 15]),
            dc_bits: dice.pick(&[0, 4, 7, 9, 10, 11, 14]),
            end: dice.pick(&[2, 4, 11, 33, 64, 64]),
        }
    }

    fn block(&self, dice: &mut Dice<'_>) -> Block {
        let mut block = [0; 64];
        block[0] = number(self.dc_bits, dice).clamp(-LARGEST_DC, LARGEST_DC);
        for coefficient in &mut block[1..self.end] {
            if dice.below(64) < self.density {
                *coefficient = number(self.bits, dice);
            }
        }
        block
    }
}

/// A number of at most so many bits: all lengths are equally likely.
fn number(bits: u32, dice: &mut Dice<'_>) -> i32 {
    let length = dice.between(0, bits as usize);
    let magnitude = dice.below(1 << length) as i32;
    if dice.one_in(2) {
        -magnitude
    } else {
        magnitude
    }
}
