//! Inverse DCT with NEON, one block at a time: a register contains a row of eight 16-bit numbers.
//!
//! Products are accumulated in 32 bits (`smlal`), so a rotation takes two instructions for four
//! columns. Many blocks have coefficients in the low 4×4 only; for them the other terms, which are
//! zero, are omitted.
#![allow(unsafe_code)]

use std::arch::aarch64::{
    int8x16_t, int16x8_t, int32x4_t, uint8x8_t, uint8x16_t, vaddq_s16, vaddq_s32, vdupq_n_s16,
    vdupq_n_s32, vdupq_n_u8, veorq_s16, veorq_u8, vget_high_s16, vget_high_u8, vget_low_s16,
    vget_low_u8, vld1q_s16, vmaxvq_u16, vmlal_high_n_s16, vmlal_n_s16, vmull_high_n_s16,
    vmull_n_s16, vmulq_s16, vqmovn_high_s16, vqmovn_high_s32, vqmovn_s16, vqmovn_s32,
    vreinterpretq_s16_s8, vreinterpretq_s16_s32, vreinterpretq_s16_s64, vreinterpretq_s32_s16,
    vreinterpretq_s64_s16, vreinterpretq_u8_s16, vreinterpretq_u16_s16, vshll_n_s16, vshlq_n_s16,
    vshrq_n_s16, vshrq_n_s32, vst1_u8, vsubq_s16, vsubq_s32, vzip1q_s8, vzip1q_s16, vzip1q_s32,
    vzip1q_s64, vzip2q_s8, vzip2q_s16, vzip2q_s32, vzip2q_s64,
};

use super::{DequantTable, dc_only_sample, has_only_first_row};
use crate::block::{BLOCK_LEN, Block};
use crate::frame::BLOCK_SIZE;

/// Zigzag index of the last coefficient in the low 4×4.
const SMALL: u8 = 9;

#[target_feature(enable = "neon")]
pub(super) fn transform_blocks(
    blocks: &[Block],
    last_indices: &[u8],
    dequant: &DequantTable,
    out: &mut [u8],
    stride: usize,
) {
    for (x, (block, last_index)) in blocks.iter().zip(last_indices).enumerate() {
        let out = &mut out[x * BLOCK_SIZE..];
        match last_index {
            0 => fill(dc_only_sample(block, dequant), out, stride),
            1..=SMALL => transform::<4>(block, dequant, out, stride),
            _ => transform::<8>(block, dequant, out, stride),
        }
    }
}

fn fill(sample: u8, out: &mut [u8], stride: usize) {
    for y in 0..BLOCK_SIZE {
        out[y * stride..][..BLOCK_SIZE].fill(sample);
    }
}

/// Transform a block whose coefficients are in the low `N × N`, and write its samples.
#[target_feature(enable = "neon")]
fn transform<const N: usize>(block: &Block, dequant: &DequantTable, out: &mut [u8], stride: usize) {
    let mut rows = [vdupq_n_s16(0); BLOCK_SIZE];
    for (y, row) in rows[..N].iter_mut().enumerate() {
        *row = vmulq_s16(load(&block.0, y), load(&dequant.0, y));
    }
    let wrapped = vshrq_n_s16::<2>(vshlq_n_s16::<2>(rows[0]));
    let difference = vreinterpretq_u16_s16(veorq_s16(wrapped, rows[0]));
    if vmaxvq_u16(difference) != 0 && has_only_first_row(block) {
        rows[0] = wrapped;
    }
    let columns = transpose(pass::<N, 11>(rows));
    write(pass::<N, 18>(columns), out, stride);
}

/// Load row `y`, eight 16-bit numbers.
#[target_feature(enable = "neon")]
fn load(numbers: &[i16; BLOCK_LEN], y: usize) -> int16x8_t {
    let row = &numbers[y * BLOCK_SIZE..][..BLOCK_SIZE];
    // SAFETY: the slice has 16 bytes, and the load needs no alignment.
    unsafe { vld1q_s16(row.as_ptr()) }
}

/// Transform the columns, like `scalar::pass`. Rows from `N` on are zero.
#[target_feature(enable = "neon")]
fn pass<const N: usize, const SHIFT: i32>(s: [int16x8_t; BLOCK_SIZE]) -> [int16x8_t; BLOCK_SIZE] {
    let [a, b, c, d] = even::<N, SHIFT>(s);
    let [e, f, g, h] = odd::<N>(s);
    let pairs = [(a, e), (b, f), (c, g), (d, h)];
    let mut out = s;
    for (i, (even, odd)) in pairs.into_iter().enumerate() {
        out[i] = narrow::<SHIFT>(add(even, odd));
        out[7 - i] = narrow::<SHIFT>(sub(even, odd));
    }
    out
}

