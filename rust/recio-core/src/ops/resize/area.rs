//! Area interpolation when shrinking in both directions: the mean of the source pixels under a
//! target pixel.
//!
//! With an integer ratio a target pixel covers a box of pixels, summed as integers. With any other
//! ratio it covers a cell that cuts pixels, summed as floats in OpenCV's order: along a source row
//! first, then the rows from the top.

use super::Geometry;
use super::axis::{Axis, rint};
use super::output::Output;
use super::row_ring::RowRing;
use super::simd::vectorize;
use crate::image::{Rect, RowSource};

/// Sums of source samples over the rows of a box, column by column.
#[derive(Debug, Default)]
pub(super) struct IntegerScratch {
    sums: Vec<u32>,
}

/// Resize with an integer ratio in each direction.
pub(super) fn run_integer<const C: usize>(
    geometry: &Geometry,
    src: &mut dyn RowSource,
    (box_width, box_height): (usize, usize),
    scratch: &mut IntegerScratch,
    output: &mut Output<'_, u8>,
) {
    let Rect { x, width, .. } = geometry.window;
    let samples = x * box_width * C..(x + width) * box_width * C;
    scratch.sums.resize(samples.len(), 0);
    for (y, target) in geometry.rows().enumerate() {
        let first = target * box_height;
        scratch.sums.fill(0);
        for source in first..first + box_height {
            add(&src.row(source)[samples.clone()], &mut scratch.sums);
        }
        let size = (box_width, box_height);
        output.write(y, |row| average::<C>(&scratch.sums, size, row));
    }
}

fn add(source: &[u8], sums: &mut [u32]) {
    vectorize(|| {
        for (sum, &sample) in sums.iter_mut().zip(source) {
            *sum += u32::from(sample);
        }
    });
}

fn average<const C: usize>(sums: &[u32], (box_width, box_height): (usize, usize), row: &mut [u8]) {
    let weight = 1.0 / (box_width * box_height) as f32;
    let boxes = sums.chunks_exact(box_width * C);
    for (pixel, columns) in row.as_chunks_mut::<C>().0.iter_mut().zip(boxes) {
        let mut total = [0; C];
        for column in columns.as_chunks::<C>().0 {
            for c in 0..C {
                total[c] += u64::from(column[c]);
            }
        }
        *pixel = total.map(|total| to_sample(total as f32 * weight));
    }
}

/// Contribution of a source pixel to a target pixel.
#[derive(Debug, Clone, Copy)]
pub(super) struct Contribution {
    /// Source position: a row, or the first sample of a column.
    pub(super) at: usize,
    /// Weight of the source pixel.
    pub(super) weight: f32,
}

/// Tables and rows for any other ratio.
#[derive(Debug, Default)]
pub(super) struct FractionalScratch {
    /// Contributions to all columns, one column after the other.
    columns: Vec<Contribution>,
    /// Number of contributions to each column.
    counts: Vec<usize>,
    /// Contributions to one target row.
    target_row: Vec<Contribution>,
    /// The last source row, resampled; adjacent cells may share it.
    rows: RowRing<f32>,
    sums: Vec<f32>,
}

/// Resize with any other ratio.
pub(super) fn run_fractional<const C: usize>(
    geometry: &Geometry,
    src: &mut dyn RowSource,
    scratch: &mut FractionalScratch,
    output: &mut Output<'_, u8>,
) {
    scratch.prepare::<C>(geometry);
    for (y, target) in geometry.rows().enumerate() {
        scratch.target_row.clear();
        append_contributions(geometry.y, target, 1, &mut scratch.target_row);
        scratch.sum_rows::<C>(src);
        output.write(y, |row| round(&scratch.sums, row));
    }
}

impl FractionalScratch {
    fn prepare<const C: usize>(&mut self, geometry: &Geometry) {
        self.columns.clear();
        self.counts.clear();
        for x in geometry.columns() {
            let before = self.columns.len();
            append_contributions(geometry.x, x, C, &mut self.columns);
            self.counts.push(self.columns.len() - before);
        }
        self.rows.reset(1, geometry.window.width * C);
        self.sums.resize(geometry.window.width * C, 0.0);
    }

