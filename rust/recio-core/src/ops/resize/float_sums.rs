//! Resampling of floats with any number of source pixels for a target pixel: area and antialiased
//! interpolation.

use std::mem::take;

use super::Geometry;
use super::area::Contribution;
use super::axis::Axis;
use super::output::Output;
use super::row_ring::RowRing;
use super::simd::vectorize;
use super::source_rows::SourceRows;
use crate::image::RowSource;

/// Appends the contributions of source pixels to a target pixel.
pub(super) type AppendContributions = fn(Axis, usize, &mut Vec<Contribution>);

/// Weighted sums that form a target row.
#[derive(Debug, Default)]
pub(super) struct Scratch {
    /// Contributions to all columns, one column after the other; positions are in samples of
    /// `row_sum`.
    columns: Vec<Contribution>,
    /// Number of contributions to each column.
    counts: Vec<usize>,
    /// Contributions of source rows to one target row.
    rows: Vec<Contribution>,
    /// Source rows that are used again, if the source is not in memory.
    kept: RowRing<f32>,
    /// The weighted sum of the rows.
    row_sum: Vec<f32>,
}

pub(super) fn run<const C: usize>(
    geometry: &Geometry,
    src: &mut dyn RowSource<f32>,
    append: AppendContributions,
    scratch: &mut Scratch,
    output: &mut Output<'_, f32>,
) {
    scratch.prepare(geometry, append);
    let left = scratch.crop_to_window::<C>() * C;
    let samples = left..left + scratch.row_sum.len();
    let (count, mut kept) = (scratch.max_rows(geometry, append), take(&mut scratch.kept));
    let mut source = SourceRows::new(src, samples, count, &mut kept);
    for (y, target) in geometry.rows().enumerate() {
        scratch.rows.clear();
        append(geometry.y, target, &mut scratch.rows);
        scratch.sum_rows(&mut source);
        output.write(y, |row| scratch.sum_columns::<C>(row));
    }
    scratch.kept = kept;
}

impl Scratch {
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

    /// Convert positions to samples of `row_sum`, which holds only the columns that the window
    /// needs; return the first of these.
    fn crop_to_window<const C: usize>(&mut self) -> usize {
        let positions = || self.columns.iter().map(|contribution| contribution.at);
        let left = positions().min().unwrap_or_default();
        let right = positions().max().unwrap_or_default() + 1;
        self.columns
            .iter_mut()
            .for_each(|contribution| contribution.at = (contribution.at - left) * C);
        self.row_sum.resize((right - left) * C, 0.0);
        left
    }

    /// Return the maximum number of source rows of a target row.
    fn max_rows(&mut self, geometry: &Geometry, append: AppendContributions) -> usize {
        let count = |target| {
            self.rows.clear();
            append(geometry.y, target, &mut self.rows);
            self.rows.len()
        };
        geometry.rows().map(count).max().unwrap_or_default()
    }

    fn sum_rows(&mut self, source: &mut SourceRows<'_>) {
        self.row_sum.fill(0.0);
        for contribution in &self.rows {
            source.ensure(contribution.at);
            let samples = source.get(contribution.at);
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
