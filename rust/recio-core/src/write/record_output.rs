//! Output of a record file with its `.idx` and optional `.rsum`: all of them complete, or none.
//!
//! Used by im2rec, repair and the tools that copy records.
//!
//! All files are written without appearing yet ([`RecordOutput::prepare`]): local ones under
//! temporary names beside their targets, synced; objects of a store as uploads that are not
//! finished. Then [`commit`] lets them appear, in an order that can be interrupted anywhere:
//!
//! 1. An older `.idx` and `.rsum` are removed, so that they never describe another `.rec`.
//! 2. The `.rec` appears, then the `.rsum`.
//! 3. The `.idx` appears. Its existence shows that all files are complete.
//!
//! A local folder is synced after each step, so that a power failure keeps the order.

use super::file_system::remove;
use super::pending_file::{PendingFile, sync_folder_of};
use super::record_writer::RecordWriter;
use super::sidecar::{prepare_checksums, prepare_index};
use crate::error::{Error, Result};
use crate::format::checksum::{self, Checksums};
use crate::format::index::Entry;
use crate::storage::location::Location;

/// A record file and the files beside it while they are written. Dropping it leaves nothing.
pub struct RecordOutput {
    writer: RecordWriter<PendingFile>,
    entries: Vec<Entry>,
}

/// Returns where the `.idx` and the `.rsum` of a record file are.
fn sidecars_of(rec: &Location) -> [Location; 2] {
    ["idx", checksum::EXTENSION].map(|extension| rec.with_extension(extension))
}

impl RecordOutput {
    /// Creates the output `rec` with its `.idx` and, with `checksum`, its `.rsum`.
    ///
    /// # Errors
    /// [`ErrorKind::Io`](crate::error::ErrorKind::Io), as for all methods; `Argument` if `rec` does
    /// not end in `.rec`.
    pub fn create(rec: impl Into<Location>, checksum: bool) -> Result<Self> {
        let rec = rec.into();
        if rec.extension() != Some("rec") {
            let message = "the name of a record file must end in .rec";
            return Err(Error::argument(message).at_path(&rec.shown()));
        }
        // Also leftovers of a file that is not written this time are removed.
        let file = PendingFile::create_alone(&rec, &sidecars_of(&rec))?;
        let checksums = checksum.then(Checksums::default);
        Ok(Self {
            writer: RecordWriter::resume(&rec.shown(), file, 0, checksums),
            entries: Vec::new(),
        })
    }

    /// Appends a record.
    ///
    /// # Errors
    /// As [`RecordWriter::write`].
    pub fn append(&mut self, key: u64, record: &[u8]) -> Result<()> {
        let offset = self.writer.write(record)?;
        self.entries.push(Entry { key, offset });
        Ok(())
    }

    /// Appends the checked frame of a record.
    ///
    /// # Errors
    /// As [`RecordWriter::write_frames`].
    pub fn append_frame(&mut self, key: u64, frame: &[u8]) -> Result<()> {
        self.append_frames(frame, std::iter::once((key, 0)))
    }

