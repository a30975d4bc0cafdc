//! Files that are there whole, and on the disk, or not at all.
//!
//! A file is written under a temporary name beside its target, synced, and only then gets its name. Its writer holds a
//! lock on it, so that a file left over from a run that was killed can be told from one that is being written: who next
//! writes the same target removes what nobody holds.
//!
//! All calls that write are the standard library's, so that a test can make each of them fail.

use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

use tempfile::TempPath;

use super::file_system::parent_folder;
use crate::error::{Error, Result};

/// The name of a temporary file: `.`, the target's, `.`, so many random letters and digits, and this.
const SUFFIX: &str = ".tmp";
const RANDOM: usize = 6;

/// A file under a temporary name, which is removed on drop, and the name that it will have.
pub struct Staged {
    temporary: TempPath,
    /// Holds the lock for as long as the temporary name is there.
    file: File,
    target: PathBuf,
}

impl Staged {
    /// Makes an empty file beside `target`, and removes those that killed runs have left there.
    ///
    /// # Errors
    /// [`ErrorKind::Io`](crate::error::ErrorKind::Io) with the target's path, as for all here.
    pub fn create(target: &Path) -> Result<Self> {
        clear_leftovers(target);
        loop {
            let (file, temporary) = create_beside(target)
                .map_err(|error| Error::from(error).at_path(target))?
                .into_parts();
            // Between its making and its locking another run may have taken the file for a left-over.
            let held = !matches!(file.try_lock(), Err(TryLockError::WouldBlock));
            if held && temporary.exists() {
                return Ok(Self {
                    temporary,
                    file,
                    target: target.to_path_buf(),
                });
            }
        }
    }

    /// Whether nobody else is writing a file of the same name. Where files cannot be locked, nobody can tell.
    #[must_use]
    pub fn is_alone(&self) -> bool {
        let own = self.temporary.file_name();
        let mut others = temporaries_of(&self.target).filter(|path| path.file_name() != own);
        !others.any(|path| is_held(&path))
    }

    /// The file, to be written.
    #[must_use]
    pub fn file(&self) -> &File {
        &self.file
    }

    /// The name that it has until then.
    #[must_use]
    pub fn temporary(&self) -> &Path {
        &self.temporary
    }

    /// The name that it will have.
    #[must_use]
    pub fn target(&self) -> &Path {
        &self.target
    }

    /// Waits until the file is on the disk. Closing it cannot fail to write anything after this.
    ///
    /// # Errors
    /// As [`create`](Self::create).
    pub fn sync(&self) -> Result<()> {
        self.file.sync_all().map_err(|error| self.blame(error))
    }

    /// An error about this file.
    #[must_use]
    pub fn blame(&self, error: io::Error) -> Error {
        Error::from(error).at_path(&self.target)
    }

    /// Gives the file its name, in place of an older one.
    ///
    /// # Errors
    /// As [`create`](Self::create); then the temporary file is removed.
    pub fn persist(mut self) -> Result<PathBuf> {
        fs::rename(&self.temporary, &self.target).map_err(|error| self.blame(error))?;
        self.temporary.disable_cleanup(true);
        Ok(self.target)
    }
}

fn create_beside(target: &Path) -> io::Result<tempfile::NamedTempFile> {
    let prefix = prefix_of(target);
    let mut builder = tempfile::Builder::new();
    builder.prefix(&prefix).suffix(SUFFIX).rand_bytes(RANDOM);
    #[cfg(unix)]
    let readable = std::os::unix::fs::PermissionsExt::from_mode(0o666);
    #[cfg(unix)]
    // What any new file gets, less the umask; a temporary file would be its owner's alone.
    builder.permissions(readable);
    builder.tempfile_in(parent_folder(target))
}

/// Removes the temporary files of a target whose writers are gone.
///
/// That one cannot be removed, or the folder not be read, is no reason not to write the target.
pub fn clear_leftovers(target: &Path) {
    temporaries_of(target).for_each(|path| _ = remove_unless_held(&path));
}

/// The temporary files of a target that are there.
fn temporaries_of(target: &Path) -> impl Iterator<Item = PathBuf> {
    let prefix = prefix_of(target);
    let is_temporary = move |name: &str| {
        let random = name.strip_prefix(&prefix)?.strip_suffix(SUFFIX)?;
        Some(random.len() == RANDOM && random.bytes().all(|byte| byte.is_ascii_alphanumeric()))
    };
    let found = fs::read_dir(parent_folder(target)).into_iter().flatten();
    found
        .flatten()
        .filter(move |entry| entry.file_name().to_str().and_then(&is_temporary) == Some(true))
        .map(|entry| entry.path())
}

fn is_held(path: &Path) -> bool {
    File::open(path).is_ok_and(|file| matches!(file.try_lock(), Err(TryLockError::WouldBlock)))
}

/// The lock is kept until the name is gone, lest its writer takes it in between.
fn remove_unless_held(path: &Path) -> io::Result<()> {
    let file = File::options().write(true).open(path)?;
    if file.try_lock().is_ok() {
        fs::remove_file(path)?;
    }
    Ok(())
}

/// What the names of a target's temporary files begin with.
fn prefix_of(target: &Path) -> String {
    let name = target.file_name().unwrap_or_default().to_string_lossy();
    format!(".{name}.")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::write::file_system::tests::file_names;

    #[test]
    fn what_a_killed_run_left_is_removed_by_the_next_that_writes_the_same_file() {
        let folder = tempfile::tempdir().unwrap();
        for name in [
            ".a.rec.1234Ab.tmp",
            ".a.rec.backup.tmp~",
            ".a.rec.old.tmp",
            ".b.rec.1234Ab.tmp",
        ] {
            fs::write(folder.path().join(name), "left").unwrap();
        }
        let staged = Staged::create(&folder.path().join("a.rec")).unwrap();
        staged.persist().unwrap();
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
    fn a_file_that_is_being_written_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("a.rec");
        let first = Staged::create(&target).unwrap();
        assert!(first.is_alone());
        let second = Staged::create(&target).unwrap();
        assert_eq!(file_names(folder.path()).len(), 2);
        assert!(!first.is_alone() && !second.is_alone());
        first.persist().unwrap();
        assert!(second.is_alone());
        second.persist().unwrap();
        assert_eq!(file_names(folder.path()), ["a.rec"]);
    }

    #[test]
    fn a_name_that_cannot_be_taken_leaves_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("a.rec");
        fs::create_dir(&target).unwrap();
        let error = Staged::create(&target).unwrap().persist().unwrap_err();
        assert!(error.to_string().contains("a.rec: "), "{error}");
        assert_eq!(file_names(folder.path()), ["a.rec"]);
    }
}
