//! Conversion from YCbCr to RGB with AVX2, 32 pixels at a time.
//!
//! 1.402 does not fit a 16-bit fraction, so the integer part is added separately: 1.402 = 1 +
//! 0.402, 1.772 = 2 − 0.228, −0.714 = 0.286 − 1. The factors are doubled so that the high halves of
//! the products keep one extra bit for rounding.
#![allow(unsafe_code)]

use std::arch::x86_64::{
    __m256i, _mm256_add_epi16, _mm256_add_epi32, _mm256_loadu_si256, _mm256_madd_epi16,
    _mm256_mulhi_epi16, _mm256_or_si256, _mm256_packs_epi32, _mm256_packus_epi16,
    _mm256_permute2x128_si256, _mm256_set1_epi16, _mm256_set1_epi32, _mm256_setzero_si256,
    _mm256_shuffle_epi8, _mm256_srai_epi16, _mm256_srai_epi32, _mm256_storeu_si256,
    _mm256_sub_epi16, _mm256_unpackhi_epi8, _mm256_unpackhi_epi16, _mm256_unpacklo_epi8,
    _mm256_unpacklo_epi16,
};

/// Pixels per step.
const STEP: usize = 32;

/// Convert as many full steps as possible. Return the number of converted pixels.
#[target_feature(enable = "avx2")]
pub(super) fn ycc_to_rgb([y, cb, cr]: [&[u8]; 3], out: &mut [u8]) -> usize {
    let steps = y.as_chunks::<STEP>().0.iter();
    let steps = steps.zip(cb.as_chunks().0).zip(cr.as_chunks().0);
    let out = out.as_chunks_mut::<{ 3 * STEP }>().0;
    for (out, ((y, cb), cr)) in out.iter_mut().zip(steps) {
        write(convert(load(y), load(cb), load(cr)), out);
    }
    out.len() * STEP
}

/// Convert one step to red, green and blue.
#[target_feature(enable = "avx2")]
fn convert(y: __m256i, cb: __m256i, cr: __m256i) -> [__m256i; 3] {
    let zero = _mm256_setzero_si256();
    let low = |bytes| _mm256_unpacklo_epi8(bytes, zero);
    let high = |bytes| _mm256_unpackhi_epi8(bytes, zero);
    let [r, g, b] = convert_half(low(y), low(cb), low(cr));
    let [r2, g2, b2] = convert_half(high(y), high(cb), high(cr));
    [
        _mm256_packus_epi16(r, r2),
        _mm256_packus_epi16(g, g2),
        _mm256_packus_epi16(b, b2),
    ]
}

/// Convert half a step to red, green and blue in 16 bits, before clamping.
#[target_feature(enable = "avx2")]
fn convert_half(y: __m256i, cb: __m256i, cr: __m256i) -> [__m256i; 3] {
    let middle = _mm256_set1_epi16(128);
    let (cb, cr) = (_mm256_sub_epi16(cb, middle), _mm256_sub_epi16(cr, middle));
    let (cb2, cr2) = (_mm256_add_epi16(cb, cb), _mm256_add_epi16(cr, cr));
    let red = _mm256_add_epi16(_mm256_add_epi16(y, cr), scaled(cr2, 26345));
    let green = _mm256_add_epi16(_mm256_sub_epi16(y, cr), mixed(cb, cr));
    let blue = _mm256_add_epi16(_mm256_add_epi16(y, cb2), scaled(cb2, -14942));
    [red, green, blue]
}

/// Multiply `doubled / 2` by a factor with 16 fraction bits and round.
#[target_feature(enable = "avx2")]
fn scaled(doubled: __m256i, factor: i16) -> __m256i {
    let product = _mm256_mulhi_epi16(doubled, _mm256_set1_epi16(factor));
    _mm256_srai_epi16::<1>(_mm256_add_epi16(product, _mm256_set1_epi16(1)))
}

/// Return −0.344 Cb + 0.286 Cr, rounded.
#[target_feature(enable = "avx2")]
fn mixed(cb: __m256i, cr: __m256i) -> __m256i {
    let factors = _mm256_set1_epi32(i32::from(-22554_i16 as u16) | 18734 << 16);
    let half = _mm256_set1_epi32(1 << 15);
    let sum = |pairs| {
        let products = _mm256_madd_epi16(pairs, factors);
        _mm256_srai_epi32::<16>(_mm256_add_epi32(products, half))
    };
    _mm256_packs_epi32(
        sum(_mm256_unpacklo_epi16(cb, cr)),
        sum(_mm256_unpackhi_epi16(cb, cr)),
    )
}

/// Write interleaved pixels. In each lane, shuffles move the bytes of a channel to their positions
/// in each third of the 48 bytes.
#[target_feature(enable = "avx2")]
fn write([red, green, blue]: [__m256i; 3], out: &mut [u8; 3 * STEP]) {
    let third = |i: usize| {
        let shuffled =
            |channel, index: usize| _mm256_shuffle_epi8(channel, load(&SHUFFLES[index][i]));
        let combined = _mm256_or_si256(shuffled(red, 0), shuffled(green, 1));
        _mm256_or_si256(combined, shuffled(blue, 2))
    };
    let (a, b, c) = (third(0), third(1), third(2));
    let (chunks, _) = out.as_chunks_mut::<STEP>();
    store(&mut chunks[0], _mm256_permute2x128_si256::<0x20>(a, b));
    store(&mut chunks[1], _mm256_permute2x128_si256::<0x30>(c, a));
    store(&mut chunks[2], _mm256_permute2x128_si256::<0x31>(b, c));
}

/// Shuffle masks per channel and third of 16 pixels: the source pixel of each byte, in both
/// lanes, or 0x80 for a zero byte.
const SHUFFLES: [[[u8; STEP]; 3]; 3] = shuffles();

const fn shuffles() -> [[[u8; STEP]; 3]; 3] {
    let mut shuffles = [[[0x80; STEP]; 3]; 3];
    let mut byte = 0;
    while byte < 48 {
        let (channel, pixel) = (byte % 3, byte / 3);
        shuffles[channel][byte / 16][byte % 16] = pixel as u8;
        shuffles[channel][byte / 16][byte % 16 + 16] = pixel as u8;
        byte += 1;
    }
    shuffles
}

#[target_feature(enable = "avx2")]
fn load(bytes: &[u8; STEP]) -> __m256i {
    // SAFETY: the array has 32 bytes, and the load needs no alignment.
    unsafe { _mm256_loadu_si256(bytes.as_ptr().cast()) }
}

#[target_feature(enable = "avx2")]
fn store(out: &mut [u8; STEP], bytes: __m256i) {
    // SAFETY: the array has 32 bytes, and the store needs no alignment.
    unsafe { _mm256_storeu_si256(out.as_mut_ptr().cast(), bytes) };
}
