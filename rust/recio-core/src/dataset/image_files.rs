//! Image files with the labels of a list.

use std::fs::File;
use std::io::Read;

use crate::error::{Error, Result};
use crate::format::frame::MAX_RECORD_LEN;
use crate::format::label::LabelType;
use crate::format::list::Line;
use crate::storage::sandboxed_folder::SandboxedFolder;

/// Image files of a list.
#[derive(Debug)]
pub struct ImageFiles {
    root: SandboxedFolder,
    lines: Vec<Line>,
}

impl ImageFiles {
    /// Creates a data set of these lines. Their paths are relative to `root`.
    #[must_use]
    pub fn new(root: SandboxedFolder, lines: Vec<Line>) -> Self {
        Self { root, lines }
    }

    /// Returns the lines, in order.
    #[must_use]
    pub fn lines(&self) -> &[Line] {
        &self.lines
    }

    /// Reads the file of line `i` into `buffer`.
    ///
    /// # Errors
    /// As [`read`], with path and line.
    ///
    /// # Panics
    /// If there is no such line.
    pub fn read(&self, i: usize, buffer: &mut Vec<u8>) -> Result<()> {
        buffer.clear();
        read(&self.root, &self.lines[i].path, buffer).map_err(|error| self.locate(error, i))
    }

    /// Reads the file of line `i` into `buffer`, unless `may_grow` returns false for its length;
    /// returns whether it was read.
    ///
    /// # Errors
    /// As [`read`](Self::read).
    ///
    /// # Panics
    /// If there is no such line.
    pub fn load(
        &self,
        i: usize,
        buffer: &mut Vec<u8>,
        may_grow: &mut dyn FnMut(usize) -> bool,
    ) -> Result<bool> {
        buffer.clear();
        let mut load = || {
            let (file, len) = self.root.open(&self.lines[i].path)?;
            let is_read = may_grow(len as usize);
            if is_read {
                read_file(file, buffer)?;
            }
            Ok(is_read)
        };
        load().map_err(|error| self.locate(error, i))
    }

    /// Returns the CRC32C of the lines.
    #[must_use]
    pub fn digest(&self) -> u32 {
        self.lines.iter().fold(0, |digest, line| {
            let digest = crc32c::crc32c_append(digest, &line.index.to_le_bytes());
            let digest = line.labels.iter().fold(digest, |digest, &label| {
                let single = crc32c::crc32c_append(digest, &(label as f32).to_le_bytes());
                // Of labels that float32 represents, the digest stays what it was in old states.
                match LabelType::Float32.check(label) {
                    Ok(()) => single,
                    Err(_) => crc32c::crc32c_append(single, &label.to_le_bytes()),
                }
            });
            crc32c::crc32c_append(digest, line.path.as_bytes())
        })
    }

    /// Adds file and line to an error about line `i`.
    #[must_use]
    pub fn locate(&self, error: Error, i: usize) -> Error {
        error
            .at_record(i as u64)
            .at_path(&self.root.full_path(&self.lines[i].path))
    }
}

/// Appends the bytes of an image file to `buffer`.
///
/// # Errors
/// As [`SandboxedFolder::open`]; [`ErrorKind::Io`](crate::error::ErrorKind::Io) if it cannot be
/// read; `Limit` if it is larger than any record.
pub fn read(root: &SandboxedFolder, path: &str, buffer: &mut Vec<u8>) -> Result<()> {
    let (file, _) = root.open(path)?;
    read_file(file, buffer)
}

fn read_file(file: File, buffer: &mut Vec<u8>) -> Result<()> {
    match file.take(MAX_RECORD_LEN as u64 + 1).read_to_end(buffer)? {
        ..=MAX_RECORD_LEN => Ok(()),
        _ => Err(Error::limit(format!(
            "the file is larger than {MAX_RECORD_LEN} bytes"
        ))),
    }
}
