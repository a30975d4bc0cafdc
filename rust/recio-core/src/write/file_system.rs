//! Helpers for files and folders: remove, sync, parent folder.

use std::fs::{self, File};
use std::io;
use std::path::Path;

use crate::error::{Error, Result};
use crate::storage::location::Location;

/// Returns the folder of a path: `.` for a bare file name.
pub(crate) fn parent_folder(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if folder != Path::new("") => folder,
        _ => Path::new("."),
    }
}

/// Removes a file, if it exists, and returns whether it existed.
///
/// # Errors
/// [`ErrorKind::Io`](crate::error::ErrorKind::Io) with the path.
pub fn remove_if_exists(path: &Path) -> Result<bool> {
    match fs::remove_file(path) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(Error::from(error).at_path(path)),
    }
}

/// Removes a file or an object, if it exists, so that it does not come back after a power failure.
///
/// An object is only removed if it exists, as that may need a permission that writing does not.
///
/// # Errors
/// [`ErrorKind::Io`](crate::error::ErrorKind::Io) with the path.
pub fn remove(location: &Location) -> Result<()> {
    match location.store() {
        None if remove_if_exists(location.path())? => sync_folder(location.path()),
        Some(store) if location.exists() => {
            let removed = store.delete(location.path());
            removed.map_err(|error| error.at_path(&location.shown()))
        }
        _ => Ok(()),
    }
}

/// Syncs the folder of `path`, so that created, renamed and removed names survive a power failure.
/// Does nothing on other systems than Unix.
///
/// # Errors
/// [`ErrorKind::Io`](crate::error::ErrorKind::Io) with the folder's path.
pub fn sync_folder(path: &Path) -> Result<()> {
    if cfg!(unix) {
        let folder = parent_folder(path);
        File::open(folder)
            .and_then(|folder| folder.sync_all())
            .map_err(|error| Error::from(error).at_path(folder))?;
    }
    Ok(())
}

/// Syncs a regular file. Pipes and devices are skipped, as they cannot be synced.
pub(super) fn sync_file(file: &File) -> io::Result<()> {
    if file.metadata()?.is_file() {
        file.sync_all()?;
    }
    Ok(())
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// Returns the sorted names of all files in a folder.
    pub(crate) fn file_names(folder: &Path) -> Vec<String> {
        let mut names: Vec<_> = fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    #[test]
    fn a_bare_name_is_in_the_current_folder() {
        assert_eq!(parent_folder(Path::new("a.rec")), Path::new("."));
        assert_eq!(parent_folder(Path::new("x/a.rec")), Path::new("x"));
    }
}