/// 32-bit numbers: columns 0 to 3, and 4 to 7.
type Wide = [int32x4_t; 2];

#[target_feature(enable = "neon")]
fn narrow<const SHIFT: i32>([low, high]: Wide) -> int16x8_t {
    let low = vqmovn_s32(vshrq_n_s32::<SHIFT>(low));
    vqmovn_high_s32(low, vshrq_n_s32::<SHIFT>(high))
}

/// Even part, with the rounding term.
#[target_feature(enable = "neon")]
fn even<const N: usize, const SHIFT: i32>(s: [int16x8_t; BLOCK_SIZE]) -> [Wide; 4] {
    let round = vdupq_n_s32(1 << (SHIFT - 1));
    let (a, b, c, d);
    if N == BLOCK_SIZE {
        a = scale(vaddq_s16(s[0], s[4]), round);
        b = scale(vsubq_s16(s[0], s[4]), round);
        c = sum(s[2], 4433, s[6], 4433 - 15137);
        d = sum(s[2], 4433 + 6270, s[6], 4433);
    } else {
        a = scale(s[0], round);
        b = a;
        c = product(s[2], 4433);
        d = product(s[2], 4433 + 6270);
    }
    [add(a, d), add(b, c), sub(b, c), sub(a, d)]
}

/// Odd part.
#[target_feature(enable = "neon")]
fn odd<const N: usize>(s: [int16x8_t; BLOCK_SIZE]) -> [Wide; 4] {
    if N < BLOCK_SIZE {
        // The same sums without the terms that are zero.
        return [
            sum(s[1], 11363, s[3], 9633),
            sum(s[1], 9633, s[3], -2259),
            sum(s[1], 6437, s[3], -11362),
            sum(s[1], 2260, s[3], -6436),
        ];
    }
    let (e, f) = (vaddq_s16(s[7], s[3]), vaddq_s16(s[5], s[1]));
    let g = sum(e, 9633 - 16069, f, 9633);
    let h = sum(e, 9633, f, 9633 - 3196);
    [
        add_sum(h, s[1], 12299 - 7373, s[7], -7373),
        add_sum(g, s[3], 25172 - 20995, s[5], -20995),
        add_sum(h, s[5], 16819 - 20995, s[3], -20995),
        add_sum(g, s[7], 2446 - 7373, s[1], -7373),
    ]
}

/// Return a·p.
#[target_feature(enable = "neon")]
fn product(p: int16x8_t, a: i16) -> Wide {
    [vmull_n_s16(vget_low_s16(p), a), vmull_high_n_s16(p, a)]
}

/// Return a·p + b·q.
#[target_feature(enable = "neon")]
fn sum(p: int16x8_t, a: i16, q: int16x8_t, b: i16) -> Wide {
    add_product(product(p, a), q, b)
}

/// Return t + a·p + b·q.
#[target_feature(enable = "neon")]
fn add_sum(t: Wide, p: int16x8_t, a: i16, q: int16x8_t, b: i16) -> Wide {
    add_product(add_product(t, p, a), q, b)
}

/// Return t + a·p.
#[target_feature(enable = "neon")]
fn add_product([low, high]: Wide, p: int16x8_t, a: i16) -> Wide {
    [
        vmlal_n_s16(low, vget_low_s16(p), a),
        vmlal_high_n_s16(high, p, a),
    ]
}

/// Scale to 13 fraction bits and add the rounding term.
#[target_feature(enable = "neon")]
fn scale(numbers: int16x8_t, round: int32x4_t) -> Wide {
    let low = vshll_n_s16::<13>(vget_low_s16(numbers));
    let high = vshll_n_s16::<13>(vget_high_s16(numbers));
    [vaddq_s32(low, round), vaddq_s32(high, round)]
}

#[target_feature(enable = "neon")]
fn add(a: Wide, b: Wide) -> Wide {
    [vaddq_s32(a[0], b[0]), vaddq_s32(a[1], b[1])]
}

