//! The coefficients of a scan → Huffman symbols and the bits behind them (ITU-T T.81, F.1.2,
//! G.1.2).
//!
//! Where the standard leaves it open (runs of blocks without coefficients need not be as long as
//! they can be), the dice say.

use std::ops::RangeInclusive;

use super::blocks::{Block, Blocks};
use super::frame::Frame;
use super::script::Scan;
use crate::fuzz_rng::Dice;

/// Blocks of the longest run of blocks that end.
const LONGEST_RUN: u32 = 0x7fff;

/// A piece of a scan's data.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Token {
    /// A symbol, and the table that codes it: the numbers of DC tables, and 4 more than those of AC
    /// tables.
    Symbol(usize, u8),
    /// The lowest bits of a number, and how many.
    Bits(u32, u32),
    Restart,
}

/// The tables of each component of a scan, for DC and AC.
pub(super) type Selectors = Vec<(usize, usize)>;

/// The tokens of a scan.
pub(super) fn tokens(
    frame: &Frame,
    blocks: &Blocks,
    scan: &Scan,
    selectors: &Selectors,
    restart_interval: usize,
    dice: &mut Dice<'_>,
) -> Vec<Token> {
    let mut coder = Coder {
        scan,
        is_progressive: frame.is_progressive(),
        tokens: Vec::new(),
        predictions: [0; 4],
        run: 0,
        corrections: Vec::new(),
        table: 4 + selectors[0].1,
        cuts_runs: dice.one_in(4),
        dice: dice.fork(),
    };
    for (i, mcu) in mcus(frame, scan).into_iter().enumerate() {
        if restart_interval > 0 && i > 0 && i % restart_interval == 0 {
            coder.restart();
        }
        for (part, x, y) in mcu {
            let (dc, ac) = selectors[part];
            coder.block(blocks.block(scan.components[part], x, y), part, dc, 4 + ac);
        }
    }
    coder.end_run();
    coder.tokens
}

/// The blocks of each MCU: the component's place in the scan, and the block's place in the
/// component.
fn mcus(frame: &Frame, scan: &Scan) -> Vec<Vec<(usize, usize, usize)>> {
    let places = |(across, down): (usize, usize)| {
        (0..down).flat_map(move |y| (0..across).map(move |x| (x, y)))
    };
    if let [component] = scan.components[..] {
        let blocks = places(frame.blocks(&frame.components[component]));
        return blocks.map(|(x, y)| vec![(0, x, y)]).collect();
    }
    let mcu = |(mcu_x, mcu_y): (usize, usize)| {
        let parts = scan
            .components
            .iter()
            .map(|&i| &frame.components[i])
            .enumerate();
        let units = parts.flat_map(|(part, component)| {
            let (across, down) = (component.across, component.down);
            places((across, down)).map(move |(x, y)| (part, mcu_x * across + x, mcu_y * down + y))
        });
        units.collect()
    };
    places(frame.mcus()).map(mcu).collect()
}

struct Coder<'s> {
    scan: &'s Scan,
    is_progressive: bool,
    tokens: Vec<Token>,
    predictions: [i32; 4],
    /// Blocks that ended, and are not yet said to have.
    run: u32,
    /// The bits that these blocks bring to coefficients that came before.
    corrections: Vec<u32>,
    /// The AC table of a progressive scan.
    table: usize,
    /// Whether runs end where they need not.
    cuts_runs: bool,
    dice: Dice<'static>,
}

