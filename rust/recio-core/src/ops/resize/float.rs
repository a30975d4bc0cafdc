//! Image resizing in float32, equal to OpenCV's `cv::resize` of 32-bit floats except for the order
//! of the sums.
//!
//! All methods share one arithmetic: a target pixel is a weighted sum of source pixels, and a
//! method only selects pixels and weights. Source rows are summed first, a row at a time, which the
//! compiler vectorizes; then the columns of that sum. Nothing is rounded or clamped: cubic and
//! Lanczos overshoot.
//!
//! Positions are floats, as in OpenCV's own code and MXNet's. OpenCV with Intel's IPP, its default
//! on x86-64, computes them in doubles for `Linear` and `Cubic`; a thousand pixels from the corner
//! the results differ by 0.02.
//!
//! In milliseconds, for 300×300×3 → 224×224 on one core of an AMD EPYC:
//!
//! |                          | linear | cubic | area  | Lanczos |
//! |--------------------------|--------|-------|-------|---------|
//! | this module              |  0.108 | 0.165 | 0.117 |   0.297 |
//! | OpenCV 4.8.1 without IPP |  0.102 | 0.262 | 0.414 |   0.561 |
//! | OpenCV 4.8.1 with IPP    |  0.041 | 0.077 | 0.412 |   0.556 |

use super::area::{self, Contribution};
use super::axis::Axis;
use super::simd::vectorize;
use super::{EmitRow, Geometry, Interpolation, antialias, collect, kernel, nearest};
use crate::image::{Image, Rect, View};

/// Tables and rows for resampling floats. Reused, it makes later calls free of allocation.
#[derive(Debug, Default)]
pub struct FloatScratch {
    nearest: nearest::Scratch,
    sums: Sums,
    /// The emitted row.
    row: Vec<f32>,
}

/// Resize an image of floats, as [`resize_rows`](super::resize_rows). The entire source must be in
/// memory, because its rows are summed again for each row of the result.
///
/// # Panics
/// As [`resize_rows`](super::resize_rows).
pub fn resize_rows_f32(
    mut src: View<'_, f32>,
    full: (usize, usize),
    window: Rect,
    method: Interpolation,
    scratch: &mut FloatScratch,
    mut row: impl FnMut(usize, &[f32]),
) {
    let size = (src.width, src.height);
    let Some(geometry) = Geometry::new(size, full, window) else {
        return;
    };
    match src.channels {
        _ if size == full => geometry.copy(&mut src, &mut row),
        1 => geometry.run_f32::<1>(src, method, scratch, &mut row),
        3 => geometry.run_f32::<3>(src, method, scratch, &mut row),
        4 => geometry.run_f32::<4>(src, method, scratch, &mut row),
        channels => panic!("pixels of {channels} channels cannot be resized"),
    }
}

/// Resize an image of floats.
///
/// # Panics
/// As [`resize_rows_f32`].
#[must_use]
pub fn resize_f32(
    src: View<'_, f32>,
    width: usize,
    height: usize,
    method: Interpolation,
) -> Image<f32> {
    collect((width, height), src.channels, |emit| {
        let window = Rect::of_size(width, height);
        let scratch = &mut FloatScratch::default();
        resize_rows_f32(src, (width, height), window, method, scratch, emit);
    })
}

/// Appends the contributions of source pixels to a target pixel. Negative weights sharpen.
type AppendContributions = fn(Axis, usize, &mut Vec<Contribution>);

impl Geometry {
    fn run_f32<const C: usize>(
        &self,
        mut src: View<'_, f32>,
        method: Interpolation,
        scratch: &mut FloatScratch,
        emit: EmitRow<'_, f32>,
    ) {
        let FloatScratch { nearest, sums, row } = scratch;
        row.resize(self.window.width * C, 0.0);
        let append: AppendContributions = match method {
            Interpolation::Nearest => {
                return nearest::run::<_, C>(self, &mut src, Axis::nearest, nearest, row, emit);
            }
            Interpolation::NearestExact => {
                return nearest::run::<_, C>(
                    self,
                    &mut src,
                    Axis::nearest_exact,
                    nearest,
                    row,
                    emit,
                );
            }
            Interpolation::Linear => {
                |axis, x, out| append_neighbors(axis, axis.center(x), linear, out)
            }
            Interpolation::Cubic => {
                |axis, x, out| append_neighbors(axis, axis.center(x), kernel::cubic, out)
            }
            Interpolation::Lanczos4 => {
                |axis, x, out| append_neighbors(axis, axis.center(x), kernel::lanczos4, out)
            }
            Interpolation::Antialias => antialias::append_contributions,
            Interpolation::Area if self.shrinks() => {
                |axis, x, out| area::append_contributions(axis, x, 1, out)
            }
            Interpolation::Area => |axis, x, out| append_neighbors(axis, axis.edge(x), linear, out),
        };
        sums.run::<C>(self, src, append, row, emit);
    }
}

