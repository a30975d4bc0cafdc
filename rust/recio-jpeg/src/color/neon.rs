//! Conversion from YCbCr to RGB with NEON, 16 pixels at a time.
//!
//! 1.402 does not fit a 16-bit fraction, so the integer part is added separately: 1.402 = 1 +
//! 0.402, 1.772 = 2 − 0.228, −0.714 = 0.286 − 1. The doubled high halves of the products
//! (`sqdmulh`) keep one extra bit for rounding. The store interleaves the channels (`st3`).
#![allow(unsafe_code)]

use std::arch::aarch64::{
    int16x4_t, int16x8_t, uint8x8_t, uint8x16_t, uint8x16x3_t, vaddq_s16, vcombine_s16,
    vcombine_u8, vdup_n_u8, vget_high_s16, vget_high_u8, vget_low_s16, vget_low_u8, vld1q_u8,
    vmlal_n_s16, vmovl_u8, vmull_n_s16, vqdmulhq_n_s16, vqmovun_s16, vreinterpretq_s16_u16,
    vrshrn_n_s32, vrshrq_n_s16, vshlq_n_s16, vst3q_u8, vsubl_u8, vsubq_s16,
};

/// Pixels per step.
const STEP: usize = 16;

/// Convert as many full steps as possible. Return the number of converted pixels.
#[target_feature(enable = "neon")]
pub(super) fn ycc_to_rgb([y, cb, cr]: [&[u8]; 3], out: &mut [u8]) -> usize {
    let steps = y.as_chunks::<STEP>().0.iter();
    let steps = steps.zip(cb.as_chunks().0).zip(cr.as_chunks().0);
    let out = out.as_chunks_mut::<{ 3 * STEP }>().0;
    for (out, ((y, cb), cr)) in out.iter_mut().zip(steps) {
        store(convert(load(y), load(cb), load(cr)), out);
    }
    out.len() * STEP
}

/// Convert one step to red, green and blue.
#[target_feature(enable = "neon")]
fn convert(y: uint8x16_t, cb: uint8x16_t, cr: uint8x16_t) -> uint8x16x3_t {
    let [r, g, b] = convert_half(vget_low_u8(y), vget_low_u8(cb), vget_low_u8(cr));
    let [r2, g2, b2] = convert_half(vget_high_u8(y), vget_high_u8(cb), vget_high_u8(cr));
    let narrow = |low, high| vcombine_u8(vqmovun_s16(low), vqmovun_s16(high));
    uint8x16x3_t(narrow(r, r2), narrow(g, g2), narrow(b, b2))
}

/// Convert half a step to red, green and blue in 16 bits, before clamping.
#[target_feature(enable = "neon")]
fn convert_half(y: uint8x8_t, cb: uint8x8_t, cr: uint8x8_t) -> [int16x8_t; 3] {
    let y = vreinterpretq_s16_u16(vmovl_u8(y));
    let (cb, cr) = (centered(cb), centered(cr));
    let red = vaddq_s16(vaddq_s16(y, cr), scaled(cr, 26345));
    let green = vaddq_s16(vsubq_s16(y, cr), mixed(cb, cr));
    let blue = vaddq_s16(vaddq_s16(y, vshlq_n_s16::<1>(cb)), scaled(cb, -14942));
    [red, green, blue]
}

/// Widen to 16 bits and subtract 128.
#[target_feature(enable = "neon")]
fn centered(chroma: uint8x8_t) -> int16x8_t {
    vreinterpretq_s16_u16(vsubl_u8(chroma, vdup_n_u8(128)))
}

/// Multiply by a factor with 16 fraction bits and round.
#[target_feature(enable = "neon")]
fn scaled(number: int16x8_t, factor: i16) -> int16x8_t {
    vrshrq_n_s16::<1>(vqdmulhq_n_s16(number, factor))
}

/// Return −0.344 Cb + 0.286 Cr, rounded.
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
    // SAFETY: the array has 16 bytes, and the load needs no alignment.
    unsafe { vld1q_u8(bytes.as_ptr()) }
}

#[target_feature(enable = "neon")]
fn store(pixels: uint8x16x3_t, out: &mut [u8; 3 * STEP]) {
    // SAFETY: the array has 48 bytes, and the store needs no alignment.
    unsafe { vst3q_u8(out.as_mut_ptr(), pixels) };
}
