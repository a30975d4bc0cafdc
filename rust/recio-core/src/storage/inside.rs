//! Paths inside a folder, by whatever way they lead there.

use std::borrow::Cow;
use std::fs;
use std::path::{Component, Path, PathBuf};

/// A folder by the paths that lead to it.
#[derive(Debug, Clone)]
pub(super) struct Inside {
    /// The absolute path that was passed, which may contain links.
    absolute: PathBuf,
    /// The path without links.
    canonical: PathBuf,
}

impl Inside {
    pub(super) fn new(path: &Path, canonical: &Path) -> Self {
        Self {
            absolute: std::path::absolute(path).unwrap_or_else(|_| canonical.to_path_buf()),
            canonical: canonical.to_path_buf(),
        }
    }

    /// Returns a path relative to the folder, without leaving it on the way; `None` if it leads
    /// elsewhere or, if it leaves the folder on the way, nowhere.
    ///
    /// Nothing is opened: links in the result may still lead out of the folder.
    pub(super) fn relative<'p>(&self, path: &'p Path) -> Option<Cow<'p, Path>> {
        let below = [&self.absolute, &self.canonical]
            .into_iter()
            .find_map(|root| path.strip_prefix(root).ok())
            .unwrap_or(path);
        if below.as_os_str().is_empty() {
            return Some(Cow::Borrowed(Path::new(".")));
        }
        if !leaves_folder(below) {
            return Some(Cow::Borrowed(below));
        }
        let resolved = fs::canonicalize(self.canonical.join(path)).ok()?;
        let below = resolved.strip_prefix(&self.canonical).ok()?;
        Some(Cow::Owned(below.to_path_buf()))
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

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn paths_that_lead_into_the_folder_are_relative_to_it() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().canonicalize().unwrap().join("root");
        fs::create_dir_all(root.join("cat")).unwrap();
        fs::write(root.join("cat/a.jpg"), "").unwrap();
        let link = root.with_file_name("link");
        std::os::unix::fs::symlink(&root, &link).unwrap();
        let inside = Inside::new(&link, &root);
        let by = |path: PathBuf| inside.relative(&path).map(Cow::into_owned);
        let relative = Some(PathBuf::from("cat/a.jpg"));
        for path in [
            PathBuf::from("cat/a.jpg"),
            PathBuf::from("../root/cat/a.jpg"),
            root.join("cat/a.jpg"),
            root.join("cat/../../link/cat/a.jpg"),
            link.join("cat/a.jpg"),
        ] {
            assert_eq!(by(path.clone()), relative, "{path:?}");
        }
        assert_eq!(by(link.join("none.jpg")), Some(PathBuf::from("none.jpg")));
        for path in ["..", "../other", "/", "/etc/passwd", "cat/../.."] {
            assert_eq!(by(PathBuf::from(path)), None, "{path}");
        }
        let other = root.with_file_name("root2");
        fs::create_dir(&other).unwrap();
        assert_eq!(by(other), None);
    }

    #[test]
    fn everything_is_inside_the_root_of_the_file_system() {
        let inside = Inside::new(Path::new("/"), Path::new("/"));
        let path = Path::new("/etc/passwd");
        assert_eq!(inside.relative(path).unwrap(), Path::new("etc/passwd"));
    }
}
