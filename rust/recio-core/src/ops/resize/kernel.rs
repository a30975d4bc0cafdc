//! Cubic and Lanczos interpolation over 4×4 or 8×8 pixels, in fixed point with 11 fraction bits per
//! direction.

use super::Geometry;
use super::axis::{Axis, Taps};
use super::horizontal_pass::HorizontalPass;
use super::output::Output;
use super::row_ring::RowRing;
use super::shuffle::STEP;
use super::simd::{vectorize, vectorized};
use crate::image::RowSource;

/// Fraction bits of a sample after both passes.
const FRACTION_BITS: u32 = 22;

/// Taps of the columns, and the source rows in use.
#[derive(Debug)]
pub(super) struct Scratch<const N: usize> {
    horizontal: HorizontalPass<N>,
    rows: RowRing<i32>,
}

impl<const N: usize> Default for Scratch<N> {
    fn default() -> Self {
        Self {
            horizontal: HorizontalPass::default(),
            rows: RowRing::default(),
        }
    }
}

pub(super) fn run<const C: usize, const N: usize>(
    geometry: &Geometry,
    src: &mut dyn RowSource,
    weights: fn(f32) -> [f32; N],
    scratch: &mut Scratch<N>,
    output: &mut Output<'_, u8>,
) {
    let taps = |axis: Axis, target| -> Taps<N> {
        let (position, fraction) = axis.center(target);
        axis.taps(position, weights(fraction))
    };
    let Scratch { horizontal, rows } = scratch;
    horizontal.prepare::<C>(
        geometry.columns().map(|x| taps(geometry.x, x)),
        geometry.x.source,
    );
    rows.reset(N, horizontal.length::<C>());
    for (y, target) in geometry.rows().enumerate() {
        let taps = taps(geometry.y, target);
        for at in taps.at {
            rows.ensure(at, |out| horizontal.run::<C, _>(src.row(at), out));
        }
        let vertical_pass = if N == 4 {
            vertical_pass_f32
        } else {
            vertical_pass
        };
        let sources = taps.at.map(|at| rows.get(at));
        output.write(y, |row| vertical_pass(sources, taps.weight, row));
    }
}

fn vertical_pass<const N: usize>(rows: [&[i32]; N], weights: [i16; N], row: &mut [u8]) {
    let rows = rows.map(|samples| samples.as_chunks::<STEP>().0);
    let weights = weights.map(i32::from);
    vectorize(|| {
        for (at, block) in row.as_chunks_mut::<STEP>().0.iter_mut().enumerate() {
            *block = weighted_sum(rows.map(|blocks| &blocks[at]), weights);
        }
    });
}

vectorized!(fn vertical_pass_f32[const N: usize][N](
    rows: [&[i32]; N],
    weights: [i16; N],
    row: &mut [u8],
) = vertical_pass_f32_inlined);

/// As [`vertical_pass`] and faster: multiplying floats takes a fraction of the time of multiplying
/// 32-bit integers.
#[allow(clippy::inline_always)] // by `vectorized`
#[inline(always)]
fn vertical_pass_f32_inlined<const N: usize>(rows: [&[i32]; N], weights: [i16; N], row: &mut [u8]) {
    let rows = rows.map(|samples| samples.as_chunks::<STEP>().0);
    let integer_weights = weights.map(i32::from);
    let weights = weights.map(|weight| f32::from(weight) / (1 << FRACTION_BITS) as f32);
    for (at, block) in row.as_chunks_mut::<STEP>().0.iter_mut().enumerate() {
        let rows = rows.map(|blocks| &blocks[at]);
        let (values, is_exact) = weighted_sum_f32(rows, weights);
        *block = values;
        if !is_exact {
            recompute(rows, integer_weights, block);
        }
    }
}

/// [`weighted_sum`], kept out of the loop that rarely needs it.
#[cold]
#[inline(never)]
fn recompute<const N: usize>(rows: [&[i32; STEP]; N], weights: [i32; N], block: &mut [u8; STEP]) {
    *block = weighted_sum(rows, weights);
}

/// As [`weighted_sum`] in floats, and whether the result is exact: floats cannot decide on which
/// side of a half a sum very close to it lies.
#[allow(clippy::inline_always)] // as `weighted_sum`
#[inline(always)]
fn weighted_sum_f32<const N: usize>(
    rows: [&[i32; STEP]; N],
    weights: [f32; N],
) -> ([u8; STEP], bool) {
    // Added to a float, it leaves the nearest integer in the lowest bits.
    const ROUND: f32 = (3 << 22) as f32;
    // Weights and samples are exact. Four products of up to 400, their sums and the difference
    // below each have an error of half the last of 24 bits at most: together less than this.
    const MAX_ERROR: f32 = 2.5e-4;
    let mut sums = [0.0; STEP];
    for (samples, weight) in rows.iter().zip(weights) {
        for (sum, sample) in sums.iter_mut().zip(*samples) {
            *sum += weight * *sample as f32;
        }
    }
    let rounded = sums.map(|sum| sum + ROUND);
    let mut margin = 0;
    for (sum, rounded) in sums.iter().zip(&rounded) {
        let distance = ((rounded - ROUND) - sum).abs();
        // Negative if a sum is too close to a half, without a branch: nonnegative floats are
        // ordered as their bits.
        margin |= (0.5 - MAX_ERROR).to_bits() as i32 - distance.to_bits() as i32;
    }
    let integer = |rounded: f32| rounded.to_bits() as i32 - ROUND.to_bits() as i32;
    let values = rounded.map(|rounded| integer(rounded).clamp(0, 255) as u8);
    (values, margin >= 0)
}

