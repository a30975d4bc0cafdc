//! Destination of resized rows: a callback, or an image, into which they are written directly.

use super::EmitRow;

/// Receives the rows of a window.
pub(super) enum Target<'a, T> {
    Callback(EmitRow<'a, T>),
    /// The samples of an image of the window's size, with any values.
    Image(&'a mut [T]),
}

/// Rows of a window, written from the top.
pub(super) struct Output<'a, T> {
    /// A row with the padding that the kernels write.
    row: &'a mut [T],
    /// Samples of a row without the padding.
    samples: usize,
    target: Target<'a, T>,
}

impl<'a, T: Copy> Output<'a, T> {
    /// Write rows of `samples` samples, each with the padding of `row`.
    pub(super) fn new(target: Target<'a, T>, row: &'a mut [T], samples: usize) -> Self {
        Self {
            row,
            samples,
            target,
        }
    }

    /// Return the length of the rows that are written.
    pub(super) fn padded_len(&self) -> usize {
        self.row.len()
    }

    /// Let `write` write row `y`. In an image its padding overwrites the start of the next row,
    /// which is written later.
    pub(super) fn write(&mut self, y: usize, write: impl FnOnce(&mut [T])) {
        let start = y * self.samples;
        let padded = start..start + self.row.len();
        let in_place = match &mut self.target {
            Target::Image(image) => image.get_mut(padded),
            Target::Callback(_) => None,
        };
        if let Some(row) = in_place {
            return write(row);
        }
        write(self.row);
        let row = &self.row[..self.samples];
        match &mut self.target {
            Target::Callback(emit) => emit(y, row),
            Target::Image(image) => image[start..start + self.samples].copy_from_slice(row),
        }
    }

    /// Write row `y` as a copy of the row before.
    pub(super) fn repeat(&mut self, y: usize) {
        let start = y * self.samples;
        match &mut self.target {
            Target::Callback(emit) => emit(y, &self.row[..self.samples]),
            Target::Image(image) => image.copy_within(start - self.samples..start, start),
        }
    }

    /// Write row `y` as a copy of `row`.
    pub(super) fn copy(&mut self, y: usize, row: &[T]) {
        match &mut self.target {
            Target::Callback(emit) => emit(y, row),
            Target::Image(image) => image[y * self.samples..][..self.samples].copy_from_slice(row),
        }
    }
}
