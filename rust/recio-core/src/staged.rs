//! Files that are there whole, and on the disk, or not at all.
//!
//! A file is written under a temporary name beside its target, synced, and only then gets its name.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use tempfile::TempPath;

use crate::error::{Error, Result};

/// A file under a temporary name, which is removed on drop, and the name that it will have.
pub(crate) struct Staged {
    temporary: TempPath,
    target: PathBuf,
}

impl Staged {
    /// Makes an empty file beside `target`.
    pub(crate) fn create(target: &Path) -> Result<(File, Self)> {
        let create = || {
            let name = target.file_name().unwrap_or_default().to_string_lossy();
            let prefix = format!(".{name}.");
            let mut builder = tempfile::Builder::new();
            builder.prefix(&prefix).suffix(".tmp");
            #[cfg(unix)]
            let readable = std::os::unix::fs::PermissionsExt::from_mode(0o666);
            #[cfg(unix)]
            // What any new file gets, less the umask; a temporary file would be its owner's alone.
            builder.permissions(readable);
            builder.tempfile_in(folder_of(target))
        };
        let (file, temporary) = create()
            .map_err(|error| Error::from(error).at_path(target))?
            .into_parts();
        Ok((
            file,
            Self {
                temporary,
                target: target.to_path_buf(),
            },
        ))
    }

    /// Waits until the file is on the disk. Closing it cannot fail to write anything after this.
    pub(crate) fn sync(&self, file: &File) -> Result<()> {
        file.sync_all().map_err(|error| self.blame(error))
    }

    /// The name that the file will have.
    pub(crate) fn target(&self) -> &Path {
        &self.target
    }

    /// An error about this file.
    pub(crate) fn blame(&self, error: io::Error) -> Error {
        Error::from(error).at_path(&self.target)
    }

    /// Gives the file its name, in place of an older one.
    pub(crate) fn persist(self) -> Result<PathBuf> {
        let Self { temporary, target } = self;
        match temporary.persist(&target) {
            Ok(()) => Ok(target),
            Err(error) => Err(Error::from(error.error).at_path(&target)),
        }
    }
}

fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if folder != Path::new("") => folder,
        _ => Path::new("."),
    }
}

/// Makes the new names themselves last, which on Unix is the folder's business.
pub(crate) fn sync_folder(path: &Path) -> Result<()> {
    if cfg!(unix) {
        let folder = folder_of(path);
        File::open(folder)
            .and_then(|folder| folder.sync_all())
            .map_err(|error| Error::from(error).at_path(folder))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bare_name_lies_in_the_current_folder() {
        assert_eq!(folder_of(Path::new("a.rec")), Path::new("."));
        assert_eq!(folder_of(Path::new("x/a.rec")), Path::new("x"));
    }
}
