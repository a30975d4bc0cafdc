//! The source region that a window of the result requires, known before any pixel is decoded.
//!
//! Along either axis the source pixels of a target pixel move only forward, so the first and the
//! last target pixel of a window bound them. A decoder skips all others; the same order lets it
//! decode rows on demand.

use std::ops::Range;

use super::axis::Axis;
use super::{Algorithm, Geometry, Interpolation, antialias, area};
use crate::image::Rect;

/// Return the region of a source of size `source` that [`resize_rows`](super::resize_rows) reads
/// for this window. Pixels outside it may have any values.
///
/// # Panics
/// If the window leaves the result, or the source has no pixels.
#[must_use]
pub fn required_region(
    source: (usize, usize),
    full: (usize, usize),
    window: Rect,
    method: Interpolation,
) -> Rect {
    if source == full {
        return window;
    }
    let Some(geometry) = Geometry::new(source, full, window) else {
        return Rect::default();
    };
    let algorithm = geometry.algorithm(method);
    let (columns, rows) = (
        algorithm.source_range(geometry.x, &geometry.columns()),
        algorithm.source_range(geometry.y, &geometry.rows()),
    );
    Rect {
        x: columns.start,
        y: rows.start,
        width: columns.len(),
        height: rows.len(),
    }
}

impl Algorithm {
    /// Return the source pixels that target pixels depend on, along one axis.
    fn source_range(self, axis: Axis, targets: &Range<usize>) -> Range<usize> {
        let first = self.source_bounds(axis, targets.start).0;
        first..self.source_bounds(axis, targets.end - 1).1 + 1
    }

    /// Return the first and the last source pixel that a target pixel depends on.
    fn source_bounds(self, axis: Axis, target: usize) -> (usize, usize) {
        match self {
            Self::Nearest(locate) => (locate(axis, target), locate(axis, target)),
            Self::Linear(locate) => ends(axis.neighbors::<2>(locate(axis, target).0)),
            Self::IntegerArea(..) | Self::FractionalArea => area::source_bounds(axis, target),
            Self::Cubic => ends(axis.neighbors::<4>(axis.center(target).0)),
            Self::Lanczos4 => ends(axis.neighbors::<8>(axis.center(target).0)),
            Self::Antialias => antialias::source_bounds(axis, target),
        }
    }
}

fn ends<const N: usize>(neighbors: [usize; N]) -> (usize, usize) {
    (neighbors[0], neighbors[N - 1])
}
