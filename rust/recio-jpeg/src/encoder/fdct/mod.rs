//! Forward DCT and quantization: samples → coefficients in zigzag order (ITU-T T.81, A.3.3,
//! A.3.4, A.3.6).
//!
//! The transform is libjpeg's accurate integer transform, whose rounding determines the
//! coefficients: the algorithm of Loeffler, Ligtenberg and Moschytz (ICASSP 1989, figure 1) with
//! constants of 13 fraction bits, rows first, with two fraction bits between the passes.

#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx512;
mod scalar;
#[cfg(test)]
mod tests;

use super::quantization::Divisors;
use crate::block::BLOCK_LEN;
#[cfg(target_arch = "x86_64")]
use crate::cpu::InstructionSet;
use crate::cpu::SimdLevel;
use crate::frame::BLOCK_SIZE;

/// Greatest number of blocks that are transformed at once. A plane has room for a multiple of it in
/// each row.
pub(super) const STEP: usize = 4;

/// Quantized coefficients of a block.
#[derive(Debug, Clone, PartialEq, Eq)]
#[repr(align(32))]
pub(super) struct QuantizedBlock {
    /// Coefficients in zigzag order.
    pub(super) coefficients: [i16; BLOCK_LEN],
    /// Set of the coefficients that are not zero: bit `k` for coefficient `k`.
    pub(super) nonzero: u64,
    /// Whether all AC coefficients are from `-COMMON + 1` to `COMMON - 2`.
    pub(super) is_common: bool,
}

impl QuantizedBlock {
    pub(super) const ZERO: Self = Self {
        coefficients: [0; BLOCK_LEN],
        nonzero: 0,
        is_common: true,
    };
}

/// Constants of the transform, with 13 fraction bits.
mod constants {
    pub(super) const C0_298: i32 = 2446;
    pub(super) const C0_390: i32 = 3196;
    pub(super) const C0_541: i32 = 4433;
    pub(super) const C0_765: i32 = 6270;
    pub(super) const C0_899: i32 = 7373;
    pub(super) const C1_175: i32 = 9633;
    pub(super) const C1_501: i32 = 12_299;
    pub(super) const C1_847: i32 = 15_137;
    pub(super) const C1_961: i32 = 16_069;
    pub(super) const C2_053: i32 = 16_819;
    pub(super) const C2_562: i32 = 20_995;
    pub(super) const C3_072: i32 = 25_172;
}

/// Transform a row of blocks. `samples` starts at the first of them; its rows are `stride` apart,
/// and have room for a multiple of [`STEP`] blocks, as has `blocks`.
pub(super) fn transform_blocks(
    level: SimdLevel,
    samples: &[u8],
    stride: usize,
    divisors: &Divisors,
    blocks: &mut [QuantizedBlock],
) {
    #[cfg(target_arch = "x86_64")]
    match level.instruction_set() {
        InstructionSet::Scalar => {}
        #[allow(unsafe_code)]
        InstructionSet::Avx2 => {
            // SAFETY: this `SimdLevel` exists only on CPUs with AVX2, which is all that the
            // function needs.
            return unsafe { avx2::transform_blocks(samples, stride, divisors, blocks) };
        }
        #[allow(unsafe_code)]
        InstructionSet::Avx512 => {
            // SAFETY: this `SimdLevel` exists only on CPUs with AVX-512 F and BW, which are all
            // that the function needs.
            return unsafe { avx512::transform_blocks(samples, stride, divisors, blocks) };
        }
    }
    for (i, block) in blocks.iter_mut().enumerate() {
        let samples = &samples[i * BLOCK_SIZE..];
        *block = scalar::transform(samples, stride, divisors);
    }
}
