//! Image of 8-bit values or of floats.

use crate::image::{Image, RowSink, Subpixel};
use crate::memory;

/// An image of 8-bit values or of floats.
#[derive(Debug, Clone, PartialEq)]
pub enum DynamicImage {
    /// 8-bit values.
    U8(Image<u8>),
    /// Floats.
    F32(Image<f32>),
}

impl Default for DynamicImage {
    fn default() -> Self {
        Self::U8(Image::default())
    }
}

impl From<Image<u8>> for DynamicImage {
    fn from(image: Image<u8>) -> Self {
        Self::U8(image)
    }
}

impl From<Image<f32>> for DynamicImage {
    fn from(image: Image<f32>) -> Self {
        Self::F32(image)
    }
}

impl DynamicImage {
    /// Width and height.
    #[must_use]
    pub fn size(&self) -> (usize, usize) {
        match self {
            Self::U8(image) => (image.width, image.height),
            Self::F32(image) => (image.width, image.height),
        }
    }

    /// Values of a pixel.
    #[must_use]
    pub fn channels(&self) -> usize {
        match self {
            Self::U8(image) => image.channels,
            Self::F32(image) => image.channels,
        }
    }

    /// Whether it consists of floats.
    #[must_use]
    pub fn is_float(&self) -> bool {
        matches!(self, Self::F32(_))
    }

    /// Removes all pixels and makes room for an image of this size, whose rows follow through
    /// [`RowSink`].
    pub fn reset(&mut self, size: (usize, usize), channels: usize, is_float: bool) {
        if self.is_float() != is_float {
            *self = if is_float {
                Self::F32(Image::default())
            } else {
                Self::U8(Image::default())
            };
        }
        match self {
            Self::U8(image) => reset(image, size, channels),
            Self::F32(image) => reset(image, size, channels),
        }
    }

    /// Frees its memory if that is more than `max_bytes` bytes.
    pub fn trim(&mut self, max_bytes: usize) {
        match self {
            Self::U8(image) => image.trim(max_bytes),
            Self::F32(image) => image.trim(max_bytes),
        }
    }
}

fn reset<T: Subpixel>(image: &mut Image<T>, (width, height): (usize, usize), channels: usize) {
    (image.width, image.height, image.channels) = (width, height, channels);
    image.data.clear();
    memory::reserve_or_unwind(&mut image.data, width * height * channels);
}

impl RowSink for DynamicImage {
    fn row_u8(&mut self, _: usize, row: &[u8]) {
        match self {
            Self::U8(image) => image.data.extend_from_slice(row),
            Self::F32(image) => image.data.extend(row.iter().map(|&value| f32::from(value))),
        }
    }

    /// Floats are rounded if the image consists of 8-bit values.
    fn row_f32(&mut self, _: usize, row: &[f32]) {
        match self {
            Self::F32(image) => image.data.extend_from_slice(row),
            Self::U8(image) => {
                let round = |value: &f32| value.round_ties_even() as u8;
                image.data.extend(row.iter().map(round));
            }
        }
    }
}