    /// Appends the checked frames of records, whose keys and positions in `frames` are `records`.
    ///
    /// # Errors
    /// As [`RecordWriter::write_frames`].
    pub fn append_frames(
        &mut self,
        frames: &[u8],
        records: impl Iterator<Item = (u64, usize)> + Clone,
    ) -> Result<()> {
        let starts = records.clone().map(|(_, start)| start);
        let offset = self.writer.write_frames(frames, starts)?;
        let entry = |(key, start)| Entry {
            key,
            offset: offset + start as u64,
        };
        self.entries.extend(records.map(entry));
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

    /// CRC32C of the record file so far.
    #[must_use]
    pub fn crc32c(&self) -> u32 {
        self.writer.crc()
    }

    /// Writes all files, which do not appear yet.
    ///
    /// # Errors
    /// As [`create`](Self::create).
    pub fn prepare(self) -> Result<PreparedOutput> {
        let Self { writer, entries } = self;
        let (rec, rsum) = prepare_records(writer)?;
        let [idx, _] = sidecars_of(rec.location());
        let idx = Some(prepare_index(&entries, &idx)?);
        Ok(PreparedOutput { rec, rsum, idx })
    }
}

/// Writes the rest of a record file and, if it has checksums, its `.rsum`.
///
/// # Errors
/// As [`RecordOutput::create`].
pub(super) fn prepare_records(
    mut writer: RecordWriter<PendingFile>,
) -> Result<(PendingFile, Option<PendingFile>)> {
    let checksums = writer.finish()?;
    let mut rec = writer.into_sink();
    rec.prepare()?;
    let [_, rsum] = sidecars_of(rec.location());
    let rsum = checksums.map(|checksums| prepare_checksums(&checksums, &rsum));
    Ok((rec, rsum.transpose()?))
}

/// Complete files that only need to appear. Dropping it leaves nothing.
pub struct PreparedOutput {
    pub(super) rec: PendingFile,
    pub(super) rsum: Option<PendingFile>,
    /// None if the caller wants none.
    pub(super) idx: Option<PendingFile>,
}

/// Lets the files of all outputs appear: all of them, or none.
///
/// # Errors
/// As [`RecordOutput::create`].
pub fn commit(outputs: Vec<PreparedOutput>) -> Result<()> {
    commit_set(outputs, &[])
}

/// Lets the files of all outputs appear, as [`commit`]; before that, it removes the manifests of
/// older sets, of which they may replace shards.
///
/// # Errors
/// As [`RecordOutput::create`].
pub fn commit_set(outputs: Vec<PreparedOutput>, manifests: &[Location]) -> Result<()> {
    let (mut sidecars, mut data, mut indexes) = (Vec::new(), Vec::new(), Vec::new());
    for PreparedOutput { rec, rsum, idx } in outputs {
        let [_, old_rsum] = sidecars_of(rec.location());
        sidecars.extend(idx.iter().map(|idx| idx.location().clone()));
        sidecars.push(old_rsum);
        data.push(rec);
        data.extend(rsum);
        indexes.extend(idx);
    }
    manifests.iter().chain(&sidecars).try_for_each(remove)?;
    let mut appeared = Vec::new();
    let outcome =
        persist_all(data, &mut appeared).and_then(|()| persist_all(indexes, &mut appeared));
    if outcome.is_err() {
        // Sidecars first; all of them, as an object may have appeared although its store reports an
        // error. The first error counts, whether or not the files can be removed.
        for location in sidecars.iter().chain(appeared.iter().rev()) {
            _ = remove(location);
        }
    }
    outcome
}

/// Lets files appear and syncs their folders.
fn persist_all(files: Vec<PendingFile>, appeared: &mut Vec<Location>) -> Result<()> {
    let first = appeared.len();
    for file in files {
        appeared.push(file.rename()?);
    }
    appeared[first..].iter().try_for_each(sync_folder_of)
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use super::*;
    use crate::read::sidecar::load_checksums;
    use crate::storage::memory_store::MemoryStore;
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

    /// Commits `new.rec` and its sidecars in a store that has an older set of these names.
    fn commit_to_store(store: &MemoryStore, request: Option<usize>) -> Result<()> {
        for old in ["rec", "idx", "rsum"] {
            store.put(&format!("s3://b/a.{old}"), b"old");
        }
        let mut output = RecordOutput::create(store.at("s3://b/a.rec"), true)?;
        output.append(7, b"one")?;
        if let Some(number) = request {
            store.fail_at(number);
        }
        commit_one(output)
    }

    #[test]
    fn objects_appear_in_the_order_of_files() {
        let store = MemoryStore::default();
        commit_to_store(&store, None).unwrap();
        assert_eq!(
            store.requests(),
            [
                "prepare s3://b/a.rec",
                "prepare s3://b/a.rsum",
                "prepare s3://b/a.idx",
                "delete s3://b/a.idx",
                "delete s3://b/a.rsum",
                "finish s3://b/a.rec",
                "finish s3://b/a.rsum",
                "finish s3://b/a.idx",
            ]
        );
        assert_eq!(store.get("s3://b/a.idx").unwrap(), b"7\t0\n");
        assert_eq!(store.get("s3://b/a.rec").unwrap().len(), 12);
    }

    #[test]
    fn no_failed_request_leaves_an_index_of_another_file() {
        let all = ["s3://b/a.idx", "s3://b/a.rec", "s3://b/a.rsum"];
        let left = [&all[..], &all, &all, &all, &all[1..], &all[1..2], &[], &[]];
        for (number, left) in left.iter().enumerate() {
            let store = MemoryStore::default();
            let error = commit_to_store(&store, Some(number)).unwrap_err();
            assert!(error.to_string().contains("injected"), "{error}");
            assert_eq!(store.urls(), *left, "{number}");
            for url in store.urls() {
                assert_eq!(store.get(&url).unwrap(), b"old");
            }
        }
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
