//! ColorSpace with NEON, 16 pixels at a time.
//!
//! Products of 16 bits do not hold 1.402, so what exceeds them is split off: 1.402 = 1 + 0.402, 1.772 = 2 − 0.228,
//! −0.714 = 0.286 − 1. The doubled products' high halves (`sqdmulh`) keep one bit more than is wanted, to round by. The
//! store itself puts red, green and blue side by side (`st3`).
#![allow(unsafe_code)]

use std::arch::aarch64::{
    int16x4_t, int16x8_t, uint8x8_t, uint8x16_t, uint8x16x3_t, vaddq_s16, vcombine_s16,
    vcombine_u8, vdup_n_u8, vget_high_s16, vget_high_u8, vget_low_s16, vget_low_u8, vld1q_u8,
    vmlal_n_s16, vmovl_u8, vmull_n_s16, vqdmulhq_n_s16, vqmovun_s16, vreinterpretq_s16_u16,
    vrshrn_n_s32, vrshrq_n_s16, vshlq_n_s16, vst3q_u8, vsubl_u8, vsubq_s16,
};

/// Pixels at a time.
const STEP: usize = 16;

/// Converts as many whole steps as there are. Gives the number of pixels done.
#[target_feature(enable = "neon")]
pub(super) fn from_ycc([y, cb, cr]: [&[u8]; 3], out: &mut [u8]) -> usize {
    let steps = y.as_chunks::<STEP>().0.iter();
    let steps = steps.zip(cb.as_chunks().0).zip(cr.as_chunks().0);
    let out = out.as_chunks_mut::<{ 3 * STEP }>().0;
    for (out, ((y, cb), cr)) in out.iter_mut().zip(steps) {
        store(convert(load(y), load(cb), load(cr)), out);
    }
    out.len() * STEP
}

/// Red, green and blue.
#[target_feature(enable = "neon")]
fn convert(y: uint8x16_t, cb: uint8x16_t, cr: uint8x16_t) -> uint8x16x3_t {
    let [r, g, b] = levels(vget_low_u8(y), vget_low_u8(cb), vget_low_u8(cr));
    let [r2, g2, b2] = levels(vget_high_u8(y), vget_high_u8(cb), vget_high_u8(cr));
    let both = |low, high| vcombine_u8(vqmovun_s16(low), vqmovun_s16(high));
    uint8x16x3_t(both(r, r2), both(g, g2), both(b, b2))
}

/// Red, green and blue in 16 bits, not clamped yet.
#[target_feature(enable = "neon")]
fn levels(y: uint8x8_t, cb: uint8x8_t, cr: uint8x8_t) -> [int16x8_t; 3] {
    let y = vreinterpretq_s16_u16(vmovl_u8(y));
    let (cb, cr) = (centered(cb), centered(cr));
    let red = vaddq_s16(vaddq_s16(y, cr), scaled(cr, 26345));
    let green = vaddq_s16(vsubq_s16(y, cr), mixed(cb, cr));
    let blue = vaddq_s16(vaddq_s16(y, vshlq_n_s16::<1>(cb)), scaled(cb, -14942));
    [red, green, blue]
}

/// Numbers of 16 bits, 128 less.
#[target_feature(enable = "neon")]
fn centered(chroma: uint8x8_t) -> int16x8_t {
    vreinterpretq_s16_u16(vsubl_u8(chroma, vdup_n_u8(128)))
}

/// A number times a factor of 16 fraction bits, rounded.
#[target_feature(enable = "neon")]
fn scaled(number: int16x8_t, factor: i16) -> int16x8_t {
    vrshrq_n_s16::<1>(vqdmulhq_n_s16(number, factor))
}

/// −0.344 Cb + 0.286 Cr, rounded.
#[target_feature(enable = "neon")]
fn mixed(cb: int16x8_t, cr: int16x8_t) -> int16x8_t {
    let sum = |cb: int16x4_t, cr: int16x4_t| {
        vrshrn_n_s32::<16>(vmlal_n_s16(vmull_n_s16(cb, -22554), cr, 18734))
    };
    vcombine_s16(
        sum(vget_low_s16(cb), vget_low_s16(cr)),
        sum(vget_high_s16(cb), vget_high_s16(cr)),
    )
}

#[target_feature(enable = "neon")]
fn load(bytes: &[u8; STEP]) -> uint8x16_t {
    // SAFETY: there are 16 bytes, and no alignment is asked for.
    unsafe { vld1q_u8(bytes.as_ptr()) }
}

#[target_feature(enable = "neon")]
fn store(pixels: uint8x16x3_t, out: &mut [u8; 3 * STEP]) {
    // SAFETY: there is room for 48 bytes, and no alignment is asked for.
    unsafe { vst3q_u8(out.as_mut_ptr(), pixels) };
}
