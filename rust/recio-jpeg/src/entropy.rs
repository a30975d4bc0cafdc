//! The coefficients of a block, as sequential JPEGs code them (ITU-T T.81, F.2.2).
//!
//! The hottest loops of the crate: two thirds of a picture's time are spent here. A coefficient costs one lookup, one shift
//! and one test, for the end of the block and codes too long for the lookup are but advances beyond the block, and the
//! reservoir is refilled once for [`LOOKUPS_PER_REFILL`] of them.
//!
//! Tried, with the 2,000 photographs of the benches (66 kB in the mean), in milliseconds an image on one core of an AMD
//! EPYC; all of the image's bits are read, nothing is transformed:
//!
//! | | |
//! |---|---|
//! | a reader passed by reference, long codes in a function of their own | 0.495 |
//! | inlined up to the row of MCUs, the reader a local copy | 0.467 |
//! | long codes resolved to an entry by a function of numbers: the reader stays in registers | **0.412** |
//! | the last, lookups of 10 bits | 0.427 |
//! | the last, lookups of 12 bits | 0.436 |
//! | blocks that nobody needs: several coefficients a lookup | **0.353** |
//!
//! That is why the functions are inlined by force, and why nothing here takes a reference to a reader that is not inlined.
#![allow(clippy::inline_always)]

use crate::bit_reader::BitReader;
use crate::block::Block;
use crate::huffman::{EOB, Entry, HuffmanTable, INVALID, LONG, LOOKUP_BITS};

/// Lookups between two refills. A refill gives 56 bits; one lookup's may be gone, for a DC coefficient.
const LOOKUPS_PER_REFILL: u32 = 56 / LOOKUP_BITS - 1;

/// The number of the last coefficient.
pub(crate) const LAST_INDEX: usize = 63;

/// How the coefficients of a block end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct BlockEnd {
    /// The number of the last one: those after it are zero.
    pub(crate) last: usize,
    /// The logarithm of the number of blocks that end so, of which more bits tell the rest. Not 0 in progressive JPEGs only
    /// (G.1.2.2).
    pub(crate) eob_bits: u32,
}

/// Reads a block. Gives the number of its last coefficient.
#[inline(always)]
pub(crate) fn block(
    bits: &mut BitReader<'_>,
    (dc, ac): (&HuffmanTable, &HuffmanTable),
    prediction: &mut i32,
    block: &mut Block,
) -> u8 {
    *prediction = prediction.wrapping_add(dc_difference(bits, dc));
    block.0[0] = *prediction as i16;
    let end = ac_coefficients(bits, ac, 0, LAST_INDEX, |k, value| {
        *block.zigzag_mut(k) = value;
    });
    bits.mark_invalid_if(end.eob_bits > 0);
    end.last as u8
}

/// Reads a block that nobody needs.
#[inline(always)]
pub(crate) fn skip_block(
    bits: &mut BitReader<'_>,
    (dc, ac): (&HuffmanTable, &HuffmanTable),
    prediction: &mut i32,
) {
    *prediction = prediction.wrapping_add(dc_difference(bits, dc));
    let mut k = 0;
    loop {
        for _ in 0..LOOKUPS_PER_REFILL {
            let many = ac.look_up_many(bits);
            let next = k + many.advance();
            if next < LAST_INDEX {
                bits.skip_entry(many.raw());
                k = next;
                continue;
            }
            // If the end comes where the block is full, it is no end but bits of the next block.
            if many.advance() == EOB && k + (many.value() as usize) < LAST_INDEX {
                return bits.skip_entry(many.raw());
            }
            bits.refill();
            let entry = read_entry(bits, ac);
            k += entry.advance();
            if k >= LAST_INDEX {
                let is_valid = k == LAST_INDEX || entry.advance() == EOB;
                return bits.mark_invalid_if(!is_valid);
            }
            break;
        }
        bits.refill();
    }
}

/// The difference of a block's DC coefficient from the one before it. Leaves [`LOOKUPS_PER_REFILL`] lookups in the reservoir.
#[inline(always)]
pub(crate) fn dc_difference(bits: &mut BitReader<'_>, table: &HuffmanTable) -> i32 {
    bits.refill();
    let entry = table.look_up(bits);
    if entry.advance() != LONG {
        bits.skip_entry(entry.raw());
        return entry.value().into();
    }
    let entry = read_entry(bits, table);
    bits.mark_invalid_if(entry.advance() == INVALID);
    bits.refill();
    entry.value().into()
}

/// Reads the coefficients after number `k` and up to number `last`. The reservoir has bits for [`LOOKUPS_PER_REFILL`] lookups.
#[inline(always)]
pub(crate) fn ac_coefficients(
    bits: &mut BitReader<'_>,
    table: &HuffmanTable,
    mut k: usize,
    last: usize,
    mut store: impl FnMut(usize, i16),
) -> BlockEnd {
    loop {
        for _ in 0..LOOKUPS_PER_REFILL {
            let mut entry = table.look_up(bits);
            let next = k + entry.advance();
            bits.skip_entry(entry.raw());
            if next < last {
                store(next, entry.value());
                k = next;
                continue;
            }
            if entry.advance() == LONG {
                bits.refill();
                entry = read_entry(bits, table);
            }
            if entry.advance() >= EOB {
                bits.mark_invalid_if(entry.advance() == INVALID);
                let eob_bits = entry.advance() as u32 % EOB as u32;
                return BlockEnd { last: k, eob_bits };
            }
            k += entry.advance();
            if k >= last {
                bits.mark_invalid_if(k > last);
                store(last, entry.value());
                return BlockEnd { last, eob_bits: 0 };
            }
            store(k, entry.value());
            break;
        }
        bits.refill();
    }
}

/// The entry of what comes next, whatever its length, its bits taken. The reservoir is full.
#[inline(always)]
pub(crate) fn read_entry(bits: &mut BitReader<'_>, table: &HuffmanTable) -> Entry {
    let mut entry = table.look_up(bits);
    if entry.advance() == LONG {
        entry = table.resolve(bits.peek(64), entry);
    }
    bits.skip_entry(entry.raw());
    entry
}
