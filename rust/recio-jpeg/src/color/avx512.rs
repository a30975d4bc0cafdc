//! Conversion from YCbCr to RGB with AVX-512, 64 pixels at a time.
//!
//! The arithmetic is that of `avx2.rs`. Channels are interleaved by permutations of bytes (VBMI).
//! `idct/avx512.rs` has the measured gain of both.
#![allow(unsafe_code)]

use std::arch::x86_64::{
    __m512i, _mm512_add_epi16, _mm512_add_epi32, _mm512_loadu_si512, _mm512_madd_epi16,
    _mm512_mask_permutexvar_epi8, _mm512_mulhi_epi16, _mm512_packs_epi32, _mm512_packus_epi16,
    _mm512_permutex2var_epi8, _mm512_set1_epi16, _mm512_set1_epi32, _mm512_setzero_si512,
    _mm512_srai_epi16, _mm512_srai_epi32, _mm512_storeu_si512, _mm512_sub_epi16,
    _mm512_unpackhi_epi8, _mm512_unpackhi_epi16, _mm512_unpacklo_epi8, _mm512_unpacklo_epi16,
};

use super::avx2;

/// Pixels per step.
const STEP: usize = 64;

/// Convert a row of at least [`STEP`] pixels, or as many pixels of a shorter one as possible.
/// Return the number of converted pixels.
#[target_feature(enable = "avx2,avx512f,avx512bw,avx512vbmi")]
pub(super) fn ycc_to_rgb([y, cb, cr]: [&[u8]; 3], out: &mut [u8]) -> usize {
    let width = y.len();
    let Some(last_start) = width.checked_sub(STEP) else {
        return avx2::ycc_to_rgb([y, cb, cr], out);
    };
    for start in (0..width).step_by(STEP) {
        // The last step may contain pixels of the step before.
        let start = start.min(last_start);
        let [y, cb, cr] = [y, cb, cr].map(|row| load(&row[start..][..STEP]));
        write(convert(y, cb, cr), &mut out[3 * start..][..3 * STEP]);
    }
    width
}

/// Convert one step to red, green and blue.
#[target_feature(enable = "avx512f,avx512bw")]
fn convert(y: __m512i, cb: __m512i, cr: __m512i) -> [__m512i; 3] {
    let zero = _mm512_setzero_si512();
    let low = |bytes| _mm512_unpacklo_epi8(bytes, zero);
    let high = |bytes| _mm512_unpackhi_epi8(bytes, zero);
    let [r, g, b] = convert_half(low(y), low(cb), low(cr));
    let [r2, g2, b2] = convert_half(high(y), high(cb), high(cr));
    [
        _mm512_packus_epi16(r, r2),
        _mm512_packus_epi16(g, g2),
        _mm512_packus_epi16(b, b2),
    ]
}

/// Convert half a step to red, green and blue in 16 bits, before clamping.
#[target_feature(enable = "avx512f,avx512bw")]
fn convert_half(y: __m512i, cb: __m512i, cr: __m512i) -> [__m512i; 3] {
    let middle = _mm512_set1_epi16(128);
    let (cb, cr) = (_mm512_sub_epi16(cb, middle), _mm512_sub_epi16(cr, middle));
    let (cb2, cr2) = (_mm512_add_epi16(cb, cb), _mm512_add_epi16(cr, cr));
    let red = _mm512_add_epi16(_mm512_add_epi16(y, cr), scaled(cr2, 26345));
    let green = _mm512_add_epi16(_mm512_sub_epi16(y, cr), mixed(cb, cr));
    let blue = _mm512_add_epi16(_mm512_add_epi16(y, cb2), scaled(cb2, -14942));
    [red, green, blue]
}

/// Multiply `doubled / 2` by a factor with 16 fraction bits and round.
#[target_feature(enable = "avx512f,avx512bw")]
fn scaled(doubled: __m512i, factor: i16) -> __m512i {
    let product = _mm512_mulhi_epi16(doubled, _mm512_set1_epi16(factor));
    _mm512_srai_epi16::<1>(_mm512_add_epi16(product, _mm512_set1_epi16(1)))
}

/// Return −0.344 Cb + 0.286 Cr, rounded.
#[target_feature(enable = "avx512f,avx512bw")]
fn mixed(cb: __m512i, cr: __m512i) -> __m512i {
    let factors = _mm512_set1_epi32(i32::from(-22554_i16 as u16) | 18734 << 16);
    let half = _mm512_set1_epi32(1 << 15);
    let sum = |pairs| {
        let products = _mm512_madd_epi16(pairs, factors);
        _mm512_srai_epi32::<16>(_mm512_add_epi32(products, half))
    };
    _mm512_packs_epi32(
        sum(_mm512_unpacklo_epi16(cb, cr)),
        sum(_mm512_unpackhi_epi16(cb, cr)),
    )
}

/// Write interleaved pixels: for each third of them, the bytes of red and green, and those of blue
/// between them.
#[target_feature(enable = "avx512f,avx512bw,avx512vbmi")]
fn write([red, green, blue]: [__m512i; 3], out: &mut [u8]) {
    for (out, (order, blues)) in out.chunks_exact_mut(STEP).zip(ORDERS.iter().zip(BLUES)) {
        let order = load(order);
        let red_green = _mm512_permutex2var_epi8(red, order, green);
        store(
            out,
            _mm512_mask_permutexvar_epi8(red_green, blues, order, blue),
        );
    }
}

/// Per third of the interleaved bytes: the source pixel of each byte, plus [`STEP`] if it is green.
const ORDERS: [[u8; STEP]; 3] = orders();

const fn orders() -> [[u8; STEP]; 3] {
    let mut orders = [[0; STEP]; 3];
    let mut byte = 0;
    while byte < 3 * STEP {
        let green = if byte % 3 == 1 { STEP } else { 0 };
        orders[byte / STEP][byte % STEP] = (byte / 3 + green) as u8;
        byte += 1;
    }
    orders
}

/// Masks of the blue bytes in each third.
const BLUES: [u64; 3] = [
    0x4924_9249_2492_4924,
    0x2492_4924_9249_2492,
    0x9249_2492_4924_9249,
];

#[target_feature(enable = "avx512f")]
fn load(bytes: &[u8]) -> __m512i {
    assert_eq!(bytes.len(), STEP);
    // SAFETY: the slice has 64 bytes, and the load needs no alignment.
    unsafe { _mm512_loadu_si512(bytes.as_ptr().cast()) }
}

#[target_feature(enable = "avx512f")]
fn store(out: &mut [u8], bytes: __m512i) {
    assert_eq!(out.len(), STEP);
    // SAFETY: the slice has 64 bytes, and the store needs no alignment.
    unsafe { _mm512_storeu_si512(out.as_mut_ptr().cast(), bytes) };
}
