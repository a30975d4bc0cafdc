//! Bytes of a read of which the cache has some.

use std::ops::Range;
use std::sync::Arc;

use super::cached_file::{BLOCK, CachedFile};
use crate::memory;

/// The blocks that a range of an object is in, as far as the cache has them.
pub(super) struct PartialRead {
    file: Arc<CachedFile>,
    /// Bytes of all blocks.
    bytes: Vec<u8>,
    /// Offset of the first block.
    start: u64,
    wanted: Range<u64>,
    /// The blocks from the first to the last that are missing.
    missing: Range<u32>,
}

impl PartialRead {
    /// Reads what the cache has; none if it is full and does not have all, or there is no memory.
    pub(super) fn new(file: Arc<CachedFile>, wanted: &Range<u64>) -> Option<Self> {
        let blocks = (wanted.start / BLOCK) as u32..wanted.end.div_ceil(BLOCK) as u32;
        let range = file.bytes_of(&blocks);
        let mut bytes = memory::filled(0, (range.end - range.start) as usize).ok()?;
        let missing = file.read(blocks, &mut bytes);
        if !missing.is_empty() && file.is_full() {
            return None;
        }
        Some(Self {
            file,
            bytes,
            start: range.start,
            wanted: wanted.clone(),
            missing,
        })
    }

    /// Returns the offset and the bytes that are to be read from the store; none if the cache has
    /// all.
    pub(super) fn missing(&mut self) -> Option<(u64, &mut [u8])> {
        if self.missing.is_empty() {
            return None;
        }
        let range = self.file.bytes_of(&self.missing);
        let at = self.position(&range);
        Some((range.start, &mut self.bytes[at]))
    }

    /// Keeps the bytes that were missing.
    pub(super) fn insert(&mut self) {
        let at = self.position(&self.file.bytes_of(&self.missing));
        self.file.insert(self.missing.clone(), &self.bytes[at]);
        self.missing = 0..0;
    }

    /// Returns the bytes of the range.
    pub(super) fn wanted(&self) -> &[u8] {
        &self.bytes[self.position(&self.wanted)]
    }

    fn position(&self, range: &Range<u64>) -> Range<usize> {
        (range.start - self.start) as usize..(range.end - self.start) as usize
    }
}
