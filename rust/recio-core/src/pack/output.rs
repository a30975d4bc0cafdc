//! The `.rec` and `.idx` that [`pack`](super::pack) writes: both, complete and on the disk, or neither.
//!
//! Both are written under temporary names beside their targets, flushed and synced. Only then do they get their names, the
//! `.rec` first: a `.idx` under its final name says that both are whole. An older `.idx` is removed before, so that at no
//! moment does it stand beside a `.rec` that it does not describe.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use super::syncer::Syncer;
use crate::error::{Error, Result};
use crate::record::index::{self, Entry};
use crate::record::writer::Writer;
use crate::staged::{Staged, sync_folder};

/// A pair of files being written. Dropping it leaves no trace of them.
pub(super) struct Output {
    writer: Writer<File>,
    syncer: Syncer,
    rec: Staged,
    idx: PathBuf,
    entries: Vec<Entry>,
}

impl Output {
    /// Begins to write `rec`, and the `.idx` of the same name.
    ///
    /// # Errors
    /// [`ErrorKind::Io`](crate::error::ErrorKind::Io), as for all here.
    pub(super) fn create(rec: &Path) -> Result<Self> {
        let idx = rec.with_extension("idx");
        let (rec_file, rec) = Staged::create(rec)?;
        Ok(Self {
            syncer: Syncer::start(&rec_file).map_err(|error| rec.blame(error))?,
            writer: Writer::new(rec.target(), rec_file),
            rec,
            idx,
            entries: Vec::new(),
        })
    }

    /// Appends a record.
    pub(super) fn append(&mut self, key: u64, record: &[u8]) -> Result<()> {
        let offset = self.writer.write(record)?;
        self.entries.push(Entry { key, offset });
        self.syncer.wrote(offset);
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
            syncer,
            rec,
            idx,
            entries,
        } = self;
        let rec_file = writer.into_sink()?;
        syncer.finish().map_err(|error| rec.blame(error))?;
        rec.sync(&rec_file)?;
        let staged_idx = index::stage(&entries, &idx)?;
        remove_if_there(&idx)?;
        let rec = rec.persist()?;
        match staged_idx.persist() {
            Ok(_) => sync_folder(&rec),
            // The cause is what the caller must hear of, whether or not this half can be removed.
            Err(error) => {
                _ = remove_if_there(&rec);
                Err(error)
            }
        }
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
}
