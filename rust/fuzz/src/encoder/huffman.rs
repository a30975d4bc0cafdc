//! Huffman tables for the symbols that are used, of code lengths that are drawn (ITU-T T.81, C.2).

use crate::fuzz_rng::Dice;

const LONGEST: u32 = 16;

/// Codes of 16 bits that a table may take up: the one of ones alone is no code.
const ROOM: u32 = (1 << LONGEST) - 1;

/// Each symbol's code, and its length.
pub(super) type Codes = [Option<(u32, u32)>; 256];

/// A table.
pub(super) struct Table {
    /// Symbols in the order of their codes, with the codes' lengths.
    symbols: Vec<(u8, u32)>,
}

impl Table {
    pub(super) fn draw(used: &[bool; 256], is_dc: bool, dice: &mut Dice<'_>) -> Self {
        let unused = if dice.one_in(4) { dice.below(8) } else { 0 };
        let mut is_in = *used;
        for _ in 0..unused {
            is_in[dice.below(if is_dc { 16 } else { 256 })] = true;
        }
        let mut symbols: Vec<u8> = (0..=255)
            .filter(|&symbol| is_in[usize::from(symbol)])
            .collect();
        let mut dice = dice.fork();
        for i in (1..symbols.len()).rev() {
            symbols.swap(i, dice.below(i + 1));
        }
        let mut lengths = lengths(symbols.len(), &mut dice);
        lengths.sort_unstable();
        Self {
            symbols: symbols.into_iter().zip(lengths).collect(),
        }
    }

    /// What a segment says of it.
    pub(super) fn definition(&self) -> Vec<u8> {
        let count = |length: u32| {
            self.symbols
                .iter()
                .filter(|symbol| symbol.1 == length)
                .count() as u8
        };
        let counts = (1..=LONGEST).map(count);
        counts
            .chain(self.symbols.iter().map(|symbol| symbol.0))
            .collect()
    }

    pub(super) fn codes(&self) -> Codes {
        let mut codes = [None; 256];
        let mut next = 0;
        for &(symbol, length) in &self.symbols {
            codes[usize::from(symbol)] = Some((next >> (LONGEST - length), length));
            next += 1 << (LONGEST - length);
        }
        codes
    }
}

/// Lengths for so many codes: first all alike, then some changed where there is room.
fn lengths(count: usize, dice: &mut Dice<'_>) -> Vec<u32> {
    let size = |length: u32| 1 << (LONGEST - length);
    let alike = count.ilog2() + 1;
    let mut lengths = vec![alike; count];
    let mut taken = count as u32 * size(alike);
    for _ in 0..2 * count {
        let at = dice.below(count);
        let length = dice.between(1, LONGEST as usize) as u32;
        let changed = taken - size(lengths[at]) + size(length);
        if changed <= ROOM {
            (lengths[at], taken) = (length, changed);
        }
    }
    lengths
}
