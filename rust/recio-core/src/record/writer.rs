//! Records → a file: the writer behind `MXRecordIO(..., "w")` and im2rec.

use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use crate::error::{Error, Result};
use crate::record::frame;

/// Appends records to `sink`, counting bytes.
#[derive(Debug)]
pub struct Writer<W: Write> {
    path: PathBuf,
    sink: BufWriter<W>,
    frames: Vec<u8>,
    position: u64,
}

impl<W: Write> Writer<W> {
    /// A writer into `sink`, which is empty; `path` is what errors call it.
    pub fn new(path: &Path, sink: W) -> Self {
        let sink = BufWriter::with_capacity(1 << 20, sink);
        Self {
            path: path.to_path_buf(),
            sink,
            frames: Vec::new(),
            position: 0,
        }
    }

    /// Appends one record and gives the offset of its header.
    ///
    /// # Errors
    /// [`FrameError::TooLong`](frame::FrameError::TooLong) before a byte is written, or an I/O error.
    pub fn write(&mut self, record: &[u8]) -> Result<u64> {
        self.frames.clear();
        let offset = self.position;
        frame::encode(record, &mut self.frames)
            .map_err(|error| Error::from(error).at_path(&self.path))?;
        self.sink
            .write_all(&self.frames)
            .map_err(|error| Error::from(error).at_path(&self.path))?;
        self.position += self.frames.len() as u64;
        Ok(offset)
    }

    /// The bytes written so far: the offset of the next record.
    #[must_use]
    pub fn tell(&self) -> u64 {
        self.position
    }

    /// Hands all that is buffered to the sink.
    ///
    /// # Errors
    /// [`ErrorKind::Io`](crate::error::ErrorKind::Io).
    pub fn flush(&mut self) -> Result<()> {
        self.sink
            .flush()
            .map_err(|error| Error::from(error).at_path(&self.path))
    }

    /// Flushes, and gives the sink back.
    ///
    /// # Errors
    /// [`ErrorKind::Io`](crate::error::ErrorKind::Io).
    pub fn into_sink(mut self) -> Result<W> {
        self.flush()?;
        self.sink
            .into_inner()
            .map_err(|error| Error::from(error.into_error()).at_path(&self.path))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn offsets_are_where_the_headers_stand() {
        let mut writer = Writer::new(Path::new("a.rec"), Vec::new());
        let offsets: Vec<u64> = [&b"a"[..], b"", b"12345678"]
            .map(|record| writer.write(record).unwrap())
            .into();
        assert_eq!((offsets, writer.tell()), (vec![0, 12, 20], 36));
        assert_eq!(writer.into_sink().unwrap().len(), 36);
    }
}
