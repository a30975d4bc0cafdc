//! AVX2 code, selected at runtime: scalar loops compiled for AVX2, and one kernel with intrinsics.
//!
//! The kernel computes 16 samples of a row at once. A shuffle precomputed for the position
//! (`shuffle.rs`) puts each left sample next to its right one, and `pmaddwd` multiplies and adds
//! the pair. More taps are more pairs. If the sources of neighboring samples are too far apart
//! (three channels shrunk more than threefold), `spread.rs` is used.
//!
//! Variants measured, with 300×300×3 → 224×224 on one core of an AMD EPYC, in milliseconds:
//!
//! |                                  | linear | cubic | Lanczos |
//! |----------------------------------|--------|-------|---------|
//! | scalar loops, x86-64 baseline    |  0.281 | 0.296 |   0.624 |
//! | the same loops, AVX2             |  0.149 | 0.226 |   0.496 |
//! | with the kernel                  |  0.034 | 0.075 |   0.176 |
//! | OpenCV 4.8.1 (cubic: Intel IPP)  |  0.070 | 0.070 |   0.990 |
//!
//! Registers are read and written as integers, which the compiler turns into single loads and
//! stores: no pointers are needed, and the only unsafe operation is the call from code that runs on
//! any CPU.
#![allow(unsafe_code)]

use super::axis::Taps;
use super::shuffle::{Registers, STEP, Shuffle, pack};

/// Run `work`, in a version compiled for AVX2 if the CPU supports it. Functions that `work` calls
/// benefit only if inlined.
#[inline]
pub(crate) fn vectorize(work: impl FnOnce()) {
    #[cfg(target_arch = "x86_64")]
    {
        #[target_feature(enable = "avx2")]
        fn with_avx2(work: impl FnOnce()) {
            work();
        }
        if available() {
            // SAFETY: the CPU supports AVX2, the only requirement.
            return unsafe { with_avx2(work) };
        }
    }
    work();
}

/// Define a function that runs another one in a version compiled for AVX2 if the CPU supports it.
///
/// The other one is marked `#[inline(always)]`. (The compiler does not inline a large closure into
/// both versions of [`vectorize`], and compiles it without AVX2: cubic interpolation then takes
/// twice as long.) Parameters of generics are in brackets, with and without their kinds.
macro_rules! vectorized {
    (
        fn $name:ident[$($kind:tt)*][$($generic:tt)*]($($arg:ident: $type:ty),* $(,)?) = $body:ident
    ) => {
        #[allow(unsafe_code)]
        fn $name<$($kind)*>($($arg: $type),*) {
            #[cfg(target_arch = "x86_64")]
            {
                #[target_feature(enable = "avx2")]
                fn with_avx2<$($kind)*>($($arg: $type),*) {
                    $body::<$($generic)*>($($arg),*);
                }
                if $crate::ops::resize::simd::available() {
                    // SAFETY: the CPU supports AVX2, the only requirement.
                    return unsafe { with_avx2::<$($generic)*>($($arg),*) };
                }
            }
            $body::<$($generic)*>($($arg),*);
        }
    };
}
pub(super) use vectorized;

#[cfg(target_arch = "x86_64")]
pub(super) fn available() -> bool {
    std::arch::is_x86_feature_detected!("avx2")
}

#[cfg(not(target_arch = "x86_64"))]
pub(super) fn available() -> bool {
    false
}

/// Horizontal pass with `N` taps as loads, shuffles and multiplications of pairs of taps.
#[derive(Debug, Default)]
pub(super) struct Gather<const N: usize> {
    /// The `N / 2` pairs of taps of each [`STEP`] samples in turn. Empty if the kernel does not
    /// apply.
    steps: Vec<Step>,
}

/// Shuffle and weights of one pair of taps for [`STEP`] samples.
#[derive(Debug)]
struct Step {
    shuffle: Shuffle,
    weights: Registers,
}

impl<const N: usize> Gather<N> {
    /// Prepare the kernel for rows of `length` samples; the taps are in samples. Return `false` if
    /// it does not apply.
    pub(super) fn prepare<const C: usize>(&mut self, columns: &[Taps<N>], length: usize) -> bool {
        let tap = |sample: usize, k: usize| {
            let Taps { at, weight } = columns[sample / C];
            (at[k] + sample % C, weight[k])
        };
        self.steps.clear();
        let complete = each_pair(columns.len() * C, N, tap, |at, weights| {
            self.steps.push(Step {
                shuffle: Shuffle::new(at, length)?,
                weights: pack(weights),
            });
            Some(())
        });
        if complete.is_none() {
            self.steps.clear();
        }
        complete.is_some()
    }

