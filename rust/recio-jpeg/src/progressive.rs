//! Entropy decoding of progressive blocks: spectral selection and successive approximation (ITU-T
//! T.81, G.1.2).
//!
//! A refinement scan of AC coefficients must know which coefficients are still zero. A
//! [`NonzeroMask`] has one bit for each coefficient of a block, so that a run of zeros is skipped
//! by counting bits. This takes 1.9 ms for the mean progressive photograph of the benchmarks; a
//! loop over the coefficients took 2.2 ms. Half of the time of a progressive image are refinement
//! scans of AC coefficients. Forced inlining of these functions does not make them faster, nor does
//! collecting the bits of a block's nonzero coefficients to apply them at its end without branches
//! (1.01 to 1.02 of the time).

use crate::bit_reader::BitReader;
use crate::block::Block;
use crate::entropy;
use crate::huffman::{EOB, HuffmanTable, INVALID, LONG};

/// Coefficients and bits in a scan: spectral selection (Ss, Se) and successive approximation (Ah,
/// Al).
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Band {
    /// Zigzag indices of the first and the last coefficient.
    pub(crate) ss: usize,
    pub(crate) se: usize,
    /// Lowest bit of the previous scans of these coefficients; 0 if there are none.
    pub(crate) ah: u32,
    /// Lowest bit in this scan.
    pub(crate) al: u32,
}

impl Band {
    /// Return the mask of all coefficients of the band.
    fn mask(self) -> NonzeroMask {
        (NonzeroMask::MAX >> (63 - self.se)) & (NonzeroMask::MAX << self.ss)
    }
}

/// Read the first bits of a DC coefficient (G.1.2.1).
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

/// Refine a DC coefficient by one bit.
pub(crate) fn dc_refine(bits: &mut BitReader<'_>, al: u32, block: &mut Block) {
    block.0[0] |= (bits.read(1) << al) as i16;
}

/// Mask of the nonzero AC coefficients of a block: bit k for zigzag index k.
pub(crate) type NonzeroMask = u64;

/// Read the first bits of a band of AC coefficients (G.1.2.2). `eob_run` is the remaining number of
/// blocks in an EOB run.
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
        // The block may have coefficients already if the image is damaged: zeros keep them.
        if value != 0 {
            let value = value << band.al;
            *block.zigzag_mut(k) = value;
            *mask |= NonzeroMask::from(value != 0) << k;
        }
    };
    let end = entropy::ac_coefficients(bits, table, band.ss - 1, band.se, store);
    if end.eob_bits > 0 {
        *eob_run = eob_run_length(bits, end.eob_bits) - 1;
    }
}

/// Refine a band of AC coefficients by one bit (G.1.2.3).
pub(crate) fn ac_refine(
    bits: &mut BitReader<'_>,
    table: &HuffmanTable,
    band: Band,
    eob_run: &mut u32,
    (block, mask): (&mut Block, &mut NonzeroMask),
) {
    // Coefficients that are not processed yet.
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
                    // If no coefficient is free, libjpeg uses the one after the band.
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

/// Count the leading blocks that have nothing to refine.
pub(crate) fn count_empty(masks: &[NonzeroMask], band: Band) -> usize {
    let in_band = band.mask();
    // Eight at a time, because there may be thousands.
    let (eights, _) = masks.as_chunks::<8>();
    let is_empty =
        |masks: &&[NonzeroMask; 8]| masks.iter().fold(0, |all, mask| all | mask) & in_band == 0;
    let checked = 8 * eights.iter().take_while(is_empty).count();
    let rest = masks[checked..].iter();
    checked + rest.take_while(|mask| **mask & in_band == 0).count()
}

/// Next symbol of a refinement scan.
enum Next {
    /// Number of coefficients that stay zero, and the new coefficient after them, 1 or −1; 0 if
    /// there is none.
    Coefficient { zeros: usize, sign: i16 },
    /// Number of extra bits of an EOB run.
    EobRun(u32),
}

fn next(bits: &mut BitReader<'_>, table: &HuffmanTable) -> Next {
    bits.refill();
    let mut entry = table.look_up(bits);
    if entry.advance() == LONG {
        entry = table.resolve(bits.peek(64), entry);
    }
    // A new coefficient has only one bit. libjpeg reads no more of an invalid one.
    let magnitude = entry.value().unsigned_abs();
    bits.mark_invalid_if(entry.advance() == INVALID || magnitude > 1);
    if magnitude > 1 {
        bits.skip(entry.length() - magnitude.ilog2());
    } else {
        bits.skip_entry(entry.raw());
    }
    match entry.advance() {
        advance @ EOB.. => Next::EobRun((advance % EOB) as u32),
        advance => Next::Coefficient {
            zeros: advance - 1,
            sign: entry.value().signum(),
        },
    }
}

/// Refine the coefficients of the mask by one bit.
fn refine(bits: &mut BitReader<'_>, band: Band, block: &mut Block, mut mask: NonzeroMask) {
    while mask != 0 {
        let count = mask.count_ones().min(MAX_BITS);
        let word = bits.read(count);
        for bit in (0..count).rev() {
            let value = block.zigzag_mut(mask.trailing_zeros() as usize);
            mask &= mask - 1;
            // libjpeg keeps a bit that is set already.
            if word >> bit & 1 == 1 && *value & 1 << band.al == 0 {
                *value = value.wrapping_add(value.signum() << band.al);
            }
        }
    }
}

/// Maximum number of bits to read at once.
const MAX_BITS: u32 = 16;

/// Read the length of an EOB run with the given number of extra bits.
fn eob_run_length(bits: &mut BitReader<'_>, eob_bits: u32) -> u32 {
    (1 << eob_bits) + bits.read(eob_bits)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::huffman::TableClass;

    /// Return a table with one code, 0, for a coefficient that is 1 or −1.
    fn ones() -> HuffmanTable {
        let mut counts = [0; 16];
        counts[0] = 1;
        let mut table = HuffmanTable::default();
        table.fill(TableClass::Ac, &counts, &[1]).unwrap();
        table
    }

    #[test]
    fn a_new_coefficient_without_a_free_position_goes_after_the_band() {
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
