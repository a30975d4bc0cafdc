//! The coefficients of a block, as the scans of progressive JPEGs code them: in bands, and bit by bit (ITU-T T.81, G.1.2).
//!
//! A scan that refines AC coefficients must know at each which are zero still. A [`NonzeroMask`] says so in one number for all of a
//! block's, so that a run of zeros is skipped by counting bits: 1.9 ms for the benches' progressive photographs in the mean,
//! where looking at one coefficient after another took 2.2. Tried: forcing these functions inline, without a gain.

use crate::bit_reader::BitReader;
use crate::block::Block;
use crate::entropy;
use crate::huffman::{EOB, HuffmanTable, INVALID};

/// What a scan holds of each block.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Band {
    /// The numbers of its first and last coefficients.
    pub(crate) ss: usize,
    pub(crate) se: usize,
    /// The lowest bit that was there before it; 0: none was.
    pub(crate) ah: u32,
    /// The lowest bit that it brings.
    pub(crate) al: u32,
}

impl Band {
    /// All of its coefficients.
    fn mask(self) -> NonzeroMask {
        (NonzeroMask::MAX >> (63 - self.se)) & (NonzeroMask::MAX << self.ss)
    }
}

/// The first bits of a DC coefficient (G.1.2.1).
pub(crate) fn dc_first(
    bits: &mut BitReader<'_>,
    table: &HuffmanTable,
    prediction: &mut i32,
    al: u32,
    block: &mut Block,
) {
    *prediction = prediction.wrapping_add(entropy::dc_difference(bits, table));
    block.0[0] = (*prediction << al) as i16;
}

/// One more bit of a DC coefficient.
pub(crate) fn dc_refine(bits: &mut BitReader<'_>, al: u32, block: &mut Block) {
    block.0[0] |= (bits.read(1) << al) as i16;
}

/// Which of a block's AC coefficients are not zero, the k-th by bit k.
pub(crate) type NonzeroMask = u64;

/// The first bits of a band of AC coefficients (G.1.2.2). `run` is the number of blocks that end before they begin.
pub(crate) fn ac_first(
    bits: &mut BitReader<'_>,
    table: &HuffmanTable,
    band: Band,
    eob_run: &mut u32,
    (block, mask): (&mut Block, &mut NonzeroMask),
) {
    if *eob_run > 0 {
        *eob_run -= 1;
        return;
    }
    bits.refill();
    let store = |k: usize, value: i16| {
        *block.zigzag_mut(k) = value << band.al;
        *mask |= NonzeroMask::from(value != 0) << k;
    };
    let end = entropy::ac_coefficients(bits, table, band.ss - 1, band.se, store);
    if end.eob_bits > 0 {
        *eob_run = eob_run_length(bits, end.eob_bits) - 1;
    }
}

/// One more bit of a band of AC coefficients (G.1.2.3).
pub(crate) fn ac_refine(
    bits: &mut BitReader<'_>,
    table: &HuffmanTable,
    band: Band,
    eob_run: &mut u32,
    (block, mask): (&mut Block, &mut NonzeroMask),
) {
    // What has been dealt with is not looked at again.
    let mut rest = band.mask();
    while *eob_run == 0 && rest != 0 {
        match next(bits, table) {
            Next::EobRun(eob_bits) => *eob_run = eob_run_length(bits, eob_bits),
            Next::Coefficient { zeros, sign } => {
                let zero_mask = (0..zeros).fold(rest & !*mask, |zero_mask, _| {
                    zero_mask & zero_mask.wrapping_sub(1)
                });
                let new_bit = zero_mask & zero_mask.wrapping_neg();
                let before = new_bit.wrapping_sub(1);
                refine(bits, band, block, rest & *mask & before);
                rest &= !(before | new_bit);
                if sign != 0 {
                    bits.mark_invalid_if(new_bit == 0);
                    // Where none is free, libjpeg takes the one behind the band.
                    let index = new_bit.trailing_zeros() as usize;
                    let index = index.min(band.se + 1).min(entropy::LAST_INDEX);
                    *block.zigzag_mut(index) = sign << band.al;
                    *mask |= 1 << index;
                }
            }
        }
    }
    if *eob_run > 0 {
        refine(bits, band, block, rest & *mask);
        *eob_run -= 1;
    }
}

/// How many blocks have nothing to be refined, of those that come first.
pub(crate) fn count_empty(masks: &[NonzeroMask], band: Band) -> usize {
    let in_band = band.mask();
    // Several at once, for there may be thousands.
    let (eights, _) = masks.as_chunks::<8>();
    let is_empty =
        |masks: &&[NonzeroMask; 8]| masks.iter().fold(0, |all, mask| all | mask) & in_band == 0;
    let checked = 8 * eights.iter().take_while(is_empty).count();
    let rest = masks[checked..].iter();
    checked + rest.take_while(|mask| **mask & in_band == 0).count()
}

/// What comes next in a scan that refines.
enum Next {
    /// A number of coefficients that stay zero, and 1 or −1 after them; 0 if they are all.
    Coefficient { zeros: usize, sign: i16 },
    /// The logarithm of a run of blocks that have no more.
    EobRun(u32),
}

fn next(bits: &mut BitReader<'_>, table: &HuffmanTable) -> Next {
    bits.refill();
    let entry = entropy::read_entry(bits, table);
    // A coefficient that is new has but one bit.
    bits.mark_invalid_if(entry.advance() == INVALID || entry.value().abs() > 1);
    match entry.advance() {
        advance @ EOB.. => Next::EobRun((advance % EOB) as u32),
        advance => Next::Coefficient {
            zeros: advance - 1,
            sign: entry.value().signum(),
        },
    }
}

/// Reads one more bit of each of these coefficients.
fn refine(bits: &mut BitReader<'_>, band: Band, block: &mut Block, mut mask: NonzeroMask) {
    while mask != 0 {
        let count = mask.count_ones().min(MAX_BITS);
        let word = bits.read(count);
        for bit in (0..count).rev() {
            let value = block.zigzag_mut(mask.trailing_zeros() as usize);
            mask &= mask - 1;
            // libjpeg leaves a bit that was there already.
            if word >> bit & 1 == 1 && *value & 1 << band.al == 0 {
                *value = value.wrapping_add(value.signum() << band.al);
            }
        }
    }
}

/// Bits that are taken at once.
const MAX_BITS: u32 = 16;

/// The blocks of a run, of which the logarithm is known.
fn eob_run_length(bits: &mut BitReader<'_>, eob_bits: u32) -> u32 {
    (1 << eob_bits) + bits.read(eob_bits)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::huffman::TableClass;

    /// A table with one code, 0, for a coefficient that is 1 or −1.
    fn ones() -> HuffmanTable {
        let mut counts = [0; 16];
        counts[0] = 1;
        let mut table = HuffmanTable::default();
        table.fill(TableClass::Ac, &counts, &[1]).unwrap();
        table
    }

    #[test]
    fn a_coefficient_for_which_none_is_free_stands_behind_the_band() {
        for (se, index) in [(5, 6), (63, 63)] {
            let (mut block, mut mask) = (Block::ZERO, NonzeroMask::MAX);
            let band = Band {
                ss: 1,
                se,
                ah: 1,
                al: 0,
            };
            let mut bits = BitReader::new(&[0; 20]);
            ac_refine(&mut bits, &ones(), band, &mut 0, (&mut block, &mut mask));
            let mut expected = Block::ZERO;
            *expected.zigzag_mut(index) = -1;
            assert_eq!((bits.is_invalid(), block), (true, expected));
        }
    }
}
