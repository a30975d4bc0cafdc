//! Forward DCT without SIMD instructions.

use super::super::codes::COMMON;
use super::constants::{
    C0_298, C0_390, C0_541, C0_765, C0_899, C1_175, C1_501, C1_847, C1_961, C2_053, C2_562, C3_072,
};
use super::{Divisors, QuantizedBlock};
use crate::block::{BLOCK_LEN, ZIGZAG};
use crate::frame::BLOCK_SIZE;

pub(super) fn transform(samples: &[u8], stride: usize, divisors: &Divisors) -> QuantizedBlock {
    let mut numbers = [0; BLOCK_LEN];
    for (row, samples) in numbers
        .as_chunks_mut()
        .0
        .iter_mut()
        .zip(samples.chunks(stride))
    {
        let shifted: [i32; BLOCK_SIZE] = std::array::from_fn(|x| i32::from(samples[x]) - 128);
        *row = pass(shifted, 11).map(|(number, shift)| round(number, shift));
    }
    for x in 0..BLOCK_SIZE {
        let column = std::array::from_fn(|y| numbers[y * BLOCK_SIZE + x]);
        for (y, (number, shift)) in pass(column, 15).into_iter().enumerate() {
            numbers[y * BLOCK_SIZE + x] = round(number, shift);
        }
    }
    quantize(&numbers, divisors)
}

/// Coefficients that the vector kernels recognize as common, after saturating them to 8 bits.
const COMMON_RANGE: std::ops::Range<i32> = 1 - COMMON..COMMON - 1;

/// Transform eight numbers, like the vector kernels. Return each number and its fraction bits.
fn pass(s: [i32; BLOCK_SIZE], fraction: u32) -> [(i32, u32); BLOCK_SIZE] {
    let sum = |x: usize| s[x] + s[7 - x];
    let difference = |x: usize| s[x] - s[7 - x];
    let (a, b, c, d) = (
        sum(0) + sum(3),
        sum(1) + sum(2),
        sum(1) - sum(2),
        sum(0) - sum(3),
    );
    let shared = (c + d) * C0_541;
    let (t4, t5, t6, t7) = (difference(3), difference(2), difference(1), difference(0));
    let z5 = (t4 + t6 + t5 + t7) * C1_175;
    let z1 = (t4 + t7) * -C0_899;
    let z2 = (t5 + t6) * -C2_562;
    let z3 = (t4 + t6) * -C1_961 + z5;
    let z4 = (t5 + t7) * -C0_390 + z5;
    // The first and the fifth number have no fraction bits yet; the first pass appends two.
    let (first, fifth, bits) = match fraction {
        11 => ((a + b) << 2, (a - b) << 2, 0),
        _ => (a + b, a - b, 2),
    };
    [
        (first, bits),
        (t7 * C1_501 + z1 + z4, fraction),
        (shared + d * C0_765, fraction),
        (t6 * C3_072 + z2 + z3, fraction),
        (fifth, bits),
        (t5 * C2_053 + z2 + z4, fraction),
        (shared - c * C1_847, fraction),
        (t4 * C0_298 + z1 + z3, fraction),
    ]
}

/// Round to an integer, halves up.
fn round(number: i32, fraction: u32) -> i32 {
    (number + (1 << fraction >> 1)) >> fraction
}

fn quantize(numbers: &[i32; BLOCK_LEN], divisors: &Divisors) -> QuantizedBlock {
    let mut block = QuantizedBlock::ZERO;
    for (k, &index) in ZIGZAG.iter().enumerate() {
        let number = numbers[usize::from(index)];
        let divisor = i32::from(divisors.steps[usize::from(index)]);
        let quotient = (number.abs() + divisor / 2) / divisor;
        block.coefficients[k] = (quotient * number.signum()) as i16;
        block.nonzero |= u64::from(quotient != 0) << k;
    }
    let is_common = |&coefficient: &i16| COMMON_RANGE.contains(&i32::from(coefficient));
    block.is_common = block.coefficients[1..].iter().all(is_common);
    block
}
