//! Cubic and Lanczos interpolation: 4×4 or 8×8 pixels, in fixed point with 11 fraction bits in each direction.

use super::across::Across;
use super::axis::{Axis, Taps};
use super::pairs::STEP;
use super::rows::Rows;
use super::simd::vectorise;
use super::{Job, Sink};
use crate::image::RowSource;

/// The fraction bits of a sample after both directions.
const FRACTION: u32 = 22;

/// The columns and the source rows in use.
#[derive(Debug)]
pub(super) struct Scratch<const N: usize> {
    across: Across<N>,
    rows: Rows<i32>,
}

impl<const N: usize> Default for Scratch<N> {
    fn default() -> Self {
        Self {
            across: Across::default(),
            rows: Rows::default(),
        }
    }
}

pub(super) fn run<const C: usize, const N: usize>(
    job: &Job,
    src: &mut dyn RowSource,
    weights: fn(f32) -> [f32; N],
    scratch: &mut Scratch<N>,
    row: &mut [u8],
    sink: Sink<'_>,
) {
    let taps = |axis: Axis, target| -> Taps<N> {
        let (position, beyond) = axis.centre(target);
        axis.taps(position, weights(beyond))
    };
    let Scratch { across, rows } = scratch;
    across.prepare::<C>(job.columns().map(|x| taps(job.x, x)), job.x.source);
    rows.reset(N, across.length::<C>());
    for (y, target) in job.rows().enumerate() {
        let taps = taps(job.y, target);
        for at in taps.at {
            rows.ensure(at, |out| across.run::<C, _>(src.row(at), out));
        }
        let down = if N == 4 { down_by_floats } else { down };
        down(taps.at.map(|at| rows.get(at)), taps.weight, row);
        sink(y, row);
    }
}

fn down<const N: usize>(rows: [&[i32]; N], weights: [i16; N], row: &mut [u8]) {
    let rows = rows.map(|samples| samples.as_chunks::<STEP>().0);
    let weights = weights.map(i32::from);
    vectorise(|| {
        for (at, block) in row.as_chunks_mut::<STEP>().0.iter_mut().enumerate() {
            *block = weigh(rows.map(|blocks| &blocks[at]), weights);
        }
    });
}

/// As [`down`], faster: a multiplication of floats takes a fraction of the time of one of 32-bit integers. (300×340×3 →
/// 224×224, cubic: 0.135 ms in integers, 0.115 ms so.)
fn down_by_floats<const N: usize>(rows: [&[i32]; N], weights: [i16; N], row: &mut [u8]) {
    let rows = rows.map(|samples| samples.as_chunks::<STEP>().0);
    let exact = weights.map(i32::from);
    let weights = weights.map(|weight| f32::from(weight) / (1 << FRACTION) as f32);
    vectorise(|| {
        for (at, block) in row.as_chunks_mut::<STEP>().0.iter_mut().enumerate() {
            let rows = rows.map(|blocks| &blocks[at]);
            let (levels, is_sure) = weigh_floats(rows, weights);
            *block = levels;
            if !is_sure {
                exactly(rows, exact, block);
            }
        }
    });
}

/// [`weigh`] out of the way of the loop that seldom needs it.
#[cold]
#[inline(never)]
fn exactly<const N: usize>(rows: [&[i32; STEP]; N], weights: [i32; N], block: &mut [u8; STEP]) {
    *block = weigh(rows, weights);
}

/// As [`weigh`], and whether it is sure: floats do not say on which side of a half a sum very near to one is.
#[allow(clippy::inline_always)] // as there
#[inline(always)]
fn weigh_floats<const N: usize>(rows: [&[i32; STEP]; N], weights: [f32; N]) -> ([u8; STEP], bool) {
    // Added to a float, it leaves the nearest whole number in the lowest bits.
    const ROUND: f32 = (3 << 22) as f32;
    // Weights and samples are exact. Four products of up to 400, their sums and the difference below are each off by half
    // of the last of 24 bits at most: all of them together by less than this.
    const DOUBT: f32 = 2.5e-4;
    let mut sums = [0.0; STEP];
    for (samples, weight) in rows.iter().zip(weights) {
        for (sum, sample) in sums.iter_mut().zip(*samples) {
            *sum += weight * *sample as f32;
        }
    }
    let rounded = sums.map(|sum| sum + ROUND);
    let mut doubt = 0;
    for (sum, rounded) in sums.iter().zip(&rounded) {
        let off = ((rounded - ROUND) - sum).abs();
        // Below zero for what is too far off, without a branch: floats from 0 up are in the order of their bits.
        doubt |= (0.5 - DOUBT).to_bits() as i32 - off.to_bits() as i32;
    }
    let whole = |rounded: f32| rounded.to_bits() as i32 - ROUND.to_bits() as i32;
    let levels = rounded.map(|rounded| whole(rounded).clamp(0, 255) as u8);
    (levels, doubt >= 0)
}

