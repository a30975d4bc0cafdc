//! Rows of pixels: a source that decodes them on demand, and a sink that receives them.

use crate::image::{Image, Subpixel, View};

/// Rows of pixels from the top down, decoded on demand.
pub trait RowSource<T = u8> {
    /// Pixels of a row.
    fn width(&self) -> usize;

    /// Rows.
    fn height(&self) -> usize;

    /// Values of a pixel.
    fn channels(&self) -> usize;

    /// Row `y`: `width × channels` values.
    ///
    /// Rows are asked for from the top down. Some may be skipped, and the last one may be asked for
    /// again, but never one above it.
    fn row(&mut self, y: usize) -> &[T];

    /// All rows, if they are in memory already.
    fn as_view(&self) -> Option<View<'_, T>> {
        None
    }
}

impl<T: Subpixel> RowSource<T> for View<'_, T> {
    fn width(&self) -> usize {
        self.width
    }

    fn height(&self) -> usize {
        self.height
    }

    fn channels(&self) -> usize {
        self.channels
    }

    fn row(&mut self, y: usize) -> &[T] {
        View::row(self, y)
    }

    fn as_view(&self) -> Option<View<'_, T>> {
        Some(*self)
    }
}

/// Return all rows of a source, collected into `buffer` unless they are in memory already.
pub fn view_of<'a, T: Subpixel>(
    source: &'a mut dyn RowSource<T>,
    buffer: &'a mut Image<T>,
) -> View<'a, T> {
    if source.as_view().is_none() {
        buffer.collect(source);
    }
    source.as_view().unwrap_or_else(|| buffer.view())
}

/// Receives the rows of an image: the number of each, from 0 at the top, and its values.
pub trait RowSink {
    /// Receives a row of 8-bit values.
    fn row_u8(&mut self, y: usize, row: &[u8]);
    /// Receives a row of floats.
    fn row_f32(&mut self, y: usize, row: &[f32]);
}
