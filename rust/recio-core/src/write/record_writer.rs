//! Records → a file: the writer behind `MXRecordIO(..., "w")` and im2rec.

use std::io::Write;
use std::path::{Path, PathBuf};

use super::sticky_error::Failure;
use crate::error::{Error, Result};
use crate::format::checksum::Checksums;
use crate::format::frame;

/// Bytes that are gathered before they are handed to the sink.
const GATHER: usize = 1 << 20;

/// Appends records to `sink`, counting bytes.
///
/// What is gathered and not yet handed over is lost when a writer is dropped: call [`finish`](Self::finish).
#[derive(Debug)]
pub struct Writer<W> {
    path: PathBuf,
    sink: W,
    /// Whole frames that the sink does not have yet.
    pending: Vec<u8>,
    /// Bytes that it has.
    written: u64,
    /// Why it took only a part of what it was handed: then the file ends in the middle of a record.
    failed: Option<Failure>,
    /// The checksums of all records, if they are wanted.
    sums: Option<Checksums>,
}

impl<W: Write> Writer<W> {
    /// A writer into `sink`, which is empty; `path` is what errors call it.
    pub fn new(path: &Path, sink: W) -> Self {
        Self::behind(path, sink, 0, None)
    }

    /// A writer into `sink`, which has so many bytes of whole records already, and takes others behind them; `sums`, if
    /// checksums are wanted, has those of the former.
    pub fn behind(path: &Path, sink: W, written: u64, sums: Option<Checksums>) -> Self {
        let pending = Vec::with_capacity(GATHER);
        Self {
            path: path.to_path_buf(),
            sink,
            pending,
            written,
            failed: None,
            sums,
        }
    }

    /// Appends one record and gives the offset of its header.
    ///
    /// # Errors
    /// [`FrameError::TooLong`](frame::FrameError::TooLong) before a byte is written, or an I/O error. After an I/O error
    /// nothing more can be written: nobody knows how much of a record the file has.
    pub fn write(&mut self, record: &[u8]) -> Result<u64> {
        let start = self.pending.len();
        frame::encode(record, &mut self.pending)
            .map_err(|error| Error::from(error).at_path(&self.path))?;
        self.gathered(start)
    }

    /// Appends a record that is framed already, and gives the offset of its header.
    ///
    /// # Errors
    /// As [`write`](Self::write).
    pub fn write_frames(&mut self, frames: &[u8]) -> Result<u64> {
        let start = self.pending.len();
        self.pending.extend_from_slice(frames);
        self.gathered(start)
    }

    /// Sums up the record that begins there in what is gathered, gives its offset, and hands over if it is time to.
    fn gathered(&mut self, start: usize) -> Result<u64> {
        let offset = self.written + start as u64;
        if let Some(sums) = &mut self.sums {
            sums.push(offset, &self.pending[start..]);
        }
        if self.pending.len() >= GATHER {
            self.hand_over()?;
        }
        Ok(offset)
    }

    /// The bytes written so far: the offset of the next record.
    #[must_use]
    pub fn tell(&self) -> u64 {
        self.written + self.pending.len() as u64
    }

    /// The bytes of whole records that the sink has. If a write failed, a part of others may stand behind them.
    #[must_use]
    pub fn handed_over(&self) -> u64 {
        self.written
    }

    /// What the records go into.
    #[must_use]
    pub fn sink(&self) -> &W {
        &self.sink
    }

    /// Hands all that is gathered to the sink, and flushes that.
    ///
    /// # Errors
    /// [`ErrorKind::Io`](crate::error::ErrorKind::Io).
    pub fn flush(&mut self) -> Result<()> {
        self.hand_over()?;
        self.sink
            .flush()
            .map_err(|error| Error::from(error).at_path(&self.path))
    }

    /// Flushes, and gives the checksums back, if there are any.
    ///
    /// # Errors
    /// [`ErrorKind::Io`](crate::error::ErrorKind::Io).
    pub fn finish(&mut self) -> Result<Option<Checksums>> {
        self.flush()?;
        Ok(self.sums.take())
    }

    fn hand_over(&mut self) -> Result<()> {
        let handed = match &self.failed {
            Some(failure) => Err(failure.again()),
            None => self.sink.write_all(&self.pending),
        };
        handed.map_err(|error| {
            self.failed = Some(Failure::of(&error));
            Error::from(error).at_path(&self.path)
        })?;
        self.written += self.pending.len() as u64;
        self.pending.clear();
        // A rare large record must not keep its memory.
        self.pending.shrink_to(2 * GATHER);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::*;

    #[test]
    fn offsets_are_where_the_headers_stand() {
        let mut writer = Writer::new(Path::new("a.rec"), Vec::new());
        let offsets: Vec<u64> = [&b"a"[..], b"", b"12345678"]
            .map(|record| writer.write(record).unwrap())
            .into();
        assert_eq!((offsets, writer.tell()), (vec![0, 12, 20], 36));
        writer.finish().unwrap();
        assert_eq!((writer.sink().len(), writer.handed_over()), (36, 36));
    }

    /// Takes some bytes, and then fails once.
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
    fn nothing_is_written_after_a_write_that_failed() {
        let mut writer = Writer::new(Path::new("a.rec"), Full(Vec::new()));
        writer.write(b"12345678").unwrap();
        assert!(writer.flush().is_err());
        let error = writer.flush().unwrap_err().to_string();
        assert!(error.contains("a.rec: an earlier write failed"), "{error}");
        assert!(writer.finish().is_err());
    }
}
