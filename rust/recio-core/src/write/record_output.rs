//! A `.rec`, its `.idx` and, if asked for, its `.rsum`: all complete, on the disk and under their names, or none of them.
//! What im2rec, repairs and copies write through.
//!
//! All are written under temporary names beside their targets, flushed and synced ([`Output::seal`]). Only then do they
//! get their names ([`commit`]), and in an order that can be broken off anywhere:
//!
//! 1. an older `.idx` and `.rsum` go, so that at no moment do they stand beside a `.rec` that they do not describe;
//! 2. the `.rec` gets its name, then the `.rsum`;
//! 3. the `.idx` gets its name: a `.idx` says that all is whole.
//!
//! The folder is synced after each of the three, so that a machine that loses power keeps them in this order.
//!
//! Nothing is known here of what is in a record, or where records come from.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use super::atomic::{Staged, clear_leftovers};
use super::background_sync::Syncer;
use super::file_system::{remove_if_there, sync_folder};
use super::record_writer::Writer;
use super::sidecar::{stage_checksums, stage_index};
use crate::error::{Error, Result};
use crate::format::checksum::{self, Checksums};
use crate::format::index::Entry;

/// Files being written. Dropping it leaves no trace of them.
pub struct Output {
    writer: Writer<File>,
    syncer: Syncer,
    rec: Staged,
    entries: Vec<Entry>,
}

impl Output {
    /// Begins to write `rec` and the files of the same name that belong to it: `.idx` and, with `checksum`, `.rsum`.
    ///
    /// # Errors
    /// [`ErrorKind::Io`](crate::error::ErrorKind::Io), as for all here; `Argument` if `rec` does not end in `.rec`.
    pub fn create(rec: &Path, checksum: bool) -> Result<Self> {
        if rec.extension().is_none_or(|extension| extension != "rec") {
            return Err(Error::argument(
                "the name of a record file ends in .rec, so that its index's can be another",
            )
            .at_path(rec));
        }
        // Of all three, whatever is written this time.
        for end in ["idx", "rsum"] {
            clear_leftovers(&rec.with_extension(end));
        }
        let rec = Staged::create(rec)?;
        if !rec.is_alone() {
            // Whose files get their names first and whose last, nobody could say.
            let busy = io::Error::new(io::ErrorKind::ResourceBusy, "another run is writing it");
            return Err(rec.blame(busy));
        }
        let file = || rec.file().try_clone().map_err(|error| rec.blame(error));
        Ok(Self {
            syncer: Syncer::start(file()?).map_err(|error| rec.blame(error))?,
            writer: Writer::behind(rec.target(), file()?, 0, checksum.then(Checksums::default)),
            rec,
            entries: Vec::new(),
        })
    }

    /// Appends a record.
    ///
    /// # Errors
    /// As [`Writer::write`].
    pub fn append(&mut self, key: u64, record: &[u8]) -> Result<()> {
        let offset = self.writer.write(record)?;
        self.entered(key, offset);
        Ok(())
    }

    /// Appends a record that is framed already: all its bytes in a file, which have been checked.
    ///
    /// # Errors
    /// As [`Writer::write_frames`].
    pub fn append_frames(&mut self, key: u64, frames: &[u8]) -> Result<()> {
        let offset = self.writer.write_frames(frames)?;
        self.entered(key, offset);
        Ok(())
    }

    /// Gives the records other keys than they were appended with, for those who know them only when they have seen all.
    ///
    /// # Panics
    /// If there are not as many as records.
    pub fn set_keys(&mut self, keys: &[u64]) {
        assert_eq!(keys.len(), self.entries.len(), "a key for each record");
        let entries = self.entries.iter_mut().zip(keys);
        entries.for_each(|(entry, &key)| entry.key = key);
    }

    fn entered(&mut self, key: u64, offset: u64) {
        self.entries.push(Entry { key, offset });
        self.syncer.wrote(offset);
    }

    /// Records so far.
    #[must_use]
    pub fn records(&self) -> usize {
        self.entries.len()
    }

    /// Bytes of records so far.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.writer.tell()
    }

    /// Brings all files to the disk, still under temporary names.
    ///
    /// # Errors
    /// As [`create`](Self::create).
    pub fn seal(self) -> Result<Sealed> {
        let Self {
            mut writer,
            syncer,
            rec,
            entries,
        } = self;
        let sums = writer.finish()?;
        let synced = syncer.finish().map_err(|error| rec.blame(error))?;
        rec.sync()?;
        drop((writer, synced));
        let rsum = sums
            .map(|sums| stage_checksums(&sums, &checksum::path_for(rec.target())))
            .transpose()?;
        let idx = stage_index(&entries, &rec.target().with_extension("idx"))?;
        Ok(Sealed { rec, rsum, idx })
    }
}

/// Files that are whole and on the disk, and lack only their names. Dropping it leaves no trace of them.
pub struct Sealed {
    rec: Staged,
    rsum: Option<Staged>,
    idx: Staged,
}

