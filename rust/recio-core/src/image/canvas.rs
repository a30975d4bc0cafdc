//! A picture that is put together row by row, of either depth.

use crate::image::{Image, Sample};
use crate::render::Rows;

/// A picture of whole levels or of floats.
#[derive(Debug, Clone, PartialEq)]
pub enum Canvas {
    /// Whole levels.
    Levels(Image<u8>),
    /// Floats.
    Floats(Image<f32>),
}

impl Default for Canvas {
    fn default() -> Self {
        Self::Levels(Image::default())
    }
}

impl From<Image<u8>> for Canvas {
    fn from(picture: Image<u8>) -> Self {
        Self::Levels(picture)
    }
}

impl From<Image<f32>> for Canvas {
    fn from(picture: Image<f32>) -> Self {
        Self::Floats(picture)
    }
}

impl Canvas {
    /// Width and height.
    #[must_use]
    pub fn size(&self) -> (usize, usize) {
        match self {
            Self::Levels(picture) => (picture.width, picture.height),
            Self::Floats(picture) => (picture.width, picture.height),
        }
    }

    /// Samples in a pixel.
    #[must_use]
    pub fn channels(&self) -> usize {
        match self {
            Self::Levels(picture) => picture.channels,
            Self::Floats(picture) => picture.channels,
        }
    }

    /// Whether it is made of floats.
    #[must_use]
    pub fn is_float(&self) -> bool {
        matches!(self, Self::Floats(_))
    }

    /// Becomes a canvas for a picture of this size, to which rows are added.
    pub fn clear(&mut self, size: (usize, usize), channels: usize, is_float: bool) {
        if self.is_float() != is_float {
            *self = if is_float {
                Self::Floats(Image::default())
            } else {
                Self::Levels(Image::default())
            };
        }
        match self {
            Self::Levels(picture) => blank(picture, size, channels),
            Self::Floats(picture) => blank(picture, size, channels),
        }
    }

    /// Gives its memory back if that is more than `most` bytes.
    pub fn trim(&mut self, most: usize) {
        match self {
            Self::Levels(picture) => picture.trim(most),
            Self::Floats(picture) => picture.trim(most),
        }
    }
}

fn blank<T: Sample>(picture: &mut Image<T>, (width, height): (usize, usize), channels: usize) {
    (picture.width, picture.height, picture.channels) = (width, height, channels);
    picture.data.clear();
    picture.data.reserve(width * height * channels);
}

impl Rows for Canvas {
    fn levels(&mut self, _: usize, row: &[u8]) {
        match self {
            Self::Levels(picture) => picture.data.extend_from_slice(row),
            Self::Floats(picture) => picture
                .data
                .extend(row.iter().map(|&level| f32::from(level))),
        }
    }

    /// On a canvas of whole levels they are rounded.
    fn floats(&mut self, _: usize, row: &[f32]) {
        match self {
            Self::Floats(picture) => picture.data.extend_from_slice(row),
            Self::Levels(picture) => {
                let round = |sample: &f32| sample.round_ties_even() as u8;
                picture.data.extend(row.iter().map(round));
            }
        }
    }
}
