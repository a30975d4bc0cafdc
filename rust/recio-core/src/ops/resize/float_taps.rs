//! Resampling of floats with `N`×`N` source pixels for a target pixel: linear, cubic and Lanczos
//! interpolation.
//!
//! Where pixels of the result share source pixels, the source rows are summed first; where the
//! image shrinks so much that hardly any are shared, only the source pixels that are needed are
//! read. The order of the sums is the same.

use super::Geometry;
use super::axis::{Axis, FloatTaps};
use super::output::Output;
use super::row_ring::RowRing;
use super::simd::vectorized;
use super::source_rows::SourceRows;
use crate::image::RowSource;

/// Samples that the compiler sums in vectors.
const BLOCK: usize = 16;

/// Taps of the columns, and the source rows in use.
#[derive(Debug)]
pub(super) struct Scratch<const N: usize> {
    /// Positions are in samples of a source row.
    columns: Vec<FloatTaps<N>>,
    kept: RowRing<f32>,
    /// The weighted sum of `N` rows, padded.
    row_sum: Vec<f32>,
}

impl<const N: usize> Default for Scratch<N> {
    fn default() -> Self {
        Self {
            columns: Vec::new(),
            kept: RowRing::default(),
            row_sum: Vec::new(),
        }
    }
}

/// Resize an image of `C` channels. For each pixel `L` samples are computed, at least as many, so
/// that they fit a vector; the row ends with padding for the last one.
pub(super) fn run<const C: usize, const L: usize, const N: usize>(
    geometry: &Geometry,
    src: &mut dyn RowSource<f32>,
    taps: fn(Axis, usize) -> FloatTaps<N>,
    scratch: &mut Scratch<N>,
    output: &mut Output<'_, f32>,
) {
    let Scratch {
        columns,
        kept,
        row_sum,
    } = scratch;
    columns.clear();
    columns.extend(geometry.columns().map(|x| taps(geometry.x, x)));
    let first = columns[0].at[0];
    let width = columns[columns.len() - 1].at[N - 1] + 1 - first;
    for column in &mut *columns {
        column.at = column.at.map(|at| (at - first) * C);
    }
    row_sum.resize(width * C + L - C, 0.0);
    let samples = first * C..(first + width) * C;
    let mut source = SourceRows::new(src, samples, N, kept);
    // Operations on a pixel: `N`² on its source pixels, or its share of the sums of rows, in which
    // a vector holds more than two pixels, and `N`.
    let is_sparse = 3 * width * N > 8 * columns.len() * N * (N - 1);
    for (y, target) in geometry.rows().enumerate() {
        let taps = taps(geometry.y, target);
        taps.at.iter().for_each(|&at| source.ensure(at));
        let rows = taps.at.map(|at| source.get(at));
        output.write(y, |row| {
            if is_sparse {
                sum_pixels::<C, N>(rows, taps.weight, columns, row);
            } else {
                sum_rows(rows, taps.weight, row_sum);
                sum_columns::<C, L, N>(row_sum, columns, row);
            }
        });
    }
}

vectorized!(fn sum_rows[const N: usize][N](
    rows: [&[f32]; N],
    weights: [f32; N],
    row_sum: &mut [f32],
) = sum_rows_inlined);

/// Compute the weighted sum of rows.
#[allow(clippy::inline_always)] // by `vectorized`
#[inline(always)]
fn sum_rows_inlined<const N: usize>(rows: [&[f32]; N], weights: [f32; N], row_sum: &mut [f32]) {
    let blocks = rows.map(|samples| samples.as_chunks::<BLOCK>().0);
    let (sum_blocks, _) = row_sum.as_chunks_mut::<BLOCK>();
    let done = blocks[0].len() * BLOCK;
    for (at, sums) in sum_blocks[..blocks[0].len()].iter_mut().enumerate() {
        *sums = weighted_sum(blocks.map(|blocks| &blocks[at]), weights);
    }
    for at in done..rows[0].len() {
        let values = rows.map(|samples| first_chunk(&samples[at..]));
        [row_sum[at]] = weighted_sum(values, weights);
    }
}

vectorized!(fn sum_columns[const C: usize, const L: usize, const N: usize][C, L, N](
    row_sum: &[f32],
    columns: &[FloatTaps<N>],
    row: &mut [f32],
) = sum_columns_inlined);

/// Compute the weighted sums of the columns of a row.
#[allow(clippy::inline_always)] // by `vectorized`
#[inline(always)]
fn sum_columns_inlined<const C: usize, const L: usize, const N: usize>(
    row_sum: &[f32],
    columns: &[FloatTaps<N>],
    row: &mut [f32],
) {
    for (x, taps) in columns.iter().enumerate() {
        let samples = taps.at.map(|at| first_chunk::<L>(&row_sum[at..]));
        *first_chunk_mut::<L>(&mut row[x * C..]) = weighted_sum(samples, taps.weight);
    }
}

vectorized!(fn sum_pixels[const C: usize, const N: usize][C, N](
    rows: [&[f32]; N],
    weights: [f32; N],
    columns: &[FloatTaps<N>],
    row: &mut [f32],
) = sum_pixels_inlined);

/// Compute the pixels of a row one by one.
#[allow(clippy::inline_always)] // by `vectorized`
#[inline(always)]
fn sum_pixels_inlined<const C: usize, const N: usize>(
    rows: [&[f32]; N],
    weights: [f32; N],
    columns: &[FloatTaps<N>],
    row: &mut [f32],
) {
    for (pixel, taps) in row.as_chunks_mut::<C>().0.iter_mut().zip(columns) {
        let sums = taps
            .at
            .map(|at| weighted_sum(rows.map(|row| first_chunk::<C>(&row[at..])), weights));
        *pixel = weighted_sum(sums.each_ref(), taps.weight);
    }
}

/// Sum values in order, from zero.
#[allow(clippy::inline_always)] // otherwise compiled once, without AVX2
#[inline(always)]
fn weighted_sum<const L: usize, const N: usize>(
    values: [&[f32; L]; N],
    weights: [f32; N],
) -> [f32; L] {
    let mut sums = [0.0; L];
    for (values, weight) in values.iter().zip(weights) {
        for (sum, value) in sums.iter_mut().zip(*values) {
            *sum += weight * value;
        }
    }
    sums
}

fn first_chunk<const L: usize>(samples: &[f32]) -> &[f32; L] {
    samples.first_chunk().expect("the row is padded")
}

fn first_chunk_mut<const L: usize>(samples: &mut [f32]) -> &mut [f32; L] {
    samples.first_chunk_mut().expect("the row is padded")
}