/// Gives all files their names, or none.
///
/// # Errors
/// As [`Output::create`].
pub fn commit(outputs: Vec<Sealed>) -> Result<()> {
    let (mut old, mut data, mut marks) = (Vec::new(), Vec::new(), Vec::new());
    for Sealed { rec, rsum, idx } in outputs {
        old.push(idx.target().to_path_buf());
        old.push(checksum::path_for(rec.target()));
        data.push(rec);
        data.extend(rsum);
        marks.push(idx);
    }
    for path in old {
        if remove_if_there(&path)? {
            sync_folder(&path)?;
        }
    }
    let mut named = Vec::new();
    let outcome = name(data, &mut named).and_then(|()| name(marks, &mut named));
    if outcome.is_err() {
        // The cause is what the caller must hear of, whether or not the others can be removed.
        named
            .iter()
            .rev()
            .for_each(|path| _ = remove_if_there(path));
    }
    outcome
}

/// Gives files their names, and makes these last.
fn name(files: Vec<Staged>, named: &mut Vec<PathBuf>) -> Result<()> {
    let first = named.len();
    for file in files {
        named.push(file.persist()?);
    }
    named[first..].iter().try_for_each(|path| sync_folder(path))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::read::sidecar::load_checksums;
    use crate::write::file_system::tests::file_names;

    fn output(folder: &Path) -> Output {
        let mut output = Output::create(&folder.join("a.rec"), false).unwrap();
        output.append(7, b"one").unwrap();
        output.append(3, b"two").unwrap();
        output
    }

    fn commit_one(output: Output) -> Result<()> {
        commit(vec![output.seal()?])
    }

    #[test]
    fn committing_leaves_the_files_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        for old in ["a.idx", "a.rsum"] {
            fs::write(folder.path().join(old), "old").unwrap();
        }
        commit_one(output(folder.path())).unwrap();
        assert_eq!(file_names(folder.path()), ["a.idx", "a.rec"]);
        let idx = fs::read_to_string(folder.path().join("a.idx")).unwrap();
        assert_eq!(idx, "7\t0\n3\t12\n");
        assert_eq!(fs::read(folder.path().join("a.rec")).unwrap().len(), 24);
    }

    #[test]
    fn checksums_describe_what_was_written() {
        let folder = tempfile::tempdir().unwrap();
        let rec = folder.path().join("a.rec");
        let mut output = Output::create(&rec, true).unwrap();
        output.append(7, b"one").unwrap();
        output.append(3, b"two").unwrap();
        commit_one(output).unwrap();
        let bytes = fs::read(&rec).unwrap();
        let sums = load_checksums(&rec).unwrap().unwrap();
        let mut expected = Checksums::default();
        expected.push(0, &bytes[..12]);
        expected.push(12, &bytes[12..]);
        assert_eq!(sums, expected);
        commit_one(self::output(folder.path())).unwrap();
        assert_eq!(file_names(folder.path()), ["a.idx", "a.rec"]);
    }

    #[test]
    fn dropping_leaves_nothing_new() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("a.idx"), "old").unwrap();
        drop(output(folder.path()));
        drop(output(folder.path()).seal().unwrap());
        assert_eq!(file_names(folder.path()), ["a.idx"]);
        let idx = fs::read_to_string(folder.path().join("a.idx")).unwrap();
        assert_eq!(idx, "old");
    }

    #[test]
    fn a_name_that_cannot_be_taken_leaves_no_file() {
        for taken in ["a.rec", "a.idx"] {
            let folder = tempfile::tempdir().unwrap();
            fs::create_dir(folder.path().join(taken)).unwrap();
            let error = commit_one(output(folder.path())).unwrap_err();
            assert!(error.to_string().contains(taken), "{error}");
            assert_eq!(file_names(folder.path()), [taken]);
        }
    }

    #[test]
    fn frames_that_are_copied_are_the_same_bytes() {
        let folder = tempfile::tempdir().unwrap();
        commit_one(output(folder.path())).unwrap();
        let bytes = fs::read(folder.path().join("a.rec")).unwrap();
        let mut copy = Output::create(&folder.path().join("b.rec"), false).unwrap();
        copy.append_frames(7, &bytes[..12]).unwrap();
        copy.append_frames(3, &bytes[12..]).unwrap();
        commit_one(copy).unwrap();
        for end in ["rec", "idx"] {
            let read = |stem: &str| fs::read(folder.path().join(stem).with_extension(end)).unwrap();
            assert_eq!(read("a"), read("b"));
        }
    }

    #[test]
    fn a_file_that_another_run_is_writing_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let first = output(folder.path());
        let error = Output::create(&folder.path().join("a.rec"), false);
        let error = error.err().unwrap().to_string();
        assert!(
            error.contains("a.rec: another run is writing it"),
            "{error}"
        );
        commit_one(first).unwrap();
        commit_one(output(folder.path())).unwrap();
        assert_eq!(file_names(folder.path()), ["a.idx", "a.rec"]);
    }

    #[test]
    fn another_ending_than_rec_is_refused() {
        let error = Output::create(Path::new("a.idx"), false)
            .err()
            .unwrap()
            .to_string();
        assert!(
            error.contains("a.idx: the name of a record file ends in .rec"),
            "{error}"
        );
    }

    #[cfg(unix)]
    #[test]
    fn the_files_have_the_mode_of_any_new_file() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        commit_one(output(folder.path())).unwrap();
        let mode = |name: &str| {
            let path = folder.path().join(name);
            fs::metadata(path).unwrap().permissions().mode()
        };
        fs::write(folder.path().join("plain"), "").unwrap();
        assert_eq!([mode("a.rec"), mode("a.idx")], [mode("plain"); 2]);
    }
}
