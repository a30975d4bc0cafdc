use super::*;
use crate::frame::BLOCK_SIZE;

/// Return a pseudo-random generator.
fn numbers(mut seed: u64) -> impl FnMut() -> u64 {
    move || {
        seed = seed
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        seed >> 33
    }
}

/// Return a block with coefficients below `range` up to zigzag index `last_index`.
fn block(last_index: usize, range: u64, next: &mut impl FnMut() -> u64) -> Block {
    let mut block = Block::ZERO;
    for k in 0..=last_index {
        *block.zigzag_mut(k) = ((next() % (2 * range)) as i64 - range as i64) as i16;
    }
    block
}

/// Definition of the transform (A.3.3), in floats.
fn definition(block: &Block, dequant: &DequantTable) -> [[f64; BLOCK_SIZE]; BLOCK_SIZE] {
    use std::f64::consts::{FRAC_1_SQRT_2, PI};
    let c = |u: usize| if u == 0 { FRAC_1_SQRT_2 } else { 1.0 };
    let cos = |x: usize, u: usize| ((2 * x + 1) as f64 * u as f64 * PI / 16.0).cos();
    let s = |v: usize, u: usize| f64::from(block.0[v * 8 + u]) * f64::from(dequant.0[v * 8 + u]);
    std::array::from_fn(|y| {
        std::array::from_fn(|x| {
            let terms = (0..64).map(|i| {
                let (v, u) = (i / 8, i % 8);
                c(u) * c(v) * s(v, u) * cos(x, u) * cos(y, v)
            });
            terms.sum::<f64>() / 4.0 + 128.0
        })
    })
}

fn run(level: SimdLevel, blocks: &[Block], last_indices: &[u8], dequant: &DequantTable) -> Vec<u8> {
    let stride = blocks.len() * BLOCK_SIZE + SLACK;
    let mut out = vec![0; BLOCK_SIZE * stride];
    transform_blocks(
        level,
        BLOCK_SIZE,
        (blocks, last_indices),
        dequant,
        &mut out,
        stride,
    );
    // The samples after the blocks are undefined.
    out.chunks(stride)
        .flat_map(|row| row[..stride - SLACK].to_vec())
        .collect()
}

#[test]
fn all_simd_levels_produce_the_same_samples_for_any_coefficients() {
    let mut next = numbers(1);
    for range in [2, 30, 1000, 32768] {
        let dequant = DequantTable(std::array::from_fn(|_| {
            (next() % (range / 2 + 2)) as i16 + 1
        }));
        for last_indices in [[0, 0, 0], [9, 3, 1], [63, 9, 0], [10, 63, 63], [40, 20, 63]] {
            // Groups of two and four blocks, and what remains.
            let last_indices: Vec<u8> = last_indices.into_iter().cycle().take(9).collect();
            let blocks = last_indices.iter();
            let blocks = blocks.map(|&last_index| block(last_index.into(), range, &mut next));
            let blocks: Vec<Block> = blocks.collect();
            for count in 1..=blocks.len() {
                let (blocks, last_indices) = (&blocks[..count], &last_indices[..count]);
                let expected = run(SimdLevel::SCALAR, blocks, last_indices, &dequant);
                for level in SimdLevel::available() {
                    let samples = run(level, blocks, last_indices, &dequant);
                    assert_eq!(samples, expected, "{level:?}");
                }
            }
        }
    }
}

#[test]
fn a_block_with_one_row_wraps_where_others_saturate() {
    let dequant = DequantTable([3; 64]);
    let (mut one_row, mut two_rows) = (Block::ZERO, Block::ZERO);
    // 3·2731 is 8193, and four times that is −32764 in 16 bits.
    (one_row.0[0], two_rows.0[0], two_rows.0[63]) = (2731, 2731, 1);
    for level in SimdLevel::available() {
        for is_one_row in (0..32).map(|bits| [1, 2, 4, 8, 16].map(|bit| bits & bit != 0)) {
            let blocks = is_one_row.map(|is_one_row| if is_one_row { one_row } else { two_rows });
            let samples = run(level, &blocks, &[63; 5], &dequant);
            let expected = is_one_row.map(|is_one_row| [if is_one_row { 0 } else { 255 }; 8]);
            assert_eq!(samples[..5 * BLOCK_SIZE], *expected.as_flattened());
        }
        assert_eq!(run(level, &[one_row], &[0], &dequant), [0; 64]);
    }
}

#[test]
fn reduced_blocks_wrap_and_saturate_too() {
    let dequant = DequantTable([3; 64]);
    let samples = |coefficients: &[(usize, i16)], size: usize| {
        let mut block = Block::ZERO;
        for &(at, value) in coefficients {
            block.0[at] = value;
        }
        let mut out = vec![0; size * size];
        transform_blocks(
            SimdLevel::SCALAR,
            size,
            (&[block], &[63]),
            &dequant,
            &mut out,
            size,
        );
        out
    };
    // Four times 3·2731 is −32764 in 16 bits; the fifth row is ignored.
    assert_eq!(samples(&[(0, 2731)], 4), [0; 16]);
    assert_eq!(samples(&[(0, 2731), (32, 1)], 4), [0; 16]);
    assert_eq!(samples(&[(0, 2731), (8, 1)], 4), [255; 16]);
    // 3·2731 / 8 is 1024, of which the low 10 bits are 0.
    assert_eq!(samples(&[(0, 2731)], 1), [128]);
}

#[test]
fn samples_are_within_one_of_the_definition() {
    let mut next = numbers(2);
    let dequant = DequantTable([3; 64]);
    for last_index in [0, 1, 5, 9, 20, 63] {
        let block = block(last_index, 40, &mut next);
        let samples = run(SimdLevel::SCALAR, &[block], &[last_index as u8], &dequant);
        let exact = definition(&block, &dequant);
        for (sample, exact) in samples.iter().zip(exact.as_flattened()) {
            assert!((f64::from(*sample) - exact.clamp(0.0, 255.0)).abs() <= 1.0);
        }
    }
}

#[test]
fn reduced_blocks_are_close_to_the_means_of_full_blocks() {
    let mut block = Block::ZERO;
    (block.0[0], block.0[1], block.0[8]) = (100, 60, -40);
    let dequant = DequantTable([2; 64]);
    let full = run(SimdLevel::SCALAR, &[block], &[63], &dequant);
    for size in [4, 2, 1] {
        let mut out = vec![0; size * size];
        transform_blocks(
            SimdLevel::SCALAR,
            size,
            (&[block], &[63]),
            &dequant,
            &mut out,
            size,
        );
        let side = BLOCK_SIZE / size;
        for (index, &sample) in out.iter().enumerate() {
            let (y, x) = (index / size * side, index % size * side);
            let sum: u32 = (0..side * side)
                .map(|i| u32::from(full[(y + i / side) * BLOCK_SIZE + x + i % side]))
                .sum();
            let mean = f64::from(sum) / (side * side) as f64;
            assert!(
                (f64::from(sample) - mean).abs() <= 3.0,
                "{size}: {sample}, not {mean}"
            );
        }
    }
}
