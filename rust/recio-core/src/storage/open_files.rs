//! Open files of data sets of many, of which few are open at a time.

use std::collections::VecDeque;
use std::fs::{File, Metadata};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock, Mutex, PoisonError};
use std::time::SystemTime;

use super::regular::open_regular;

/// Files of such data sets that a process keeps open. A process may have 1,024 by default.
pub const MAX_OPEN: usize = 128;

static OF_PROCESS: LazyLock<Arc<OpenFiles>> = LazyLock::new(|| Arc::new(OpenFiles::new(MAX_OPEN)));

/// The files that were used last.
#[derive(Debug)]
struct OpenFiles {
    max: usize,
    /// The file that was used last comes last.
    open: Mutex<VecDeque<(Key, Arc<File>)>>,
}

/// The path of a file, and which file it was.
type Key = (PathBuf, Identity);

impl OpenFiles {
    fn new(max: usize) -> Self {
        Self {
            max,
            open: Mutex::default(),
        }
    }

    fn take(&self, (path, identity): &Key) -> Option<Arc<File>> {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        // As text: paths are compared component by component.
        let is_it =
            |((other, one), _): &(Key, _)| one == identity && other.as_os_str() == path.as_os_str();
        let position = open.iter().rposition(is_it)?;
        open.remove(position).map(|(_, file)| file)
    }

    fn push(&self, key: &Key, file: Arc<File>) {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        open.push_back((key.clone(), file));
        if open.len() > self.max {
            open.pop_front();
        }
    }
}

/// A file that is opened again if it was closed in favor of others.
#[derive(Debug)]
pub(super) struct SharedFile {
    files: Arc<OpenFiles>,
    key: Key,
}

impl SharedFile {
    /// Shares a file that was opened by this path.
    pub(super) fn new(path: &Path, file: File) -> io::Result<Self> {
        Self::among(&OF_PROCESS, path, file)
    }

    fn among(files: &Arc<OpenFiles>, path: &Path, file: File) -> io::Result<Self> {
        // The process may change its folder.
        let key = (std::path::absolute(path)?, Identity::of(&file.metadata()?));
        files.push(&key, Arc::new(file));
        Ok(Self {
            files: Arc::clone(files),
            key,
        })
    }

    /// Returns the open file.
    ///
    /// # Errors
    /// It cannot be opened again, or another file has its path now.
    pub(super) fn get(&self) -> io::Result<Arc<File>> {
        let file = match self.files.take(&self.key) {
            Some(file) => file,
            None => Arc::new(self.reopen()?),
        };
        self.files.push(&self.key, Arc::clone(&file));
        Ok(file)
    }

    fn reopen(&self) -> io::Result<File> {
        let (path, identity) = &self.key;
        let file = open_regular(path)?;
        if Identity::of(&file.metadata()?) == *identity {
            return Ok(file);
        }
        Err(io::Error::other("the file was replaced while it was read"))
    }
}

/// What differs between a file and another one of the same name.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Identity {
    #[cfg(unix)]
    device_and_inode: (u64, u64),
    /// A new file may get the inode of one that was removed.
    created: Option<SystemTime>,
}

impl Identity {
    fn of(metadata: &Metadata) -> Self {
        #[cfg(unix)]
        use std::os::unix::fs::MetadataExt;
        Self {
            #[cfg(unix)]
            device_and_inode: (metadata.dev(), metadata.ino()),
            created: metadata.created().ok(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shared(files: &Arc<OpenFiles>, path: &Path) -> SharedFile {
        SharedFile::among(files, path, File::open(path).unwrap()).unwrap()
    }

    #[test]
    fn the_files_that_were_used_last_stay_open() {
        let folder = tempfile::tempdir().unwrap();
        let paths = ["a", "b", "c"].map(|name| folder.path().join(name));
        paths
            .iter()
            .for_each(|path| std::fs::write(path, "text").unwrap());
        let files = Arc::new(OpenFiles::new(2));
        let [a, b, c] = paths.each_ref().map(|path| shared(&files, path));
        let is_open = |path: &PathBuf| {
            files
                .open
                .lock()
                .unwrap()
                .iter()
                .any(|((open, _), _)| open == path)
        };
        assert_eq!(paths.each_ref().map(is_open), [false, true, true]);
        b.get().unwrap();
        a.get().unwrap();
        assert_eq!(paths.each_ref().map(is_open), [true, true, false]);
        assert_eq!(c.get().unwrap().metadata().unwrap().len(), 4);
    }

    #[test]
    fn another_file_of_the_name_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        let [path, other] = ["a", "b"].map(|name| folder.path().join(name));
        std::fs::write(&path, "text").unwrap();
        std::fs::write(&other, "text").unwrap();
        let files = Arc::new(OpenFiles::new(0));
        let file = shared(&files, &path);
        file.get().unwrap();
        std::fs::rename(&other, &path).unwrap();
        let error = file.get().unwrap_err().to_string();
        assert_eq!(error, "the file was replaced while it was read");
    }

    #[test]
    fn a_new_file_with_the_inode_of_the_old_one_is_another() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        std::fs::write(&path, "text").unwrap();
        let created = std::fs::metadata(&path).unwrap().created();
        let files = Arc::new(OpenFiles::new(0));
        let file = shared(&files, &path);
        // Longer than a tick of the clock of the file system.
        std::thread::sleep(std::time::Duration::from_millis(50));
        std::fs::remove_file(&path).unwrap();
        std::fs::write(&path, "text").unwrap();
        if created.is_ok() {
            assert!(file.get().is_err());
        }
    }
}
