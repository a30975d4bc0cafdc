//! Area interpolation where it shrinks in both directions: the mean of the source pixels under a target pixel.
//!
//! Whole ratios make boxes of whole pixels, summed as integers. Others make cells that cut pixels, summed as floats in
//! OpenCV's order: along a source row first, then the rows from the top.

use super::axis::{Axis, rint};
use super::rows::Rows;
use super::simd::vectorise;
use super::{Job, Sink};
use crate::image::RowSource;

/// The sums of the columns of source samples over the rows of a box.
#[derive(Debug, Default)]
pub(super) struct BoxScratch {
    sums: Vec<u32>,
}

pub(super) fn boxes<const C: usize>(
    job: &Job,
    src: &mut dyn RowSource,
    (across, down): (usize, usize),
    scratch: &mut BoxScratch,
    row: &mut [u8],
    sink: Sink<'_>,
) {
    let samples = job.window.x * across * C..(job.window.x + job.window.width) * across * C;
    scratch.sums.resize(samples.len(), 0);
    for (y, target) in job.rows().enumerate() {
        let first = target * down;
        scratch.sums.fill(0);
        for source in first..first + down {
            add(&src.row(source)[samples.clone()], &mut scratch.sums);
        }
        average::<C>(&scratch.sums, (across, down), row);
        sink(y, row);
    }
}

fn add(source: &[u8], sums: &mut [u32]) {
    vectorise(|| {
        for (sum, &sample) in sums.iter_mut().zip(source) {
            *sum += u32::from(sample);
        }
    });
}

fn average<const C: usize>(sums: &[u32], (across, down): (usize, usize), row: &mut [u8]) {
    let part = 1.0 / (across * down) as f32;
    let boxes = sums.chunks_exact(across * C);
    for (pixel, columns) in row.as_chunks_mut::<C>().0.iter_mut().zip(boxes) {
        let mut total = [0; C];
        for column in columns.as_chunks::<C>().0 {
            for c in 0..C {
                total[c] += u64::from(column[c]);
            }
        }
        *pixel = total.map(|total| to_sample(total as f32 * part));
    }
}

/// A part of a source pixel that belongs to a target pixel.
#[derive(Debug, Clone, Copy)]
pub(super) struct Part {
    /// The source position: of the first sample across, of the row down.
    pub(super) at: usize,
    /// The share of the target pixel.
    pub(super) share: f32,
}

/// The tables and the rows of cells that cut pixels.
#[derive(Debug, Default)]
pub(super) struct CellScratch {
    /// The parts of all columns, one column after the other.
    parts: Vec<Part>,
    /// How many parts each column has.
    counts: Vec<usize>,
    /// The parts of one target row.
    down: Vec<Part>,
    /// The last source row, resampled; neighbouring cells may share it.
    rows: Rows<f32>,
    sums: Vec<f32>,
}

pub(super) fn cells<const C: usize>(
    job: &Job,
    src: &mut dyn RowSource,
    scratch: &mut CellScratch,
    row: &mut [u8],
    sink: Sink<'_>,
) {
    scratch.prepare::<C>(job);
    for (y, target) in job.rows().enumerate() {
        scratch.down.clear();
        split(job.y, target, 1, &mut scratch.down);
        scratch.sum_rows::<C>(src);
        vectorise(|| {
            for (sample, &sum) in row.iter_mut().zip(&scratch.sums) {
                *sample = to_sample(sum);
            }
        });
        sink(y, row);
    }
}

impl CellScratch {
    fn prepare<const C: usize>(&mut self, job: &Job) {
        self.parts.clear();
        self.counts.clear();
        for x in job.columns() {
            let before = self.parts.len();
            split(job.x, x, C, &mut self.parts);
            self.counts.push(self.parts.len() - before);
        }
        self.rows.reset(1, job.window.width * C);
        self.sums.resize(job.window.width * C, 0.0);
    }

    /// Sums the source rows of a target row, each by its share.
    fn sum_rows<const C: usize>(&mut self, src: &mut dyn RowSource) {
        self.sums.fill(0.0);
        for part in &self.down {
            let (parts, counts) = (&self.parts, &self.counts);
            self.rows.ensure(part.at, |row| {
                sum_columns::<C>(src.row(part.at), parts, counts, row);
            });
            let row = self.rows.get(part.at);
            vectorise(|| {
                for (sum, &sample) in self.sums.iter_mut().zip(row) {
                    *sum += part.share * sample;
                }
            });
        }
    }
}

fn sum_columns<const C: usize>(source: &[u8], parts: &[Part], counts: &[usize], row: &mut [f32]) {
    let mut parts = parts.iter();
    for (pixel, &count) in row.as_chunks_mut::<C>().0.iter_mut().zip(counts) {
        let mut sum = [0.0; C];
        for part in parts.by_ref().take(count) {
            let samples = &source[part.at..part.at + C];
            for c in 0..C {
                sum[c] += f32::from(samples[c]) * part.share;
            }
        }
        *pixel = sum;
    }
}

/// Appends the parts of the cell `target`: perhaps the end of a pixel, whole pixels, perhaps the start of one. Slivers
/// below a thousandth of a pixel are noise of the division and left out, as OpenCV does.
pub(super) fn split(axis: Axis, target: usize, step: usize, parts: &mut Vec<Part>) {
    const SLIVER: f64 = 1e-3;
    let start = target as f64 * axis.scale;
    let end = start + axis.scale;
    let width = axis.scale.min(axis.source as f64 - start);
    let last = (end as usize).min(axis.source - 1);
    let first = (start.ceil() as usize).min(last);
    let mut push = |at: usize, covered: f64| {
        parts.push(Part {
            at: at * step,
            share: (covered / width) as f32,
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

/// The first and the last pixel under a box or a cell, slivers included.
pub(super) fn reach(axis: Axis, target: usize) -> (usize, usize) {
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
    fn the_shares_of_a_cell_sum_to_one() {
        for (source, target) in [(5, 2), (300, 224), (49, 1), (1000, 999)] {
            for at in 0..target {
                let mut parts = Vec::new();
                split(Axis::new(source, target), at, 1, &mut parts);
                let sum: f32 = parts.iter().map(|part| part.share).sum();
                assert!(
                    (sum - 1.0).abs() < 2e-3,
                    "{source} to {target}, {at}: {sum}"
                );
                assert!(parts.iter().all(|part| part.at < source));
            }
        }
    }

    #[test]
    fn a_cell_cuts_pixels() {
        let mut parts = Vec::new();
        split(Axis::new(5, 2), 1, 3, &mut parts);
        let parts: Vec<_> = parts.iter().map(|part| (part.at, part.share)).collect();
        assert_eq!(parts, [(6, 0.2), (9, 0.4), (12, 0.4)]);
    }
}
