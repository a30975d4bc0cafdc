use super::super::quantization::tables;
use super::*;
use crate::block::ZIGZAG;

/// Return pseudo-random samples from `range`.
fn samples(len: usize, range: std::ops::RangeInclusive<u8>, seed: u64) -> Vec<u8> {
    let mut state = seed;
    let mut next = || {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as u16
    };
    let span = u16::from(range.end() - range.start()) + 1;
    (0..len)
        .map(|_| range.start() + (next() % span) as u8)
        .collect()
}

fn run(level: SimdLevel, samples: &[u8], quality: u8) -> Vec<QuantizedBlock> {
    let stride = samples.len() / BLOCK_SIZE;
    let mut blocks = vec![QuantizedBlock::ZERO; stride / BLOCK_SIZE];
    let divisors = Divisors::new(&tables(quality)[0]);
    transform_blocks(level, samples, stride, &divisors, &mut blocks);
    blocks
}

#[test]
fn all_simd_levels_produce_the_same_coefficients() {
    for (seed, quality) in (0..200).zip((1..=100).cycle()) {
        let ranges = [0..=255, 0..=1, 254..=255, 100..=130];
        for (range, blocks) in ranges.into_iter().zip([4, 8, 12, 16]) {
            let mut samples = samples(blocks * BLOCK_LEN, range, seed);
            if seed % 3 == 0 {
                samples
                    .iter_mut()
                    .for_each(|sample| *sample = 255 * (*sample & 1));
            }
            let expected = run(SimdLevel::SCALAR, &samples, quality);
            for level in SimdLevel::available() {
                assert_eq!(run(level, &samples, quality), expected, "{level:?}");
            }
        }
    }
}

#[test]
fn uniform_blocks_have_only_a_dc_coefficient() {
    for level in SimdLevel::available() {
        for (sample, dc) in [(0, -1024), (128, 0), (255, 1016)] {
            let block = &run(level, &[sample; 4 * BLOCK_LEN], 100)[1];
            assert_eq!(block.coefficients[0], dc);
            assert_eq!(block.nonzero, u64::from(dc != 0));
        }
    }
}

/// Definition of the transform (A.3.3), in floats.
fn definition(samples: &[u8], index: usize) -> f64 {
    use std::f64::consts::{FRAC_1_SQRT_2, PI};
    let c = |u: usize| if u == 0 { FRAC_1_SQRT_2 } else { 1.0 };
    let cos = |x: usize, u: usize| ((2 * x + 1) as f64 * u as f64 * PI / 16.0).cos();
    let (v, u) = (index / 8, index % 8);
    let terms = samples
        .iter()
        .enumerate()
        .map(|(i, &sample)| (f64::from(sample) - 128.0) * cos(i % 8, u) * cos(i / 8, v));
    c(u) * c(v) / 4.0 * terms.sum::<f64>()
}

#[test]
fn coefficients_are_within_one_of_the_definition() {
    let samples = samples(BLOCK_LEN, 0..=255, 5);
    let divisors = Divisors::new(&tables(100)[0]);
    let block = scalar::transform(&samples, BLOCK_SIZE, &divisors);
    for (k, &index) in ZIGZAG.iter().enumerate() {
        let exact = definition(&samples, index.into());
        assert!(
            (f64::from(block.coefficients[k]) - exact).abs() <= 1.0,
            "{k}"
        );
        assert_eq!(block.nonzero >> k & 1 != 0, block.coefficients[k] != 0);
    }
}
