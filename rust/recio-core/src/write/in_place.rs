//! Record files written in place: `MXRecordIO` and `MXIndexedRecordIO` with `"w"` or `"a"`.
//!
//! Unlike the output of im2rec, these files have their names from the beginning, as MXNet's do, and
//! others may read them while they grow. A process that dies leaves what it has written. So that
//! this is of use, lines of the `.idx` are held back until the operating system has their records:
//! **the index never lists a record that is not complete in the file**. Only after the last listed
//! record may there be further records or a fragment of one. `"a"` refuses such a file, and `recio
//! repair` saves it. A failed write, for example to a full disk, is undone to the end of the last
//! complete record.
//!
//! The `.rsum` describes the complete file. It is written when the file is closed, and an older one
//! is removed before the file changes. The file is locked, so that no second writer damages it.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use super::append_check::{check_ends, compute_checksums};
use super::file_system::{remove_if_exists, sync_file};
use super::index_writer::IndexWriter;
use super::record_writer::RecordWriter;
use super::sidecar::prepare_checksums;
use crate::error::{Error, ErrorKind, Result};
use crate::format::checksum::{self, Checksums};
use crate::progress::Interrupt;
use crate::read::record_file::RecordFile;
use crate::storage::regular::open_for_writing;

/// Writer of a record file under its final name, with its `.idx` and `.rsum`.
///
/// Dropping it loses buffered records: call [`close`](Self::close).
pub struct InPlaceWriter {
    path: PathBuf,
    writer: RecordWriter<File>,
    index: Option<IndexWriter>,
    /// An existing `.rsum` that the next record makes stale.
    old_rsum: Option<PathBuf>,
}

impl InPlaceWriter {
    /// Creates or truncates `rec` and `idx`, if given, and removes an old `.rsum`.
    ///
    /// # Errors
    /// [`ErrorKind::Io`](crate::error::ErrorKind::Io), as for all methods, also if another writer
    /// has `rec` open.
    pub fn create(rec: &Path, idx: Option<&Path>, checksum: bool) -> Result<Self> {
        let with_path = |error: io::Error| Error::from(error).at_path(rec);
        let file = open_locked(
            rec,
            OpenOptions::new().write(true).create(true).truncate(false),
        )?;
        remove_if_exists(&checksum::path_for(rec))?;
        // The index is truncated before the records that it lists.
        let index = idx.map(IndexWriter::create).transpose()?;
        if file.metadata().map_err(with_path)?.len() > 0 {
            file.set_len(0).map_err(with_path)?;
        }
        let checksums = checksum.then(Checksums::default);
        Ok(Self {
            path: rec.to_path_buf(),
            writer: RecordWriter::resume(rec, file, 0, checksums),
            index,
            old_rsum: None,
        })
    }

    /// Opens existing files to append records, after a check that the files end as they should.
    ///
    /// `last` is the offset of the last record that `idx` lists. An existing `.rsum` is continued;
    /// without one, `checksum` computes the checksums of the existing records.
    ///
    /// # Errors
    /// As [`create`](Self::create); [`ErrorKind::Corrupt`](crate::error::ErrorKind::Corrupt) with
    /// the command that helps if a file does not end as it should; `Interrupted`.
    pub fn append(
        rec: &Path,
        idx: &Path,
        last: Option<u64>,
        checksum: bool,
        interrupt: &Interrupt<'_>,
    ) -> Result<Self> {
        let mut file = open_locked(rec, OpenOptions::new().write(true))?;
        let existing = RecordFile::open(rec)?;
        check_ends(&existing, idx, last, interrupt)?;
        let end = existing.len();
        file.seek(SeekFrom::Start(end))
            .map_err(|error| Error::from(error).at_path(rec))?;
        let computed = match existing.checksums() {
            None if checksum => Some(compute_checksums(&existing, interrupt)?),
            _ => None,
        };
        let loaded = existing.into_checksums();
        Ok(Self {
            path: rec.to_path_buf(),
            old_rsum: loaded.is_some().then(|| checksum::path_for(rec)),
            writer: RecordWriter::resume(rec, file, end, loaded.or(computed)),
            index: Some(IndexWriter::append(idx)?),
        })
    }

    /// Appends a record and returns its offset. The index lists it if it has a key.
    ///
    /// # Errors
    /// As [`RecordWriter::write`].
    pub fn write(&mut self, key: Option<&str>, record: &[u8]) -> Result<u64> {
        if let Some(rsum) = self.old_rsum.take() {
            remove_if_exists(&rsum)?;
        }
        let outcome = self.writer.write(record);
        let offset = self.truncate_on_error(outcome)?;
        if let Some(index) = &mut self.index {
            if let Some(key) = key {
                index.push(key, offset);
            }
            if self.writer.written() == self.writer.tell() {
                index.flush()?;
            }
        }
        Ok(offset)
    }

