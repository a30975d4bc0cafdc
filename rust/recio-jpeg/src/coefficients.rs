//! The coefficients that are decoded and not yet transformed: of a row of MCUs, or of an image in several scans.

use std::ops::Range;

use crate::block::Block;
use crate::frame::{Frame, MAX_COMPONENTS};
use crate::progressive::Map;

/// Blocks of each component, row by row. Reused, it allocates no more.
#[derive(Debug, Default)]
pub(crate) struct Coefficients {
    blocks: Vec<Block>,
    /// Of each block, the number of the last coefficient that may not be zero.
    extents: Vec<u8>,
    /// Of each block of an image in several scans, which coefficients are not zero.
    maps: Vec<Map>,
    areas: [Area; MAX_COMPONENTS],
}

/// Where a component's blocks are.
#[derive(Debug, Default, Clone, Copy)]
struct Area {
    start: usize,
    across: usize,
}

impl Coefficients {
    /// Memory for a block, of an image in several scans.
    pub(crate) const BLOCK_BYTES: usize = size_of::<Block>() + size_of::<Map>() + 1;

    /// Makes room for as many MCUs across and down, all zero.
    pub(crate) fn reset(&mut self, frame: &Frame, (across, down): (usize, usize)) {
        let mut length = 0;
        for (area, component) in self.areas.iter_mut().zip(frame.components()) {
            *area = Area {
                start: length,
                across: across * component.across,
            };
            length += area.across * down * component.down;
        }
        self.blocks.clear();
        self.blocks.resize(length, Block::ZERO);
        self.extents.clear();
        self.extents.resize(length, 0);
        self.maps.clear();
        self.maps.resize(length, 0);
    }

    /// Makes all zero.
    pub(crate) fn clear(&mut self) {
        self.blocks.fill(Block::ZERO);
        self.extents.fill(0);
    }

    /// A block, and its extent.
    #[inline]
    pub(crate) fn block(&mut self, component: usize, x: usize, y: usize) -> (&mut Block, &mut u8) {
        let area = self.areas[component];
        let at = area.start + y * area.across + x;
        (&mut self.blocks[at], &mut self.extents[at])
    }

    /// A block, and its map.
    #[inline]
    pub(crate) fn mapped(
        &mut self,
        component: usize,
        x: usize,
        y: usize,
    ) -> (&mut Block, &mut Map) {
        let area = self.areas[component];
        let at = area.start + y * area.across + x;
        (&mut self.blocks[at], &mut self.maps[at])
    }

    /// The maps of some blocks of a row.
    pub(crate) fn maps(&self, component: usize, y: usize, columns: Range<usize>) -> &[Map] {
        let area = self.areas[component];
        let start = area.start + y * area.across;
        &self.maps[start + columns.start..start + columns.end]
    }

    /// Takes the extents from the maps, once all scans are read.
    pub(crate) fn settle(&mut self) {
        for (extent, map) in self.extents.iter_mut().zip(&self.maps) {
            *extent = (map | 1).ilog2() as u8;
        }
    }

    /// Some blocks of a row, and their extents.
    pub(crate) fn row(
        &self,
        component: usize,
        y: usize,
        columns: Range<usize>,
    ) -> (&[Block], &[u8]) {
        let area = self.areas[component];
        let start = area.start + y * area.across;
        let range = start + columns.start..start + columns.end;
        (&self.blocks[range.clone()], &self.extents[range])
    }

    /// Gives back more memory than `most` bytes.
    pub(crate) fn trim(&mut self, most: usize) {
        if self.blocks.capacity() * size_of::<Block>() > most {
            *self = Self::default();
        }
    }
}
