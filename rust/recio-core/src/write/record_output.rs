//! Output of a record file with its `.idx` and optional `.rsum`: all of them complete, or none.
//!
//! Used by im2rec, repair and the tools that copy records.
//!
//! All files are written under temporary names beside their targets and synced
//! ([`RecordOutput::prepare`]). Then [`commit`] renames them, in an order that can be interrupted
//! anywhere:
//!
//! 1. An older `.idx` and `.rsum` are removed, so that they never describe another `.rec`.
//! 2. The `.rec` is renamed, then the `.rsum`.
//! 3. The `.idx` is renamed. Its existence shows that all files are complete.
//!
//! The folder is synced after each step, so that a power failure keeps the order.

use std::fs::File;
use std::io;
use std::path::PathBuf;

use super::atomic::{AtomicFile, remove_leftovers};
use super::background_sync::BackgroundSync;
use super::file_system::{remove_if_exists, sync_folder};
use super::record_writer::RecordWriter;
use super::sidecar::{prepare_checksums, prepare_index};
use crate::error::{Error, Result};
use crate::format::checksum::{self, Checksums};
use crate::format::index::Entry;
use crate::storage::location::Location;

/// A record file and the files beside it while they are written. Dropping it removes them.
pub struct RecordOutput {
    writer: RecordWriter<File>,
    background_sync: BackgroundSync,
    rec: AtomicFile,
    entries: Vec<Entry>,
}

impl RecordOutput {
    /// Creates the output `rec` with its `.idx` and, with `checksum`, its `.rsum`.
    ///
    /// # Errors
    /// [`ErrorKind::Io`](crate::error::ErrorKind::Io), as for all methods; `Argument` if `rec` does
    /// not end in `.rec`.
    pub fn create(rec: impl Into<Location>, checksum: bool) -> Result<Self> {
        let location = rec.into();
        let rec = location.writable()?;
        if rec.extension().is_none_or(|extension| extension != "rec") {
            let message = "the name of a record file must end in .rec";
            return Err(Error::argument(message).at_path(rec));
        }
        // Also of a file that is not written this time.
        for extension in ["idx", "rsum"] {
            remove_leftovers(&rec.with_extension(extension));
        }
        let rec = AtomicFile::create(rec)?;
        if !rec.is_only_writer() {
            // The files of two processes could be renamed in any order, and mixed.
            let busy = io::Error::new(io::ErrorKind::ResourceBusy, "another run is writing it");
            return Err(rec.with_path(busy));
        }
        let file = || rec.file().try_clone().map_err(|error| rec.with_path(error));
        let checksums = checksum.then(Checksums::default);
        Ok(Self {
            background_sync: BackgroundSync::start(file()?)?,
            writer: RecordWriter::resume(rec.target(), file()?, 0, checksums),
            rec,
            entries: Vec::new(),
        })
    }

    /// Appends a record.
    ///
    /// # Errors
    /// As [`RecordWriter::write`].
    pub fn append(&mut self, key: u64, record: &[u8]) -> Result<()> {
        let offset = self.writer.write(record)?;
        self.add_entry(key, offset);
        Ok(())
    }

    /// Appends the checked frame of a record.
    ///
    /// # Errors
    /// As [`RecordWriter::write_frame`].
    pub fn append_frame(&mut self, key: u64, frame: &[u8]) -> Result<()> {
        let offset = self.writer.write_frame(frame)?;
        self.add_entry(key, offset);
        Ok(())
    }

    /// Replaces the keys of all records, for callers that know them only at the end.
    ///
    /// # Panics
    /// If there are not as many keys as records.
    pub fn set_keys(&mut self, keys: &[u64]) {
        assert_eq!(keys.len(), self.entries.len(), "a key for each record");
        let entries = self.entries.iter_mut().zip(keys);
        entries.for_each(|(entry, &key)| entry.key = key);
    }

    fn add_entry(&mut self, key: u64, offset: u64) {
        self.entries.push(Entry { key, offset });
        self.background_sync.file_has_grown(offset);
    }

    /// Number of records so far.
    #[must_use]
    pub fn records(&self) -> usize {
        self.entries.len()
    }

    /// Size of the record file so far.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.writer.tell()
    }

    /// Writes and syncs all files, still under temporary names.
    ///
    /// # Errors
    /// As [`create`](Self::create).
    pub fn prepare(self) -> Result<PreparedOutput> {
        let Self {
            mut writer,
            background_sync,
            rec,
            entries,
        } = self;
        let checksums = writer.finish()?;
        let synced = background_sync
            .finish()
            .map_err(|error| rec.with_path(error))?;
        rec.sync()?;
        drop((writer, synced));
        let rsum = checksums
            .map(|checksums| prepare_checksums(&checksums, &checksum::path_for(rec.target())))
            .transpose()?;
        let idx = prepare_index(&entries, &rec.target().with_extension("idx"))?;
        Ok(PreparedOutput { rec, rsum, idx })
    }
}