    /// Returns whether [`write`](Self::write) of so many bytes does not access the files.
    #[must_use]
    pub fn has_room(&self, len: usize) -> bool {
        self.old_rsum.is_none() && self.writer.has_room(len)
    }

    /// Returns the number of bytes so far, which is the offset of the next record.
    #[must_use]
    pub fn tell(&self) -> u64 {
        self.writer.tell()
    }

    /// Writes what is buffered, syncs the files and unlocks the record file.
    ///
    /// # Errors
    /// As [`create`](Self::create).
    pub fn close(mut self) -> Result<()> {
        let outcome = self.finish();
        // Closing unlocks the file too, but not while a forked process still has it open.
        _ = self.writer.sink().unlock();
        outcome
    }

    fn finish(&mut self) -> Result<()> {
        let outcome = self.writer.finish();
        let checksums = self.truncate_on_error(outcome)?;
        sync_file(self.writer.sink()).map_err(|error| Error::from(error).at_path(&self.path))?;
        if let Some(index) = &mut self.index {
            index.flush()?;
            index.sync()?;
        }
        // An old .rsum that still exists is valid: nothing was appended.
        match checksums.filter(|_| self.old_rsum.is_none()) {
            Some(checksums) => {
                let location = checksum::path_for(&self.path).into();
                prepare_checksums(&checksums, &location)?.persist()
            }
            None => Ok(()),
        }
    }

    /// Truncates the file to its last complete record if a write failed.
    fn truncate_on_error<T>(&self, outcome: Result<T>) -> Result<T> {
        if let Err(error) = &outcome
            && matches!(error.kind(), ErrorKind::Io(_))
        {
            // If this fails too, the first error counts.
            _ = self.writer.sink().set_len(self.writer.written());
        }
        outcome
    }
}

