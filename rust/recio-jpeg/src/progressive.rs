//! The coefficients of a block, as the scans of progressive JPEGs code them: in bands, and bit by bit (ITU-T T.81, G.1.2).

use crate::bits::Bits;
use crate::block::Block;
use crate::entropy;
use crate::huffman::{BAD, END, Table};

/// What a scan holds of each block.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Band {
    /// The numbers of its first and last coefficients.
    pub(crate) first: usize,
    pub(crate) last: usize,
    /// The lowest bit that was there before it; 0: none was.
    pub(crate) high: u32,
    /// The lowest bit that it brings.
    pub(crate) low: u32,
}

/// The first bits of a DC coefficient (G.1.2.1).
pub(crate) fn dc_first(
    bits: &mut Bits<'_>,
    table: &Table,
    prediction: &mut i32,
    low: u32,
    block: &mut Block,
) {
    *prediction = prediction.wrapping_add(entropy::difference(bits, table));
    block.0[0] = (*prediction << low) as i16;
}

/// One more bit of a DC coefficient.
pub(crate) fn dc_refine(bits: &mut Bits<'_>, low: u32, block: &mut Block) {
    block.0[0] |= (bits.take(1) << low) as i16;
}

/// The first bits of a band of AC coefficients (G.1.2.2). `run` is the number of blocks that end before they begin.
pub(crate) fn ac_first(
    bits: &mut Bits<'_>,
    table: &Table,
    band: Band,
    run: &mut u32,
    block: &mut Block,
) {
    if *run > 0 {
        *run -= 1;
        return;
    }
    bits.refill();
    let store = |k: usize, value: i16| *block.coded(k) = value << band.low;
    let end = entropy::coefficients(bits, table, band.first - 1, band.last, store);
    if end.log > 0 {
        *run = run_length(bits, end.log) - 1;
    }
}

/// One more bit of a band of AC coefficients (G.1.2.3).
pub(crate) fn ac_refine(
    bits: &mut Bits<'_>,
    table: &Table,
    band: Band,
    run: &mut u32,
    block: &mut Block,
) {
    let mut k = band.first;
    while *run == 0 && k <= band.last {
        match next(bits, table) {
            Next::Run(log) => *run = run_length(bits, log),
            Next::Coefficient { zeros, sign } => {
                k = refine(bits, band, block, k, zeros);
                match (sign, k <= band.last) {
                    (0, _) => {}
                    (_, true) => *block.coded(k) = sign << band.low,
                    (_, false) => bits.note(true),
                }
                k += 1;
            }
        }
    }
    if *run > 0 {
        refine(bits, band, block, k, usize::MAX);
        *run -= 1;
    }
}

/// What comes next in a scan that refines.
enum Next {
    /// A number of coefficients that stay zero, and 1 or −1 after them; 0 if they are all.
    Coefficient { zeros: usize, sign: i16 },
    /// The logarithm of a run of blocks that have no more.
    Run(u32),
}

fn next(bits: &mut Bits<'_>, table: &Table) -> Next {
    bits.refill();
    let entry = entropy::next_entry(bits, table);
    // A coefficient that is new has but one bit.
    bits.note(entry.advance() == BAD || entry.value().abs() > 1);
    match entry.advance() {
        log @ END.. => Next::Run((log % END) as u32),
        advance => Next::Coefficient {
            zeros: advance - 1,
            sign: entry.value().signum(),
        },
    }
}

/// Reads a bit more of each coefficient from number `k` on that is not zero, up to one that is zero after so many others
/// that are. Gives that one's number, or one beyond the band.
fn refine(
    bits: &mut Bits<'_>,
    band: Band,
    block: &mut Block,
    mut k: usize,
    mut zeros: usize,
) -> usize {
    while k <= band.last {
        let value = block.coded(k);
        if *value == 0 {
            if zeros == 0 {
                break;
            }
            zeros -= 1;
        } else if bits.take(1) == 1 && *value & 1 << band.low == 0 {
            // libjpeg leaves a bit that was there already.
            *value = value.wrapping_add(value.signum() << band.low);
        }
        k += 1;
    }
    k
}

/// The blocks of a run, of which the logarithm is known.
fn run_length(bits: &mut Bits<'_>, log: u32) -> u32 {
    (1 << log) + bits.take(log)
}
