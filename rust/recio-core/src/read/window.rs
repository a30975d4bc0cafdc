//! Small reads at ascending offsets, which larger reads serve while the records are small.
//!
//! The headers of records of 200 bytes are read 40 times as fast by windows of 1 MiB as by a
//! `pread` each. Of records of more than [`SMALL`] bytes it takes longer to read all of them than
//! to read their headers, so a window has one page.

use crate::error::{Error, Result};
use crate::progress::Interrupt;
use crate::read::record_file::RecordFile;

/// Bytes between two small reads, on average, up to which the bytes between them are read too.
const SMALL: u64 = 4096;
/// Bytes of the first window, and of all windows of large records.
const MIN_LEN: usize = 4096;
/// Bytes of a window. Windows of 256 KiB and of 4 MiB are no faster.
const MAX_LEN: usize = 1 << 20;

/// Bytes of a file that were read last.
pub(super) struct Window<'a> {
    file: &'a RecordFile,
    interrupt: &'a Interrupt<'a>,
    bytes: Vec<u8>,
    /// Offset of the first byte.
    start: u64,
    /// Number of bytes to read next.
    len: usize,
    /// Number of small reads of this window.
    reads: u64,
}

impl<'a> Window<'a> {
    /// Creates an empty window. The interrupt is polled before each read.
    pub(super) fn new(file: &'a RecordFile, interrupt: &'a Interrupt<'a>) -> Self {
        Self {
            file,
            interrupt,
            bytes: Vec::new(),
            start: 0,
            len: MIN_LEN,
            reads: 0,
        }
    }

    /// Returns the file.
    pub(super) fn file(&self) -> &'a RecordFile {
        self.file
    }

    /// Returns `len` bytes from `offset` on, or fewer at the end of the file.
    ///
    /// # Errors
    /// As [`RecordFile::read_exact_at`]; `Interrupted`.
    #[inline]
    pub(super) fn bytes(&mut self, offset: u64, len: usize) -> Result<&[u8]> {
        self.reads += 1;
        let at = offset.wrapping_sub(self.start);
        if at.saturating_add(len as u64) > self.bytes.len() as u64 {
            return self.read(offset, len);
        }
        Ok(&self.bytes[at as usize..][..len])
    }

    /// Reads a window that begins at `offset`.
    #[cold]
    fn read(&mut self, offset: u64, len: usize) -> Result<&[u8]> {
        self.interrupt.poll()?;
        let left = self.file.len().saturating_sub(offset);
        let len = left.min(len as u64) as usize;
        let are_small = offset.saturating_sub(self.start) <= SMALL * self.reads;
        self.len = if are_small && !self.bytes.is_empty() {
            MAX_LEN.min(2 * self.len)
        } else {
            MIN_LEN
        };
        let window = left.min(self.len as u64) as usize;
        (self.start, self.reads) = (offset, 0);
        self.bytes.resize(window, 0);
        let mut outcome = self.file.read_exact_at(&mut self.bytes, offset);
        if outcome.as_ref().is_err_and(Error::is_damage) {
            // A file that was truncated may still have the bytes that are needed.
            self.bytes.truncate(len);
            outcome = self.file.read_exact_at(&mut self.bytes, offset);
        }
        outcome.inspect_err(|_| self.bytes.clear())?;
        Ok(&self.bytes[..len])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file_of(len: usize) -> (tempfile::TempDir, RecordFile, Vec<u8>) {
        let bytes: Vec<u8> = (0..len).map(|i| (i / 4 % 251) as u8).collect();
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.rec");
        std::fs::write(&path, &bytes).unwrap();
        let file = RecordFile::open(&path).unwrap();
        (folder, file, bytes)
    }

    #[test]
    fn the_bytes_are_those_of_the_file_for_any_distance_of_reads() {
        let (_folder, file, bytes) = file_of(3_000_000);
        for step in [100, 5000, 200_000] {
            let never = Interrupt::never();
            let mut window = Window::new(&file, &never);
            for offset in (0..bytes.len()).step_by(step) {
                let expected = &bytes[offset..bytes.len().min(offset + 40)];
                assert_eq!(window.bytes(offset as u64, 40).unwrap(), expected);
            }
            assert!(window.bytes(bytes.len() as u64, 40).unwrap().is_empty());
            assert_eq!(window.bytes(7, 4).unwrap(), &bytes[7..11]);
        }
    }

    #[test]
    fn windows_grow_while_reads_are_close_together() {
        let (_folder, file, bytes) = file_of(4_000_000);
        let never = Interrupt::never();
        let mut window = Window::new(&file, &never);
        for offset in (0..bytes.len() as u64).step_by(200) {
            window.bytes(offset, 8).unwrap();
        }
        assert_eq!(window.len, MAX_LEN);
        for offset in (0..bytes.len() as u64).step_by(50_000) {
            window.bytes(offset, 8).unwrap();
        }
        assert_eq!(window.len, MIN_LEN);
    }

    #[test]
    fn bytes_before_the_new_end_of_a_truncated_file_are_read() {
        let (folder, file, bytes) = file_of(100_000);
        let never = Interrupt::never();
        let mut window = Window::new(&file, &never);
        let path = folder.path().join("a.rec");
        let truncated = std::fs::File::options().write(true).open(path).unwrap();
        truncated.set_len(50).unwrap();
        assert_eq!(window.bytes(0, 50).unwrap(), &bytes[..50]);
        assert!(window.bytes(40, 20).is_err());
        assert_eq!(window.bytes(10, 30).unwrap(), &bytes[10..40]);
    }
}
