//! Image files with labels, as a list names them: what an iterator reads from in place of records.

use std::io::Read;
use std::path::PathBuf;

use crate::error::{Error, Result};
use crate::record::frame::MAX_RECORD_LEN;
use crate::record::list::Line;

/// Image files under a folder.
#[derive(Debug)]
pub struct LooseImages {
    root: PathBuf,
    lines: Vec<Line>,
}

impl LooseImages {
    /// The images of these lines, their paths relative to `root`.
    #[must_use]
    pub fn new(root: PathBuf, lines: Vec<Line>) -> Self {
        Self { root, lines }
    }

    /// The lines, in order.
    #[must_use]
    pub fn lines(&self) -> &[Line] {
        &self.lines
    }

    /// Reads the file of line `i` into `buffer`.
    ///
    /// # Errors
    /// [`ErrorKind::Io`](crate::error::ErrorKind::Io), with path and line; `Limit` for a file of which no image is made.
    ///
    /// # Panics
    /// If there is no such line.
    pub fn read(&self, i: usize, buffer: &mut Vec<u8>) -> Result<()> {
        buffer.clear();
        // Whoever opens a pipe may wait for ever.
        let path = self.path(i);
        if std::fs::metadata(&path).is_ok_and(|found| !found.is_file()) {
            return Err(self.locate(Error::image("this is no regular file"), i));
        }
        let outcome = std::fs::File::open(path)
            .and_then(|file| file.take(MAX_RECORD_LEN as u64 + 1).read_to_end(buffer));
        match outcome {
            Ok(len) if len > MAX_RECORD_LEN => Err(self.locate(
                Error::limit(format!("the file is larger than {MAX_RECORD_LEN} bytes")),
                i,
            )),
            Ok(_) => Ok(()),
            Err(error) => Err(self.locate(error.into(), i)),
        }
    }

    /// CRC32C of the lines.
    #[must_use]
    pub fn digest(&self) -> u32 {
        self.lines.iter().fold(0, |digest, line| {
            let digest = crc32c::crc32c_append(digest, &line.index.to_le_bytes());
            let digest = line.labels.iter().fold(digest, |digest, label| {
                crc32c::crc32c_append(digest, &label.to_le_bytes())
            });
            crc32c::crc32c_append(digest, line.path.as_bytes())
        })
    }

    /// Adds to an error about line `i` which file that is.
    #[must_use]
    pub fn locate(&self, error: Error, i: usize) -> Error {
        error.at_record(i as u64).at_path(&self.path(i))
    }

    fn path(&self, i: usize) -> PathBuf {
        self.root.join(&self.lines[i].path)
    }
}
