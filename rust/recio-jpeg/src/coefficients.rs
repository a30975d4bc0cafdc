//! Storage for decoded coefficients: of one row of MCUs, or of an entire image in several scans.

use std::ops::Range;

use crate::block::Block;
use crate::error::{Error, Result};
use crate::frame::{Frame, MAX_COMPONENTS};
use crate::progressive::NonzeroMask;

/// Blocks of each component, row by row. The memory is reused for the next image.
#[derive(Debug, Default)]
pub(crate) struct Coefficients {
    blocks: Vec<Block>,
    /// Zigzag index of the last coefficient of each block that may be nonzero.
    last_indices: Vec<u8>,
    /// Nonzero coefficients of each block; used for images in several scans.
    masks: Vec<NonzeroMask>,
    grids: [BlockGrid; MAX_COMPONENTS],
}

/// Position of a component's blocks.
#[derive(Debug, Default, Clone, Copy)]
struct BlockGrid {
    start: usize,
    columns: usize,
}

/// Replace all values by `len` equal ones.
fn refill<T: Copy>(values: &mut Vec<T>, len: usize, value: T) -> Result<()> {
    values.clear();
    Error::unless_reserved::<T>(values.try_reserve_exact(len), len)?;
    values.resize(len, value);
    Ok(())
}

impl Coefficients {
    /// Memory per block for an image in several scans.
    pub(crate) const BLOCK_BYTES: usize = size_of::<Block>() + size_of::<NonzeroMask>() + 1;

    /// Resize to the given number of MCU columns and rows, and set all coefficients to zero.
    pub(crate) fn reset(&mut self, frame: &Frame, (columns, rows): (usize, usize)) -> Result<()> {
        let mut length = 0;
        for (grid, component) in self.grids.iter_mut().zip(frame.components()) {
            *grid = BlockGrid {
                start: length,
                columns: columns * component.horizontal,
            };
            length += grid.columns * rows * component.vertical;
        }
        refill(&mut self.blocks, length, Block::ZERO)?;
        refill(&mut self.last_indices, length, 0)?;
        refill(&mut self.masks, length, 0)
    }

    /// Set all coefficients to zero.
    pub(crate) fn clear(&mut self) {
        self.blocks.fill(Block::ZERO);
        self.last_indices.fill(0);
    }

    /// Return a block and its last index.
    #[inline]
    pub(crate) fn block(&mut self, component: usize, x: usize, y: usize) -> (&mut Block, &mut u8) {
        let grid = self.grids[component];
        let index = grid.start + y * grid.columns + x;
        (&mut self.blocks[index], &mut self.last_indices[index])
    }

    /// Return a block and its nonzero mask.
    #[inline]
    pub(crate) fn block_with_mask(
        &mut self,
        component: usize,
        x: usize,
        y: usize,
    ) -> (&mut Block, &mut NonzeroMask) {
        let grid = self.grids[component];
        let index = grid.start + y * grid.columns + x;
        (&mut self.blocks[index], &mut self.masks[index])
    }

    /// Return the nonzero masks of a range of blocks in a row.
    pub(crate) fn masks(
        &self,
        component: usize,
        y: usize,
        columns: Range<usize>,
    ) -> &[NonzeroMask] {
        let grid = self.grids[component];
        let start = grid.start + y * grid.columns;
        &self.masks[start + columns.start..start + columns.end]
    }

    /// Compute the last indices from the nonzero masks, after all scans are read.
    pub(crate) fn set_last_indices(&mut self) {
        for (last_index, mask) in self.last_indices.iter_mut().zip(&self.masks) {
            *last_index = (mask | 1).ilog2() as u8;
        }
    }

    /// Return a range of blocks in a row and their last indices.
    pub(crate) fn block_row(
        &self,
        component: usize,
        y: usize,
        columns: Range<usize>,
    ) -> (&[Block], &[u8]) {
        let grid = self.grids[component];
        let start = grid.start + y * grid.columns;
        let range = start + columns.start..start + columns.end;
        (&self.blocks[range.clone()], &self.last_indices[range])
    }

    /// Free the memory if it exceeds `max_bytes`.
    pub(crate) fn trim(&mut self, max_bytes: usize) {
        if self.blocks.capacity() * size_of::<Block>() > max_bytes {
            *self = Self::default();
        }
    }
}