/// Weighted sum of `N` rows. They are arrays, because the compiler keeps their sums in registers;
/// slices are not vectorized at all.
#[allow(clippy::inline_always)] // otherwise compiled once, without AVX2
#[inline(always)]
fn weighted_sum<const N: usize>(rows: [&[i32; STEP]; N], weights: [i32; N]) -> [u8; STEP] {
    let mut sums = [1 << (FRACTION_BITS - 1); STEP];
    for (samples, weight) in rows.iter().zip(weights) {
        for (sum, sample) in sums.iter_mut().zip(*samples) {
            *sum += weight * sample;
        }
    }
    sums.map(|sum| (sum >> FRACTION_BITS).clamp(0, 255) as u8)
}

/// Weights of Keys' cubic with A = −0.75. The last is 1 minus the others, not its own polynomial.
pub(crate) fn cubic(x: f32) -> [f32; 4] {
    const A: f32 = -0.75;
    let near = |x: f32| ((A + 2.0) * x - (A + 3.0)) * x * x + 1.0;
    let first = ((A * (x + 1.0) - 5.0 * A) * (x + 1.0) + 8.0 * A) * (x + 1.0) - 4.0 * A;
    let (second, third) = (near(x), near(1.0 - x));
    [first, second, third, 1.0 - first - second - third]
}

/// Weights of Lanczos with 4 lobes, divided by their sum.
///
/// For the eight distances d, which differ by integers, the numerator sin(πd)·sin(πd/4) is the same
/// up to a rotation by multiples of 45°: [`ROTATIONS`] applied to one sine and one cosine.
pub(crate) fn lanczos4(x: f32) -> [f32; 8] {
    const S45: f64 = std::f64::consts::FRAC_1_SQRT_2;
    const ROTATIONS: [(f64, f64); 8] = [
        (1.0, 0.0),
        (-S45, -S45),
        (0.0, 1.0),
        (S45, -S45),
        (-1.0, 0.0),
        (S45, S45),
        (0.0, -1.0),
        (-S45, S45),
    ];
    let angle = |distance: f32| f64::from(-distance) * std::f64::consts::PI * 0.25;
    let (sine, cosine) = angle(x + 3.0).sin_cos();
    let weights: [f32; 8] = std::array::from_fn(|k| {
        let distance = x + 3.0 - k as f32;
        if distance.abs() < 1e-6 {
            // On a pixel: it outweighs all others, and the division below turns it into 1.
            return 1e30;
        }
        let angle = angle(distance);
        ((ROTATIONS[k].0 * sine + ROTATIONS[k].1 * cosine) / (angle * angle)) as f32
    });
    let scale = 1.0 / weights.iter().sum::<f32>();
    weights.map(|weight| weight * scale)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn on_a_pixel_only_that_pixel_has_weight() {
        let fixed = |weight: f32| (weight * 2048.0).round() as i32;
        assert_eq!(cubic(0.0).map(fixed), [0, 2048, 0, 0]);
        assert_eq!(lanczos4(0.0).map(fixed), [0, 0, 0, 2048, 0, 0, 0, 0]);
    }

    #[test]
    fn the_weights_sum_to_one_and_mirror() {
        for x in [0.125, 0.25, 0.4, 0.5] {
            assert!((lanczos4(x).iter().sum::<f32>() - 1.0).abs() < 1e-6);
            assert!((cubic(x)[0] - cubic(1.0 - x)[3]).abs() < 1e-6);
            assert!((lanczos4(x)[1] - lanczos4(1.0 - x)[6]).abs() < 1e-6);
        }
    }

    #[test]
    fn the_vertical_pass_in_floats_equals_that_in_integers() {
        let mut random = crate::rng::Rng::new(0, 0, 0);
        for case in 0..20_000 {
            let weights = cubic((case % 1000) as f32 / 1000.0);
            let weights = weights.map(|weight| (weight * 2048.0).round_ties_even() as i16);
            // Sums of a row, including those at the sharpest edges.
            let rows: [[i32; STEP]; 4] = std::array::from_fn(|_| {
                std::array::from_fn(|_| random.below(255 * 3072) as i32 - 255 * 256)
            });
            let expected = weighted_sum(rows.each_ref(), weights.map(i32::from));
            let mut row = [0; STEP];
            vertical_pass_f32(rows.each_ref().map(|row| &row[..]), weights, &mut row);
            assert_eq!(row, expected, "{case}");
        }
    }

    #[test]
    fn sums_of_the_sharpest_image_fit_into_i32() {
        // The largest sum: 255 wherever the product of the two weights is positive.
        for x in (0..=1000).map(|x| x as f32 / 1000.0) {
            let weights = lanczos4(x).map(|weight| f64::from(weight) * 2048.0);
            let up: f64 = weights.iter().map(|weight| weight.max(0.0)).sum();
            let down: f64 = weights.iter().map(|weight| weight.min(0.0)).sum();
            assert!(255.0 * (up * up + down * down) + f64::from(1 << 21) < f64::from(i32::MAX));
        }
    }
}
