//! Color conversion with AVX2, 32 pixels at a time, and downsampling, 16 samples at a time.
//!
//! A product of two channels and their factors is added in 32 bits (`vpmaddwd`), so the channels of
//! a pixel are moved to the pairs (first, second) and (third, second). The factor 0.587 of green
//! does not fit 16 bits: half of it is in either pair. The factor 0.5 of chroma is 2¹⁵, which fits
//! only if all factors of chroma are negated.
#![allow(unsafe_code)]

use std::arch::x86_64::{
    __m128i, __m256i, _mm_loadu_si128, _mm_storeu_si128, _mm256_add_epi16, _mm256_add_epi32,
    _mm256_castsi256_si128, _mm256_loadu_si256, _mm256_madd_epi16, _mm256_maddubs_epi16,
    _mm256_packs_epi32, _mm256_packus_epi16, _mm256_permute4x64_epi64, _mm256_set_m128i,
    _mm256_set1_epi8, _mm256_set1_epi32, _mm256_setr_epi8, _mm256_setzero_si256,
    _mm256_shuffle_epi8, _mm256_srli_epi16, _mm256_srli_epi32, _mm256_storeu_si256,
    _mm256_sub_epi32,
};

use super::{CHROMA_OFFSET, Factors, STEP, Y_OFFSET};

/// Bytes of the pixels of a step.
const PIXELS: usize = 3 * STEP;

/// Bytes that are loaded for a step: the last load of four pixels has 16 bytes.
const LOADED: usize = PIXELS + 4;

/// Convert a row.
#[target_feature(enable = "avx2")]
pub(super) fn convert_row(factors: &Factors, pixels: &[u8], [y, cb, cr]: [&mut [u8]; 3]) {
    let factors = PairFactors::new(factors);
    let cb = cb.as_chunks_mut::<STEP>().0.iter_mut();
    let cr = cr.as_chunks_mut::<STEP>().0.iter_mut();
    let out = y.as_chunks_mut::<STEP>().0.iter_mut().zip(cb).zip(cr);
    for (i, ((y, cb), cr)) in out.enumerate().take(pixels.len().div_ceil(PIXELS)) {
        let rest = &pixels[i * PIXELS..];
        let mut last = [0; LOADED];
        let step = rest.first_chunk().unwrap_or_else(|| {
            last[..rest.len()].copy_from_slice(rest);
            &last
        });
        convert(&factors, step, [y, cb, cr]);
    }
}

/// Factors of the pairs of channels (first, second) and (third, second).
struct PairFactors {
    y: [__m256i; 2],
    minus_cb: [__m256i; 2],
    minus_cr: [__m256i; 2],
}

impl PairFactors {
    #[target_feature(enable = "avx2")]
    fn new(factors: &Factors) -> Self {
        let [a, b, c] = factors.y;
        let chroma = |[a, b, c]: [i32; 3]| [pair(-a, -b), pair(-c, 0)];
        Self {
            y: [pair(a, b / 2), pair(c, b / 2)],
            minus_cb: chroma(factors.cb),
            minus_cr: chroma(factors.cr),
        }
    }
}

/// Repeat two 16-bit factors.
#[target_feature(enable = "avx2")]
fn pair(low: i32, high: i32) -> __m256i {
    _mm256_set1_epi32(low & 0xffff | high << 16)
}

/// Convert the pixels of a step. A lane has 16 of them.
#[target_feature(enable = "avx2")]
fn convert(factors: &PairFactors, pixels: &[u8; LOADED], [y, cb, cr]: [&mut [u8; STEP]; 3]) {
    let mut luma = [_mm256_setzero_si256(); 4];
    let (mut blue, mut red) = (luma, luma);
    for i in 0..4 {
        let (low, high) = (load(pixels, 12 * i), load(pixels, 12 * i + PIXELS / 2));
        let pairs = channel_pairs(_mm256_set_m128i(high, low));
        luma[i] = luma_of(pairs, factors.y);
        blue[i] = chroma_of(pairs, factors.minus_cb);
        red[i] = chroma_of(pairs, factors.minus_cr);
    }
    store(y, pack(luma));
    store(cb, pack(blue));
    store(cr, pack(red));
}

