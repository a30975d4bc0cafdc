//! The blocks of an object that are in its data file, with their checksums, in memory.

use crate::error::Result;
use crate::memory;

/// Blocks of a chunk, which takes 264 KiB of memory for 1 GiB of the object.
const CHUNK: usize = 1 << 16;

/// CRC32C of each block that is present. Memory is taken for chunks of which there is a block.
#[derive(Debug, Default)]
pub(super) struct BlockTable(Vec<Option<Chunk>>);

#[derive(Debug)]
struct Chunk {
    crcs: Vec<u32>,
    /// A bit for each block.
    present: Vec<u64>,
}

impl BlockTable {
    /// Returns the CRC32C of a block; none if it is not present.
    pub(super) fn get(&self, block: u32) -> Option<u32> {
        let (chunk, at) = position(block);
        let chunk = self.0.get(chunk)?.as_ref()?;
        let is_present = chunk.present[at / 64] >> (at % 64) & 1 == 1;
        is_present.then(|| chunk.crcs[at])
    }

    /// Adds a block.
    ///
    /// # Errors
    /// No memory.
    pub(super) fn insert(&mut self, block: u32, crc: u32) -> Result<()> {
        let (chunk, at) = position(block);
        while self.0.len() <= chunk {
            self.0.push(None);
        }
        let chunk = match &mut self.0[chunk] {
            Some(chunk) => chunk,
            empty => empty.insert(Chunk {
                crcs: memory::filled(0, CHUNK)?,
                present: memory::filled(0, CHUNK / 64)?,
            }),
        };
        chunk.crcs[at] = crc;
        chunk.present[at / 64] |= 1 << (at % 64);
        Ok(())
    }

    /// Removes a block.
    pub(super) fn remove(&mut self, block: u32) {
        let (chunk, at) = position(block);
        if let Some(Some(chunk)) = self.0.get_mut(chunk) {
            chunk.present[at / 64] &= !(1 << (at % 64));
        }
    }
}

fn position(block: u32) -> (usize, usize) {
    (block as usize / CHUNK, block as usize % CHUNK)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_are_added_and_removed() {
        let mut table = BlockTable::default();
        for block in [0, 63, 64, 65_535, 65_536, 1 << 20] {
            assert_eq!(table.get(block), None);
            table.insert(block, block + 1).unwrap();
            assert_eq!(table.get(block), Some(block + 1));
        }
        assert_eq!(table.get(62), None);
        table.remove(63);
        table.remove(u32::MAX);
        assert_eq!((table.get(63), table.get(64)), (None, Some(65)));
    }
}
