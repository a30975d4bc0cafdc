//! Which source pixels a window of the result is made of, before any of them is there.
//!
//! Along either axis the pixels that a target pixel looks at move only forward, so a window's first and last target pixel
//! bound them. A decoder makes no others; the same order lets it make rows as they are asked for.

use std::ops::Range;

use super::axis::Axis;
use super::{Interpolation, Job, Way, antialias, area};
use crate::image::Rect;

/// The part of a source of the size `source` that [`resize_rows`](super::resize_rows) reads to make this window. Pixels
/// outside of it may have any values.
///
/// # Panics
/// If the window leaves the result, or the source has no pixels.
#[must_use]
pub fn needed(
    source: (usize, usize),
    full: (usize, usize),
    window: Rect,
    method: Interpolation,
) -> Rect {
    if source == full {
        return window;
    }
    let Some(job) = Job::new(source, full, window) else {
        return Rect::default();
    };
    let way = job.way(method);
    let (columns, rows) = (
        way.span(job.x, &job.columns()),
        way.span(job.y, &job.rows()),
    );
    Rect {
        x: columns.start,
        y: rows.start,
        width: columns.len(),
        height: rows.len(),
    }
}

impl Way {
    /// The source pixels along an axis that some target pixels look at.
    fn span(self, axis: Axis, targets: &Range<usize>) -> Range<usize> {
        let first = self.reach(axis, targets.start).0;
        first..self.reach(axis, targets.end - 1).1 + 1
    }

    /// The first and the last source pixel that a target pixel looks at.
    fn reach(self, axis: Axis, target: usize) -> (usize, usize) {
        match self {
            Self::Nearest(locate) => (locate(axis, target), locate(axis, target)),
            Self::Linear(locate) => ends(axis.around::<2>(locate(axis, target).0)),
            Self::Boxes(..) | Self::Cells => area::reach(axis, target),
            Self::Cubic => ends(axis.around::<4>(axis.centre(target).0)),
            Self::Lanczos4 => ends(axis.around::<8>(axis.centre(target).0)),
            Self::Antialias => antialias::reach(axis, target),
        }
    }
}

fn ends<const N: usize>(around: [usize; N]) -> (usize, usize) {
    (around[0], around[N - 1])
}
