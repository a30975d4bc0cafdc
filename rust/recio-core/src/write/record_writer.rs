//! Record writer: frames records and writes them to a sink.

use std::io::Write;
use std::mem;
use std::path::{Path, PathBuf};

use super::sticky_error::StickyError;
use crate::error::{Error, Result};
use crate::format::checksum::Checksums;
use crate::format::frame;

/// Bytes that are buffered before they are written to the sink.
const BUFFER_LEN: usize = 1 << 20;
/// Bytes that are not copied to the buffer, but written to the sink at once.
const DIRECT_LEN: usize = 128 << 10;

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

    /// Appends the frames of records, which begin at `starts` in `frames`, and returns the offset
    /// of the first.
    ///
    /// # Errors
    /// As [`write`](Self::write).
    pub fn write_frames(
        &mut self,
        frames: &[u8],
        starts: impl Iterator<Item = usize> + Clone,
    ) -> Result<u64> {
        let offset = self.tell();
        if let Some(checksums) = &mut self.checksums {
            let ends = starts.clone().skip(1).chain([frames.len()]);
            for (start, end) in starts.zip(ends) {
                checksums.push(offset + start as u64, &frames[start..end]);
            }
        }
        if frames.len() >= DIRECT_LEN {
            self.write_pending()?;
            self.write_to_sink(frames)?;
        } else {
            self.pending.extend_from_slice(frames);
            self.write_full_buffer()?;
        }
        Ok(offset)
    }

    /// Adds the checksum of the frame at `start` in the buffer, writes a full buffer to the sink
    /// and returns the frame's offset.
    fn finish_frame(&mut self, start: usize) -> Result<u64> {
        let offset = self.written + start as u64;
        if let Some(checksums) = &mut self.checksums {
            checksums.push(offset, &self.pending[start..]);
        }
        self.write_full_buffer()?;
        Ok(offset)
    }

    /// Returns whether a record of so many bytes only goes to the buffer, even if it is split at
    /// each word, which doubles its length.
    #[must_use]
    pub fn has_room(&self, len: usize) -> bool {
        self.pending.len() + 2 * frame::HEADER_LEN + 2 * len < BUFFER_LEN
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

    fn write_full_buffer(&mut self) -> Result<()> {
        if self.pending.len() < BUFFER_LEN {
            return Ok(());
        }
        self.write_pending()
    }

    fn write_pending(&mut self) -> Result<()> {
        let mut pending = mem::take(&mut self.pending);
        let outcome = self.write_to_sink(&pending);
        if outcome.is_ok() {
            pending.clear();
            // A single large record must not hold its memory for ever.
            pending.shrink_to(2 * BUFFER_LEN);
        }
        self.pending = pending;
        outcome
    }

    /// Writes complete frames to the sink. Nothing may be pending before them.
    fn write_to_sink(&mut self, frames: &[u8]) -> Result<()> {
        let outcome = match &self.failed {
            Some(failed) => Err(failed.repeat()),
            None => self.sink.write_all(frames),
        };
        outcome.map_err(|error| {
            self.failed = Some(StickyError::new(&error));
            Error::from(error).at_path(&self.path)
        })?;
        self.written += frames.len() as u64;
        self.crc = crc32c::crc32c_append(self.crc, frames);
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

    #[test]
    fn frames_are_written_as_records_are_whatever_their_number() {
        let records: Vec<Vec<u8>> = (0..3000).map(|n| vec![n as u8; n % 300]).collect();
        let with_checksums = || {
            RecordWriter::resume(
                Path::new("a.rec"),
                Vec::new(),
                0,
                Some(Checksums::default()),
            )
        };
        let mut one_by_one = with_checksums();
        for record in &records {
            one_by_one.write(record).unwrap();
        }
        for count in [1, 7, 3000] {
            let mut writer = with_checksums();
            for records in records.chunks(count) {
                let (mut frames, mut starts) = (Vec::new(), Vec::new());
                for record in records {
                    starts.push(frames.len());
                    frame::encode(record, &mut frames).unwrap();
                }
                let expected = writer.tell();
                let offset = writer.write_frames(&frames, starts.into_iter());
                assert_eq!(offset.unwrap(), expected);
            }
            assert_eq!(writer.crc(), one_by_one.crc());
            let checksums = writer.finish().unwrap();
            one_by_one.flush().unwrap();
            assert!(writer.sink() == one_by_one.sink());
            assert_eq!(checksums, one_by_one.checksums);
        }
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
