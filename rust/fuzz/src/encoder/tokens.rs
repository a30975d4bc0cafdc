//! Coefficients of a scan → Huffman symbols and extra bits (ITU-T T.81, F.1.2, G.1.2).
//!
//! Where the standard leaves a choice, it is random: EOB runs need not have the maximum length.

use std::ops::RangeInclusive;

use super::blocks::{Block, Blocks};
use super::frame::Frame;
use super::script::Scan;
use crate::fuzz_rng::FuzzRng;

/// Maximum length of an EOB run.
const MAX_RUN: u32 = 0x7fff;

/// Element of a scan's data.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Token {
    /// A symbol and its table: DC tables have their numbers, AC tables their numbers + 4.
    Symbol(usize, u8),
    /// The lowest bits of a number, and their count.
    Bits(u32, u32),
    Restart,
}

/// DC and AC table of each component of a scan.
pub(super) type Selectors = Vec<(usize, usize)>;

/// Return the tokens of a scan.
pub(super) fn tokens(
    frame: &Frame,
    blocks: &Blocks,
    scan: &Scan,
    selectors: &Selectors,
    restart_interval: usize,
    rng: &mut FuzzRng<'_>,
) -> Vec<Token> {
    let mut coder = Coder {
        scan,
        is_progressive: frame.is_progressive(),
        tokens: Vec::new(),
        predictions: [0; 4],
        run: 0,
        corrections: Vec::new(),
        table: 4 + selectors[0].1,
        splits_runs: rng.one_in(4),
        rng: rng.fork(),
    };
    for (i, mcu) in mcus(frame, scan).into_iter().enumerate() {
        if restart_interval > 0 && i > 0 && i % restart_interval == 0 {
            coder.restart();
        }
        for (scan_index, x, y) in mcu {
            let (dc, ac) = selectors[scan_index];
            coder.block(
                blocks.block(scan.components[scan_index], x, y),
                scan_index,
                dc,
                4 + ac,
            );
        }
    }
    coder.end_run();
    coder.tokens
}

/// Return the blocks of each MCU: the component's index in the scan and the block's position in the
/// component.
fn mcus(frame: &Frame, scan: &Scan) -> Vec<Vec<(usize, usize, usize)>> {
    let positions = |(columns, rows): (usize, usize)| {
        (0..rows).flat_map(move |y| (0..columns).map(move |x| (x, y)))
    };
    if let [component] = scan.components[..] {
        let blocks = positions(frame.blocks(&frame.components[component]));
        return blocks.map(|(x, y)| vec![(0, x, y)]).collect();
    }
    let mcu = |(mcu_x, mcu_y): (usize, usize)| {
        let components = scan
            .components
            .iter()
            .map(|&i| &frame.components[i])
            .enumerate();
        let blocks = components.flat_map(|(scan_index, component)| {
            let (horizontal, vertical) = (component.horizontal, component.vertical);
            positions((horizontal, vertical))
                .map(move |(x, y)| (scan_index, mcu_x * horizontal + x, mcu_y * vertical + y))
        });
        blocks.collect()
    };
    positions(frame.mcus()).map(mcu).collect()
}

struct Coder<'s> {
    scan: &'s Scan,
    is_progressive: bool,
    tokens: Vec<Token>,
    predictions: [i32; 4],
    /// Blocks of the current EOB run, which is not emitted yet.
    run: u32,
    /// Correction bits of the blocks of the run.
    corrections: Vec<u32>,
    /// AC table of a progressive scan.
    table: usize,
    /// Whether EOB runs are split at random.
    splits_runs: bool,
    rng: FuzzRng<'static>,
}

impl Coder<'_> {
    fn block(&mut self, block: &Block, scan_index: usize, dc: usize, ac: usize) {
        match (self.is_progressive, self.scan.first, self.scan.high) {
            (false, ..) => {
                self.dc(block[0], scan_index, dc);
                self.sequential(block, ac);
            }
            (true, 0, 0) => self.dc(block[0] >> self.scan.low, scan_index, dc),
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

    fn dc(&mut self, value: i32, scan_index: usize, table: usize) {
        let difference = value - self.predictions[scan_index];
        self.predictions[scan_index] = value;
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

    /// Emit the nonzero coefficients. Return the number of zeros after the last.
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
                    self.emit_zero_runs(&mut zeros, &mut corrections);
                    self.end_run();
                    self.tokens
                        .push(Token::Symbol(self.table, (zeros << 4) as u8 | 1));
                    self.tokens.push(Token::Bits(u32::from(block[k] > 0), 1));
                    self.correct(&mut corrections);
                    zeros = 0;
                }
                more => {
                    if k < last_new {
                        self.emit_zero_runs(&mut zeros, &mut corrections);
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

    /// Emit runs of 16 zeros while there are more than 15.
    fn emit_zero_runs(&mut self, zeros: &mut usize, corrections: &mut Vec<u32>) {
        while *zeros > 15 {
            self.end_run();
            self.tokens.push(Token::Symbol(self.table, 0xf0));
            *zeros -= 16;
            self.correct(corrections);
        }
    }

    fn end_block(&mut self) {
        self.run += 1;
        if self.run == MAX_RUN || self.splits_runs && self.rng.one_in(4) {
            self.end_run();
        }
    }

    /// Emit the current EOB run.
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

/// Shift the magnitude of an AC coefficient (G.1.2.2), which rounds toward zero.
fn toward_zero(value: i32, low: usize) -> i32 {
    value / (1 << low)
}

/// Return the number of bits of the magnitude.
fn size(value: i32) -> u32 {
    u32::BITS - value.unsigned_abs().leading_zeros()
}