/// Return the pairs of channels of the first four pixels of each lane.
#[target_feature(enable = "avx2")]
fn channel_pairs(pixels: __m256i) -> [__m256i; 2] {
    let first_second = _mm256_setr_epi8(
        0, -1, 1, -1, 3, -1, 4, -1, 6, -1, 7, -1, 9, -1, 10, -1, //
        0, -1, 1, -1, 3, -1, 4, -1, 6, -1, 7, -1, 9, -1, 10, -1,
    );
    let third_second = _mm256_setr_epi8(
        2, -1, 1, -1, 5, -1, 4, -1, 8, -1, 7, -1, 11, -1, 10, -1, //
        2, -1, 1, -1, 5, -1, 4, -1, 8, -1, 7, -1, 11, -1, 10, -1,
    );
    [
        _mm256_shuffle_epi8(pixels, first_second),
        _mm256_shuffle_epi8(pixels, third_second),
    ]
}

#[target_feature(enable = "avx2")]
fn luma_of(pairs: [__m256i; 2], factors: [__m256i; 2]) -> __m256i {
    _mm256_srli_epi32::<16>(_mm256_add_epi32(
        weighted(pairs, factors),
        _mm256_set1_epi32(Y_OFFSET),
    ))
}

#[target_feature(enable = "avx2")]
fn chroma_of(pairs: [__m256i; 2], negated_factors: [__m256i; 2]) -> __m256i {
    _mm256_srli_epi32::<16>(_mm256_sub_epi32(
        _mm256_set1_epi32(CHROMA_OFFSET),
        weighted(pairs, negated_factors),
    ))
}

#[target_feature(enable = "avx2")]
fn weighted([a, b]: [__m256i; 2], factors: [__m256i; 2]) -> __m256i {
    _mm256_add_epi32(
        _mm256_madd_epi16(a, factors[0]),
        _mm256_madd_epi16(b, factors[1]),
    )
}

/// Narrow the 32-bit samples of a step to bytes. Each lane keeps its samples.
#[target_feature(enable = "avx2")]
fn pack([a, b, c, d]: [__m256i; 4]) -> __m256i {
    _mm256_packus_epi16(_mm256_packs_epi32(a, b), _mm256_packs_epi32(c, d))
}

#[target_feature(enable = "avx2")]
pub(super) fn average_pairs(row: &[u8], out: &mut [u8]) {
    let bias = _mm256_set1_epi32(0x0001_0000);
    let row = row.as_chunks::<STEP>().0;
    for (out, row) in out.as_chunks_mut().0.iter_mut().zip(row) {
        let sums = _mm256_add_epi16(pair_sums(row), bias);
        store_words(out, _mm256_srli_epi16::<1>(sums));
    }
}

#[target_feature(enable = "avx2")]
pub(super) fn average_squares([upper, lower]: [&[u8]; 2], out: &mut [u8]) {
    let bias = _mm256_set1_epi32(0x0002_0001);
    let rows = upper.as_chunks::<STEP>().0.iter().zip(lower.as_chunks().0);
    for (out, (upper, lower)) in out.as_chunks_mut().0.iter_mut().zip(rows) {
        let sums = _mm256_add_epi16(pair_sums(upper), pair_sums(lower));
        store_words(out, _mm256_srli_epi16::<2>(_mm256_add_epi16(sums, bias)));
    }
}

#[target_feature(enable = "avx2")]
fn pair_sums(samples: &[u8; STEP]) -> __m256i {
    // SAFETY: the array has 32 bytes, and the load needs no alignment.
    let samples = unsafe { _mm256_loadu_si256(samples.as_ptr().cast()) };
    _mm256_maddubs_epi16(samples, _mm256_set1_epi8(1))
}

/// Store 16-bit samples as bytes.
#[target_feature(enable = "avx2")]
fn store_words(out: &mut [u8; STEP / 2], samples: __m256i) {
    let packed = _mm256_permute4x64_epi64::<0b1000>(_mm256_packus_epi16(samples, samples));
    // SAFETY: the array has 16 bytes, and the store needs no alignment.
    unsafe { _mm_storeu_si128(out.as_mut_ptr().cast(), _mm256_castsi256_si128(packed)) };
}

#[target_feature(enable = "avx2")]
fn load(pixels: &[u8; LOADED], start: usize) -> __m128i {
    let bytes = &pixels[start..][..16];
    // SAFETY: the slice has 16 bytes, and the load needs no alignment.
    unsafe { _mm_loadu_si128(bytes.as_ptr().cast()) }
}

#[target_feature(enable = "avx2")]
fn store(out: &mut [u8; STEP], samples: __m256i) {
    // SAFETY: the array has 32 bytes, and the store needs no alignment.
    unsafe { _mm256_storeu_si256(out.as_mut_ptr().cast(), samples) };
}
