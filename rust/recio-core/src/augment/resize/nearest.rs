//! Nearest neighbour: pixels are copied, none is computed.

use super::{Job, Sink};

/// The first sample of the source pixel of each column.
#[derive(Debug, Default)]
pub(super) struct Scratch {
    columns: Vec<usize>,
}

pub(super) fn run<const C: usize>(
    job: &Job<'_>,
    scratch: &mut Scratch,
    row: &mut [u8],
    sink: Sink<'_>,
) {
    scratch.columns.clear();
    scratch
        .columns
        .extend(job.columns().map(|x| job.x.nearest(x) * C));
    let mut held = None;
    for y in 0..job.window.height {
        let source = job.y.nearest(job.window.y + y);
        if held != Some(source) {
            pick::<C>(job.src.row(source), &scratch.columns, row);
            held = Some(source);
        }
        sink(y, row);
    }
}

fn pick<const C: usize>(source: &[u8], columns: &[usize], row: &mut [u8]) {
    for (pixel, &at) in row.as_chunks_mut::<C>().0.iter_mut().zip(columns) {
        pixel.copy_from_slice(&source[at..at + C]);
    }
}
