//! The bytes of a file at any offset, by large reads: what the walk looks through.

use crate::error::Result;
use crate::read::record_file::RecordFile;

/// Bytes read at a time: few calls, and still in the processor's cache when they are looked at.
pub(super) const CHUNK: usize = 1 << 20;

/// A stretch of a file in memory.
#[derive(Debug)]
pub(super) struct Window<'f> {
    file: &'f RecordFile,
    /// Where the stretch begins.
    start: u64,
    /// The first `have` bytes of it are the stretch; the others are room.
    bytes: Vec<u8>,
    have: usize,
}

impl<'f> Window<'f> {
    pub(super) fn new(file: &'f RecordFile) -> Self {
        Self {
            file,
            start: 0,
            bytes: Vec::new(),
            have: 0,
        }
    }

    /// The bytes from `offset` on: `want` of them or more, or all that the file has.
    ///
    /// # Errors
    /// As [`RecordFile::read_exact_at`].
    pub(super) fn at(&mut self, offset: u64, want: usize) -> Result<&mut [u8]> {
        let want = (want as u64).min(self.file.len() - offset) as usize;
        if self.held(offset).is_none_or(|held| held < want) {
            self.move_to(offset, want)?;
        }
        Ok(&mut self.bytes[(offset - self.start) as usize..self.have])
    }

    /// How many bytes from `offset` on are in memory, if it is within.
    fn held(&self, offset: u64) -> Option<usize> {
        let before = offset.checked_sub(self.start)?;
        (self.have as u64)
            .checked_sub(before)
            .map(|held| held as usize)
    }

    /// Makes the stretch begin at `offset`, and long enough.
    fn move_to(&mut self, offset: u64, want: usize) -> Result<()> {
        let left = self.file.len() - offset;
        let room = left.min(want.max(CHUNK) as u64) as usize;
        let kept = self.held(offset).unwrap_or(0);
        self.bytes.copy_within(self.have - kept..self.have, 0);
        if self.bytes.len() < room {
            self.bytes.resize(room, 0);
        }
        (self.start, self.have) = (offset, kept);
        let place = offset + kept as u64;
        self.file
            .read_exact_at(&mut self.bytes[kept..room], place)
            .map_err(|error| error.at_offset(place).at_path(self.file.path()))?;
        self.have = room;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_stretch_in_any_order_is_the_files() {
        let len = 3 * CHUNK + 17;
        let bytes: Vec<u8> = (0..len).map(|i| (i * 31 / 8) as u8).collect();
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.rec");
        std::fs::write(&path, &bytes).unwrap();
        let file = RecordFile::open(&path).unwrap();
        let mut window = Window::new(&file);
        for offset in [0, 10, CHUNK - 2, CHUNK + 9, 5, len - 3, 2 * CHUNK, 7, len] {
            for want in [0, 1, 100, CHUNK, 2 * CHUNK + 1] {
                let got = window.at(offset as u64, want).unwrap();
                assert!(got.len() >= want.min(len - offset), "{want} at {offset}");
                assert!(
                    got == &bytes[offset..offset + got.len()],
                    "{want} at {offset}"
                );
            }
        }
    }
}