impl Coder<'_> {
    fn block(&mut self, block: &Block, part: usize, dc: usize, ac: usize) {
        match (self.is_progressive, self.scan.first, self.scan.high) {
            (false, ..) => {
                self.dc(block[0], part, dc);
                self.sequential(block, ac);
            }
            (true, 0, 0) => self.dc(block[0] >> self.scan.low, part, dc),
            (true, 0, _) => self
                .tokens
                .push(Token::Bits((block[0] >> self.scan.low) as u32 & 1, 1)),
            (true, _, 0) => self.ac_first(block),
            (true, ..) => self.ac_refine(block),
        }
    }

    fn restart(&mut self) {
        self.end_run();
        self.tokens.push(Token::Restart);
        self.predictions = [0; 4];
    }

    fn dc(&mut self, value: i32, part: usize, table: usize) {
        let difference = value - self.predictions[part];
        self.predictions[part] = value;
        self.tokens
            .push(Token::Symbol(table, size(difference) as u8));
        self.magnitude(difference);
    }

    fn sequential(&mut self, block: &Block, table: usize) {
        let zeros = self.coefficients(block, 1..=63, 0, table);
        if zeros > 0 {
            self.tokens.push(Token::Symbol(table, 0));
        }
    }

    fn ac_first(&mut self, block: &Block) {
        let band = self.scan.first..=self.scan.last;
        if band
            .clone()
            .any(|k| toward_zero(block[k], self.scan.low) != 0)
        {
            self.end_run();
        }
        if self.coefficients(block, band, self.scan.low, self.table) > 0 {
            self.end_block();
        }
    }

    /// Codes coefficients that are not zero. Gives how many are left behind the last.
    fn coefficients(
        &mut self,
        block: &Block,
        band: RangeInclusive<usize>,
        low: usize,
        table: usize,
    ) -> usize {
        let mut zeros = 0;
        for k in band {
            let value = toward_zero(block[k], low);
            if value == 0 {
                zeros += 1;
                continue;
            }
            while zeros > 15 {
                self.tokens.push(Token::Symbol(table, 0xf0));
                zeros -= 16;
            }
            self.tokens
                .push(Token::Symbol(table, (zeros << 4) as u8 | size(value) as u8));
            self.magnitude(value);
            zeros = 0;
        }
        zeros
    }

    fn ac_refine(&mut self, block: &Block) {
        let band = self.scan.first..=self.scan.last;
        let magnitude = |k: usize| block[k].unsigned_abs() >> self.scan.low;
        let last_new = band.clone().rev().find(|&k| magnitude(k) == 1).unwrap_or(0);
        let (mut zeros, mut corrections) = (0, Vec::new());
        for k in band {
            match magnitude(k) {
                0 => zeros += 1,
                1 => {
                    self.pass_zeros(&mut zeros, &mut corrections);
                    self.end_run();
                    self.tokens
                        .push(Token::Symbol(self.table, (zeros << 4) as u8 | 1));
                    self.tokens.push(Token::Bits(u32::from(block[k] > 0), 1));
                    self.correct(&mut corrections);
                    zeros = 0;
                }
                more => {
                    if k < last_new {
                        self.pass_zeros(&mut zeros, &mut corrections);
                    }
                    corrections.push(more & 1);
                }
            }
        }
        if zeros > 0 || !corrections.is_empty() {
            self.corrections.append(&mut corrections);
            self.end_block();
        }
    }

    /// Says that 16 zeros go by, as long as there are more than 15.
    fn pass_zeros(&mut self, zeros: &mut usize, corrections: &mut Vec<u32>) {
        while *zeros > 15 {
            self.end_run();
            self.tokens.push(Token::Symbol(self.table, 0xf0));
            *zeros -= 16;
            self.correct(corrections);
        }
    }

    fn end_block(&mut self) {
        self.run += 1;
        if self.run == LONGEST_RUN || self.cuts_runs && self.dice.one_in(4) {
            self.end_run();
        }
    }

    /// Says that blocks ended.
    fn end_run(&mut self) {
        if self.run > 0 {
            let log = self.run.ilog2();
            self.tokens
                .push(Token::Symbol(self.table, (log << 4) as u8));
            self.tokens.push(Token::Bits(self.run, log));
            self.run = 0;
            let mut corrections = std::mem::take(&mut self.corrections);
            self.correct(&mut corrections);
        }
    }

    fn correct(&mut self, corrections: &mut Vec<u32>) {
        self.tokens
            .extend(corrections.drain(..).map(|bit| Token::Bits(bit, 1)));
    }

    fn magnitude(&mut self, value: i32) {
        let bits = if value < 0 { value - 1 } else { value };
        self.tokens.push(Token::Bits(bits as u32, size(value)));
    }
}

/// An AC coefficient without its lowest bits (G.1.2.2): the magnitude is shifted.
fn toward_zero(value: i32, low: usize) -> i32 {
    value / (1 << low)
}

/// Bits of a number's magnitude.
fn size(value: i32) -> u32 {
    u32::BITS - value.unsigned_abs().leading_zeros()
}
