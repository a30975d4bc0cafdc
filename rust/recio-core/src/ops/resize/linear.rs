//! Linear interpolation: across in fixed point of 11 bits, then down in the 16-bit arithmetic of OpenCV's vectors.
//!
//! A row that has been resampled across keeps 7 of the 11 fraction bits, so that a sample is an `i16` and the vertical
//! pass a multiply that keeps the high half. The same pass serves area interpolation where that enlarges or halves.

use super::across::Across;
use super::axis::{Axis, Taps};
use super::rows::Rows;
use super::simd::vectorise;
use super::{Job, Locate, Sink};
use crate::image::RowSource;

/// The columns and the source rows in use.
#[derive(Debug, Default)]
pub(super) struct Scratch {
    across: Across<2>,
    rows: Rows<i16>,
}

/// `locate` gives a target pixel's position in the source, and its fraction: [`Axis::centre`] or [`Axis::edge`].
pub(super) fn run<const C: usize>(
    job: &Job,
    src: &mut dyn RowSource,
    locate: Locate,
    scratch: &mut Scratch,
    row: &mut [u8],
    sink: Sink<'_>,
) {
    let Scratch { across, rows } = scratch;
    let columns = job.columns().map(|x| column(job.x, locate(job.x, x)));
    across.prepare::<C>(columns, job.x.source);
    rows.reset(2, across.length::<C>());
    for (y, target) in job.rows().enumerate() {
        let (position, beyond) = locate(job.y, target);
        let taps = job.y.taps(position, [1.0 - beyond, beyond]);
        for at in taps.at {
            rows.ensure(at, |out| across.run::<C, _>(src.row(at), out));
        }
        down(taps.at.map(|at| rows.get(at)), taps.weight, row);
        sink(y, row);
    }
}

/// The taps of a column. A position outside the source becomes the pixel at the border, whole; down, the fraction is
/// kept and both rows are that of the border, which rounds differently.
fn column(axis: Axis, (position, beyond): (isize, f32)) -> Taps<2> {
    let last = axis.source as isize - 1;
    let inside = (0..last).contains(&position);
    let beyond = if inside { beyond } else { 0.0 };
    axis.taps(position.clamp(0, last), [1.0 - beyond, beyond])
}

fn down([upper, lower]: [&[i16]; 2], [near, far]: [i16; 2], row: &mut [u8]) {
    let high = |weight: i16, sample: i16| ((i32::from(weight) * i32::from(sample)) >> 16) as i16;
    vectorise(|| {
        for ((sample, &upper), &lower) in row.iter_mut().zip(upper).zip(lower) {
            *sample = ((high(near, upper) + high(far, lower) + 2) >> 2) as u8;
        }
    });
}
