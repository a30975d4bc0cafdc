//! Coefficients → samples: dequantization and the inverse cosine transform (ITU-T T.81, A.3.3, A.3.4, A.3.1).
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

use crate::block::{BLOCK_LEN, Block};
use crate::cpu::{InstructionSet, SimdLevel};
use crate::frame::BLOCK_SIZE;
use crate::tables::QuantizationTable;

/// Samples that a row of blocks may write beyond its end.
pub(crate) const SLACK: usize = BLOCK_SIZE;

/// The dequant of a component's coefficients, as the transform wants them.
#[derive(Debug, Clone, Copy)]
#[repr(align(32))]
pub(crate) struct DequantTable([i16; BLOCK_LEN]);

impl Default for DequantTable {
    /// Of a component that nothing is known of: gray.
    fn default() -> Self {
        Self([0; BLOCK_LEN])
    }
}

impl DequantTable {
    pub(crate) fn new(table: &QuantizationTable) -> Self {
        Self(table.map(|step| step as i16))
    }
}

/// Transforms blocks that lie side by side. `out` begins at the first sample; its rows are `stride` apart. A block becomes
/// `size × size` samples; of the last row, up to [`SLACK`] samples behind the blocks are overwritten, too.
pub(crate) fn transform_blocks(
    level: SimdLevel,
    size: usize,
    (blocks, last_indices): (&[Block], &[u8]),
    dequant: &DequantTable,
    out: &mut [u8],
    stride: usize,
) {
    match (size, level.instruction_set()) {
        (BLOCK_SIZE, InstructionSet::Scalar) => {
            scalar::transform_blocks(blocks, last_indices, dequant, out, stride);
        }
        #[cfg(target_arch = "x86_64")]
        // SAFETY: the level says that the CPU has AVX2, and the function needs no more.
        #[allow(unsafe_code)]
        (BLOCK_SIZE, InstructionSet::Avx2) => unsafe {
            avx2::transform_blocks(blocks, last_indices, dequant, out, stride);
        },
        #[cfg(target_arch = "aarch64")]
        // SAFETY: the level says that the CPU has NEON, and the function needs no more.
        #[allow(unsafe_code)]
        (BLOCK_SIZE, InstructionSet::Neon) => unsafe {
            neon::transform_blocks(blocks, last_indices, dequant, out, stride);
        },
        _ => reduced::transform_blocks(size, blocks, dequant, out, stride),
    }
}

/// The sample that a block's only coefficient makes of all its samples.
fn dc_only_sample(block: &Block, dequant: &DequantTable) -> u8 {
    let scaled = block.0[0].wrapping_mul(dequant.0[0]).wrapping_shl(2);
    level_shift((i32::from(scaled) + 16) >> 5)
}

/// Whether only the first row of a block has coefficients. libjpeg-turbo leaves out the first pass then, and what that pass
/// would saturate (two fraction bits more than 16 bits hold) wraps: see [`wrap_to_14_bits`].
fn has_only_first_row(block: &Block) -> bool {
    is_zero(&block.0[BLOCK_SIZE..])
}

fn is_zero(coefficients: &[i16]) -> bool {
    coefficients.iter().all(|&coefficient| coefficient == 0)
}

/// The number that stays the same when two fraction bits are appended in 16 bits.
fn wrap_to_14_bits(number: i16) -> i16 {
    number << 2 >> 2
}

/// From signed to unsigned (A.3.1).
#[inline]
fn level_shift(sample: i32) -> u8 {
    (sample + 128).clamp(0, 255) as u8
}

#[cfg(test)]
mod tests;
