//! Regular files of the local file system, and positioned reads of them.
//!
//! Positioned reads (`pread`) use no file position, so one open file serves any number of threads,
//! and a forked process. A memory map is not used: truncating a mapped file kills the process,
//! whereas a read returns an error.

use std::fs::{File, Metadata};
use std::io;
use std::path::{Path, PathBuf};

use super::open_files::SharedFile;
use super::regular::open_regular;
use crate::error::{Error, Result};

/// Regular file, open for positioned reads.
#[derive(Debug)]
pub struct LocalFile {
    path: PathBuf,
    handle: Handle,
    len: u64,
}

#[derive(Debug)]
enum Handle {
    /// Open as long as this is.
    Own(File),
    /// Open if it was used lately.
    Shared(SharedFile),
}

impl LocalFile {
    /// Opens a regular file.
    ///
    /// # Errors
    /// [`ErrorKind::Io`](crate::error::ErrorKind::Io), with the path.
    pub fn open(path: &Path) -> Result<Self> {
        let open = || {
            let file = open_regular(path)?;
            let len = file.metadata()?.len();
            Ok((file, len))
        };
        let (file, len) = open().map_err(|error: Error| error.at_path(path))?;
        Ok(Self {
            path: path.to_path_buf(),
            handle: Handle::Own(file),
            len,
        })
    }

    /// Lets the file be closed in favor of others, until it is read again.
    pub(super) fn shared(self) -> Result<Self> {
        let Self { path, handle, len } = self;
        let handle = match handle {
            Handle::Own(file) => SharedFile::new(&path, file)
                .map(Handle::Shared)
                .map_err(|error| Error::from(error).at_path(&path))?,
            shared @ Handle::Shared(_) => shared,
        };
        Ok(Self { path, handle, len })
    }

    fn with_file<T>(&self, work: impl FnOnce(&File) -> io::Result<T>) -> io::Result<T> {
        match &self.handle {
            Handle::Own(file) => work(file),
            Handle::Shared(file) => work(&*file.get()?),
        }
    }

    /// Returns the path by which the file was opened.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Returns the size, the times and the like of the file now.
    ///
    /// # Errors
    /// [`ErrorKind::Io`](crate::error::ErrorKind::Io), with the path.
    pub fn metadata(&self) -> Result<Metadata> {
        self.with_file(File::metadata)
            .map_err(|error| Error::from(error).at_path(&self.path))
    }

    /// Returns the length in bytes when the file was opened.
    #[must_use]
    pub fn len(&self) -> u64 {
        self.len
    }

    /// Returns whether the file was empty when it was opened.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Reads some bytes at `offset`; none at the end of the file.
    pub(super) fn read_at(&self, bytes: &mut [u8], offset: u64) -> io::Result<usize> {
        self.with_file(|file| {
            #[cfg(unix)]
            return std::os::unix::fs::FileExt::read_at(file, bytes, offset);
            #[cfg(windows)]
            return std::os::windows::fs::FileExt::seek_read(file, bytes, offset);
        })
    }

    /// Fills `bytes` from `offset`.
    ///
    /// # Errors
    /// [`ErrorKind::Io`](crate::error::ErrorKind::Io); `Corrupt` if the file has been truncated
    /// since it was opened. Both have the path.
    pub fn read_exact_at(&self, bytes: &mut [u8], offset: u64) -> Result<()> {
        let read = self.with_file(|file| read_exact_at(file, bytes, offset));
        read.map_err(|error| {
            let error = match error.kind() {
                io::ErrorKind::UnexpectedEof => {
                    Error::corrupt("the file was truncated while it was read")
                }
                _ => error.into(),
            };
            error.at_path(&self.path)
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

    #[test]
    fn a_file_truncated_after_opening_is_an_error() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), [7; 100]).unwrap();
        let local = LocalFile::open(file.path()).unwrap();
        file.as_file().set_len(50).unwrap();
        let mut bytes = [0; 100];
        local.read_exact_at(&mut bytes[..50], 0).unwrap();
        let error = local.read_exact_at(&mut bytes, 0).unwrap_err();
        assert!(error.to_string().contains("was truncated"), "{error}");
    }
}