    /// Compute a row of sums with 7 fraction bits; return `false` if the kernel does not apply.
    pub(super) fn to_i16(&self, source: &[u8], out: &mut [i16]) -> bool {
        #[cfg(target_arch = "x86_64")]
        if !self.steps.is_empty() {
            // SAFETY: there are steps only if the CPU supports AVX2, the only requirement.
            unsafe { kernel::to_i16::<N>(&self.steps, source, out) };
            return true;
        }
        false
    }

    /// Compute a row of sums with 11 fraction bits; return `false` if the kernel does not apply.
    pub(super) fn to_i32(&self, source: &[u8], out: &mut [i32]) -> bool {
        #[cfg(target_arch = "x86_64")]
        if !self.steps.is_empty() {
            // SAFETY: there are steps only if the CPU supports AVX2, the only requirement.
            unsafe { kernel::to_i32::<N>(&self.steps, source, out) };
            return true;
        }
        false
    }
}

/// Fraction bits of the weights of [`FineGather`].
pub(super) const FINE_BITS: u32 = 22;

/// Low bits of such a weight for one multiplication; another takes the remaining bits.
const LOW_BITS: u32 = 11;

/// As [`Gather`], for any number of taps, whose weights have [`FINE_BITS`] fraction bits and are
/// not negative.
#[derive(Debug, Default)]
pub(super) struct FineGather {
    /// Number of pairs of taps.
    pairs: usize,
    /// All pairs of each [`STEP`] samples in turn. Empty without AVX2.
    steps: Vec<FineStep>,
}

/// Shuffle and weights of one pair of taps for [`STEP`] samples: a multiplication takes 16 bits, so
/// each weight is split.
#[derive(Debug)]
struct FineStep {
    shuffle: Shuffle,
    /// The weights without their [`LOW_BITS`] lowest bits.
    coarse: Registers,
    /// Their lowest bits.
    fine: Registers,
}

impl FineGather {
    /// Prepare the kernel for `samples` output samples of `taps` taps each, from rows of `length`
    /// samples. `tap` returns the position, in samples, and the weight of a tap of a sample. Return
    /// `false` if the kernel does not apply.
    pub(super) fn prepare(
        &mut self,
        (samples, taps): (usize, usize),
        length: usize,
        tap: impl Fn(usize, usize) -> (usize, i32),
    ) -> bool {
        self.pairs = taps.div_ceil(2);
        self.steps.clear();
        let pack_bits = |weights: &[[i32; 2]; STEP], bits: fn(i32) -> i32| {
            pack(&weights.map(|pair| pair.map(|weight| bits(weight) as i16)))
        };
        let complete = each_pair(samples, taps, tap, |at, weights| {
            self.steps.push(FineStep {
                shuffle: Shuffle::new(at, length)?,
                coarse: pack_bits(weights, |weight| weight >> LOW_BITS),
                fine: pack_bits(weights, |weight| weight & ((1 << LOW_BITS) - 1)),
            });
            Some(())
        });
        complete.is_some()
    }

    /// Compute a row of 8-bit values; the kernel must be prepared.
    pub(super) fn to_u8(&self, source: &[u8], out: &mut [u8]) {
        debug_assert!(!self.steps.is_empty());
        #[cfg(target_arch = "x86_64")]
        if !self.steps.is_empty() {
            // SAFETY: there are steps only if the CPU supports AVX2, the only requirement.
            unsafe { kernel::to_u8(&self.steps, self.pairs, source, out) };
        }
    }
}

/// Call `visit` with the positions and weights of each pair of `taps` taps, for [`STEP`] samples at
/// a time; the last ones are padded with the last sample's. Return `None` as soon as `visit` does,
/// and if there is no kernel.
fn each_pair<W: Copy + Default>(
    samples: usize,
    taps: usize,
    tap: impl Fn(usize, usize) -> (usize, W),
    mut visit: impl FnMut(&[[usize; 2]; STEP], &[[W; 2]; STEP]) -> Option<()>,
) -> Option<()> {
    if !available() {
        return None;
    }
    for first in (0..samples).step_by(STEP) {
        for left in (0..taps).step_by(2) {
            let (mut at, mut weights) = ([[0; 2]; STEP], [[W::default(); 2]; STEP]);
            for k in 0..STEP {
                let sample = (first + k).min(samples - 1);
                for side in 0..2 {
                    (at[k][side], weights[k][side]) = tap(sample, left + side);
                }
            }
            visit(&at, &weights)?;
        }
    }
    Some(())
}

#[cfg(target_arch = "x86_64")]
mod kernel {
    use std::arch::x86_64::{
        __m256i, _mm256_add_epi32, _mm256_extract_epi64, _mm256_madd_epi16, _mm256_packs_epi32,
        _mm256_permute2x128_si256, _mm256_set_epi64x, _mm256_set1_epi32, _mm256_setzero_si256,
        _mm256_shuffle_epi8, _mm256_slli_epi32, _mm256_srai_epi32,
    };

    use super::super::shuffle::{LOAD, STEP, Shuffle};
    use super::{FINE_BITS, FineStep, LOW_BITS, Step};

