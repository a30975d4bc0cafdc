//! A `.rec`, and perhaps its `.idx` and `.rsum`, written in place: `MXRecordIO` and `MXIndexedRecordIO` with `"w"` or `"a"`.
//!
//! Unlike what im2rec writes, these files have their names from the beginning, as MXNet's do: others may read them while
//! they grow. So a process that dies leaves what it has written so far, and the order of the writes sees to it that this
//! is of use. Lines of the `.idx` are kept until the operating system has the records that they are about, so that **the
//! index never lists a record that the file does not have, whole**; only behind the last that it lists may others stand,
//! or a part of one. `"a"` refuses such a file, and a repair saves it. A write that fails, because the disk is full say,
//! is undone up to the last whole record.
//!
//! The `.rsum` describes the whole file, so it is written when the file is closed, and an older one is removed before
//! the file changes. While a file is being written it is locked, so that no second writer spoils it.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use super::append_check;
use super::file_system::{remove_if_there, sync_file, sync_folder};
use super::index_writer::Lines;
use super::record_writer::Writer;
use super::sidecar::stage_checksums;
use crate::error::{Error, ErrorKind, Result};
use crate::format::checksum::{self, Checksums};
use crate::read::record_file::RecordFile;

/// Files being written. Dropping it loses what is gathered: call [`close`](Self::close).
pub struct Stream {
    path: PathBuf,
    writer: Writer<File>,
    lines: Option<Lines>,
    /// A `.rsum` that the next record makes wrong.
    outdated: Option<PathBuf>,
}

impl Stream {
    /// Empties `rec`, or makes it, and `idx` if there is to be an index, and removes an old `.rsum`.
    ///
    /// # Errors
    /// [`ErrorKind::Io`](crate::error::ErrorKind::Io), as for all here; one is that another writer has `rec` open.
    pub fn create(rec: &Path, idx: Option<&Path>, checksum: bool) -> Result<Self> {
        let blame = |error: io::Error| Error::from(error).at_path(rec);
        let file = open_alone(
            rec,
            OpenOptions::new().write(true).create(true).truncate(false),
        )?;
        remove_if_there(&checksum::path_for(rec))?;
        // Before the records that it lists.
        let lines = idx.map(Lines::create).transpose()?;
        if file.metadata().map_err(blame)?.len() > 0 {
            file.set_len(0).map_err(blame)?;
        }
        let sums = checksum.then(Checksums::default);
        Ok(Self {
            path: rec.to_path_buf(),
            writer: Writer::behind(rec, file, 0, sums),
            lines,
            outdated: None,
        })
    }

    /// Goes on at the end of `rec`, once it is certain that the files end as they should; `last` is the offset of the last
    /// record that `idx` lists. A `.rsum` is continued if there is one, and made of the whole file if `checksum` asks for it.
    ///
    /// # Errors
    /// As [`create`](Self::create); [`ErrorKind::Corrupt`](crate::error::ErrorKind::Corrupt) if the files do not end as
    /// they should, with the command that helps.
    pub fn append(rec: &Path, idx: &Path, last: Option<u64>, checksum: bool) -> Result<Self> {
        let mut file = open_alone(rec, OpenOptions::new().write(true))?;
        let found = RecordFile::open(rec)?;
        append_check::check(&found, idx, last)?;
        let end = found.len();
        file.seek(SeekFrom::Start(end))
            .map_err(|error| Error::from(error).at_path(rec))?;
        let made = match found.checksums() {
            None if checksum => Some(append_check::sum_up(&found)?),
            _ => None,
        };
        let kept = found.into_checksums();
        Ok(Self {
            path: rec.to_path_buf(),
            outdated: kept.is_some().then(|| checksum::path_for(rec)),
            writer: Writer::behind(rec, file, end, kept.or(made)),
            lines: Some(Lines::append(idx)?),
        })
    }

    /// Appends a record, which the index, if there is one, lists under `key`, if it has one; gives its offset.
    ///
    /// # Errors
    /// As [`Writer::write`].
    pub fn write(&mut self, key: Option<&str>, record: &[u8]) -> Result<u64> {
        if let Some(outdated) = self.outdated.take() {
            remove_if_there(&outdated)?;
        }
        let written = self.writer.write(record);
        let offset = self.undone_if_failed(written)?;
        if let Some(lines) = &mut self.lines {
            if let Some(key) = key {
                lines.push(key, offset);
            }
            if self.writer.handed_over() == self.writer.tell() {
                lines.write()?;
            }
        }
        Ok(offset)
    }

    /// The bytes written so far: the offset of the next record.
    #[must_use]
    pub fn tell(&self) -> u64 {
        self.writer.tell()
    }

    /// Writes all that is gathered, brings it to the disk, and lets others write the file.
    ///
    /// # Errors
    /// As [`create`](Self::create).
    pub fn close(mut self) -> Result<()> {
        let finished = self.finish();
        // A forked process may have the file open too, and would keep the lock with it. Closing releases it otherwise.
        _ = self.writer.sink().unlock();
        finished
    }

    fn finish(&mut self) -> Result<()> {
        let finished = self.writer.finish();
        let sums = self.undone_if_failed(finished)?;
        sync_file(self.writer.sink()).map_err(|error| Error::from(error).at_path(&self.path))?;
        if let Some(lines) = &mut self.lines {
            lines.write()?;
            lines.sync()?;
        }
        // One that is still there is right: nothing was appended.
        match sums.filter(|_| self.outdated.is_none()) {
            Some(sums) => {
                let path = checksum::path_for(&self.path);
                sync_folder(&stage_checksums(&sums, &path)?.persist()?)
            }
            None => Ok(()),
        }
    }

