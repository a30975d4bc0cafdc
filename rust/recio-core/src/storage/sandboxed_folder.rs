//! The folder that a list's paths are relative to, and the rule that they must not leave it.
//!
//! A list is untrusted: it may come from anywhere, and what it names ends up in batches, or in a file that is passed on. So a
//! path that is absolute, climbs out with `..` or leads out through a link is refused unless the caller allows it, and so is
//! all that is no regular file: a pipe would block for ever, a device never end. [`pack`](crate::pack) and the pipelines of
//! image files open them here.

use std::fs::{self, File, Metadata};
use std::path::{Component, Path, PathBuf};

use crate::error::{Error, Result};

/// The folder, and whether paths may leave it.
#[derive(Debug, Clone)]
pub struct SandboxedFolder {
    given: PathBuf,
    folder: PathBuf,
    allow_outside: bool,
}

impl SandboxedFolder {
    /// Opens a folder.
    ///
    /// # Errors
    /// [`ErrorKind::Io`](crate::error::ErrorKind::Io) if there is none.
    pub fn new(given: &Path, allow_outside: bool) -> Result<Self> {
        let folder = fs::canonicalize(given).map_err(|error| Error::from(error).at_path(given))?;
        Ok(Self {
            given: given.to_path_buf(),
            folder,
            allow_outside,
        })
    }

    /// Opens a file for reading, and gives its length in bytes.
    ///
    /// # Errors
    /// [`ErrorKind::Io`](crate::error::ErrorKind::Io) if there is none; `Corrupt` if the path leaves the folder or leads to
    /// no regular file.
    pub fn open(&self, path: &str) -> Result<(File, u64)> {
        let path = self.admit(Path::new(path))?;
        // Before opening, which would wait for a pipe's writer; and again after, of what was in fact opened.
        regular_len(&fs::metadata(&path)?)?;
        let file = File::open(&path)?;
        let len = regular_len(&file.metadata()?)?;
        Ok((file, len))
    }

    /// The whole path of a file, to tell of it.
    #[must_use]
    pub fn locate(&self, path: &str) -> PathBuf {
        self.given.join(path)
    }

    fn admit(&self, path: &Path) -> Result<PathBuf> {
        if self.allow_outside {
            return Ok(self.folder.join(path));
        }
        if climbs_out(path) {
            return Err(Error::corrupt(
                "the path leaves its root folder, which needs allow_outside (--allow-outside)",
            ));
        }
        let path = fs::canonicalize(self.folder.join(path))?;
        if path.starts_with(&self.folder) {
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

/// Whether a path leaves the folder that it is relative to, by its letters alone.
fn climbs_out(path: &Path) -> bool {
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
    fn paths_that_climb_out_are_refused_unless_allowed() {
        let folder = folder();
        let absolute = folder.path().join("secret.jpg");
        for path in [
            "../secret.jpg",
            "cat/../../secret.jpg",
            absolute.to_str().unwrap(),
        ] {
            let refused = open(&folder, path, false).unwrap_err();
            assert!(
                refused.starts_with("the path leaves its root folder"),
                "{path}"
            );
            assert_eq!(open(&folder, path, true), Ok(6), "{path}");
        }
    }

    #[cfg(unix)]
    #[test]
    fn links_that_lead_out_are_refused_unless_allowed() {
        let folder = folder();
        let link = |to: &str, at: &str| {
            std::os::unix::fs::symlink(folder.path().join(to), folder.path().join(at)).unwrap();
        };
        link("secret.jpg", "root/link.jpg");
        link(".", "root/up");
        link("root/cat/a.jpg", "root/inner.jpg");
        for path in ["link.jpg", "up/secret.jpg"] {
            let refused = open(&folder, path, false).unwrap_err();
            assert!(
                refused.starts_with("a link leads out of the root folder"),
                "{path}"
            );
            assert_eq!(open(&folder, path, true), Ok(6), "{path}");
        }
        assert_eq!(open(&folder, "inner.jpg", false), Ok(6));
    }

    #[test]
    fn what_is_no_regular_file_is_refused() {
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