    #[target_feature(enable = "avx2")]
    pub(super) fn to_i16<const N: usize>(steps: &[Step], source: &[u8], out: &mut [i16]) {
        let steps = steps.chunks_exact(N / 2);
        for (pairs, out) in steps.zip(out.as_chunks_mut::<STEP>().0) {
            let [a, b] = sums(pairs, source).map(|sums| _mm256_srai_epi32::<4>(sums));
            let words = words(_mm256_packs_epi32(a, b));
            *out = std::array::from_fn(|k| (words[k / 4] >> (k % 4 * 16)) as i16);
        }
    }

    #[target_feature(enable = "avx2")]
    pub(super) fn to_i32<const N: usize>(steps: &[Step], source: &[u8], out: &mut [i32]) {
        let steps = steps.chunks_exact(N / 2);
        for (pairs, out) in steps.zip(out.as_chunks_mut::<STEP>().0) {
            let [a, b] = sums(pairs, source);
            let low = words(_mm256_permute2x128_si256::<0x20>(a, b));
            let high = words(_mm256_permute2x128_si256::<0x31>(a, b));
            let word = |k: usize| if k < 4 { low[k] } else { high[k - 4] };
            *out = std::array::from_fn(|k| (word(k / 2) >> (k % 2 * 32)) as i32);
        }
    }

    /// Sum all pairs of taps: blocks 0 and 2, blocks 1 and 3.
    #[target_feature(enable = "avx2")]
    fn sums(pairs: &[Step], source: &[u8]) -> [__m256i; 2] {
        let mut sums = [_mm256_setzero_si256(); 2];
        for step in pairs {
            for (half, sum) in sums.iter_mut().enumerate() {
                let samples = shuffled(&step.shuffle, half, source);
                let products = _mm256_madd_epi16(samples, register(step.weights[half]));
                *sum = _mm256_add_epi32(*sum, products);
            }
        }
        sums
    }

    #[target_feature(enable = "avx2")]
    pub(super) fn to_u8(steps: &[FineStep], pairs: usize, source: &[u8], out: &mut [u8]) {
        let steps = steps.chunks_exact(pairs);
        for (pairs, out) in steps.zip(out.as_chunks_mut::<STEP>().0) {
            let [a, b] = fine_sums(pairs, source)
                .map(|sums| _mm256_srai_epi32::<{ FINE_BITS as i32 }>(sums));
            let words = words(_mm256_packs_epi32(a, b));
            *out = std::array::from_fn(|k| (words[k / 4] >> (k % 4 * 16)) as u8);
        }
    }

    /// As [`sums`], with the fraction bits of the weights, plus one half.
    #[target_feature(enable = "avx2")]
    fn fine_sums(pairs: &[FineStep], source: &[u8]) -> [__m256i; 2] {
        let mut coarse = [_mm256_setzero_si256(); 2];
        let mut fine = [_mm256_set1_epi32(1 << (FINE_BITS - 1)); 2];
        for step in pairs {
            for half in 0..2 {
                let samples = shuffled(&step.shuffle, half, source);
                let products = _mm256_madd_epi16(samples, register(step.coarse[half]));
                coarse[half] = _mm256_add_epi32(coarse[half], products);
                let products = _mm256_madd_epi16(samples, register(step.fine[half]));
                fine[half] = _mm256_add_epi32(fine[half], products);
            }
        }
        let coarse = coarse.map(|sums| _mm256_slli_epi32::<{ LOW_BITS as i32 }>(sums));
        std::array::from_fn(|half| _mm256_add_epi32(coarse[half], fine[half]))
    }

    /// Load the pairs of samples of blocks 0 and 2, or of blocks 1 and 3.
    #[target_feature(enable = "avx2")]
    fn shuffled(shuffle: &Shuffle, half: usize, source: &[u8]) -> __m256i {
        let load = |offset: usize| {
            let words = source[offset..offset + LOAD].as_chunks().0;
            [i64::from_le_bytes(words[0]), i64::from_le_bytes(words[1])]
        };
        let offsets = shuffle.offsets;
        let ([a, b], [c, d]) = (load(offsets[half]), load(offsets[half + 2]));
        _mm256_shuffle_epi8(register([a, b, c, d]), register(shuffle.indices[half]))
    }

    /// Put four words into a register. Compiled to one load.
    #[target_feature(enable = "avx2")]
    fn register([a, b, c, d]: [i64; 4]) -> __m256i {
        _mm256_set_epi64x(d, c, b, a)
    }

    /// Return a register's words. Compiled to one store.
    #[target_feature(enable = "avx2")]
    fn words(register: __m256i) -> [i64; 4] {
        [
            _mm256_extract_epi64::<0>(register),
            _mm256_extract_epi64::<1>(register),
            _mm256_extract_epi64::<2>(register),
            _mm256_extract_epi64::<3>(register),
        ]
    }
}
