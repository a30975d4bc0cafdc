//! Pixels to encode, checked.

use super::color::ChannelOrder;

/// Greatest width and height that a frame header has room for.
const MAX_SIDE: usize = u16::MAX as usize;

/// Reason why pixels cannot be encoded.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EncodeError {
    /// A JPEG cannot have this size.
    #[error("a JPEG must have from 1 to {MAX_SIDE} pixels a side, got {width}x{height}")]
    Size {
        /// Width in pixels.
        width: usize,
        /// Height in pixels.
        height: usize,
    },
    /// There are fewer bytes than the size and the stride require, or the rows overlap.
    #[error("{bytes} bytes do not make {rows} rows with a stride of {stride}")]
    Rows {
        /// Length of the pixels.
        bytes: usize,
        /// Height in pixels.
        rows: usize,
        /// Bytes from one row to the next.
        stride: usize,
    },
}

/// Rows of pixels with interleaved channels, at equal distances.
#[derive(Debug, Clone, Copy)]
pub struct ImageRows<'a> {
    pixels: &'a [u8],
    stride: usize,
    width: usize,
    height: usize,
    order: ChannelOrder,
}

impl<'a> ImageRows<'a> {
    /// Create rows from `pixels`, which starts at the first of them; `stride` is the number of
    /// bytes from one row to the next.
    ///
    /// # Errors
    /// [`EncodeError::Size`] if the width or the height is not from 1 to 65,535;
    /// [`EncodeError::Rows`] if the pixels are too few, or the stride is less than a row.
    pub fn new(
        pixels: &'a [u8],
        stride: usize,
        (width, height): (usize, usize),
        order: ChannelOrder,
    ) -> Result<Self, EncodeError> {
        if ![width, height]
            .iter()
            .all(|side| (1..=MAX_SIDE).contains(side))
        {
            return Err(EncodeError::Size { width, height });
        }
        let row = width * order.channels();
        let needed = stride.saturating_mul(height - 1).saturating_add(row);
        if stride < row || pixels.len() < needed {
            return Err(EncodeError::Rows {
                bytes: pixels.len(),
                rows: height,
                stride,
            });
        }
        Ok(Self {
            pixels,
            stride,
            width,
            height,
            order,
        })
    }

    pub(super) fn width(&self) -> usize {
        self.width
    }

    pub(super) fn height(&self) -> usize {
        self.height
    }

    pub(super) fn order(&self) -> ChannelOrder {
        self.order
    }

    pub(super) fn row(&self, y: usize) -> &'a [u8] {
        &self.pixels[y * self.stride..][..self.width * self.order.channels()]
    }
}
