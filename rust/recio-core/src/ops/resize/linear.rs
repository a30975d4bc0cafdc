//! Linear interpolation: horizontal pass in fixed point with 11 bits, vertical pass in OpenCV's
//! 16-bit vector arithmetic.
//!
//! A horizontally resampled row keeps 7 of the 11 fraction bits, so that a sample is an `i16` and
//! the vertical pass is a multiplication that keeps the high half. Area interpolation uses the same
//! passes to enlarge, and to halve.

use super::axis::{Axis, Taps};
use super::horizontal_pass::HorizontalPass;
use super::output::Output;
use super::row_ring::RowRing;
use super::simd::vectorize;
use super::{Geometry, Locate};
use crate::image::RowSource;

/// Taps of the columns, and the source rows in use.
#[derive(Debug, Default)]
pub(super) struct Scratch {
    horizontal: HorizontalPass<2>,
    rows: RowRing<i16>,
}

/// Resize linearly; `locate` is [`Axis::center`] or [`Axis::edge`].
pub(super) fn run<const C: usize>(
    geometry: &Geometry,
    src: &mut dyn RowSource,
    locate: Locate,
    scratch: &mut Scratch,
    output: &mut Output<'_, u8>,
) {
    let Scratch { horizontal, rows } = scratch;
    let columns = geometry
        .columns()
        .map(|x| column(geometry.x, locate(geometry.x, x)));
    horizontal.prepare::<C>(columns, geometry.x.source);
    rows.reset(2, horizontal.length::<C>());
    for (y, target) in geometry.rows().enumerate() {
        let (position, fraction) = locate(geometry.y, target);
        let taps = geometry.y.taps(position, [1.0 - fraction, fraction]);
        for at in taps.at {
            rows.ensure(at, |out| horizontal.run::<C, _>(src.row(at), out));
        }
        let sources = taps.at.map(|at| rows.get(at));
        output.write(y, |row| vertical_pass(sources, taps.weight, row));
    }
}

/// Return the taps of a column. A position outside the source becomes the border pixel with weight
/// 1; the vertical pass keeps the fraction and takes the border row twice, which rounds
/// differently.
fn column(axis: Axis, (position, fraction): (isize, f32)) -> Taps<2> {
    let last = axis.source as isize - 1;
    let inside = (0..last).contains(&position);
    let fraction = if inside { fraction } else { 0.0 };
    axis.taps(position.clamp(0, last), [1.0 - fraction, fraction])
}

fn vertical_pass([upper, lower]: [&[i16]; 2], [near, far]: [i16; 2], row: &mut [u8]) {
    let high = |weight: i16, sample: i16| ((i32::from(weight) * i32::from(sample)) >> 16) as i16;
    vectorize(|| {
        for ((sample, &upper), &lower) in row.iter_mut().zip(upper).zip(lower) {
            *sample = ((high(near, upper) + high(far, lower) + 2) >> 2) as u8;
        }
    });
}
