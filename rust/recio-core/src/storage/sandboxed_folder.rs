//! A folder that the paths below it must not leave: the root folder of a list.
//!
//! A list is untrusted: it may come from anywhere, and the files that it names end up in batches,
//! or in a record file that is passed on. So these are errors unless the caller allows them: an
//! absolute path to elsewhere, a path that leaves the folder with `..` and does not come back, and
//! a link that leads out of it, also one that appears while the file is opened. Files that are not
//! regular are always errors: a pipe would block, a device might never end.

use std::borrow::Cow;
use std::fs::{self, File};
use std::io;
#[cfg(unix)]
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
#[cfg(unix)]
use std::sync::Arc;

#[cfg(unix)]
use super::beneath;
use super::inside::Inside;
use super::regular::{check_regular, open_regular};
use crate::error::{Error, Result};

/// Folder, and whether paths may leave it.
#[derive(Debug, Clone)]
pub struct SandboxedFolder {
    /// As passed by the caller, for errors.
    path: PathBuf,
    canonical: PathBuf,
    inside: Inside,
    /// The open folder; `None` if paths may leave it.
    #[cfg(unix)]
    folder: Option<Arc<OwnedFd>>,
    allow_outside: bool,
}

impl SandboxedFolder {
    /// Opens a folder.
    ///
    /// # Errors
    /// [`ErrorKind::Io`](crate::error::ErrorKind::Io) if it does not exist.
    pub fn new(path: &Path, allow_outside: bool) -> Result<Self> {
        let open = || -> io::Result<Self> {
            let canonical = fs::canonicalize(path)?;
            Ok(Self {
                path: path.to_path_buf(),
                inside: Inside::new(path, &canonical),
                #[cfg(unix)]
                folder: if allow_outside {
                    None
                } else {
                    Some(Arc::new(beneath::open_folder(&canonical)?))
                },
                canonical,
                allow_outside,
            })
        };
        open().map_err(|error| Error::from(error).at_path(path))
    }

    /// Opens a file for reading, and returns its length in bytes.
    ///
    /// # Errors
    /// [`ErrorKind::Io`](crate::error::ErrorKind::Io) if it does not exist; `Corrupt` if the path
    /// leaves the folder or is not that of a regular file.
    pub fn open(&self, path: &str) -> Result<(File, u64)> {
        let path = Path::new(path);
        let file = if self.allow_outside {
            open_regular(&self.canonical.join(path)).map_err(of_this_file)?
        } else {
            self.open_inside(path)?
        };
        let metadata = file.metadata()?;
        check_regular(&metadata).map_err(of_this_file)?;
        Ok((file, metadata.len()))
    }

    /// Returns the path of a file, for errors.
    #[must_use]
    pub fn full_path(&self, path: &str) -> PathBuf {
        self.path.join(path)
    }

    /// Returns a path relative to the folder if it leads into it, as absolute paths may; otherwise
    /// the path.
    #[must_use]
    pub fn relative<'p>(&self, path: &'p str) -> Cow<'p, Path> {
        let path = Path::new(path);
        self.inside.relative(path).unwrap_or(Cow::Borrowed(path))
    }

    fn open_inside(&self, path: &Path) -> Result<File> {
        let path = &*self.inside.relative(path).ok_or_else(|| {
            Error::corrupt(
                "the path leaves its root folder, which needs allow_outside (--allow-outside)",
            )
        })?;
        #[cfg(unix)]
        if let Some(folder) = &self.folder {
            return match beneath::open_resolving(folder, path).map_err(of_this_file)? {
                Some(file) => Ok(file),
                None => beneath::open_by_names(folder, &self.resolve(path)?).map_err(of_this_file),
            };
        }
        open_regular(&self.canonical.join(self.resolve(path)?)).map_err(of_this_file)
    }

    /// Resolves the links of a path, and returns it relative to the folder.
    fn resolve(&self, path: &Path) -> Result<PathBuf> {
        let resolved = fs::canonicalize(self.canonical.join(path))?;
        let relative = resolved.strip_prefix(&self.canonical);
        relative.map(Path::to_path_buf).map_err(|_| {
            Error::corrupt(
                "a link leads out of the root folder, which needs allow_outside (--allow-outside)",
            )
        })
    }
}

/// Classifies an error of opening a file: one that is not regular concerns only this sample, as
/// damage does.
fn of_this_file(error: io::Error) -> Error {
    match error.kind() {
        io::ErrorKind::IsADirectory => Error::corrupt("a folder, not a regular file"),
        io::ErrorKind::InvalidInput if error.get_ref().is_some() => {
            Error::corrupt(error.to_string())
        }
        _ => special_error(error),
    }
}

#[cfg(unix)]
fn special_error(error: io::Error) -> Error {
    use rustix::io::Errno;
    match Errno::from_io_error(&error) {
        // Sockets cannot be opened.
        Some(Errno::NXIO | Errno::NODEV | Errno::OPNOTSUPP) => {
            Error::corrupt("a socket or a device, not a regular file")
        }
        _ => error.into(),
    }
}

#[cfg(not(unix))]
fn special_error(error: io::Error) -> Error {
    error.into()
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
        let root = folder.path().canonicalize().unwrap().join("root");
        let absolute = root.join("cat/a.jpg");
        for path in [
            "cat/a.jpg",
            "./cat/../cat/a.jpg",
            "../root/cat/a.jpg",
            absolute.to_str().unwrap(),
        ] {
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
        for (path, allow_outside, kind) in
            [("cat", false, "a folder"), ("/dev/zero", true, "a device")]
        {
            let error = open(&folder, path, allow_outside).unwrap_err();
            assert_eq!(error, format!("{kind}, not a regular file"));
        }
        assert!(
            open(&folder, "dog.jpg", false)
                .unwrap_err()
                .starts_with("No such file")
        );
        assert!(open(&folder, "a\0b", false).is_err());
    }
}