/// Opens and locks a file; fails if another writer has locked it. Where files cannot be locked, it
/// is only opened.
fn open_locked(path: &Path, options: &mut OpenOptions) -> Result<File> {
    let mut open = || {
        let file = open_for_writing(path, options)?;
        match file.try_lock() {
            Err(TryLockError::WouldBlock) => Err(io::Error::new(
                io::ErrorKind::ResourceBusy,
                "another writer has it open",
            )),
            _ => Ok(file),
        }
    };
    open().map_err(|error| Error::from(error).at_path(path))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::read::sidecar::{load_checksums, load_index};

    struct Fixture {
        _folder: tempfile::TempDir,
        rec: PathBuf,
        idx: PathBuf,
    }

    impl Fixture {
        fn new() -> Self {
            let folder = tempfile::tempdir().unwrap();
            Self {
                rec: folder.path().join("a.rec"),
                idx: folder.path().join("a.idx"),
                _folder: folder,
            }
        }

        fn create(&self, checksum: bool) -> InPlaceWriter {
            InPlaceWriter::create(&self.rec, Some(&self.idx), checksum).unwrap()
        }

        fn append(&self, checksum: bool) -> Result<InPlaceWriter> {
            let index = load_index(&self.idx, None).unwrap();
            let last = index.in_file_order().last().map(|entry| entry.offset);
            InPlaceWriter::append(&self.rec, &self.idx, last, checksum, &Interrupt::never())
        }

        /// Two records, of 12 and of 1,000,008 bytes.
        fn with_two_records() -> Self {
            let fixture = Self::new();
            let mut writer = fixture.create(false);
            writer.write(Some("0"), b"one").unwrap();
            writer.write(Some("1"), &vec![1; 1_000_000]).unwrap();
            writer.close().unwrap();
            fixture
        }

        fn append_error(&self) -> String {
            self.append(false).err().unwrap().to_string()
        }
    }

    #[test]
    fn index_lists_only_records_in_the_file() {
        let fixture = Fixture::new();
        let mut writer = fixture.create(false);
        for key in 0..50 {
            writer
                .write(Some(&key.to_string()), &vec![7; 100_000])
                .unwrap();
            let index = load_index(&fixture.idx, None).unwrap();
            let len = fs::metadata(&fixture.rec).unwrap().len();
            let ends = index.entries().iter().map(|entry| entry.offset + 100_008);
            assert_eq!(ends.max().unwrap_or(0), len);
        }
        // As if the process had been killed.
        std::mem::forget(writer);
        assert_eq!(load_index(&fixture.idx, None).unwrap().len(), 44);
    }

    #[test]
    fn appending_in_turns_writes_the_same_bytes() {
        let (at_once, in_turns) = (Fixture::new(), Fixture::new());
        let records: Vec<Vec<u8>> = (0..9).map(|n| vec![n; 7 * usize::from(n)]).collect();
        let mut writer = at_once.create(true);
        for (key, record) in records.iter().enumerate() {
            writer.write(Some(&key.to_string()), record).unwrap();
        }
        writer.close().unwrap();
        in_turns.create(true).close().unwrap();
        for (key, record) in records.iter().enumerate() {
            // The second and later ones need not ask for checksums again.
            let mut writer = in_turns.append(false).unwrap();
            writer.write(Some(&key.to_string()), record).unwrap();
            writer.close().unwrap();
        }
        for extension in ["rec", "idx", "rsum"] {
            let read = |fixture: &Fixture| fs::read(fixture.rec.with_extension(extension)).unwrap();
            assert!(read(&at_once) == read(&in_turns), "{extension}");
        }
    }

    #[test]
    fn append_computes_missing_checksums_on_request() {
        let fixture = Fixture::with_two_records();
        let rec = &fixture.rec;
        fixture.append(false).unwrap().close().unwrap();
        assert_eq!(load_checksums(rec).unwrap(), None);
        fixture.append(true).unwrap().close().unwrap();
        assert_eq!(load_checksums(rec).unwrap().unwrap().len(), 2);
    }

    #[test]
    fn rsum_is_removed_before_the_first_change() {
        let fixture = Fixture::with_two_records();
        fixture.append(true).unwrap().close().unwrap();
        let path = checksum::path_for(&fixture.rec);
        let mut writer = fixture.append(false).unwrap();
        assert!(path.exists());
        writer.write(Some("2"), b"").unwrap();
        assert!(!path.exists());
        writer.close().unwrap();
        assert!(path.exists());
        drop(InPlaceWriter::create(&fixture.rec, None, false).unwrap());
        assert!(!path.exists());
    }

    #[test]
    fn second_writer_is_refused_until_the_first_closes() {
        let fixture = Fixture::with_two_records();
        let first = fixture.append(false).unwrap();
        let error = InPlaceWriter::create(&fixture.rec, None, false)
            .err()
            .unwrap();
        let expected = "a.rec: another writer has it open";
        assert!(error.to_string().contains(expected), "{error}");
        assert_eq!(fs::metadata(&fixture.rec).unwrap().len(), 1_000_020);
        assert!(fixture.append_error().contains(expected));
        first.close().unwrap();
        fixture.append(false).unwrap().close().unwrap();
    }

    #[test]
    fn append_refuses_incomplete_files_and_advises_a_command() {
        let cut = |fixture: &Fixture, extension: &str, bytes: u64| {
            let path = fixture.rec.with_extension(extension);
            let len = fs::metadata(&path).unwrap().len();
            let file = OpenOptions::new().write(true).open(path).unwrap();
            file.set_len(len - bytes).unwrap();
        };
        let fixture = Fixture::with_two_records();
        cut(&fixture, "rec", 1);
        let cases = [(fixture, "at byte 12: a fragment of 1000000 bytes", "repair")];
        let fixture = Fixture::with_two_records();
        cut(&fixture, "idx", 1);
        let cases = cases
            .into_iter()
            .chain([(fixture, "a.idx: ends within a line", "index")]);
        let fixture = Fixture::with_two_records();
        fs::write(&fixture.idx, "0\t0\n").unwrap();
        let cases = cases.chain([(fixture, "at byte 12: 1000008 bytes after the last", "index")]);
        let fixture = Fixture::with_two_records();
        cut(&fixture, "rec", 999_000);
        fs::write(&fixture.idx, "0\t0\n").unwrap();
        let cases = cases.chain([(fixture, "at byte 12: 1008 bytes after the last", "repair")]);
        let fixture = Fixture::with_two_records();
        fs::write(&fixture.idx, "").unwrap();
        let cases = cases.chain([(fixture, "at byte 0: 1000020 bytes after", "index")]);
        let fixture = Fixture::with_two_records();
        fixture.append(true).unwrap().close().unwrap();
        cut(&fixture, "rec", 1_000_008);
        fs::write(&fixture.idx, "0\t0\n").unwrap();
        let cases = cases.chain([(
            fixture,
            "a.rec: 12 bytes, but a.rsum was written for a file of 1000020",
            "verify",
        )]);
        for (fixture, wrong, command) in cases {
            let error = fixture.append_error();
            assert!(error.contains(wrong), "{error}");
            assert!(error.contains(&format!("`recio {command}`")), "{error}");
        }
    }
}
