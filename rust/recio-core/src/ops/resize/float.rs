//! Resampling of floats, equal to OpenCV's `cv::resize` of 32-bit floats but for the order of the sums.
//!
//! Here no method needs an arithmetic of its own: a target pixel is a weighted sum of source pixels, and a method is
//! where it finds them and with which weights. The source rows are summed first, whole rows at a time, which the
//! compiler vectorises; then the columns of that sum. Nothing is rounded or clamped: cubic and Lanczos overshoot.
//!
//! Positions are floats, as OpenCV's own code and MXNet's have them. OpenCV with Intel's IPP, its default on x86-64, has
//! doubles in `Linear` and `Cubic`; at a thousand pixels from the corner the results are 0.02 levels apart.
//!
//! In milliseconds, for 300×300×3 → 224×224 on one core of an AMD EPYC:
//!
//! |                          | linear | cubic | area  | Lanczos |
//! |--------------------------|--------|-------|-------|---------|
//! | this                     |  0.108 | 0.165 | 0.117 |   0.297 |
//! | OpenCV 4.8.1 without IPP |  0.102 | 0.262 | 0.414 |   0.561 |
//! | OpenCV 4.8.1 with IPP    |  0.041 | 0.077 | 0.412 |   0.556 |

use super::area::{self, Part};
use super::axis::Axis;
use super::simd::vectorise;
use super::{Interpolation, Job, Sink, antialias, collect, kernel, nearest};
use crate::image::{Image, Rect, View};

/// The tables and rows that resampling floats needs. Reused, it makes later calls free of allocation.
#[derive(Debug, Default)]
pub struct FloatScratch {
    nearest: nearest::Scratch,
    sums: Sums,
    /// The row that is handed to the caller.
    row: Vec<f32>,
}

/// [`resize_rows`](super::resize_rows) of floats. Their rows are summed anew for each row of the result, so all of them
/// are there already.
///
/// # Panics
/// As that.
pub fn resize_rows_f32(
    mut src: View<'_, f32>,
    full: (usize, usize),
    window: Rect,
    method: Interpolation,
    scratch: &mut FloatScratch,
    mut row: impl FnMut(usize, &[f32]),
) {
    let size = (src.width, src.height);
    let Some(job) = Job::new(size, full, window) else {
        return;
    };
    match src.channels {
        _ if size == full => job.copy(&mut src, &mut row),
        1 => job.run_f32::<1>(src, method, scratch, &mut row),
        3 => job.run_f32::<3>(src, method, scratch, &mut row),
        4 => job.run_f32::<4>(src, method, scratch, &mut row),
        channels => panic!("pixels of {channels} channels cannot be resized"),
    }
}

/// Resizes all of `src`.
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
    collect((width, height), src.channels, |sink| {
        let whole = Rect::of_size(width, height);
        let scratch = &mut FloatScratch::default();
        resize_rows_f32(src, (width, height), whole, method, scratch, sink);
    })
}

/// Appends the parts of source pixels that a target pixel is the sum of. Shares below 0 sharpen.
type Split = fn(Axis, usize, &mut Vec<Part>);

impl Job {
    fn run_f32<const C: usize>(
        &self,
        mut src: View<'_, f32>,
        method: Interpolation,
        scratch: &mut FloatScratch,
        sink: Sink<'_, f32>,
    ) {
        let FloatScratch { nearest, sums, row } = scratch;
        row.resize(self.window.width * C, 0.0);
        let split: Split = match method {
            Interpolation::Nearest => {
                return nearest::run::<_, C>(self, &mut src, Axis::nearest, nearest, row, sink);
            }
            Interpolation::NearestExact => {
                return nearest::run::<_, C>(
                    self,
                    &mut src,
                    Axis::nearest_exact,
                    nearest,
                    row,
                    sink,
                );
            }
            Interpolation::Linear => |axis, x, parts| weigh(axis, axis.centre(x), linear, parts),
            Interpolation::Cubic => {
                |axis, x, parts| weigh(axis, axis.centre(x), kernel::cubic, parts)
            }
            Interpolation::Lanczos4 => {
                |axis, x, parts| weigh(axis, axis.centre(x), kernel::lanczos4, parts)
            }
            Interpolation::Antialias => antialias::split,
            Interpolation::Area if self.shrinks() => {
                |axis, x, parts| area::split(axis, x, 1, parts)
            }
            Interpolation::Area => |axis, x, parts| weigh(axis, axis.edge(x), linear, parts),
        };
        sums.run::<C>(self, src, split, row, sink);
    }
}

