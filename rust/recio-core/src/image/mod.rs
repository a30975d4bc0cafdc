//! Images: decoded pixels, views of them, and rows that are decoded on demand.
//!
//! ```text
//! mod      Image, View, Rect
//! dynamic  DynamicImage: 8-bit values or floats
//! rows     RowSource, RowSink
//! ```

mod dynamic;
mod rows;

use crate::memory;

pub use dynamic::DynamicImage;
pub use rows::{RowSink, RowSource, view_of};

/// The type of a pixel's values: `u8` as decoded, `f32` after a step in floats.
pub trait Subpixel: Copy + Default + Send + Sync + 'static {}

impl Subpixel for u8 {}
impl Subpixel for f32 {}

/// Pixels: rows from the top, interleaved channels (`H×W×C`), no padding.
///
/// Three channels are R, G, B; four are R, G, B, A; one is gray. Values are from 0 to 255, also as
/// floats.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Image<T = u8> {
    /// Pixels of a row.
    pub width: usize,
    /// Rows.
    pub height: usize,
    /// Values of a pixel, 1 to 4.
    pub channels: usize,
    /// `height × width × channels` values.
    pub data: Vec<T>,
}

impl<T: Subpixel> Image<T> {
    /// Return an image filled with one value.
    #[must_use]
    pub fn filled(width: usize, height: usize, channels: usize, value: T) -> Self {
        Self {
            width,
            height,
            channels,
            data: memory::filled_or_unwind(value, width * height * channels),
        }
    }

    /// Frees its memory if that is more than `max_bytes` bytes; then it has no pixels.
    pub fn trim(&mut self, max_bytes: usize) {
        if self.data.capacity() * size_of::<T>() > max_bytes {
            *self = Self::default();
        }
    }

    /// Changes the size. The pixels have any values then.
    pub(crate) fn resize(&mut self, (width, height): (usize, usize), channels: usize) {
        (self.width, self.height, self.channels) = (width, height, channels);
        let len = width * height * channels;
        let missing = len.saturating_sub(self.data.len());
        memory::reserve_or_unwind(&mut self.data, missing);
        self.data.resize(len, T::default());
    }

    /// Replaces the pixels with all rows of `source`.
    pub(crate) fn collect(&mut self, source: &mut dyn RowSource<T>) {
        (self.width, self.height) = (source.width(), source.height());
        self.channels = source.channels();
        self.data.clear();
        memory::reserve_or_unwind(&mut self.data, self.width * self.height * self.channels);
        for y in 0..self.height {
            self.data.extend_from_slice(source.row(y));
        }
    }

    /// Return a view of the entire image.
    #[must_use]
    pub fn view(&self) -> View<'_, T> {
        View::new(&self.data, self.width, self.height, self.channels)
    }
}

/// A rectangle of pixels: left, top, width, height.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Rect {
    /// Columns to the left of it.
    pub x: usize,
    /// Rows above it.
    pub y: usize,
    /// Its width.
    pub width: usize,
    /// Its height.
    pub height: usize,
}

impl Rect {
    /// Return the rectangle of an entire image of this size.
    #[must_use]
    pub fn of_size(width: usize, height: usize) -> Self {
        Self {
            x: 0,
            y: 0,
            width,
            height,
        }
    }

    /// Return the smallest rectangle that covers this one in the image scaled down by `divisor`,
    /// which has the given size.
    pub(crate) fn scaled_down(self, divisor: usize, (width, height): (usize, usize)) -> Self {
        let (x, y) = (self.x / divisor, self.y / divisor);
        let right = (self.x + self.width).div_ceil(divisor).min(width);
        let bottom = (self.y + self.height).div_ceil(divisor).min(height);
        Self {
            x,
            y,
            width: right - x,
            height: bottom - y,
        }
    }
}

/// A borrowed rectangle of an image.
#[derive(Debug, Clone, Copy)]
pub struct View<'a, T = u8> {
    data: &'a [T],
    stride: usize,
    /// Pixels of a row.
    pub width: usize,
    /// Rows.
    pub height: usize,
    /// Values of a pixel.
    pub channels: usize,
}

impl<'a, T: Subpixel> View<'a, T> {
    /// Return a view of rows without padding between them.
    ///
    /// # Panics
    /// If `data` is not `width × height × channels` long.
    #[must_use]
    pub fn new(data: &'a [T], width: usize, height: usize, channels: usize) -> Self {
        assert_eq!(
            data.len(),
            width * height * channels,
            "pixels do not fill their rows"
        );
        Self {
            data,
            stride: width * channels,
            width,
            height,
            channels,
        }
    }

    /// Return a rectangle of this view.
    ///
    /// # Panics
    /// If it does not lie within.
    #[must_use]
    pub fn crop(self, rect: Rect) -> Self {
        assert!(
            rect.x + rect.width <= self.width && rect.y + rect.height <= self.height,
            "{rect:?} leaves the image"
        );
        let start = (rect.y * self.stride + rect.x * self.channels).min(self.data.len());
        Self {
            data: &self.data[start..],
            width: rect.width,
            height: rect.height,
            ..self
        }
    }

    /// Return the values from the first row on, and the number of values from one row to the next.
    pub(crate) fn data_and_stride(&self) -> (&'a [T], usize) {
        (self.data, self.stride)
    }

    /// Row `y`: `width × channels` values.
    #[must_use]
    #[inline]
    pub fn row(&self, y: usize) -> &'a [T] {
        debug_assert!(y < self.height);
        &self.data[y * self.stride..][..self.width * self.channels]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_crop_of_a_crop_reads_the_right_rows() {
        let data: Vec<u8> = (0..24).collect();
        let view = View::new(&data, 6, 4, 1).crop(Rect {
            x: 1,
            y: 1,
            width: 4,
            height: 3,
        });
        assert_eq!(view.row(0), [7, 8, 9, 10]);
        let inner = view.crop(Rect {
            x: 2,
            y: 1,
            width: 2,
            height: 2,
        });
        assert_eq!((inner.row(0), inner.row(1)), (&[15, 16][..], &[21, 22][..]));
    }
}
