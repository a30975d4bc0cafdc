//! Record writer: frames records and writes them to a sink.

use std::io::Write;
use std::path::{Path, PathBuf};

use super::sticky_error::StickyError;
use crate::error::{Error, Result};
use crate::format::checksum::Checksums;
use crate::format::frame;

/// Bytes that are buffered before they are written to the sink.
const BUFFER_LEN: usize = 1 << 20;

/// Buffered writer of records.
///
/// Dropping it loses what is still buffered: call [`finish`](Self::finish).
#[derive(Debug)]
pub struct RecordWriter<W> {
    path: PathBuf,
    sink: W,
    /// Complete frames that are not written to the sink yet.
    pending: Vec<u8>,
    /// Bytes of complete frames in the sink.
    written: u64,
    /// CRC32C of the bytes that this writer has written to the sink.
    crc: u32,
    /// The error that left the sink at an unknown position, perhaps in the middle of a record.
    failed: Option<StickyError>,
    /// Checksums of all records, if wanted.
    checksums: Option<Checksums>,
}

impl<W: Write> RecordWriter<W> {
    /// Creates a writer into an empty sink. Errors contain `path`.
    pub fn new(path: &Path, sink: W) -> Self {
        Self::resume(path, sink, 0, None)
    }

    /// Creates a writer that continues after `written` bytes of records in `sink`.
    ///
    /// If checksums are wanted, `checksums` has those of the existing records.
    pub fn resume(path: &Path, sink: W, written: u64, checksums: Option<Checksums>) -> Self {
        let pending = Vec::with_capacity(BUFFER_LEN);
        Self {
            path: path.to_path_buf(),
            sink,
            pending,
            written,
            crc: 0,
            failed: None,
            checksums,
        }
    }

    /// Appends a record and returns the offset of its frame.
    ///
    /// # Errors
    /// [`FrameError::TooLong`](frame::FrameError::TooLong) before a byte is written, or an I/O
    /// error. After an I/O error, all further writes fail.
    pub fn write(&mut self, record: &[u8]) -> Result<u64> {
        let start = self.pending.len();
        frame::encode(record, &mut self.pending)
            .map_err(|error| Error::from(error).at_path(&self.path))?;
        self.finish_frame(start)
    }

    /// Appends the frame of a record and returns its offset.
    ///
    /// # Errors
    /// As [`write`](Self::write).
    pub fn write_frame(&mut self, frame: &[u8]) -> Result<u64> {
        let start = self.pending.len();
        self.pending.extend_from_slice(frame);
        self.finish_frame(start)
    }

    /// Adds the checksum of the frame at `start` in the buffer, writes a full buffer to the sink
    /// and returns the frame's offset.
    fn finish_frame(&mut self, start: usize) -> Result<u64> {
        let offset = self.written + start as u64;
        if let Some(checksums) = &mut self.checksums {
            checksums.push(offset, &self.pending[start..]);
        }
        if self.pending.len() >= BUFFER_LEN {
            self.write_pending()?;
        }
        Ok(offset)
    }

    /// Returns the number of bytes so far, which is the offset of the next frame.
    #[must_use]
    pub fn tell(&self) -> u64 {
        self.written + self.pending.len() as u64
    }

    /// Returns the bytes of complete frames in the sink. After a failed write the sink may have
    /// further bytes.
    #[must_use]
    pub fn written(&self) -> u64 {
        self.written
    }

    /// Returns the CRC32C of all bytes that this writer was given so far.
    #[must_use]
    pub fn crc(&self) -> u32 {
        crc32c::crc32c_append(self.crc, &self.pending)
    }

    /// Returns the sink.
    #[must_use]
    pub fn sink(&self) -> &W {
        &self.sink
    }

    /// Returns the sink, after [`finish`](Self::finish).
    #[must_use]
    pub fn into_sink(self) -> W {
        self.sink
    }

    /// Writes the buffer to the sink and flushes the sink.
    ///
    /// # Errors
    /// [`ErrorKind::Io`](crate::error::ErrorKind::Io).
    pub fn flush(&mut self) -> Result<()> {
        self.write_pending()?;
        self.sink
            .flush()
            .map_err(|error| Error::from(error).at_path(&self.path))
    }

    /// Flushes and returns the checksums, if wanted.
    ///
    /// # Errors
    /// [`ErrorKind::Io`](crate::error::ErrorKind::Io).
    pub fn finish(&mut self) -> Result<Option<Checksums>> {
        self.flush()?;
        Ok(self.checksums.take())
    }

    fn write_pending(&mut self) -> Result<()> {
        let outcome = match &self.failed {
            Some(failed) => Err(failed.repeat()),
            None => self.sink.write_all(&self.pending),
        };
        outcome.map_err(|error| {
            self.failed = Some(StickyError::new(&error));
            Error::from(error).at_path(&self.path)
        })?;
        self.written += self.pending.len() as u64;
        self.crc = crc32c::crc32c_append(self.crc, &self.pending);
        self.pending.clear();
        // A single large record must not hold its memory for ever.
        self.pending.shrink_to(2 * BUFFER_LEN);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::*;

    #[test]
    fn write_returns_the_offsets_of_frames() {
        let mut writer = RecordWriter::new(Path::new("a.rec"), Vec::new());
        let offsets: Vec<u64> = [&b"a"[..], b"", b"12345678"]
            .map(|record| writer.write(record).unwrap())
            .into();
        assert_eq!((offsets, writer.tell()), (vec![0, 12, 20], 36));
        writer.finish().unwrap();
        assert_eq!((writer.sink().len(), writer.written()), (36, 36));
    }

    /// A sink that takes 10 bytes, fails once and then takes all.
    struct Full(Vec<u8>);

    impl Write for Full {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            match self.0.len() {
                0 => {
                    self.0.extend_from_slice(&bytes[..10]);
                    Ok(10)
                }
                10 => {
                    self.0.push(0);
                    Err(io::ErrorKind::StorageFull.into())
                }
                _ => Ok(bytes.len()),
            }
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn writes_after_a_failed_write_fail() {
        let mut writer = RecordWriter::new(Path::new("a.rec"), Full(Vec::new()));
        writer.write(b"12345678").unwrap();
        assert!(writer.flush().is_err());
        let error = writer.flush().unwrap_err().to_string();
        assert!(error.contains("a.rec: an earlier write failed"), "{error}");
        assert!(writer.finish().is_err());
    }
}