/// Arrays, because the compiler keeps their sums in registers; for slices of `N` rows it makes no vectors at all.
#[allow(clippy::inline_always)] // left alone, it is compiled once, and not for AVX2
#[inline(always)]
fn weigh<const N: usize>(rows: [&[i32; STEP]; N], weights: [i32; N]) -> [u8; STEP] {
    let mut sums = [1 << (FRACTION - 1); STEP];
    for (samples, weight) in rows.iter().zip(weights) {
        for (sum, sample) in sums.iter_mut().zip(*samples) {
            *sum += weight * sample;
        }
    }
    sums.map(|sum| (sum >> FRACTION).clamp(0, 255) as u8)
}

/// Keys' cubic with A = −0.75. The last weight is what is missing to 1, not its own polynomial.
pub(crate) fn cubic(x: f32) -> [f32; 4] {
    const A: f32 = -0.75;
    let near = |x: f32| ((A + 2.0) * x - (A + 3.0)) * x * x + 1.0;
    let first = ((A * (x + 1.0) - 5.0 * A) * (x + 1.0) + 8.0 * A) * (x + 1.0) - 4.0 * A;
    let (second, third) = (near(x), near(1.0 - x));
    [first, second, third, 1.0 - first - second - third]
}

/// Lanczos with 4 lobes, its weights divided by their sum.
///
/// The numerator sin(πd)·sin(πd/4) is, for the eight d that are whole steps apart, the same up to a turn by multiples of
/// 45°: [`TURNS`] applied to one sine and one cosine.
pub(crate) fn lanczos4(x: f32) -> [f32; 8] {
    const S45: f64 = std::f64::consts::FRAC_1_SQRT_2;
    const TURNS: [(f64, f64); 8] = [
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
            // On a pixel: it outweighs all others, and the division below makes it 1.
            return 1e30;
        }
        let angle = angle(distance);
        ((TURNS[k].0 * sine + TURNS[k].1 * cosine) / (angle * angle)) as f32
    });
    let part = 1.0 / weights.iter().sum::<f32>();
    weights.map(|weight| weight * part)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn on_a_pixel_only_that_pixel_counts() {
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
    fn floats_give_what_integers_give() {
        let mut random = crate::rng::Rng::new(0, 0, 0);
        for case in 0..20_000 {
            let weights = cubic((case % 1000) as f32 / 1000.0);
            let weights = weights.map(|weight| (weight * 2048.0).round_ties_even() as i16);
            // Sums of a row, those of the sharpest edges included.
            let rows: [[i32; STEP]; 4] = std::array::from_fn(|_| {
                std::array::from_fn(|_| random.below(255 * 3072) as i32 - 255 * 256)
            });
            let expected = weigh(rows.each_ref(), weights.map(i32::from));
            let mut row = [0; STEP];
            down_by_floats(rows.each_ref().map(|row| &row[..]), weights, &mut row);
            assert_eq!(row, expected, "{case}");
        }
    }

    #[test]
    fn the_sharpest_picture_stays_within_i32() {
        // The largest sum: 255 wherever the product of the two weights is positive.
        for x in (0..=1000).map(|x| x as f32 / 1000.0) {
            let weights = lanczos4(x).map(|weight| f64::from(weight) * 2048.0);
            let up: f64 = weights.iter().map(|weight| weight.max(0.0)).sum();
            let down: f64 = weights.iter().map(|weight| weight.min(0.0)).sum();
            assert!(255.0 * (up * up + down * down) + f64::from(1 << 21) < f64::from(i32::MAX));
        }
    }
}
