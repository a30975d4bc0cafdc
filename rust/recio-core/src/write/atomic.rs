//! Atomic files: complete and on the disk under their names, or not there at all.
//!
//! A file is written under a temporary name beside its target, synced and then renamed. Its writer
//! holds a lock on it. The lock distinguishes a file that is being written from one that a killed
//! process left: the next writer of the same target removes the temporary files without a lock.
//!
//! All system calls that write go through the standard library, so that a test can make each fail.

use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

use tempfile::TempPath;

use super::file_system::parent_folder;
use crate::error::{Error, Result};
use crate::storage::regular::{open_for_writing, open_regular};

/// End of a temporary name: `.`, the target's name, `.`, random characters and this suffix.
const SUFFIX: &str = ".tmp";
/// Number of random letters and digits in a temporary name.
const RANDOM_LEN: usize = 6;

/// A file with a temporary name, and its target. Dropping it removes the temporary file.
pub struct AtomicFile {
    temporary: TempPath,
    /// Holds the lock while the temporary name exists.
    file: File,
    target: PathBuf,
}

impl AtomicFile {
    /// Creates an empty file beside `target` and removes those that killed processes left there.
    ///
    /// # Errors
    /// [`ErrorKind::Io`](crate::error::ErrorKind::Io) with the target's path, as for all methods.
    pub fn create(target: &Path) -> Result<Self> {
        remove_leftovers(target);
        loop {
            let (file, temporary) = create_temporary(target)
                .map_err(|error| Error::from(error).at_path(target))?
                .into_parts();
            // Before it was locked, another process may have removed the file as a leftover.
            let is_locked = !matches!(file.try_lock(), Err(TryLockError::WouldBlock));
            if is_locked && temporary.exists() {
                return Ok(Self {
                    temporary,
                    file,
                    target: target.to_path_buf(),
                });
            }
        }
    }

    /// Whether nobody else is writing the same target. True where files cannot be locked.
    #[must_use]
    pub fn is_only_writer(&self) -> bool {
        let name = self.temporary.file_name();
        let mut others = temporaries_of(&self.target).filter(|path| path.file_name() != name);
        !others.any(|path| is_locked(&path))
    }

    /// The open file.
    #[must_use]
    pub fn file(&self) -> &File {
        &self.file
    }

    /// The path until [`persist`](Self::persist).
    #[must_use]
    pub fn temporary_path(&self) -> &Path {
        &self.temporary
    }

    /// The path after [`persist`](Self::persist).
    #[must_use]
    pub fn target(&self) -> &Path {
        &self.target
    }

    /// Writes all data of the file to the disk. After this, closing the file cannot fail.
    ///
    /// # Errors
    /// As [`create`](Self::create).
    pub fn sync(&self) -> Result<()> {
        self.file.sync_all().map_err(|error| self.with_path(error))
    }

    /// Adds the target's path to an error.
    #[must_use]
    pub fn with_path(&self, error: io::Error) -> Error {
        Error::from(error).at_path(&self.target)
    }

    /// Renames the file to its target and replaces an older one.
    ///
    /// # Errors
    /// As [`create`](Self::create); the temporary file is removed.
    pub fn persist(mut self) -> Result<PathBuf> {
        fs::rename(&self.temporary, &self.target).map_err(|error| self.with_path(error))?;
        self.temporary.disable_cleanup(true);
        Ok(self.target)
    }
}

fn create_temporary(target: &Path) -> io::Result<tempfile::NamedTempFile> {
    let prefix = temporary_prefix(target);
    let mut builder = tempfile::Builder::new();
    builder
        .prefix(&prefix)
        .suffix(SUFFIX)
        .rand_bytes(RANDOM_LEN);
    #[cfg(unix)]
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o666);
    #[cfg(unix)]
    // The mode of any new file, minus the umask. By default only the owner could read the file.
    builder.permissions(mode);
    builder.tempfile_in(parent_folder(target))
}

/// Removes the temporary files of a target whose writers no longer run.
///
/// Errors are ignored: a leftover does not prevent writing the target.
pub fn remove_leftovers(target: &Path) {
    temporaries_of(target).for_each(|path| _ = remove_unless_locked(&path));
}

/// Lists the existing temporary files of a target.
fn temporaries_of(target: &Path) -> impl Iterator<Item = PathBuf> {
    let prefix = temporary_prefix(target);
    let is_temporary = move |name: &str| {
        let random = name.strip_prefix(&prefix)?.strip_suffix(SUFFIX)?;
        Some(random.len() == RANDOM_LEN && random.bytes().all(|byte| byte.is_ascii_alphanumeric()))
    };
    let entries = fs::read_dir(parent_folder(target)).into_iter().flatten();
    entries
        .flatten()
        .filter(move |entry| entry.file_name().to_str().and_then(&is_temporary) == Some(true))
        .map(|entry| entry.path())
}

fn is_locked(path: &Path) -> bool {
    open_regular(path).is_ok_and(|file| matches!(file.try_lock(), Err(TryLockError::WouldBlock)))
}

/// Removes a file and holds its lock until then, so that no writer can lock it in between.
fn remove_unless_locked(path: &Path) -> io::Result<()> {
    let file = open_for_writing(path, File::options().write(true))?;
    if file.try_lock().is_ok() {
        fs::remove_file(path)?;
    }
    Ok(())
}

/// Returns the beginning of the names of a target's temporary files.
fn temporary_prefix(target: &Path) -> String {
    let name = target.file_name().unwrap_or_default().to_string_lossy();
    format!(".{name}.")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::write::file_system::tests::file_names;

    #[test]
    fn leftovers_of_the_same_target_are_removed() {
        let folder = tempfile::tempdir().unwrap();
        for name in [
            ".a.rec.1234Ab.tmp",
            ".a.rec.backup.tmp~",
            ".a.rec.old.tmp",
            ".b.rec.1234Ab.tmp",
        ] {
            fs::write(folder.path().join(name), "left").unwrap();
        }
        let file = AtomicFile::create(&folder.path().join("a.rec")).unwrap();
        file.persist().unwrap();
        assert_eq!(
            file_names(folder.path()),
            [
                ".a.rec.backup.tmp~",
                ".a.rec.old.tmp",
                ".b.rec.1234Ab.tmp",
                "a.rec"
            ]
        );
    }

    #[test]
    fn temporary_file_of_another_writer_is_kept() {
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("a.rec");
        let first = AtomicFile::create(&target).unwrap();
        assert!(first.is_only_writer());
        let second = AtomicFile::create(&target).unwrap();
        assert_eq!(file_names(folder.path()).len(), 2);
        assert!(!first.is_only_writer() && !second.is_only_writer());
        first.persist().unwrap();
        assert!(second.is_only_writer());
        second.persist().unwrap();
        assert_eq!(file_names(folder.path()), ["a.rec"]);
    }

    #[test]
    fn failed_rename_removes_the_temporary_file() {
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("a.rec");
        fs::create_dir(&target).unwrap();
        let error = AtomicFile::create(&target).unwrap().persist().unwrap_err();
        assert!(error.to_string().contains("a.rec: "), "{error}");
        assert_eq!(file_names(folder.path()), ["a.rec"]);
    }
}
