use super::*;
use crate::frame::SIDE;

/// Numbers that look random.
fn numbers(mut seed: u64) -> impl FnMut() -> u64 {
    move || {
        seed = seed
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        seed >> 33
    }
}

/// A block with coefficients up to number `extent` as they are coded, below `range`.
fn block(extent: usize, range: u64, next: &mut impl FnMut() -> u64) -> Block {
    let mut block = Block::ZERO;
    for k in 0..=extent {
        *block.coded(k) = ((next() % (2 * range)) as i64 - range as i64) as i16;
    }
    block
}

/// The transform's definition (A.3.3), in floats.
fn definition(block: &Block, divisors: &Divisors) -> [[f64; SIDE]; SIDE] {
    use std::f64::consts::{FRAC_1_SQRT_2, PI};
    let c = |u: usize| if u == 0 { FRAC_1_SQRT_2 } else { 1.0 };
    let cos = |x: usize, u: usize| ((2 * x + 1) as f64 * u as f64 * PI / 16.0).cos();
    let s = |v: usize, u: usize| f64::from(block.0[v * 8 + u]) * f64::from(divisors.0[v * 8 + u]);
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

fn run(level: Level, blocks: &[Block], extents: &[u8], divisors: &Divisors) -> Vec<u8> {
    let stride = blocks.len() * SIDE + SLACK;
    let mut out = vec![0; SIDE * stride];
    row(level, SIDE, (blocks, extents), divisors, &mut out, stride);
    // What lies behind the blocks means nothing.
    out.chunks(stride)
        .flat_map(|row| row[..stride - SLACK].to_vec())
        .collect()
}

#[test]
fn all_levels_give_the_same_samples_of_any_coefficients() {
    let mut next = numbers(1);
    for range in [2, 30, 1000, 32768] {
        let divisors = Divisors(std::array::from_fn(|_| {
            (next() % (range / 2 + 2)) as i16 + 1
        }));
        for extents in [[0, 0, 0], [9, 3, 1], [63, 9, 0], [10, 63, 63], [40, 20, 63]] {
            let blocks = extents.map(|extent| block(extent.into(), range, &mut next));
            for count in 1..=3 {
                let (blocks, extents) = (&blocks[..count], &extents[..count]);
                assert_eq!(
                    run(Level::best(), blocks, extents, &divisors),
                    run(Level::PLAIN, blocks, extents, &divisors),
                );
            }
        }
    }
}

#[test]
fn a_block_of_one_row_wraps_where_others_saturate() {
    let divisors = Divisors([3; 64]);
    let (mut one_row, mut two_rows) = (Block::ZERO, Block::ZERO);
    // 3·2731 is 8193, and four times that −32764 in 16 bits.
    (one_row.0[0], two_rows.0[0], two_rows.0[63]) = (2731, 2731, 1);
    for level in [Level::best(), Level::PLAIN] {
        for (blocks, expected) in [
            ([one_row, two_rows], [0, 255]),
            ([two_rows, one_row], [255, 0]),
        ] {
            let samples = run(level, &blocks, &[63, 63], &divisors);
            let (left, right) = samples[..2 * SIDE].split_at(SIDE);
            assert_eq!([left, right], expected.map(|sample| [sample; SIDE]));
        }
        assert_eq!(run(level, &[one_row], &[0], &divisors), [0; 64]);
    }
}

#[test]
fn reduced_blocks_wrap_and_saturate_too() {
    let divisors = Divisors([3; 64]);
    let samples = |coefficients: &[(usize, i16)], size: usize| {
        let mut block = Block::ZERO;
        for &(at, value) in coefficients {
            block.0[at] = value;
        }
        let mut out = vec![0; size * size];
        row(
            Level::PLAIN,
            size,
            (&[block], &[63]),
            &divisors,
            &mut out,
            size,
        );
        out
    };
    // Four times 3·2731 is −32764 in 16 bits; the fifth row does not count.
    assert_eq!(samples(&[(0, 2731)], 4), [0; 16]);
    assert_eq!(samples(&[(0, 2731), (32, 1)], 4), [0; 16]);
    assert_eq!(samples(&[(0, 2731), (8, 1)], 4), [255; 16]);
    // 3·2731 / 8 is 1024, of which 10 bits are 0.
    assert_eq!(samples(&[(0, 2731)], 1), [128]);
}

#[test]
fn samples_are_within_one_of_the_definition() {
    let mut next = numbers(2);
    let divisors = Divisors([3; 64]);
    for extent in [0, 1, 5, 9, 20, 63] {
        let block = block(extent, 40, &mut next);
        let samples = run(Level::PLAIN, &[block], &[extent as u8], &divisors);
        let exact = definition(&block, &divisors);
        for (sample, exact) in samples.iter().zip(exact.as_flattened()) {
            assert!((f64::from(*sample) - exact.clamp(0.0, 255.0)).abs() <= 1.0);
        }
    }
}

#[test]
fn reduced_blocks_are_about_the_means_of_the_whole_ones() {
    let mut block = Block::ZERO;
    (block.0[0], block.0[1], block.0[8]) = (100, 60, -40);
    let divisors = Divisors([2; 64]);
    let whole = run(Level::PLAIN, &[block], &[63], &divisors);
    for size in [4, 2, 1] {
        let mut out = vec![0; size * size];
        row(
            Level::PLAIN,
            size,
            (&[block], &[63]),
            &divisors,
            &mut out,
            size,
        );
        let side = SIDE / size;
        for (at, &sample) in out.iter().enumerate() {
            let (y, x) = (at / size * side, at % size * side);
            let sum: u32 = (0..side * side)
                .map(|i| u32::from(whole[(y + i / side) * SIDE + x + i % side]))
                .sum();
            let mean = f64::from(sum) / (side * side) as f64;
            assert!(
                (f64::from(sample) - mean).abs() <= 3.0,
                "{size}: {sample}, not {mean}"
            );
        }
    }
}
