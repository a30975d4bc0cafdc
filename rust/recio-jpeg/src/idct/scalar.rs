//! Inverse DCT without SIMD instructions: loops over eight columns, which compilers vectorize.

use super::{DequantTable, dc_only_sample, has_only_first_row, level_shift, wrap_to_14_bits};
use crate::block::Block;
use crate::frame::BLOCK_SIZE;

/// Row or column of a block.
type Lanes = [i16; BLOCK_SIZE];

pub(super) fn transform_blocks(
    blocks: &[Block],
    last_indices: &[u8],
    dequant: &DequantTable,
    out: &mut [u8],
    stride: usize,
) {
    for (x, (block, &last_index)) in blocks.iter().zip(last_indices).enumerate() {
        let out = &mut out[x * BLOCK_SIZE..];
        if last_index == 0 {
            let sample = dc_only_sample(block, dequant);
            write(&[[sample; BLOCK_SIZE]; BLOCK_SIZE], out, stride);
        } else {
            write(&transform(block, dequant), out, stride);
        }
    }
}

fn write(samples: &[[u8; BLOCK_SIZE]; BLOCK_SIZE], out: &mut [u8], stride: usize) {
    for (y, row) in samples.iter().enumerate() {
        out[y * stride..][..BLOCK_SIZE].copy_from_slice(row);
    }
}

fn transform(block: &Block, dequant: &DequantTable) -> [[u8; BLOCK_SIZE]; BLOCK_SIZE] {
    let mut rows: [Lanes; BLOCK_SIZE] = std::array::from_fn(|y| {
        std::array::from_fn(|x| {
            block.0[y * BLOCK_SIZE + x].wrapping_mul(dequant.0[y * BLOCK_SIZE + x])
        })
    });
    if has_only_first_row(block) {
        rows[0] = rows[0].map(wrap_to_14_bits);
    }
    let columns = transpose(&pass::<11>(&rows));
    let columns = pass::<18>(&columns);
    transpose(&columns).map(|row| row.map(|sample| level_shift(sample.into())))
}

fn transpose(rows: &[Lanes; BLOCK_SIZE]) -> [Lanes; BLOCK_SIZE] {
    std::array::from_fn(|x| std::array::from_fn(|y| rows[y][x]))
}

/// Transform each column: the rows are the eight inputs and outputs. Remove `SHIFT` bits with
/// rounding.
fn pass<const SHIFT: u32>(rows: &[Lanes; BLOCK_SIZE]) -> [Lanes; BLOCK_SIZE] {
    let mut out = [[0; BLOCK_SIZE]; BLOCK_SIZE];
    for x in 0..BLOCK_SIZE {
        let column = one_dimension(rows.map(|row| row[x]));
        for (y, value) in column.into_iter().enumerate() {
            let rounded = value.wrapping_add(1 << (SHIFT - 1)) >> SHIFT;
            out[y][x] = rounded.clamp(i16::MIN.into(), i16::MAX.into()) as i16;
        }
    }
    out
}

/// Transform eight numbers, with 13 fraction bits. The comments give the constants.
#[inline]
fn one_dimension(input: [i16; BLOCK_SIZE]) -> [i32; BLOCK_SIZE] {
    let [_, s1, s2, s3, _, s5, s6, s7] = input.map(i32::from);
    // √2·cos(6π/16) = 0.541196100; the others are made of it with − 1.847759065 and 0.765366865.
    let c = 4433 * s2 + (4433 - 15137) * s6;
    let d = (4433 + 6270) * s2 + 4433 * s6;
    let a = i32::from(input[0].wrapping_add(input[4])) << 13;
    let b = i32::from(input[0].wrapping_sub(input[4])) << 13;
    let even = [a + d, b + c, b - c, a - d];

    let e = i32::from(input[7].wrapping_add(input[3]));
    let f = i32::from(input[5].wrapping_add(input[1]));
    // 1.175875602 − 1.961570560 and 1.175875602 − 0.390180644
    let g = (9633 - 16069) * e + 9633 * f;
    let h = 9633 * e + (9633 - 3196) * f;
    // 0.298631336, 0.899976223, 1.501321110; 2.053119869, 2.562915447, 3.072711026
    let odd = [
        (12299 - 7373) * s1 - 7373 * s7 + h,
        (25172 - 20995) * s3 - 20995 * s5 + g,
        (16819 - 20995) * s5 - 20995 * s3 + h,
        (2446 - 7373) * s7 - 7373 * s1 + g,
    ];
    std::array::from_fn(|i| {
        if i < 4 {
            even[i].wrapping_add(odd[i])
        } else {
            even[7 - i].wrapping_sub(odd[7 - i])
        }
    })
}
