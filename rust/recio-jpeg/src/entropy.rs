//! The coefficients of a block, as sequential JPEGs code them (ITU-T T.81, F.2.2).
//!
//! The hottest loop of the crate: four fifths of a picture's time are spent here if it is decoded in full. A reservoir is
//! refilled once for [`AT_ONCE`] coefficients, and a coefficient costs one lookup, one shift and one test, for the end of
//! the block and codes that are too long for the lookup are but advances beyond the block.

use crate::bits::Bits;
use crate::block::Block;
use crate::huffman::{BAD, END, LONG, LOOKUP, Table};

/// Coefficients between two refills: a refill gives 56 bits.
const AT_ONCE: u32 = 56 / LOOKUP;

/// The number of the last coefficient.
pub(crate) const LAST: usize = 63;

/// How the coefficients of a block ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    /// With this coefficient: those after it are zero.
    At(usize),
    /// With a run of blocks that end here too, of which the logarithm is told; and the coefficient.
    Run(u32, usize),
}

/// Reads a block. Gives the number of its last coefficient.
#[inline(always)]
pub(crate) fn block(
    bits: &mut Bits<'_>,
    (dc, ac): (&Table, &Table),
    prediction: &mut i32,
    block: &mut Block,
) -> u8 {
    *prediction = prediction.wrapping_add(difference(bits, dc));
    block.0[0] = *prediction as i16;
    let end = coefficients(bits, ac, 0, LAST, |k, value| *block.coded(k) = value);
    close(bits, end)
}

/// Reads a block that nobody needs.
#[inline(always)]
pub(crate) fn pass_over(bits: &mut Bits<'_>, (dc, ac): (&Table, &Table), prediction: &mut i32) {
    *prediction = prediction.wrapping_add(difference(bits, dc));
    let end = coefficients(bits, ac, 0, LAST, |_, _| {});
    close(bits, end);
}

fn close(bits: &mut Bits<'_>, end: End) -> u8 {
    match end {
        End::At(last) => last as u8,
        // In a sequential JPEG, these symbols are none; libjpeg takes them for the end of the block.
        End::Run(_, last) => {
            bits.note(true);
            last as u8
        }
    }
}

/// The difference of a block's DC coefficient from the one before it. Leaves at least 45 bits in the reservoir.
#[inline(always)]
pub(crate) fn difference(bits: &mut Bits<'_>, table: &Table) -> i32 {
    bits.refill();
    let mut entry = table.look_up(bits);
    let is_long = entry.advance() == LONG;
    if is_long {
        entry = table.resolve(bits.peek(64), entry);
    }
    bits.skip_entry(entry.raw());
    if is_long {
        bits.note(entry.advance() == BAD);
        bits.refill();
    }
    entry.value().into()
}

/// Reads the coefficients after number `k` and up to number `last`. The reservoir holds 44 bits or more.
#[inline(always)]
pub(crate) fn coefficients(
    bits: &mut Bits<'_>,
    table: &Table,
    mut k: usize,
    last: usize,
    mut store: impl FnMut(usize, i16),
) -> End {
    loop {
        for _ in 0..AT_ONCE - 1 {
            let entry = table.look_up(bits);
            let next = k + entry.advance();
            bits.skip_entry(entry.raw());
            if next < last {
                store(next, entry.value());
                k = next;
                continue;
            }
            let entry = if entry.advance() == LONG {
                bits.refill();
                let entry = table.resolve(bits.peek(64), entry);
                bits.skip_entry(entry.raw());
                entry
            } else {
                entry
            };
            match entry.advance() {
                END => return End::At(k),
                BAD => {
                    bits.note(true);
                    return End::At(k);
                }
                log @ END..BAD => return End::Run((log - END) as u32, k),
                advance => k += advance,
            }
            if k >= last {
                bits.note(k > last);
                store(last, entry.value());
                return End::At(last);
            }
            store(k, entry.value());
            break;
        }
        bits.refill();
    }
}