#[target_feature(enable = "neon")]
fn sub(a: Wide, b: Wide) -> Wide {
    [vsubq_s32(a[0], b[0]), vsubq_s32(a[1], b[1])]
}

/// Transpose the block.
#[target_feature(enable = "neon")]
fn transpose(r: [int16x8_t; BLOCK_SIZE]) -> [int16x8_t; BLOCK_SIZE] {
    let [a, e] = zip16(r[0], r[1]);
    let [b, f] = zip16(r[2], r[3]);
    let [c, g] = zip16(r[4], r[5]);
    let [d, h] = zip16(r[6], r[7]);
    let ([i, j], [k, l]) = (zip32(a, b), zip32(c, d));
    let ([m, n], [o, p]) = (zip32(e, f), zip32(g, h));
    let ([r0, r1], [r2, r3]) = (zip64(i, k), zip64(j, l));
    let ([r4, r5], [r6, r7]) = (zip64(m, o), zip64(n, p));
    [r0, r1, r2, r3, r4, r5, r6, r7]
}

/// Interleave 16-bit elements of two registers: the first halves, and the second halves.
#[target_feature(enable = "neon")]
fn zip16(a: int16x8_t, b: int16x8_t) -> [int16x8_t; 2] {
    [vzip1q_s16(a, b), vzip2q_s16(a, b)]
}

/// Like [`zip16`], with 32-bit elements.
#[target_feature(enable = "neon")]
fn zip32(a: int16x8_t, b: int16x8_t) -> [int16x8_t; 2] {
    let (a, b) = (vreinterpretq_s32_s16(a), vreinterpretq_s32_s16(b));
    [
        vreinterpretq_s16_s32(vzip1q_s32(a, b)),
        vreinterpretq_s16_s32(vzip2q_s32(a, b)),
    ]
}

/// Like [`zip16`], with 64-bit elements.
#[target_feature(enable = "neon")]
fn zip64(a: int16x8_t, b: int16x8_t) -> [int16x8_t; 2] {
    let (a, b) = (vreinterpretq_s64_s16(a), vreinterpretq_s64_s16(b));
    [
        vreinterpretq_s16_s64(vzip1q_s64(a, b)),
        vreinterpretq_s16_s64(vzip2q_s64(a, b)),
    ]
}

/// Transpose columns of 16-bit numbers to rows of bytes, and write them.
#[target_feature(enable = "neon")]
fn write(columns: [int16x8_t; BLOCK_SIZE], out: &mut [u8], stride: usize) {
    let pack = |i: usize| vqmovn_high_s16(vqmovn_s16(columns[i]), columns[i + 4]);
    // Columns 0 and 4, 1 and 5, 2 and 6, 3 and 7 are packed.
    let ([left, right], [left2, right2]) = (zip8(pack(0), pack(1)), zip8(pack(2), pack(3)));
    let (left, right) = (zip16(left, left2), zip16(right, right2));
    for (i, (left, right)) in left.into_iter().zip(right).enumerate() {
        let [first, second] = zip32(left, right);
        write_two(unsigned(first), &mut out[4 * i * stride..], stride);
        write_two(unsigned(second), &mut out[(4 * i + 2) * stride..], stride);
    }
}

/// Like [`zip16`], with bytes.
#[target_feature(enable = "neon")]
fn zip8(a: int8x16_t, b: int8x16_t) -> [int16x8_t; 2] {
    [
        vreinterpretq_s16_s8(vzip1q_s8(a, b)),
        vreinterpretq_s16_s8(vzip2q_s8(a, b)),
    ]
}

/// Add 128 to signed bytes, which makes them unsigned.
#[target_feature(enable = "neon")]
fn unsigned(bytes: int16x8_t) -> uint8x16_t {
    veorq_u8(vreinterpretq_u8_s16(bytes), vdupq_n_u8(0x80))
}

/// Write two rows.
#[target_feature(enable = "neon")]
fn write_two(rows: uint8x16_t, out: &mut [u8], stride: usize) {
    store(&mut out[..BLOCK_SIZE], vget_low_u8(rows));
    store(&mut out[stride..][..BLOCK_SIZE], vget_high_u8(rows));
}

#[target_feature(enable = "neon")]
fn store(out: &mut [u8], bytes: uint8x8_t) {
    assert_eq!(out.len(), BLOCK_SIZE);
    // SAFETY: the slice has 8 bytes.
    unsafe { vst1_u8(out.as_mut_ptr(), bytes) };
}
