//! Reduced-size inverse DCT: samples at 1/2, 1/4 and 1/8 of the size, from the low frequencies.
//!
//! This is libjpeg's: the low half of the spectrum is transformed without the terms of the high
//! half (`jidctred.c` in libjpeg explains the derivation); 1/8 is the mean. The output is small, so
//! there is no SIMD kernel.

use super::{DequantTable, is_zero, level_shift, wrap_to_14_bits};
use crate::block::Block;
use crate::frame::BLOCK_SIZE;

pub(super) fn transform_blocks(
    size: usize,
    blocks: &[Block],
    dequant: &DequantTable,
    out: &mut [u8],
    stride: usize,
) {
    for (x, block) in blocks.iter().enumerate() {
        let out = &mut out[x * size..];
        match size {
            4 => write(&square(block, dequant, half::<12>, half::<19>), out, stride),
            2 => write(
                &square(block, dequant, quarter::<13>, quarter::<20>),
                out,
                stride,
            ),
            _ => write(&[[mean(block, dequant)]], out, stride),
        }
    }
}

fn write<const N: usize>(samples: &[[u8; N]; N], out: &mut [u8], stride: usize) {
    for (y, row) in samples.iter().enumerate() {
        out[y * stride..][..N].copy_from_slice(row);
    }
}

/// Return the mean of a block; libjpeg keeps 10 bits of it.
fn mean(block: &Block, dequant: &DequantTable) -> u8 {
    let dc = i32::from(block.0[0]) * i32::from(dequant.0[0]);
    level_shift(((dc + 4) >> 3) << 22 >> 22)
}

/// Transform the columns, then the rows. The values in between are clamped to 16 bits, as in the
/// SIMD code of libjpeg-turbo, except those of the first column at 1/4.
fn square<const N: usize>(
    block: &Block,
    dequant: &DequantTable,
    columns: fn([i32; BLOCK_SIZE]) -> [i32; N],
    rows: fn([i32; BLOCK_SIZE]) -> [i32; N],
) -> [[u8; N]; N] {
    // At 1/2 the fifth row is ignored.
    let is_one_row = N == 4
        && is_zero(&block.0[BLOCK_SIZE..4 * BLOCK_SIZE])
        && is_zero(&block.0[5 * BLOCK_SIZE..]);
    let at = |y: usize, x: usize| {
        let product = block.0[y * BLOCK_SIZE + x].wrapping_mul(dequant.0[y * BLOCK_SIZE + x]);
        i32::from(if is_one_row {
            wrap_to_14_bits(product)
        } else {
            product
        })
    };
    let half: [[i32; N]; BLOCK_SIZE] = std::array::from_fn(|x| {
        let column = columns(std::array::from_fn(|y| at(y, x)));
        if N == 2 && x == 0 {
            return column;
        }
        column.map(|value| value.clamp(i16::MIN.into(), i16::MAX.into()))
    });
    std::array::from_fn(|y| rows(std::array::from_fn(|x| half[x][y])).map(level_shift))
}

/// Transform eight numbers to four and remove `SHIFT` bits.
fn half<const SHIFT: u32>([s0, s1, s2, s3, _, s5, s6, s7]: [i32; BLOCK_SIZE]) -> [i32; 4] {
    let sum = |terms: [(i32, i32); 4]| {
        terms
            .into_iter()
            .fold(0_i32, |sum, (a, b)| sum.wrapping_add(a.wrapping_mul(b)))
    };
    let a = s0.wrapping_shl(14);
    // 1.847759065, 0.765366865
    let b = sum([(s2, 15137), (s6, -6270), (0, 0), (0, 0)]);
    // 0.211164243, 1.451774981, 2.172734803, 1.061594337
    let c = sum([(s7, -1730), (s5, 11893), (s3, -17799), (s1, 8697)]);
    // 0.509795579, 0.601344887, 0.899976223, 2.562915447
    let d = sum([(s7, -4176), (s5, -4926), (s3, 7373), (s1, 20995)]);
    let (upper, lower) = (a.wrapping_add(b), a.wrapping_sub(b));
    [
        upper.wrapping_add(d),
        lower.wrapping_add(c),
        lower.wrapping_sub(c),
        upper.wrapping_sub(d),
    ]
    .map(descale::<SHIFT>)
}

/// Transform eight numbers to two and remove `SHIFT` bits.
fn quarter<const SHIFT: u32>([s0, s1, _, s3, _, s5, _, s7]: [i32; BLOCK_SIZE]) -> [i32; 2] {
    // 0.720959822, 0.850430095, 1.272758580, 3.624509785
    let odd = [(s7, -5906), (s5, 6967), (s3, -10426), (s1, 29692)];
    let odd = odd
        .into_iter()
        .fold(0_i32, |sum, (a, b)| sum.wrapping_add(a.wrapping_mul(b)));
    let even = s0.wrapping_shl(15);
    [even.wrapping_add(odd), even.wrapping_sub(odd)].map(descale::<SHIFT>)
}

fn descale<const SHIFT: u32>(value: i32) -> i32 {
    value.wrapping_add(1 << (SHIFT - 1)) >> SHIFT
}
