//! Decoded pixels: the types that decoding hands to augmenting.
mod canvas;

pub use canvas::Canvas;

/// A type of samples that pictures are made of: `u8` as decoded, `f32` once augmenting has left the whole levels.
pub trait Sample: Copy + Default + Send + Sync + 'static {}

impl Sample for u8 {}
impl Sample for f32 {}

/// Pixels: rows from the top, interleaved channels (`H×W×C`), no padding.
///
/// Three channels are R, G, B; four are R, G, B, A; one is gray. Levels are 0–255, of either type.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Image<T = u8> {
    /// Pixels in a row.
    pub width: usize,
    /// Rows.
    pub height: usize,
    /// Samples in a pixel, 1 to 4.
    pub channels: usize,
    /// `height × width × channels` samples.
    pub data: Vec<T>,
}

impl<T: Sample> Image<T> {
    /// A picture filled with one value.
    #[must_use]
    pub fn filled(width: usize, height: usize, channels: usize, value: T) -> Self {
        Self {
            width,
            height,
            channels,
            data: vec![value; width * height * channels],
        }
    }

    /// Gives its memory back if that is more than `most` bytes; then it has no pixels.
    pub fn trim(&mut self, most: usize) {
        if self.data.capacity() * size_of::<T>() > most {
            *self = Self::default();
        }
    }

    /// Becomes a picture of these rows.
    pub(crate) fn collect(&mut self, source: &mut dyn Scanlines<T>) {
        (self.width, self.height) = (source.width(), source.height());
        self.channels = source.channels();
        self.data.clear();
        for y in 0..self.height {
            self.data.extend_from_slice(source.row(y));
        }
    }

    /// All of it.
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
    /// The whole of an area of this size.
    #[must_use]
    pub fn whole(width: usize, height: usize) -> Self {
        Self {
            x: 0,
            y: 0,
            width,
            height,
        }
    }
}

impl Rect {
    /// What covers it once the picture's sides are divided, which are then `width` and `height`.
    pub(crate) fn shrunk(self, divisor: usize, (width, height): (usize, usize)) -> Self {
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

/// A rectangle of a picture, borrowed.
#[derive(Debug, Clone, Copy)]
pub struct View<'a, T = u8> {
    data: &'a [T],
    stride: usize,
    /// Pixels in a row.
    pub width: usize,
    /// Rows.
    pub height: usize,
    /// Samples in a pixel.
    pub channels: usize,
}

impl<'a, T: Sample> View<'a, T> {
    /// A view of rows that follow one another without padding.
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

    /// A rectangle of this view.
    ///
    /// # Panics
    /// If it does not lie within.
    #[must_use]
    pub fn crop(self, rect: Rect) -> Self {
        assert!(
            rect.x + rect.width <= self.width && rect.y + rect.height <= self.height,
            "{rect:?} leaves the picture"
        );
        let start = (rect.y * self.stride + rect.x * self.channels).min(self.data.len());
        Self {
            data: &self.data[start..],
            width: rect.width,
            height: rect.height,
            ..self
        }
    }

    /// Row `y`: `width × channels` samples.
    #[must_use]
    #[inline]
    pub fn row(&self, y: usize) -> &'a [T] {
        debug_assert!(y < self.height);
        &self.data[y * self.stride..][..self.width * self.channels]
    }
}

/// Rows of pixels, from the top down, made when they are asked for.
pub trait Scanlines<T = u8> {
    /// Pixels in a row.
    fn width(&self) -> usize;

    /// Rows.
    fn height(&self) -> usize;

    /// Samples in a pixel.
    fn channels(&self) -> usize;

    /// Row `y`: `width × channels` samples.
    ///
    /// Rows are asked for in order, and some are left out: the one asked for last may be asked for again, one above it
    /// never.
    fn row(&mut self, y: usize) -> &[T];

    /// All of it, if that is in memory already.
    fn whole(&self) -> Option<View<'_, T>> {
        None
    }
}

impl<T: Sample> Scanlines<T> for View<'_, T> {
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

    fn whole(&self) -> Option<View<'_, T>> {
        Some(*self)
    }
}

/// All rows at once, for what cannot take them one by one; in `room`, unless they are in memory already.
pub fn whole<'a, T: Sample>(
    source: &'a mut dyn Scanlines<T>,
    room: &'a mut Image<T>,
) -> View<'a, T> {
    if source.whole().is_none() {
        room.collect(source);
    }
    source.whole().unwrap_or_else(|| room.view())
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
