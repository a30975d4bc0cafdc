//! Sizes of an image's components, in blocks and MCUs (ITU-T T.81, A.1.1 and A.2.4).

use super::Subsampling;
use crate::frame::BLOCK_SIZE;

/// Sizes of an image.
#[derive(Debug, Clone)]
pub(super) struct Layout {
    pub(super) width: usize,
    pub(super) height: usize,
    /// MCUs in a row, and rows of them.
    pub(super) mcu_columns: usize,
    pub(super) mcu_rows: usize,
    pub(super) components: Vec<ComponentLayout>,
}

/// Sizes of a component.
#[derive(Debug, Clone, Copy)]
pub(super) struct ComponentLayout {
    /// Sampling factors: the number of blocks in an MCU, horizontally and vertically.
    pub(super) horizontal: usize,
    pub(super) vertical: usize,
    /// Blocks in a row, and rows of them, that have samples.
    pub(super) columns: usize,
    pub(super) rows: usize,
}

impl Layout {
    /// Create the layout of an image with one or three components.
    pub(super) fn new((width, height): (usize, usize), is_gray: bool, mode: Subsampling) -> Self {
        let (h, v) = if is_gray { (1, 1) } else { mode.factors() };
        let component = |horizontal: usize, vertical: usize| ComponentLayout {
            horizontal,
            vertical,
            columns: (width * horizontal).div_ceil(h * BLOCK_SIZE),
            rows: (height * vertical).div_ceil(v * BLOCK_SIZE),
        };
        let chroma = if is_gray { 0 } else { 2 };
        let components = std::iter::once(component(h, v));
        Self {
            width,
            height,
            mcu_columns: width.div_ceil(h * BLOCK_SIZE),
            mcu_rows: height.div_ceil(v * BLOCK_SIZE),
            components: components
                .chain((0..chroma).map(|_| component(1, 1)))
                .collect(),
        }
    }
}