    /// Compute the weighted sum of the source rows of a target row.
    fn sum_rows<const C: usize>(&mut self, src: &mut dyn RowSource) {
        self.sums.fill(0.0);
        for contribution in &self.target_row {
            let (columns, counts) = (&self.columns, &self.counts);
            self.rows.ensure(contribution.at, |row| {
                sum_columns::<C>(src.row(contribution.at), columns, counts, row);
            });
            let row = self.rows.get(contribution.at);
            vectorize(|| {
                for (sum, &sample) in self.sums.iter_mut().zip(row) {
                    *sum += contribution.weight * sample;
                }
            });
        }
    }
}

fn round(sums: &[f32], row: &mut [u8]) {
    vectorize(|| {
        for (sample, &sum) in row.iter_mut().zip(sums) {
            *sample = to_sample(sum);
        }
    });
}

fn sum_columns<const C: usize>(
    source: &[u8],
    columns: &[Contribution],
    counts: &[usize],
    row: &mut [f32],
) {
    let mut contributions = columns.iter();
    for (pixel, &count) in row.as_chunks_mut::<C>().0.iter_mut().zip(counts) {
        let mut sum = [0.0; C];
        for contribution in contributions.by_ref().take(count) {
            let samples = &source[contribution.at..contribution.at + C];
            for c in 0..C {
                sum[c] += f32::from(samples[c]) * contribution.weight;
            }
        }
        *pixel = sum;
    }
}

/// Append the contributions to the cell `target`: possibly the end of a pixel, then complete
/// pixels, possibly the start of one. As in OpenCV, slivers below a thousandth of a pixel are
/// rounding errors of the division and ignored.
pub(super) fn append_contributions(
    axis: Axis,
    target: usize,
    step: usize,
    contributions: &mut Vec<Contribution>,
) {
    const SLIVER: f64 = 1e-3;
    let start = target as f64 * axis.scale;
    let end = start + axis.scale;
    let width = axis.scale.min(axis.source as f64 - start);
    let last = (end as usize).min(axis.source - 1);
    let first = (start.ceil() as usize).min(last);
    let mut push = |at: usize, covered: f64| {
        contributions.push(Contribution {
            at: at * step,
            weight: (covered / width) as f32,
        });
    };
    if first as f64 - start > SLIVER {
        push(first - 1, first as f64 - start);
    }
    for at in first..last {
        push(at, 1.0);
    }
    if end - last as f64 > SLIVER {
        push(last, (end - last as f64).min(1.0).min(width));
    }
}

/// Return the first and the last pixel under a box or a cell, slivers included.
pub(super) fn source_bounds(axis: Axis, target: usize) -> (usize, usize) {
    let start = target as f64 * axis.scale;
    let within = |at: f64| (at as usize).min(axis.source - 1);
    (within(start), within(start + axis.scale))
}

#[inline]
fn to_sample(mean: f32) -> u8 {
    rint(mean).clamp(0, 255) as u8
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_weights_of_a_cell_sum_to_one() {
        for (source, target) in [(5, 2), (300, 224), (49, 1), (1000, 999)] {
            for at in 0..target {
                let mut contributions = Vec::new();
                append_contributions(Axis::new(source, target), at, 1, &mut contributions);
                let sum: f32 = contributions
                    .iter()
                    .map(|contribution| contribution.weight)
                    .sum();
                assert!(
                    (sum - 1.0).abs() < 2e-3,
                    "{source} to {target}, {at}: {sum}"
                );
                assert!(
                    contributions
                        .iter()
                        .all(|contribution| contribution.at < source)
                );
            }
        }
    }

    #[test]
    fn a_cell_cuts_pixels() {
        let mut contributions = Vec::new();
        append_contributions(Axis::new(5, 2), 1, 3, &mut contributions);
        let pairs: Vec<_> = contributions
            .iter()
            .map(|contribution| (contribution.at, contribution.weight))
            .collect();
        assert_eq!(pairs, [(6, 0.2), (9, 0.4), (12, 0.4)]);
    }
}