/// Appends the neighbours of a position with their weights, which depend on how far it lies beyond the middle one.
fn weigh<const N: usize>(
    axis: Axis,
    (position, beyond): (isize, f32),
    weights: fn(f32) -> [f32; N],
    parts: &mut Vec<Part>,
) {
    let neighbours = axis.around::<N>(position).into_iter().zip(weights(beyond));
    parts.extend(neighbours.map(|(at, share)| Part { at, share }));
}

fn linear(beyond: f32) -> [f32; 2] {
    [1.0 - beyond, beyond]
}

/// The weighted sums that make up a target row.
#[derive(Debug, Default)]
struct Sums {
    /// The parts of all columns, one column after the other; positions are in samples of `line`.
    columns: Vec<Part>,
    /// How many parts each column has.
    counts: Vec<usize>,
    /// The parts of one target row.
    rows: Vec<Part>,
    /// Their sum.
    line: Vec<f32>,
}

impl Sums {
    fn run<const C: usize>(
        &mut self,
        job: &Job,
        source: View<'_, f32>,
        split: Split,
        row: &mut [f32],
        sink: Sink<'_, f32>,
    ) {
        self.prepare(job, split);
        let source = self.narrow::<C>(source);
        for (y, target) in job.rows().enumerate() {
            self.rows.clear();
            split(job.y, target, &mut self.rows);
            self.sum_rows(&source);
            self.sum_columns::<C>(row);
            sink(y, row);
        }
    }

    /// Fills the tables of the columns; their positions are in pixels of the source.
    fn prepare(&mut self, job: &Job, split: Split) {
        self.columns.clear();
        self.counts.clear();
        for x in job.columns() {
            let before = self.columns.len();
            split(job.x, x, &mut self.columns);
            self.counts.push(self.columns.len() - before);
        }
    }

    /// The source without the columns beside the window's, which `line` need not hold.
    fn narrow<'a, const C: usize>(&mut self, source: View<'a, f32>) -> View<'a, f32> {
        let positions = || self.columns.iter().map(|part| part.at);
        let left = positions().min().unwrap_or_default();
        let right = positions().max().unwrap_or_default() + 1;
        self.columns
            .iter_mut()
            .for_each(|part| part.at = (part.at - left) * C);
        self.line.resize((right - left) * C, 0.0);
        source.crop(Rect {
            x: left,
            width: right - left,
            ..Rect::of_size(source.width, source.height)
        })
    }

    fn sum_rows(&mut self, source: &View<'_, f32>) {
        self.line.fill(0.0);
        for part in &self.rows {
            let samples = source.row(part.at);
            vectorise(|| {
                for (sum, &sample) in self.line.iter_mut().zip(samples) {
                    *sum += part.share * sample;
                }
            });
        }
    }

    fn sum_columns<const C: usize>(&self, row: &mut [f32]) {
        vectorise(|| {
            let mut columns = &self.columns[..];
            for (pixel, &count) in row.as_chunks_mut::<C>().0.iter_mut().zip(&self.counts) {
                let (parts, others) = columns.split_at(count);
                columns = others;
                *pixel = parts.iter().fold([0.0; C], |sum, part| {
                    let samples = &self.line[part.at..part.at + C];
                    std::array::from_fn(|c| sum[c] + part.share * samples[c])
                });
            }
        });
    }
}
