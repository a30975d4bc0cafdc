//! The `.rec` and `.idx` that [`pack`](super::pack) writes: both, complete and on the disk, or neither.
//!
//! Both are written under temporary names beside their targets, flushed and synced. Only then do they get their names, the
//! `.rec` first: a `.idx` under its final name says that both are whole. An older `.idx` is removed before, so that at no
//! moment does it stand beside a `.rec` that it does not describe.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use tempfile::TempPath;

use crate::error::{Error, Result};
use crate::record::index::{self, Entry};
use crate::record::writer::Writer;

/// A pair of files being written. Dropping it leaves no trace of them.
pub(super) struct Output {
    writer: Writer<File>,
    rec: Staged,
    idx: Staged,
    idx_file: File,
    entries: Vec<Entry>,
}

impl Output {
    /// Begins to write `rec`, and the `.idx` of the same name.
    ///
    /// # Errors
    /// [`ErrorKind::Io`](crate::error::ErrorKind::Io), as for all here.
    pub(super) fn create(rec: &Path) -> Result<Self> {
        let (rec_file, rec) = Staged::create(rec.to_path_buf())?;
        let (idx_file, idx) = Staged::create(rec.target.with_extension("idx"))?;
        Ok(Self {
            writer: Writer::new(&rec.target, rec_file),
            rec,
            idx,
            idx_file,
            entries: Vec::new(),
        })
    }

    /// Appends a record.
    pub(super) fn append(&mut self, key: u64, record: &[u8]) -> Result<()> {
        let offset = self.writer.write(record)?;
        self.entries.push(Entry { key, offset });
        Ok(())
    }

    /// Records so far.
    pub(super) fn records(&self) -> usize {
        self.entries.len()
    }

    /// Bytes of records so far.
    pub(super) fn bytes(&self) -> u64 {
        self.writer.tell()
    }

    /// Syncs both files and gives them their names.
    pub(super) fn commit(self) -> Result<()> {
        let Self {
            writer,
            rec,
            idx,
            mut idx_file,
            entries,
        } = self;
        rec.sync(&writer.into_sink()?)?;
        let mut text = io::BufWriter::new(&mut idx_file);
        index::write(&entries, &mut text)
            .and_then(|()| text.flush())
            .map_err(|error| Error::from(error).at_path(&idx.target))?;
        drop(text);
        idx.sync(&idx_file)?;
        remove_if_there(&idx.target)?;
        let rec = rec.persist()?;
        match idx.persist() {
            Ok(_) => sync_folder(&rec),
            // The cause is what the caller must hear of, whether or not this half can be removed.
            Err(error) => remove_if_there(&rec).and(Err(error)),
        }
    }
}

/// A file under a temporary name, which is removed on drop, and the name that it will have.
struct Staged {
    temporary: TempPath,
    target: PathBuf,
}

impl Staged {
    fn create(target: PathBuf) -> Result<(File, Self)> {
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
            builder.tempfile_in(folder_of(&target))
        };
        let (file, temporary) = create()
            .map_err(|error| Error::from(error).at_path(&target))?
            .into_parts();
        Ok((file, Self { temporary, target }))
    }

    /// Waits until the file is on the disk. Closing it cannot fail to write anything after this.
    fn sync(&self, file: &File) -> Result<()> {
        file.sync_all()
            .map_err(|error| Error::from(error).at_path(&self.target))
    }

    fn persist(self) -> Result<PathBuf> {
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

fn remove_if_there(path: &Path) -> Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(Error::from(error).at_path(path))
        }
        _ => Ok(()),
    }
}

/// Makes the new names themselves last, which on Unix is the folder's business.
fn sync_folder(path: &Path) -> Result<()> {
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

    fn names(folder: &Path) -> Vec<String> {
        let mut names: Vec<_> = fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    fn output(folder: &Path) -> Output {
        let mut output = Output::create(&folder.join("a.rec")).unwrap();
        output.append(7, b"one").unwrap();
        output.append(3, b"two").unwrap();
        output
    }

    #[test]
    fn committing_leaves_the_two_files_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("a.idx"), "old").unwrap();
        output(folder.path()).commit().unwrap();
        assert_eq!(names(folder.path()), ["a.idx", "a.rec"]);
        let idx = fs::read_to_string(folder.path().join("a.idx")).unwrap();
        assert_eq!(idx, "7\t0\n3\t12\n");
        assert_eq!(fs::read(folder.path().join("a.rec")).unwrap().len(), 24);
    }

    #[test]
    fn dropping_leaves_nothing_new() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("a.idx"), "old").unwrap();
        drop(output(folder.path()));
        assert_eq!(names(folder.path()), ["a.idx"]);
        let idx = fs::read_to_string(folder.path().join("a.idx")).unwrap();
        assert_eq!(idx, "old");
    }

    #[test]
    fn a_name_that_cannot_be_taken_leaves_neither_file() {
        for taken in ["a.rec", "a.idx"] {
            let folder = tempfile::tempdir().unwrap();
            fs::create_dir(folder.path().join(taken)).unwrap();
            let error = output(folder.path()).commit().unwrap_err();
            assert!(error.to_string().contains(taken), "{error}");
            assert_eq!(names(folder.path()), [taken]);
        }
    }

    #[cfg(unix)]
    #[test]
    fn the_files_have_the_mode_of_any_new_file() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        output(folder.path()).commit().unwrap();
        let mode = |name: &str| {
            let path = folder.path().join(name);
            fs::metadata(path).unwrap().permissions().mode()
        };
        fs::write(folder.path().join("plain"), "").unwrap();
        assert_eq!([mode("a.rec"), mode("a.idx")], [mode("plain"); 2]);
    }

    #[test]
    fn a_bare_name_lies_in_the_current_folder() {
        assert_eq!(folder_of(Path::new("a.rec")), Path::new("."));
        assert_eq!(folder_of(Path::new("x/a.rec")), Path::new("x"));
    }
}
