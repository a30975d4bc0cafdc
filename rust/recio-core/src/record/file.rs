//! A `.rec` file: one record at a given offset, by positioned reads.
//!
//! Positioned reads (`pread`) share no file position, so one open file serves any number of threads, and a process
//! forked from this one. They are used instead of a mapping because a file that is cut short under a mapping kills the
//! process, while a read fails.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use crate::error::{Error, Result};
use crate::record::frame::{self, Progress};

/// Bytes that are read first where the length of a record is not known: most small records whole, a page of a large one.
const FIRST_READ: u64 = 4096;
/// The most bytes that are read first: where an index lists only some records, the distance to the next may be anything.
const MAX_FIRST_READ: u64 = 256 << 10;

/// An open `.rec` file.
#[derive(Debug)]
pub struct RecordFile {
    path: PathBuf,
    file: File,
    len: u64,
}

/// A record that was read: its bytes, and where the next one begins.
#[derive(Debug)]
pub struct Record<'a> {
    /// The record's bytes, split parts joined.
    pub payload: &'a [u8],
    /// The offset of the next record's header: the file's length after the last record.
    pub next: u64,
}

impl RecordFile {
    /// Opens a file.
    ///
    /// # Errors
    /// [`ErrorKind::Io`](crate::error::ErrorKind::Io).
    pub fn open(path: &Path) -> Result<Self> {
        let with_path = |error: io::Error| Error::from(error).at_path(path);
        let file = File::open(path).map_err(with_path)?;
        let meta = file.metadata().map_err(with_path)?;
        if meta.is_dir() {
            return Err(with_path(io::Error::from(io::ErrorKind::IsADirectory)));
        }
        Ok(Self {
            path: path.to_path_buf(),
            file,
            len: meta.len(),
        })
    }

    /// The path it was opened by.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Its length in bytes, when it was opened.
    #[must_use]
    pub fn len(&self) -> u64 {
        self.len
    }

    /// Whether there is nothing in it.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Reads the record whose header is at `offset`, or nothing if that is the end of the file.
    ///
    /// `next` is where the next record begins, if an index says so. Then one read fetches all, and a record that ends just
    /// there is sound even if the one behind it is damaged. `buffer` is overwritten, and grows as needed.
    ///
    /// # Errors
    /// A [`FrameError`](frame::FrameError) or an I/O error, with path and offset.
    pub fn read<'b>(
        &self,
        offset: u64,
        next: Option<u64>,
        buffer: &'b mut Vec<u8>,
    ) -> Result<Option<Record<'b>>> {
        let Some(frames) = self.frames(offset, next, buffer)? else {
            return Ok(None);
        };
        let next = offset + frames.len() as u64;
        let range = frame::join(frames);
        Ok(Some(Record {
            payload: &frames[range],
            next,
        }))
    }

    /// Reads all bytes of the record whose header is at `offset`, headers and padding included, as [`read`](Self::read)
    /// does, and as strictly.
    ///
    /// # Errors
    /// As [`read`](Self::read).
    pub fn frames<'b>(
        &self,
        offset: u64,
        next: Option<u64>,
        buffer: &'b mut Vec<u8>,
    ) -> Result<Option<&'b mut [u8]>> {
        if offset == self.len {
            return Ok(None);
        }
        let end = self
            .fetch(offset, next.map(|next| next - offset), buffer)
            .map_err(|error| error.at_offset(offset).at_path(&self.path))?;
        Ok(Some(&mut buffer[..end]))
    }

    /// Reads until `buffer` begins with a whole record, and gives its length.
    fn fetch(&self, offset: u64, next: Option<u64>, buffer: &mut Vec<u8>) -> Result<usize> {
        let left = self
            .len
            .checked_sub(offset)
            .ok_or_else(|| Error::corrupt(format!("the file ends at byte {}", self.len)))?;
        let first = next.map_or(FIRST_READ, |next| next.min(MAX_FIRST_READ));
        let (mut have, mut want) = (0, left.min(first) as usize);
        loop {
            if buffer.len() < want {
                buffer.resize(want, 0);
            }
            self.read_exact(&mut buffer[have..want], offset + have as u64)?;
            have = want;
            match frame::check(&buffer[..have], left, next) {
                Ok(Progress::Whole(end)) => return Ok(end),
                // At least twice as much: a record of many parts is checked from its beginning each time.
                Ok(Progress::Needs(more)) => want = more.max(left.min(2 * have as u64) as usize),
                Err((at, error)) => return Err(Error::from(error).at_offset(offset + at as u64)),
            }
        }
    }

    /// Fills `bytes` from `offset`, or fails: a file that has become shorter is an error like any other.
    ///
    /// # Errors
    /// [`ErrorKind::Io`](crate::error::ErrorKind::Io), or `Corrupt` if the file has been cut short since it was opened.
    pub fn read_exact(&self, bytes: &mut [u8], offset: u64) -> Result<()> {
        read_exact_at(&self.file, bytes, offset).map_err(|error| match error.kind() {
            io::ErrorKind::UnexpectedEof => {
                Error::corrupt("the file has become shorter while it was read")
            }
            _ => error.into(),
        })
    }
}

