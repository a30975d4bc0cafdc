//! A folder that the paths below it must not leave: the root folder of a list.
//!
//! A list is untrusted: it may come from anywhere, and the files that it names end up in batches,
//! or in a record file that is passed on. So these are errors unless the caller allows them: an
//! absolute path, a path that leaves the folder with `..`, and a link that leads out of it. Files
//! that are not regular are always errors: a pipe would block, a device might never end.

use std::fs::{self, File, Metadata};
use std::path::{Component, Path, PathBuf};

use crate::error::{Error, Result};

/// Folder, and whether paths may leave it.
#[derive(Debug, Clone)]
pub struct SandboxedFolder {
    /// As passed by the caller, for errors.
    path: PathBuf,
    canonical: PathBuf,
    allow_outside: bool,
}

impl SandboxedFolder {
    /// Opens a folder.
    ///
    /// # Errors
    /// [`ErrorKind::Io`](crate::error::ErrorKind::Io) if it does not exist.
    pub fn new(path: &Path, allow_outside: bool) -> Result<Self> {
        let canonical = fs::canonicalize(path).map_err(|error| Error::from(error).at_path(path))?;
        Ok(Self {
            path: path.to_path_buf(),
            canonical,
            allow_outside,
        })
    }

    /// Opens a file for reading, and returns its length in bytes.
    ///
    /// # Errors
    /// [`ErrorKind::Io`](crate::error::ErrorKind::Io) if it does not exist; `Corrupt` if the path
    /// leaves the folder or is not that of a regular file.
    pub fn open(&self, path: &str) -> Result<(File, u64)> {
        let path = self.resolve(Path::new(path))?;
        // Before opening, which would block on a pipe; and again after, as the file may be another
        // now.
        regular_len(&fs::metadata(&path)?)?;
        let file = File::open(&path)?;
        let len = regular_len(&file.metadata()?)?;
        Ok((file, len))
    }

    /// Returns the path of a file, for errors.
    #[must_use]
    pub fn full_path(&self, path: &str) -> PathBuf {
        self.path.join(path)
    }

    fn resolve(&self, path: &Path) -> Result<PathBuf> {
        if self.allow_outside {
            return Ok(self.canonical.join(path));
        }
        if leaves_folder(path) {
            return Err(Error::corrupt(
                "the path leaves its root folder, which needs allow_outside (--allow-outside)",
            ));
        }
        let path = fs::canonicalize(self.canonical.join(path))?;
        if path.starts_with(&self.canonical) {
            Ok(path)
        } else {
            Err(Error::corrupt(
                "a link leads out of the root folder, which needs allow_outside (--allow-outside)",
            ))
        }
    }
}

fn regular_len(metadata: &Metadata) -> Result<u64> {
    if metadata.is_file() {
        Ok(metadata.len())
    } else {
        Err(Error::corrupt("not a regular file"))
    }
}

/// Returns whether a relative path leaves its folder, without looking at the file system.
fn leaves_folder(path: &Path) -> bool {
    let mut depth = 0;
    path.components().any(|component| {
        match component {
            Component::Normal(_) => depth += 1,
            Component::CurDir => {}
            Component::ParentDir => depth -= 1,
            Component::RootDir | Component::Prefix(_) => return true,
        }
        depth < 0
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder() -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir_all(folder.path().join("root/cat")).unwrap();
        fs::write(folder.path().join("root/cat/a.jpg"), "inside").unwrap();
        fs::write(folder.path().join("secret.jpg"), "secret").unwrap();
        folder
    }

    fn open(folder: &tempfile::TempDir, path: &str, allow_outside: bool) -> Result<u64, String> {
        let root = SandboxedFolder::new(&folder.path().join("root"), allow_outside).unwrap();
        let opened = root.open(path).map(|(_, len)| len);
        opened.map_err(|error| error.to_string())
    }

    #[test]
    fn paths_inside_are_opened() {
        let folder = folder();
        for path in ["cat/a.jpg", "./cat/../cat/a.jpg"] {
            assert_eq!(open(&folder, path, false), Ok(6), "{path}");
        }
    }

    #[test]
    fn paths_that_leave_the_folder_are_errors_unless_allowed() {
        let folder = folder();
        let absolute = folder.path().join("secret.jpg");
        for path in [
            "../secret.jpg",
            "cat/../../secret.jpg",
            absolute.to_str().unwrap(),
        ] {
            let error = open(&folder, path, false).unwrap_err();
            assert!(
                error.starts_with("the path leaves its root folder"),
                "{path}"
            );
            assert_eq!(open(&folder, path, true), Ok(6), "{path}");
        }
    }

    #[cfg(unix)]
    #[test]
    fn links_out_of_the_folder_are_errors_unless_allowed() {
        let folder = folder();
        let link = |to: &str, at: &str| {
            std::os::unix::fs::symlink(folder.path().join(to), folder.path().join(at)).unwrap();
        };
        link("secret.jpg", "root/link.jpg");
        link(".", "root/up");
        link("root/cat/a.jpg", "root/inner.jpg");
        for path in ["link.jpg", "up/secret.jpg"] {
            let error = open(&folder, path, false).unwrap_err();
            assert!(
                error.starts_with("a link leads out of the root folder"),
                "{path}"
            );
            assert_eq!(open(&folder, path, true), Ok(6), "{path}");
        }
        assert_eq!(open(&folder, "inner.jpg", false), Ok(6));
    }

    #[test]
    fn files_that_are_not_regular_are_errors() {
        let folder = folder();
        assert_eq!(
            open(&folder, "cat", false).unwrap_err(),
            "not a regular file"
        );
        assert_eq!(
            open(&folder, "/dev/zero", true).unwrap_err(),
            "not a regular file"
        );
        assert!(
            open(&folder, "dog.jpg", false)
                .unwrap_err()
                .starts_with("No such file")
        );
        assert!(open(&folder, "a\0b", false).is_err());
    }
}
