//! The folder that a list's paths are relative to: of the local file system, or of a store.

use std::borrow::Cow;
use std::fs::File;
use std::path::{Component, Path, PathBuf};

use super::location::Location;
use super::sandboxed_folder::SandboxedFolder;
use super::stored_file::StoredFile;
use crate::error::{Error, Result};

/// Folder of files.
#[derive(Debug, Clone)]
pub enum Folder {
    /// Folder of the local file system.
    Local(SandboxedFolder),
    /// Beginning of the URLs of objects, which paths cannot leave.
    Store(Location),
}

/// Open file of a [`Folder`].
#[derive(Debug)]
pub enum OpenFile {
    /// Local file and its length.
    Local(File, u64),
    /// Object of a store.
    Object(StoredFile),
}

impl Folder {
    /// Opens a folder. `allow_outside` lets paths leave one of the local file system.
    ///
    /// # Errors
    /// [`ErrorKind::Io`](crate::error::ErrorKind::Io) if a local folder does not exist.
    pub fn new(root: &Location, allow_outside: bool) -> Result<Self> {
        Ok(match root.local() {
            Some(path) => Self::Local(SandboxedFolder::new(path, allow_outside)?),
            None => Self::Store(root.clone()),
        })
    }

    /// Opens a file.
    ///
    /// # Errors
    /// As [`SandboxedFolder::open`]; those of a store have the URL.
    pub fn open(&self, path: &str) -> Result<OpenFile> {
        match self {
            Self::Local(folder) => {
                let (file, len) = folder.open(path)?;
                Ok(OpenFile::Local(file, len))
            }
            Self::Store(root) => {
                let below = below(root, path).ok_or_else(|| {
                    Error::corrupt(format!(
                        "the path leaves its root folder {}",
                        root.shown().display()
                    ))
                })?;
                Ok(OpenFile::Object(root.join(&below).open()?))
            }
        }
    }

    /// Returns a path relative to the folder if it leads into it, as absolute paths may; otherwise
    /// the path.
    #[must_use]
    pub fn relative<'p>(&self, path: &'p str) -> Cow<'p, Path> {
        match self {
            Self::Local(folder) => folder.relative(path),
            Self::Store(root) => match below(root, path) {
                Some(below) => Cow::Owned(PathBuf::from(below)),
                None => Cow::Borrowed(Path::new(path)),
            },
        }
    }
}

/// Returns a path relative to the folder of a store; `None` if it leads elsewhere.
///
/// `..` is refused: it has no meaning in the names of objects, but it has one for web servers.
fn below(root: &Location, path: &str) -> Option<String> {
    let root = root.path().to_str()?.trim_end_matches('/');
    let inside = path
        .strip_prefix(root)
        .and_then(|rest| rest.strip_prefix('/'));
    let path = Path::new(inside.unwrap_or(path));
    if super::url::scheme(path).is_some() {
        return None;
    }
    let mut names = Vec::new();
    for component in path.components() {
        match component {
            Component::Normal(name) => names.push(name.to_str()?),
            Component::CurDir => {}
            Component::ParentDir | Component::RootDir | Component::Prefix(_) => return None,
        }
    }
    Some(names.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::storage::memory_store::MemoryStore;

    #[test]
    fn paths_in_a_store_do_not_leave_the_folder() {
        let store = MemoryStore::default();
        store.put("s3://b/images/cat/1.jpg", b"inside");
        store.put("s3://b/secret.jpg", b"outside");
        for root in ["s3://b/images", "s3://b/images/"] {
            let folder = Folder::new(&store.at(root), true).unwrap();
            for path in ["cat/1.jpg", "./cat/1.jpg", "s3://b/images/cat/1.jpg"] {
                let OpenFile::Object(file) = folder.open(path).unwrap() else {
                    panic!("an object is not local")
                };
                assert_eq!(file.read_all().unwrap(), b"inside", "{path}");
                assert_eq!(folder.relative(path), Path::new("cat/1.jpg"));
            }
            for path in [
                "../secret.jpg",
                "/secret.jpg",
                "s3://b/secret.jpg",
                "a/../b",
            ] {
                let error = folder.open(path).unwrap_err().to_string();
                assert!(error.starts_with("the path leaves its root"), "{error}");
            }
            let error = folder.open("none.jpg").unwrap_err().to_string();
            assert!(error.starts_with("s3://b/images/none.jpg: "), "{error}");
        }
    }
}
