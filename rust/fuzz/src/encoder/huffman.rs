//! Huffman tables for the used symbols, with random code lengths (ITU-T T.81, C.2).

use crate::fuzz_rng::FuzzRng;

const MAX_CODE_LENGTH: u32 = 16;

/// Number of 16-bit codes that a table may use: all ones is not a code.
const CODE_SPACE: u32 = (1 << MAX_CODE_LENGTH) - 1;

/// Code and length of each symbol.
pub(super) type Codes = [Option<(u32, u32)>; 256];

/// Huffman table.
pub(super) struct Table {
    /// Symbols in code order, with the lengths of their codes.
    symbols: Vec<(u8, u32)>,
}

impl Table {
    pub(super) fn random(used: &[bool; 256], is_dc: bool, rng: &mut FuzzRng<'_>) -> Self {
        let unused = if rng.one_in(4) { rng.below(8) } else { 0 };
        let mut is_in = *used;
        for _ in 0..unused {
            is_in[rng.below(if is_dc { 16 } else { 256 })] = true;
        }
        let mut symbols: Vec<u8> = (0..=255)
            .filter(|&symbol| is_in[usize::from(symbol)])
            .collect();
        let mut rng = rng.fork();
        for i in (1..symbols.len()).rev() {
            symbols.swap(i, rng.below(i + 1));
        }
        let mut lengths = lengths(symbols.len(), &mut rng);
        lengths.sort_unstable();
        Self {
            symbols: symbols.into_iter().zip(lengths).collect(),
        }
    }

    /// Return the content of a DHT segment.
    pub(super) fn definition(&self) -> Vec<u8> {
        let count = |length: u32| {
            self.symbols
                .iter()
                .filter(|symbol| symbol.1 == length)
                .count() as u8
        };
        let counts = (1..=MAX_CODE_LENGTH).map(count);
        counts
            .chain(self.symbols.iter().map(|symbol| symbol.0))
            .collect()
    }

    pub(super) fn codes(&self) -> Codes {
        let mut codes = [None; 256];
        let mut next = 0;
        for &(symbol, length) in &self.symbols {
            codes[usize::from(symbol)] = Some((next >> (MAX_CODE_LENGTH - length), length));
            next += 1 << (MAX_CODE_LENGTH - length);
        }
        codes
    }
}

/// Return code lengths: equal ones first, then some are changed as far as there is code space.
fn lengths(count: usize, rng: &mut FuzzRng<'_>) -> Vec<u32> {
    let size = |length: u32| 1 << (MAX_CODE_LENGTH - length);
    let alike = count.ilog2() + 1;
    let mut lengths = vec![alike; count];
    let mut taken = count as u32 * size(alike);
    for _ in 0..2 * count {
        let at = rng.below(count);
        let length = rng.between(1, MAX_CODE_LENGTH as usize) as u32;
        let changed = taken - size(lengths[at]) + size(length);
        if changed <= CODE_SPACE {
            (lengths[at], taken) = (length, changed);
        }
    }
    lengths
}
