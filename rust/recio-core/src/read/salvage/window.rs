//! A window of a file in memory, moved by large reads.

use crate::error::Result;
use crate::progress::Interrupt;
use crate::read::record_file::RecordFile;

/// Bytes read at a time: few calls, and still in the CPU's cache when they are scanned.
pub(super) const CHUNK: usize = 1 << 20;

/// Window of a file in memory.
#[derive(Debug)]
pub(super) struct Window<'f> {
    file: &'f RecordFile,
    /// Offset of the window in the file.
    start: u64,
    /// The window, and spare capacity after it.
    bytes: Vec<u8>,
    /// Length of the window.
    len: usize,
    pub(super) interrupt: Option<&'f Interrupt<'f>>,
}

impl<'f> Window<'f> {
    pub(super) fn new(file: &'f RecordFile) -> Self {
        Self {
            file,
            start: 0,
            bytes: Vec::new(),
            len: 0,
            interrupt: None,
        }
    }

    /// Returns the bytes from `offset` on: at least `want`, or all up to the end of the file.
    ///
    /// # Errors
    /// As [`RecordFile::read_exact_at`]; `Interrupted`.
    pub(super) fn at(&mut self, offset: u64, want: usize) -> Result<&mut [u8]> {
        let want = (want as u64).min(self.file.len() - offset) as usize;
        if self.held(offset).is_none_or(|held| held < want) {
            self.move_to(offset, want)?;
        }
        Ok(&mut self.bytes[(offset - self.start) as usize..self.len])
    }

    /// Returns the number of bytes in memory from `offset` on, if it is inside the window.
    fn held(&self, offset: u64) -> Option<usize> {
        let before = offset.checked_sub(self.start)?;
        (self.len as u64)
            .checked_sub(before)
            .map(|held| held as usize)
    }

    /// Moves the window to `offset`, with a length of at least `want`.
    fn move_to(&mut self, offset: u64, want: usize) -> Result<()> {
        self.interrupt.map_or(Ok(()), Interrupt::poll)?;
        let left = self.file.len() - offset;
        let len = left.min(want.max(CHUNK) as u64) as usize;
        let kept = self.held(offset).unwrap_or(0);
        self.bytes.copy_within(self.len - kept..self.len, 0);
        if self.bytes.len() < len {
            self.bytes.resize(len, 0);
        }
        (self.start, self.len) = (offset, kept);
        let position = offset + kept as u64;
        self.file
            .read_exact_at(&mut self.bytes[kept..len], position)
            .map_err(|error| error.at_offset(position))?;
        self.len = len;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_range_in_any_order_equals_the_file() {
        let len = 3 * CHUNK + 17;
        let bytes: Vec<u8> = (0..len).map(|i| (i * 31 / 8) as u8).collect();
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.rec");
        std::fs::write(&path, &bytes).unwrap();
        let file = RecordFile::open(&path).unwrap();
        let mut window = Window::new(&file);
        for offset in [0, 10, CHUNK - 2, CHUNK + 9, 5, len - 3, 2 * CHUNK, 7, len] {
            for want in [0, 1, 100, CHUNK, 2 * CHUNK + 1] {
                let actual = window.at(offset as u64, want).unwrap();
                assert!(actual.len() >= want.min(len - offset), "{want} at {offset}");
                assert!(
                    actual == &bytes[offset..offset + actual.len()],
                    "{want} at {offset}"
                );
            }
        }
    }
}
