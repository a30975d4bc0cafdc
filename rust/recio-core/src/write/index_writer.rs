//! Writer of a `.idx` file that grows together with its record file.

use std::fmt::Write as _;
use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use super::file_system::sync_file;
use super::sticky_error::StickyError;
use crate::error::{Error, Result};
use crate::storage::regular::open_for_writing;

/// A `.idx` file and the lines that are not written to it yet.
pub(super) struct IndexWriter {
    path: PathBuf,
    file: File,
    pending: String,
    /// Bytes of complete lines in the file.
    written: u64,
    failed: Option<StickyError>,
}

impl IndexWriter {
    /// Creates the file or truncates an existing one.
    ///
    /// # Errors
    /// [`ErrorKind::Io`](crate::error::ErrorKind::Io), as for all methods.
    pub(super) fn create(path: &Path) -> Result<Self> {
        Self::open(
            path,
            OpenOptions::new().write(true).create(true).truncate(true),
        )
    }

    /// Opens an existing file to append lines.
    pub(super) fn append(path: &Path) -> Result<Self> {
        Self::open(path, OpenOptions::new().append(true))
    }

    fn open(path: &Path, options: &mut OpenOptions) -> Result<Self> {
        let mut open = || {
            let file = open_for_writing(path, options)?;
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

    /// Buffers a line.
    pub(super) fn push(&mut self, key: &str, offset: u64) {
        // A string takes all text.
        _ = writeln!(self.pending, "{key}\t{offset}");
    }

    /// Writes the buffered lines: all of them, or none if that fails.
    pub(super) fn flush(&mut self) -> Result<()> {
        if let Some(failed) = &self.failed {
            return Err(self.with_path(failed.repeat()));
        }
        if let Err(error) = self.file.write_all(self.pending.as_bytes()) {
            self.failed = Some(StickyError::new(&error));
            // An incomplete line may look complete. If truncating fails too, the first error
            // counts.
            _ = self.file.set_len(self.written);
            return Err(self.with_path(error));
        }
        self.written += self.pending.len() as u64;
        self.pending.clear();
        Ok(())
    }

    /// Syncs the lines that were written.
    pub(super) fn sync(&self) -> Result<()> {
        sync_file(&self.file).map_err(|error| self.with_path(error))
    }

    fn with_path(&self, error: io::Error) -> Error {
        Error::from(error).at_path(&self.path)
    }
}