#[cfg(unix)]
fn read_exact_at(file: &File, bytes: &mut [u8], offset: u64) -> io::Result<()> {
    std::os::unix::fs::FileExt::read_exact_at(file, bytes, offset)
}

#[cfg(windows)]
fn read_exact_at(file: &File, mut bytes: &mut [u8], mut offset: u64) -> io::Result<()> {
    while !bytes.is_empty() {
        match std::os::windows::fs::FileExt::seek_read(file, bytes, offset)? {
            0 => return Err(io::ErrorKind::UnexpectedEof.into()),
            n => (bytes, offset) = (&mut bytes[n..], offset + n as u64),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::frame::MAGIC;

    fn file_of(records: &[&[u8]]) -> (tempfile::TempDir, RecordFile, Vec<u64>) {
        let (mut bytes, mut offsets) = (Vec::new(), Vec::new());
        for record in records {
            offsets.push(bytes.len() as u64);
            frame::encode(record, &mut bytes).unwrap();
        }
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.rec");
        std::fs::write(&path, bytes).unwrap();
        let file = RecordFile::open(&path).unwrap();
        (folder, file, offsets)
    }

    #[test]
    fn records_are_read_in_any_order_with_and_without_an_index() {
        let long = vec![7; 3 * FIRST_READ as usize];
        let split = [b"AAAA", &MAGIC.to_le_bytes()[..], &[9; 10_000]].concat();
        let records: [&[u8]; 4] = [b"one", &long, b"", &split];
        let (_folder, file, offsets) = file_of(&records);
        let mut buffer = Vec::new();
        for i in [3, 0, 2, 1] {
            let next = *offsets.get(i + 1).unwrap_or(&file.len());
            for hint in [None, Some(next), Some(u64::MAX)] {
                let record = file.read(offsets[i], hint, &mut buffer).unwrap().unwrap();
                assert_eq!((record.payload, record.next), (records[i], next));
            }
        }
        assert!(file.read(file.len(), None, &mut buffer).unwrap().is_none());
    }

    #[test]
    fn errors_name_path_and_offset() {
        let (_folder, file, _) = file_of(&[b"one", b"two"]);
        let text = |offset| {
            file.read(offset, None, &mut Vec::new())
                .unwrap_err()
                .to_string()
        };
        assert!(
            text(4).ends_with("a.rec: at byte 4: magic 0x00000003, expected 0xced7230a"),
            "{}",
            text(4)
        );
        assert!(
            text(400).ends_with("at byte 400: the file ends at byte 24"),
            "{}",
            text(400)
        );
    }

    #[test]
    fn a_file_cut_short_after_opening_is_an_error() {
        let (folder, file, _) = file_of(&[&[7; 100]]);
        File::options()
            .write(true)
            .open(folder.path().join("a.rec"))
            .unwrap()
            .set_len(50)
            .unwrap();
        let error = file.read(0, None, &mut Vec::new()).unwrap_err();
        assert!(error.to_string().contains("has become shorter"), "{error}");
    }

    #[test]
    fn a_record_of_very_many_parts_is_read_in_time() {
        let record = MAGIC.to_le_bytes().repeat(100_000);
        let (_folder, file, _) = file_of(&[&record]);
        let start = std::time::Instant::now();
        let mut buffer = Vec::new();
        assert_eq!(
            file.read(0, None, &mut buffer).unwrap().unwrap().payload,
            record
        );
        assert!(start.elapsed().as_secs() < 2, "{:?}", start.elapsed());
    }
}
