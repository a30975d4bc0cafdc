//! Opening a file below a folder, whatever links are changed meanwhile.
//!
//! Checking a path and then opening it is not enough: between the two, somebody may replace a
//! folder of it by a link that leads elsewhere. Linux resolves a path without leaving a folder in
//! one call, `openat2`. Elsewhere, and where that call is not allowed, the path is opened name by
//! name, and no name may be a link.

use std::fs::File;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::path::{Component, Path};

use rustix::fs::{Mode, OFlags, openat};
use rustix::io::Errno;

/// A pipe is opened without waiting for a writer.
const READ: OFlags = OFlags::RDONLY
    .union(OFlags::NONBLOCK)
    .union(OFlags::CLOEXEC);

/// Times that a path is resolved again because folders were renamed meanwhile.
#[cfg(target_os = "linux")]
const ATTEMPTS: usize = 16;

/// Opens the folder that files are opened below.
pub(super) fn open_folder(path: &Path) -> io::Result<OwnedFd> {
    Ok(openat(rustix::fs::CWD, path, FOLDER, Mode::empty())?)
}

/// Opens a file for reading. `path` is relative; links in it that stay below the folder are
/// followed. `None` if that is not known to be possible: then the caller resolves the links, and
/// uses [`open_by_names`].
#[cfg(target_os = "linux")]
pub(super) fn open_resolving(folder: impl AsFd, path: &Path) -> io::Result<Option<File>> {
    use rustix::fs::{ResolveFlags, openat2};
    for _ in 0..ATTEMPTS {
        let flags = ResolveFlags::BENEATH | ResolveFlags::NO_MAGICLINKS;
        return match openat2(folder.as_fd(), path, READ, Mode::empty(), flags) {
            Ok(file) => Ok(Some(file.into())),
            Err(Errno::AGAIN | Errno::INTR) => continue,
            // A link that is absolute or leaves the folder; a system without this call, or that
            // forbids it.
            Err(Errno::XDEV | Errno::NOSYS | Errno::PERM | Errno::INVAL) => Ok(None),
            Err(error) => Err(error.into()),
        };
    }
    Ok(None)
}

#[cfg(not(target_os = "linux"))]
pub(super) fn open_resolving(_folder: impl AsFd, _path: &Path) -> io::Result<Option<File>> {
    Ok(None)
}

/// Opens a file for reading. `path` is relative, without links and `..`.
pub(super) fn open_by_names(folder: impl AsFd, path: &Path) -> io::Result<File> {
    let mut names = path.components().peekable();
    let mut parent: Option<OwnedFd> = None;
    while let Some(name) = names.next() {
        let Component::Normal(name) = name else {
            return Err(Errno::XDEV.into());
        };
        let flags = if names.peek().is_some() { FOLDER } else { READ };
        let at = parent.as_ref().map_or(folder.as_fd(), AsFd::as_fd);
        let flags = flags | OFlags::NOFOLLOW;
        let opened = rustix::io::retry_on_intr(|| openat(at, name, flags, Mode::empty()))?;
        parent = Some(opened);
    }
    parent.map(File::from).ok_or_else(|| Errno::ISDIR.into())
}

#[cfg(target_os = "linux")]
const FOLDER: OFlags = OFlags::PATH.union(OFlags::DIRECTORY).union(OFlags::CLOEXEC);
#[cfg(not(target_os = "linux"))]
const FOLDER: OFlags = OFlags::RDONLY
    .union(OFlags::DIRECTORY)
    .union(OFlags::CLOEXEC);

#[cfg(test)]
mod tests {
    use std::io::Read;
    use std::os::unix::fs::symlink;

    use super::*;

    fn text(file: io::Result<File>) -> io::Result<String> {
        let mut text = String::new();
        file?.read_to_string(&mut text)?;
        Ok(text)
    }

    #[test]
    fn no_name_of_a_path_may_have_become_a_link() {
        let outside = tempfile::tempdir().unwrap();
        std::fs::write(outside.path().join("a"), "outside").unwrap();
        let root = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(root.path().join("cat/tabby")).unwrap();
        std::fs::write(root.path().join("cat/tabby/a"), "inside").unwrap();
        let folder = open_folder(root.path()).unwrap();
        let path = Path::new("cat/tabby/a");
        assert_eq!(text(open_by_names(&folder, path)).unwrap(), "inside");
        std::fs::rename(root.path().join("cat"), root.path().join("moved")).unwrap();
        std::fs::create_dir(root.path().join("cat")).unwrap();
        symlink(outside.path(), root.path().join("cat/tabby")).unwrap();
        assert!(open_by_names(&folder, path).is_err());
        symlink(outside.path().join("a"), root.path().join("a")).unwrap();
        for path in ["a", "..", "../a", "/etc/passwd", "."] {
            assert!(open_by_names(&folder, Path::new(path)).is_err(), "{path}");
        }
    }

    #[test]
    fn a_link_out_of_the_folder_is_not_followed() {
        let outside = tempfile::tempdir().unwrap();
        std::fs::write(outside.path().join("a"), "outside").unwrap();
        let root = tempfile::tempdir().unwrap();
        std::fs::write(root.path().join("b"), "inside").unwrap();
        symlink(outside.path().join("a"), root.path().join("a")).unwrap();
        symlink("b", root.path().join("c")).unwrap();
        let folder = open_folder(root.path()).unwrap();
        assert!(open_resolving(&folder, Path::new("a")).unwrap().is_none());
        if let Some(file) = open_resolving(&folder, Path::new("c")).unwrap() {
            assert_eq!(text(Ok(file)).unwrap(), "inside");
        }
    }
}
