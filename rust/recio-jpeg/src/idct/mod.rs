//! Coefficients → samples: dequantisation and the inverse cosine transform (ITU-T T.81, A.3.3, A.3.4, A.3.1).
//!
//! The transform is libjpeg's accurate one in integers, whose rounding makes the pixels: the algorithm of Loeffler,
//! Ligtenberg and Moschytz (ICASSP 1989, figure 1) with 11 multiplications and constants of 13 fraction bits, columns first,
//! two fraction bits kept between the passes. Where coefficients cannot be an image's, so large that 16 bits do not hold
//! their sums, it wraps and saturates where libjpeg-turbo's vectors do.

#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "aarch64")]
mod neon;
mod reduced;
mod scalar;

use crate::block::{Block, LENGTH};
use crate::cpu::{Kind, Level};
use crate::frame::SIDE;
use crate::tables::Quantisation;

/// Samples that a row of blocks may write beyond its end.
pub(crate) const SLACK: usize = SIDE;

/// The divisors of a component's coefficients, as the transform wants them.
#[derive(Debug, Clone, Copy)]
#[repr(align(32))]
pub(crate) struct Divisors([i16; LENGTH]);

impl Default for Divisors {
    /// Of a component that nothing is known of: grey.
    fn default() -> Self {
        Self([0; LENGTH])
    }
}

impl Divisors {
    pub(crate) fn new(table: &Quantisation) -> Self {
        Self(table.map(|divisor| divisor as i16))
    }
}

/// Transforms blocks that lie side by side. `out` begins at the first sample; its rows are `stride` apart. A block becomes
/// `size × size` samples; of the last row, up to [`SLACK`] samples behind the blocks are overwritten, too.
pub(crate) fn row(
    level: Level,
    size: usize,
    (blocks, extents): (&[Block], &[u8]),
    divisors: &Divisors,
    out: &mut [u8],
    stride: usize,
) {
    match (size, level.kind()) {
        (SIDE, Kind::Plain) => scalar::row(blocks, extents, divisors, out, stride),
        #[cfg(target_arch = "x86_64")]
        // SAFETY: the level says that the CPU has AVX2, and the function needs no more.
        #[allow(unsafe_code)]
        (SIDE, Kind::Avx2) => unsafe { avx2::row(blocks, extents, divisors, out, stride) },
        #[cfg(target_arch = "aarch64")]
        // SAFETY: the level says that the CPU has NEON, and the function needs no more.
        #[allow(unsafe_code)]
        (SIDE, Kind::Neon) => unsafe { neon::row(blocks, extents, divisors, out, stride) },
        _ => reduced::row(size, blocks, divisors, out, stride),
    }
}

/// The sample that a block's only coefficient makes of all its samples.
fn flat(block: &Block, divisors: &Divisors) -> u8 {
    let scaled = block.0[0].wrapping_mul(divisors.0[0]).wrapping_shl(2);
    level_shift((i32::from(scaled) + 16) >> 5)
}

/// Whether only the first row of a block has coefficients. libjpeg-turbo leaves out the first pass then, and what that pass
/// would saturate (two fraction bits more than 16 bits hold) wraps: see [`wrapped`].
fn has_one_row(block: &Block) -> bool {
    is_zero(&block.0[SIDE..])
}

fn is_zero(coefficients: &[i16]) -> bool {
    coefficients.iter().all(|&coefficient| coefficient == 0)
}

/// The number that stays the same when two fraction bits are appended in 16 bits.
fn wrapped(number: i16) -> i16 {
    number << 2 >> 2
}

/// From signed to unsigned (A.3.1).
#[inline]
fn level_shift(sample: i32) -> u8 {
    (sample + 128).clamp(0, 255) as u8
}

#[cfg(test)]
mod tests;