/// Complete and synced files that only need to be renamed. Dropping it removes them.
pub struct PreparedOutput {
    rec: AtomicFile,
    rsum: Option<AtomicFile>,
    idx: AtomicFile,
}

/// Renames the files of all outputs to their targets: all of them, or none.
///
/// # Errors
/// As [`RecordOutput::create`].
pub fn commit(outputs: Vec<PreparedOutput>) -> Result<()> {
    let (mut stale, mut data, mut indexes) = (Vec::new(), Vec::new(), Vec::new());
    for PreparedOutput { rec, rsum, idx } in outputs {
        stale.push(idx.target().to_path_buf());
        stale.push(checksum::path_for(rec.target()));
        data.push(rec);
        data.extend(rsum);
        indexes.push(idx);
    }
    for path in stale {
        if remove_if_exists(&path)? {
            sync_folder(&path)?;
        }
    }
    let mut renamed = Vec::new();
    let outcome = persist_all(data, &mut renamed).and_then(|()| persist_all(indexes, &mut renamed));
    if outcome.is_err() {
        // The first error counts, whether or not the renamed files can be removed.
        for path in renamed.iter().rev() {
            _ = remove_if_exists(path);
        }
    }
    outcome
}

/// Renames files to their targets and syncs the folders.
fn persist_all(files: Vec<AtomicFile>, renamed: &mut Vec<PathBuf>) -> Result<()> {
    let first = renamed.len();
    for file in files {
        renamed.push(file.persist()?);
    }
    renamed[first..]
        .iter()
        .try_for_each(|path| sync_folder(path))
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use super::*;
    use crate::read::sidecar::load_checksums;
    use crate::write::file_system::tests::file_names;

    fn output(folder: &Path) -> RecordOutput {
        let mut output = RecordOutput::create(folder.join("a.rec"), false).unwrap();
        output.append(7, b"one").unwrap();
        output.append(3, b"two").unwrap();
        output
    }

    fn commit_one(output: RecordOutput) -> Result<()> {
        commit(vec![output.prepare()?])
    }

    #[test]
    fn commit_replaces_old_files_and_leaves_no_others() {
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
    fn checksums_are_those_of_the_records_written() {
        let folder = tempfile::tempdir().unwrap();
        let rec = folder.path().join("a.rec");
        let mut output = RecordOutput::create(&rec, true).unwrap();
        output.append(7, b"one").unwrap();
        output.append(3, b"two").unwrap();
        commit_one(output).unwrap();
        let bytes = fs::read(&rec).unwrap();
        let checksums = load_checksums(&rec).unwrap().unwrap();
        let mut expected = Checksums::default();
        expected.push(0, &bytes[..12]);
        expected.push(12, &bytes[12..]);
        assert_eq!(checksums, expected);
        commit_one(self::output(folder.path())).unwrap();
        assert_eq!(file_names(folder.path()), ["a.idx", "a.rec"]);
    }

    #[test]
    fn dropping_leaves_no_new_file() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("a.idx"), "old").unwrap();
        drop(output(folder.path()));
        drop(output(folder.path()).prepare().unwrap());
        assert_eq!(file_names(folder.path()), ["a.idx"]);
        let idx = fs::read_to_string(folder.path().join("a.idx")).unwrap();
        assert_eq!(idx, "old");
    }

    #[test]
    fn failed_rename_leaves_no_file() {
        for blocked in ["a.rec", "a.idx"] {
            let folder = tempfile::tempdir().unwrap();
            fs::create_dir(folder.path().join(blocked)).unwrap();
            let error = commit_one(output(folder.path())).unwrap_err();
            assert!(error.to_string().contains(blocked), "{error}");
            assert_eq!(file_names(folder.path()), [blocked]);
        }
    }

    #[test]
    fn appended_frames_are_copied_byte_for_byte() {
        let folder = tempfile::tempdir().unwrap();
        commit_one(output(folder.path())).unwrap();
        let bytes = fs::read(folder.path().join("a.rec")).unwrap();
        let mut copy = RecordOutput::create(folder.path().join("b.rec"), false).unwrap();
        copy.append_frame(7, &bytes[..12]).unwrap();
        copy.append_frame(3, &bytes[12..]).unwrap();
        commit_one(copy).unwrap();
        for extension in ["rec", "idx"] {
            let read =
                |stem: &str| fs::read(folder.path().join(stem).with_extension(extension)).unwrap();
            assert_eq!(read("a"), read("b"));
        }
    }

    #[test]
    fn output_of_another_writer_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let first = output(folder.path());
        let error = RecordOutput::create(folder.path().join("a.rec"), false);
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
    fn other_extension_than_rec_is_refused() {
        let error = RecordOutput::create(Path::new("a.idx"), false)
            .err()
            .unwrap()
            .to_string();
        assert!(
            error.contains("a.idx: the name of a record file must end in .rec"),
            "{error}"
        );
    }

    #[cfg(unix)]
    #[test]
    fn output_files_have_the_mode_of_any_new_file() {
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
