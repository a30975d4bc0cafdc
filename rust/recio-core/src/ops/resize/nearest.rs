//! Nearest neighbour: pixels are copied, none is computed, so that samples of any type do.

use super::axis::Axis;
use super::{Job, Sink};
use crate::image::{RowSource, Subpixel};

/// The first sample of the source pixel of each column.
#[derive(Debug, Default)]
pub(super) struct Scratch {
    columns: Vec<usize>,
}

/// `locate` gives a target pixel's source pixel: [`Axis::nearest`] or [`Axis::nearest_exact`].
pub(super) fn run<T: Subpixel, const C: usize>(
    job: &Job,
    src: &mut dyn RowSource<T>,
    locate: fn(Axis, usize) -> usize,
    scratch: &mut Scratch,
    row: &mut [T],
    sink: Sink<'_, T>,
) {
    scratch.columns.clear();
    scratch
        .columns
        .extend(job.columns().map(|x| locate(job.x, x) * C));
    let mut held = None;
    for (y, target) in job.rows().enumerate() {
        let source = locate(job.y, target);
        if held != Some(source) {
            pick::<T, C>(src.row(source), &scratch.columns, row);
            held = Some(source);
        }
        sink(y, row);
    }
}

fn pick<T: Subpixel, const C: usize>(source: &[T], columns: &[usize], row: &mut [T]) {
    for (pixel, &at) in row.as_chunks_mut::<C>().0.iter_mut().zip(columns) {
        pixel.copy_from_slice(&source[at..at + C]);
    }
}
