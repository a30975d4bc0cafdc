//! Inverse DCT: dequantization and transform of coefficients to samples (ITU-T T.81, A.3.3, A.3.4,
//! A.3.1).
//!
//! The transform is libjpeg's accurate integer transform, whose rounding determines the pixels: the
//! algorithm of Loeffler, Ligtenberg and Moschytz (ICASSP 1989, figure 1) with 11 multiplications
//! and constants with 13 fraction bits, columns first, with two fraction bits between the passes.
//! For coefficients that no image has, whose sums do not fit 16 bits, it wraps and saturates where
//! the SIMD code of libjpeg-turbo does.

#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx512;
#[cfg(target_arch = "aarch64")]
mod neon;
mod reduced;
mod scalar;

use crate::block::{BLOCK_LEN, Block};
use crate::cpu::{InstructionSet, SimdLevel};
use crate::frame::BLOCK_SIZE;
use crate::tables::QuantizationTable;

/// Samples that may be overwritten after the end of a row of blocks.
pub(crate) const SLACK: usize = BLOCK_SIZE;

/// Dequantization table of a component, in row order.
#[derive(Debug, Clone, Copy)]
#[repr(align(32))]
pub(crate) struct DequantTable([i16; BLOCK_LEN]);

impl Default for DequantTable {
    /// Table of a component without any data, which becomes gray.
    fn default() -> Self {
        Self([0; BLOCK_LEN])
    }
}

impl DequantTable {
    pub(crate) fn new(table: &QuantizationTable) -> Self {
        Self(table.map(|step| step as i16))
    }
}

/// Transform adjacent blocks. `out` starts at the first sample; its rows are `stride` apart. A
/// block becomes `size × size` samples. In the last row, up to [`SLACK`] samples after the blocks
/// are overwritten.
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
        // SAFETY: this `SimdLevel` exists only on CPUs with AVX2, which is all that the function
        // needs.
        #[allow(unsafe_code)]
        (BLOCK_SIZE, InstructionSet::Avx2) => unsafe {
            avx2::transform_blocks(blocks, last_indices, dequant, out, stride);
        },
        #[cfg(target_arch = "x86_64")]
        // SAFETY: this `SimdLevel` exists only on CPUs with AVX2 and AVX-512 F and BW, which is all
        // that the function needs.
        #[allow(unsafe_code)]
        (BLOCK_SIZE, InstructionSet::Avx512) => unsafe {
            avx512::transform_blocks(blocks, last_indices, dequant, out, stride);
        },
        #[cfg(target_arch = "aarch64")]
        // SAFETY: this `SimdLevel` exists only on CPUs with NEON, which is all that the function
        // needs.
        #[allow(unsafe_code)]
        (BLOCK_SIZE, InstructionSet::Neon) => unsafe {
            neon::transform_blocks(blocks, last_indices, dequant, out, stride);
        },
        _ => reduced::transform_blocks(size, blocks, dequant, out, stride),
    }
}

/// Return the sample of a block that has only a DC coefficient.
fn dc_only_sample(block: &Block, dequant: &DequantTable) -> u8 {
    let scaled = block.0[0].wrapping_mul(dequant.0[0]).wrapping_shl(2);
    level_shift((i32::from(scaled) + 16) >> 5)
}

/// Whether only the first row of a block has coefficients. libjpeg-turbo omits the first pass of
/// such a block, so that values that the pass would saturate wrap instead: see [`wrap_to_14_bits`].
fn has_only_first_row(block: &Block) -> bool {
    is_zero(&block.0[BLOCK_SIZE..])
}

fn is_zero(coefficients: &[i16]) -> bool {
    coefficients.iter().all(|&coefficient| coefficient == 0)
}

/// Wrap a number to 14 bits, because two fraction bits are appended in 16 bits.
fn wrap_to_14_bits(number: i16) -> i16 {
    number << 2 >> 2
}

/// Level shift: convert a signed to an unsigned sample (A.3.1).
#[inline]
fn level_shift(sample: i32) -> u8 {
    (sample + 128).clamp(0, 255) as u8
}

#[cfg(test)]
mod tests;
