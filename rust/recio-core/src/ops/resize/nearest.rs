//! Nearest neighbor interpolation, for samples of any type: pixels are copied.

use super::Geometry;
use super::axis::Axis;
use super::output::Output;
use crate::image::{RowSource, Subpixel};

/// First sample of each column's source pixel.
#[derive(Debug, Default)]
pub(super) struct Scratch {
    columns: Vec<usize>,
}

/// Resize by copying pixels; `locate` is [`Axis::nearest`] or [`Axis::nearest_exact`].
pub(super) fn run<T: Subpixel, const C: usize>(
    geometry: &Geometry,
    src: &mut dyn RowSource<T>,
    locate: fn(Axis, usize) -> usize,
    scratch: &mut Scratch,
    output: &mut Output<'_, T>,
) {
    scratch.columns.clear();
    scratch
        .columns
        .extend(geometry.columns().map(|x| locate(geometry.x, x) * C));
    let mut previous = None;
    for (y, target) in geometry.rows().enumerate() {
        let source = locate(geometry.y, target);
        if previous == Some(source) {
            output.repeat(y);
        } else {
            let samples = src.row(source);
            output.write(y, |row| copy_pixels::<T, C>(samples, &scratch.columns, row));
            previous = Some(source);
        }
    }
}

fn copy_pixels<T: Subpixel, const C: usize>(source: &[T], columns: &[usize], row: &mut [T]) {
    for (pixel, &at) in row.as_chunks_mut::<C>().0.iter_mut().zip(columns) {
        pixel.copy_from_slice(&source[at..at + C]);
    }
}
