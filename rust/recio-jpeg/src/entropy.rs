//! Entropy decoding of sequential blocks (ITU-T T.81, F.2.2).
//!
//! These are the hottest loops of the crate: they take half of the time of an image. Two
//! coefficients cost one lookup, one shift and one comparison, because the end of a block and codes
//! that are too long for the lookup are encoded as advances past the end of the block. The
//! reservoir is refilled once per [`LOOKUPS_PER_REFILL`] lookups.
//!
//! Alternatives, measured on the 2,000 photographs of the benchmarks (mean 66 kB), in milliseconds
//! per image on one core of an AMD EPYC. All bits of the image are read, nothing is transformed:
//!
//! | | |
//! |---|---|
//! | bit reader passed by reference, long codes in a separate function | 0.495 |
//! | inlined up to the row of MCUs, bit reader a local copy | 0.467 |
//! | long codes resolved by a function of plain numbers, bit reader in registers | 0.412 |
//! | the same with lookups of 10 bits | 0.427 |
//! | the same with lookups of 12 bits | 0.436 |
//!
//! A lookup of one coefficient, complete in 11 bits, and of two, the second of which may have its
//! magnitude after the 10 bits of the index, on photographs (mean 36 kB) and on faces of 112 × 112
//! pixels of quality 95 (4.8 kB), in microseconds per image, decoded entirely:
//!
//! | | photograph | face |
//! |---|---|---|
//! | one coefficient | 324 | 46.5 |
//! | two, in entries of 8 bytes | 281 | 40.6 |
//! | the same with lookups of 8, 9 or 11 bits | | 42.6, 41.2, 42.0 |
//! | the same, compiled for BMI2 | | 40.5 |
//! | two, in entries of 4 bytes: half of the cache | **268** | **39.3** |
//! | the same with lookups of 11 bits | 265 | 39.9 |
//! | photograph, blocks skipped: all coefficients complete in 11 bits per lookup | 197 | |
//! | the same, two coefficients | **145** | |
//!
//! This is why the functions are `inline(always)`, and why every function that takes a reference to
//! the bit reader is inlined.
#![allow(clippy::inline_always)]

use crate::bit_reader::BitReader;
use crate::block::Block;
use crate::huffman::{EOB, Entry, HuffmanTable, INVALID, LONG, MAX_PAIR_BITS, PAIR_LONG};

/// Lookups between two refills, which provide 56 bits.
const LOOKUPS_PER_REFILL: u32 = 56 / MAX_PAIR_BITS;

/// Zigzag index of the last coefficient.
pub(crate) const LAST_INDEX: usize = 63;

/// End of a block's coefficients.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct BlockEnd {
    /// Zigzag index of the last coefficient; those after it are zero.
    pub(crate) last: usize,
    /// Number of extra bits of an EOB run, which follow the code. Nonzero in progressive JPEGs only
    /// (G.1.2.2).
    pub(crate) eob_bits: u32,
}

/// Read a block. Return the zigzag index of its last coefficient.
#[inline(always)]
pub(crate) fn block(
    bits: &mut BitReader<'_>,
    tables: (&HuffmanTable, &HuffmanTable),
    prediction: &mut i32,
    block: &mut Block,
) -> u8 {
    block_with(bits, tables, prediction, block, |block, k, value| {
        *block.zigzag_mut(k) = value;
    })
}

/// Read a block over one that may have coefficients. Zeros overwrite none of them. Return the
/// zigzag index of the last coefficient that was read.
#[inline(always)]
pub(crate) fn block_over(
    bits: &mut BitReader<'_>,
    tables: (&HuffmanTable, &HuffmanTable),
    prediction: &mut i32,
    block: &mut Block,
) -> u8 {
    block_with(bits, tables, prediction, block, |block, k, value| {
        if value != 0 {
            *block.zigzag_mut(k) = value;
        }
    })
}

#[inline(always)]
fn block_with(
    bits: &mut BitReader<'_>,
    (dc, ac): (&HuffmanTable, &HuffmanTable),
    prediction: &mut i32,
    block: &mut Block,
    store: impl Fn(&mut Block, usize, i16),
) -> u8 {
    *prediction = prediction.wrapping_add(dc_difference(bits, dc));
    block.0[0] = *prediction as i16;
    let end = ac_coefficients(bits, ac, 0, LAST_INDEX, |k, value| store(block, k, value));
    bits.mark_invalid_if(end.eob_bits > 0);
    end.last as u8
}

/// Skip a block that is not needed.
#[inline(always)]
pub(crate) fn skip_block(
    bits: &mut BitReader<'_>,
    (dc, ac): (&HuffmanTable, &HuffmanTable),
    prediction: &mut i32,
) {
    *prediction = prediction.wrapping_add(dc_difference(bits, dc));
    let end = ac_coefficients(bits, ac, 0, LAST_INDEX, |_, _| ());
    bits.mark_invalid_if(end.eob_bits > 0);
}

/// Read the difference between the DC coefficient and its prediction. Leave the reservoir full.
#[inline(always)]
pub(crate) fn dc_difference(bits: &mut BitReader<'_>, table: &HuffmanTable) -> i32 {
    bits.refill();
    let pair = table.look_up_pair(bits);
    let difference = if pair.advance() == PAIR_LONG {
        let entry = read_entry(bits, table);
        bits.mark_invalid_if(entry.advance() == INVALID);
        entry.value()
    } else {
        let value = pair.last_value(bits.peek(64));
        bits.skip_entry(pair.raw());
        value
    };
    bits.refill();
    difference.into()
}

/// Read the AC coefficients after index `k` up to `last`. The reservoir must be full. `store` is
/// called with zeros too; a coefficient follows those at its index.
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
            let pair = table.look_up_pair(bits);
            let next = k + pair.advance();
            if next < last {
                let value = pair.last_value(bits.peek(64));
                bits.skip_entry(pair.raw());
                // If there is only one coefficient, it replaces the zero that is stored before it.
                store(k + pair.first_advance(), pair.first_value());
                store(next, value);
                k = next;
                continue;
            }
            let end = k + pair.first_advance();
            if (EOB..PAIR_LONG).contains(&pair.advance()) && end < last {
                bits.skip_entry(pair.raw());
                // Without a coefficient before the end, a zero is stored after the last one.
                store(end.max(k + 1), pair.first_value());
                let eob_bits = pair.advance() as u32 % EOB as u32;
                return BlockEnd {
                    last: end,
                    eob_bits,
                };
            }
            // A code too long for the lookup, or the last coefficient: what follows it in the
            // lookup belongs to the next block.
            bits.refill();
            let entry = read_entry(bits, table);
            if entry.advance() >= EOB {
                bits.mark_invalid_if(entry.advance() == INVALID);
                let eob_bits = entry.advance() as u32 % EOB as u32;
                return BlockEnd { last: k, eob_bits };
            }
            k += entry.advance();
            if k >= last {
                bits.mark_invalid_if(k > last);
                // libjpeg stores an invalid coefficient after the band too.
                let last = k.min(LAST_INDEX);
                store(last, entry.value());
                return BlockEnd { last, eob_bits: 0 };
            }
            store(k, entry.value());
            break;
        }
        bits.refill();
    }
}

/// Read the next entry, of any length. The reservoir must be full.
#[inline(always)]
pub(crate) fn read_entry(bits: &mut BitReader<'_>, table: &HuffmanTable) -> Entry {
    let mut entry = table.look_up(bits);
    if entry.advance() == LONG {
        entry = table.resolve(bits.peek(64), entry);
    }
    bits.skip_entry(entry.raw());
    entry
}
