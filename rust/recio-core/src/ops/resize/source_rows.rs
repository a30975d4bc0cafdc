//! Source rows of floats, of which several are needed at once.

use std::ops::Range;

use super::row_ring::RowRing;
use crate::image::RowSource;

/// Rows of a source; those of a source that is not in memory are kept while they may be needed.
pub(super) struct SourceRows<'a> {
    src: &'a mut dyn RowSource<f32>,
    /// The samples of each row that are needed.
    samples: Range<usize>,
    kept: &'a mut RowRing<f32>,
}

impl<'a> SourceRows<'a> {
    /// Keep any `count` consecutive rows in `kept`.
    pub(super) fn new(
        src: &'a mut dyn RowSource<f32>,
        samples: Range<usize>,
        count: usize,
        kept: &'a mut RowRing<f32>,
    ) -> Self {
        if src.as_view().is_none() {
            kept.reset(count, samples.len());
        }
        Self { src, samples, kept }
    }

    /// Read row `at`, unless it is in memory.
    pub(super) fn ensure(&mut self, at: usize) {
        if self.src.as_view().is_none() {
            self.kept.ensure(at, |samples| {
                samples.copy_from_slice(&self.src.row(at)[self.samples.clone()]);
            });
        }
    }

    /// Return the samples of row `at`, which was read.
    pub(super) fn get(&self, at: usize) -> &[f32] {
        match self.src.as_view() {
            Some(view) => &view.row(at)[self.samples.clone()],
            None => self.kept.get(at),
        }
    }
}
