//! The lines of a `.idx` that grows while records are written.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use super::file_system::sync_file;
use super::sticky_error::Failure;
use crate::error::{Error, Result};

/// A `.idx`, and the lines that it does not have yet.
pub(super) struct Lines {
    path: PathBuf,
    file: File,
    pending: String,
    /// Bytes of whole lines in the file.
    written: u64,
    failed: Option<Failure>,
}

impl Lines {
    /// Empties the file, or makes it.
    ///
    /// # Errors
    /// [`ErrorKind::Io`](crate::error::ErrorKind::Io), as for all here.
    pub(super) fn create(path: &Path) -> Result<Self> {
        Self::open(
            path,
            OpenOptions::new().write(true).create(true).truncate(true),
        )
    }

    /// Goes on behind the last line.
    pub(super) fn append(path: &Path) -> Result<Self> {
        Self::open(path, OpenOptions::new().append(true))
    }

    fn open(path: &Path, how: &OpenOptions) -> Result<Self> {
        let open = || {
            let file = how.open(path)?;
            let written = file.metadata()?.len();
            Ok((file, written))
        };
        let (file, written) =
            open().map_err(|error: io::Error| Error::from(error).at_path(path))?;
        Ok(Self {
            path: path.to_path_buf(),
            file,
            pending: String::new(),
            written,
            failed: None,
        })
    }

    /// Keeps a line.
    pub(super) fn push(&mut self, key: &str, offset: u64) {
        self.pending.extend([key, "\t", &offset.to_string(), "\n"]);
    }

    /// Writes the lines that were kept. If that fails the file has no part of them.
    pub(super) fn write(&mut self) -> Result<()> {
        if let Some(failure) = &self.failed {
            return Err(self.blame(failure.again()));
        }
        if let Err(error) = self.file.write_all(self.pending.as_bytes()) {
            self.failed = Some(Failure::of(&error));
            // Half a line may look like a whole one. If it cannot be cut off either, the first error is the one to tell.
            _ = self.file.set_len(self.written);
            return Err(self.blame(error));
        }
        self.written += self.pending.len() as u64;
        self.pending.clear();
        Ok(())
    }

    /// Waits until the lines written are on the disk.
    pub(super) fn sync(&self) -> Result<()> {
        sync_file(&self.file).map_err(|error| self.blame(error))
    }

    fn blame(&self, error: io::Error) -> Error {
        Error::from(error).at_path(&self.path)
    }
}