    /// Cuts the file behind its last whole record if writing to it has failed.
    fn undone_if_failed<T>(&self, outcome: Result<T>) -> Result<T> {
        if let Err(error) = &outcome
            && matches!(error.kind(), ErrorKind::Io(_))
        {
            // If this fails too, the first error is the one to tell.
            _ = self.writer.sink().set_len(self.writer.handed_over());
        }
        outcome
    }
}

/// Opens a file that nobody else is writing. Where files cannot be locked, nobody can tell.
fn open_alone(path: &Path, how: &OpenOptions) -> Result<File> {
    let open = || {
        let file = how.open(path)?;
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

        fn create(&self, checksum: bool) -> Stream {
            Stream::create(&self.rec, Some(&self.idx), checksum).unwrap()
        }

        fn append(&self, checksum: bool) -> Result<Stream> {
            let index = load_index(&self.idx, None).unwrap();
            let last = index.in_file_order().last().map(|entry| entry.offset);
            Stream::append(&self.rec, &self.idx, last, checksum)
        }

        /// Two records, of 12 and of 1,000,008 bytes.
        fn with_two_records() -> Self {
            let fixture = Self::new();
            let mut stream = fixture.create(false);
            stream.write(Some("0"), b"one").unwrap();
            stream.write(Some("1"), &vec![1; 1_000_000]).unwrap();
            stream.close().unwrap();
            fixture
        }

        fn refusal(&self) -> String {
            self.append(false).err().unwrap().to_string()
        }
    }

    #[test]
    fn the_index_never_lists_what_the_file_does_not_have() {
        let fixture = Fixture::new();
        let mut stream = fixture.create(false);
        for key in 0..50 {
            stream
                .write(Some(&key.to_string()), &vec![7; 100_000])
                .unwrap();
            let index = load_index(&fixture.idx, None).unwrap();
            let len = fs::metadata(&fixture.rec).unwrap().len();
            let ends = index.entries().iter().map(|entry| entry.offset + 100_008);
            assert_eq!(ends.max().unwrap_or(0), len);
        }
        // As if the process had died.
        std::mem::forget(stream);
        assert_eq!(load_index(&fixture.idx, None).unwrap().len(), 44);
    }

    #[test]
    fn appending_in_turns_gives_the_bytes_of_writing_at_once() {
        let (at_once, in_turns) = (Fixture::new(), Fixture::new());
        let records: Vec<Vec<u8>> = (0..9).map(|n| vec![n; 7 * usize::from(n)]).collect();
        let mut stream = at_once.create(true);
        for (key, record) in records.iter().enumerate() {
            stream.write(Some(&key.to_string()), record).unwrap();
        }
        stream.close().unwrap();
        in_turns.create(true).close().unwrap();
        for (key, record) in records.iter().enumerate() {
            // The second and later ones need not ask for checksums again.
            let mut stream = in_turns.append(false).unwrap();
            stream.write(Some(&key.to_string()), record).unwrap();
            stream.close().unwrap();
        }
        for end in ["rec", "idx", "rsum"] {
            let read = |fixture: &Fixture| fs::read(fixture.rec.with_extension(end)).unwrap();
            assert!(read(&at_once) == read(&in_turns), "{end}");
        }
    }

    #[test]
    fn checksums_of_a_file_without_any_are_made_if_asked_for() {
        let fixture = Fixture::with_two_records();
        let rec = &fixture.rec;
        fixture.append(false).unwrap().close().unwrap();
        assert_eq!(load_checksums(rec).unwrap(), None);
        fixture.append(true).unwrap().close().unwrap();
        assert_eq!(load_checksums(rec).unwrap().unwrap().len(), 2);
    }

    #[test]
    fn checksums_go_before_the_file_changes_and_stay_if_it_does_not() {
        let fixture = Fixture::with_two_records();
        fixture.append(true).unwrap().close().unwrap();
        let path = checksum::path_for(&fixture.rec);
        let mut stream = fixture.append(false).unwrap();
        assert!(path.exists());
        stream.write(Some("2"), b"").unwrap();
        assert!(!path.exists());
        stream.close().unwrap();
        assert!(path.exists());
        drop(Stream::create(&fixture.rec, None, false).unwrap());
        assert!(!path.exists());
    }

    #[test]
    fn a_second_writer_is_refused_until_the_first_has_closed() {
        let fixture = Fixture::with_two_records();
        let first = fixture.append(false).unwrap();
        let error = Stream::create(&fixture.rec, None, false).err().unwrap();
        let expected = "a.rec: another writer has it open";
        assert!(error.to_string().contains(expected), "{error}");
        assert_eq!(fs::metadata(&fixture.rec).unwrap().len(), 1_000_020);
        assert!(fixture.refusal().contains(expected));
        first.close().unwrap();
        fixture.append(false).unwrap().close().unwrap();
    }

    #[test]
    fn files_that_do_not_end_as_they_should_are_refused_with_what_helps() {
        let cut = |fixture: &Fixture, end: &str, bytes: u64| {
            let path = fixture.rec.with_extension(end);
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
        let cases = cases.chain([(
            fixture,
            "at byte 12: 1000008 bytes behind the last",
            "index",
        )]);
        let fixture = Fixture::with_two_records();
        cut(&fixture, "rec", 999_000);
        fs::write(&fixture.idx, "0\t0\n").unwrap();
        let cases = cases.chain([(fixture, "at byte 12: 1008 bytes behind the last", "repair")]);
        let fixture = Fixture::with_two_records();
        fs::write(&fixture.idx, "").unwrap();
        let cases = cases.chain([(fixture, "at byte 0: 1000020 bytes behind", "index")]);
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
            let refusal = fixture.refusal();
            assert!(refusal.contains(wrong), "{refusal}");
            assert!(refusal.contains(&format!("`recio {command}`")), "{refusal}");
        }
    }
}
