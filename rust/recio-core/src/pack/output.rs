//! The `.rec` and `.idx` that [`pack`](super::pack) writes, of images and perhaps of their masks: all, complete and on the
//! disk, or none.
//!
//! All are written under temporary names beside their targets, flushed and synced. Only then do they get their names, each
//! `.rec` first: a `.idx` under its final name says that all are whole. An older `.idx` is removed before, so that at no
//! moment does it stand beside a `.rec` that it does not describe.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use super::syncer::Syncer;
use crate::error::{Error, Result};
use crate::record::index::{self, Entry};
use crate::record::writer::Writer;
use crate::staged::{Staged, sync_folder};

/// The files of images and, if they have some, of their masks. Dropping it leaves no trace of them.
pub(super) struct Outputs {
    pub(super) images: Output,
    pub(super) masks: Option<Output>,
}

impl Outputs {
    /// Appends a record and, if there are masks, its mask's.
    pub(super) fn append(&mut self, key: u64, record: &[u8], mask: Option<&[u8]>) -> Result<()> {
        self.images.append(key, record)?;
        let mask = self.masks.as_mut().zip(mask);
        mask.map_or(Ok(()), |(output, mask)| output.append(key, mask))
    }

    /// Syncs all files and gives them their names.
    pub(super) fn commit(self) -> Result<()> {
        let (mut recs, mut indexes) = (Vec::new(), Vec::new());
        for output in std::iter::once(self.images).chain(self.masks) {
            let (rec, idx) = output.seal()?;
            recs.push(rec);
            indexes.push(idx);
        }
        for idx in &indexes {
            remove_if_there(idx.target())?;
        }
        name_all(recs.into_iter().chain(indexes))
    }
}

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

    /// Syncs both files, still under temporary names: the `.rec` and the `.idx`.
    fn seal(self) -> Result<(Staged, Staged)> {
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
        let idx = index::stage(&entries, &idx)?;
        Ok((rec, idx))
    }
}

/// Gives all files their names, or none.
fn name_all(mut files: impl Iterator<Item = Staged>) -> Result<()> {
    let mut named = Vec::new();
    let outcome = files.try_for_each(|file| {
        named.push(file.persist()?);
        Ok(())
    });
    if outcome.is_err() {
        // The cause is what the caller must hear of, whether or not the others can be removed.
        named.iter().for_each(|path| _ = remove_if_there(path));
        return outcome;
    }
    named.iter().try_for_each(|path| sync_folder(path))
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

    fn output(folder: &Path) -> Outputs {
        let mut outputs = Outputs {
            images: Output::create(&folder.join("a.rec")).unwrap(),
            masks: None,
        };
        outputs.append(7, b"one", None).unwrap();
        outputs.append(3, b"two", None).unwrap();
        outputs
    }

    fn output_with_masks(folder: &Path) -> Outputs {
        let mut outputs = Outputs {
            masks: Some(Output::create(&folder.join("b.rec")).unwrap()),
            ..output(folder)
        };
        outputs.append(9, b"three", Some(b"mask")).unwrap();
        outputs
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

    #[test]
    fn masks_are_committed_with_their_images_or_neither_is() {
        let folder = tempfile::tempdir().unwrap();
        output_with_masks(folder.path()).commit().unwrap();
        assert_eq!(names(folder.path()), ["a.idx", "a.rec", "b.idx", "b.rec"]);
        for taken in ["b.rec", "b.idx"] {
            let folder = tempfile::tempdir().unwrap();
            fs::create_dir(folder.path().join(taken)).unwrap();
            let error = output_with_masks(folder.path()).commit().unwrap_err();
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
