//! The coefficients of a block, as sequential JPEGs code them (ITU-T T.81, F.2.2).
//!
//! The hottest loop of the crate: four fifths of a picture's time are spent here if it is decoded in full. A reservoir is
//! refilled once for [`AT_ONCE`] coefficients, and a coefficient costs one lookup, one shift and one test, for the end of
//! the block and codes that are too long for the lookup are but advances beyond the block.

use crate::bits::Bits;
use crate::block::Block;
use crate::huffman::{END, Entry, LONG, LOOKUP, NO_SYMBOL, Table, extend};

/// Coefficients between two refills: a refill gives 56 bits.
const AT_ONCE: u32 = 56 / LOOKUP;

/// The number of the last coefficient.
pub(crate) const LAST: usize = 63;

/// How the coefficients of a block ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    /// With this coefficient: those after it are zero.
    At(usize),
    /// With a run of blocks that end here too, of which the logarithm is told (progressive JPEGs only, G.1.2.2).
    Run(u32, usize),
}

/// Reads a block. Gives the number of its last coefficient.
#[inline]
pub(crate) fn block(
    bits: &mut Bits<'_>,
    (dc, ac): (&Table, &Table),
    prediction: &mut i32,
    block: &mut Block,
) -> u8 {
    // A copy, which stays in registers.
    let mut local = *bits;
    *prediction = prediction.wrapping_add(difference(&mut local, dc));
    block.0[0] = *prediction as i16;
    let end = coefficients(&mut local, ac, 0, LAST, |k, value| *block.coded(k) = value);
    *bits = local;
    close(bits, end)
}

/// Reads a block that nobody needs.
#[inline]
pub(crate) fn pass_over(bits: &mut Bits<'_>, (dc, ac): (&Table, &Table), prediction: &mut i32) {
    let mut local = *bits;
    *prediction = prediction.wrapping_add(difference(&mut local, dc));
    let end = coefficients(&mut local, ac, 0, LAST, |_, _| {});
    *bits = local;
    close(bits, end);
}

fn close(bits: &mut Bits<'_>, end: End) -> u8 {
    match end {
        End::At(last) => last as u8,
        // In a sequential JPEG, these symbols are none; libjpeg takes them for the end of the block.
        End::Run(_, last) => {
            bits.fail();
            last as u8
        }
    }
}

/// The difference of a block's DC coefficient from the one before it. Leaves at least 45 bits in the reservoir.
#[inline]
pub(crate) fn difference(bits: &mut Bits<'_>, table: &Table) -> i32 {
    bits.refill();
    let entry = table.look_up(bits);
    if entry.advance() != LONG {
        bits.skip(entry.length());
        return entry.value().into();
    }
    let size = long_symbol(bits, table, entry);
    let magnitude = bits.take(size.into());
    bits.refill();
    extend(magnitude, size.into())
}

/// Reads the coefficients after number `k` and up to number `last`. The reservoir holds 44 bits or more.
#[inline]
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
            bits.skip(entry.length());
            if next < last {
                store(next, entry.value());
                k = next;
                continue;
            }
            let (advance, value) = match entry.advance() {
                END => return End::At(k),
                LONG => match long(bits, table, entry) {
                    Long::Coefficient(advance, value) => (advance, value),
                    Long::Run(0) => return End::At(k),
                    Long::Run(log) => return End::Run(log, k),
                },
                advance => (advance, entry.value()),
            };
            k += advance;
            if k >= last {
                if k > last {
                    bits.fail();
                    k = last;
                }
                store(k, value);
                return End::At(k);
            }
            store(k, value);
            break;
        }
        bits.refill();
    }
}

/// What a symbol stands for that the lookup did not settle.
pub(crate) enum Long {
    /// An advance and a coefficient.
    Coefficient(usize, i16),
    /// The end of this block and of 2ⁿ − 1 or more others; n is 0 for the end of this block alone.
    Run(u32),
}

#[inline(never)]
pub(crate) fn long(bits: &mut Bits<'_>, table: &Table, entry: Entry) -> Long {
    let symbol = long_symbol(bits, table, entry);
    let (zeros, size) = (symbol >> 4, u32::from(symbol & 15));
    if size == 0 && zeros < 15 {
        return Long::Run(zeros.into());
    }
    let value = extend(bits.take(size), size);
    Long::Coefficient(usize::from(zeros) + 1, value as i16)
}

/// The symbol of an entry that does not hold a coefficient, its code taken.
fn long_symbol(bits: &mut Bits<'_>, table: &Table, entry: Entry) -> u8 {
    bits.refill();
    let (symbol, length) = table.symbol(bits, entry);
    if (symbol, length) == NO_SYMBOL {
        bits.fail();
    }
    bits.skip(length);
    symbol
}