/// Append the neighbors of a position with their weights, which depend on the fraction.
fn append_neighbors<const N: usize>(
    axis: Axis,
    (position, fraction): (isize, f32),
    weights: fn(f32) -> [f32; N],
    contributions: &mut Vec<Contribution>,
) {
    let positions = axis.neighbors::<N>(position).into_iter();
    let neighbors = positions.zip(weights(fraction));
    contributions.extend(neighbors.map(|(at, weight)| Contribution { at, weight }));
}

fn linear(fraction: f32) -> [f32; 2] {
    [1.0 - fraction, fraction]
}

/// Weighted sums that form a target row.
#[derive(Debug, Default)]
struct Sums {
    /// Contributions to all columns, one column after the other; positions are in samples of
    /// `row_sum`.
    columns: Vec<Contribution>,
    /// Number of contributions to each column.
    counts: Vec<usize>,
    /// Contributions of source rows to one target row.
    rows: Vec<Contribution>,
    /// Their weighted sum.
    row_sum: Vec<f32>,
}

impl Sums {
    fn run<const C: usize>(
        &mut self,
        geometry: &Geometry,
        source: View<'_, f32>,
        append: AppendContributions,
        row: &mut [f32],
        emit: EmitRow<'_, f32>,
    ) {
        self.prepare(geometry, append);
        let source = self.crop_to_window::<C>(source);
        for (y, target) in geometry.rows().enumerate() {
            self.rows.clear();
            append(geometry.y, target, &mut self.rows);
            self.sum_rows(&source);
            self.sum_columns::<C>(row);
            emit(y, row);
        }
    }

    /// Fill the tables of the columns; their positions are in pixels of the source.
    fn prepare(&mut self, geometry: &Geometry, append: AppendContributions) {
        self.columns.clear();
        self.counts.clear();
        for x in geometry.columns() {
            let before = self.columns.len();
            append(geometry.x, x, &mut self.columns);
            self.counts.push(self.columns.len() - before);
        }
    }

    /// Crop the source to the columns that the window needs, and convert positions to samples of
    /// `row_sum`.
    fn crop_to_window<'a, const C: usize>(&mut self, source: View<'a, f32>) -> View<'a, f32> {
        let positions = || self.columns.iter().map(|contribution| contribution.at);
        let left = positions().min().unwrap_or_default();
        let right = positions().max().unwrap_or_default() + 1;
        self.columns
            .iter_mut()
            .for_each(|contribution| contribution.at = (contribution.at - left) * C);
        self.row_sum.resize((right - left) * C, 0.0);
        source.crop(Rect {
            x: left,
            width: right - left,
            ..Rect::of_size(source.width, source.height)
        })
    }

    fn sum_rows(&mut self, source: &View<'_, f32>) {
        self.row_sum.fill(0.0);
        for contribution in &self.rows {
            let samples = source.row(contribution.at);
            vectorize(|| {
                for (sum, &sample) in self.row_sum.iter_mut().zip(samples) {
                    *sum += contribution.weight * sample;
                }
            });
        }
    }

    fn sum_columns<const C: usize>(&self, row: &mut [f32]) {
        vectorize(|| {
            let mut columns = &self.columns[..];
            for (pixel, &count) in row.as_chunks_mut::<C>().0.iter_mut().zip(&self.counts) {
                let (contributions, rest) = columns.split_at(count);
                columns = rest;
                *pixel = contributions.iter().fold([0.0; C], |sum, contribution| {
                    let samples = &self.row_sum[contribution.at..contribution.at + C];
                    std::array::from_fn(|c| sum[c] + contribution.weight * samples[c])
                });
            }
        });
    }
}
