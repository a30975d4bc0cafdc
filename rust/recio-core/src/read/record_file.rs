//! A `.rec` file: one record at a given offset, by positioned reads.
//!
//! Where a `.rsum` file lies beside it, each record that is read is held to its checksum.

use std::path::Path;

use crate::error::{Error, Result};
use crate::format::checksum::{self, Checksums};
use crate::format::frame::{self, Progress};
use crate::read::sidecar::load_checksums;
use crate::storage::local_file::LocalFile;

/// Bytes that are read first where the length of a record is not known: most small records whole, a page of a large one.
const FIRST_READ: u64 = 4096;
/// The most bytes that are read first: where an index lists only some records, the distance to the next may be anything.
const MAX_FIRST_READ: u64 = 256 << 10;

/// An open `.rec` file.
#[derive(Debug)]
pub struct RecordFile {
    file: LocalFile,
    sums: Option<Checksums>,
}

/// A record that was read: its bytes, and where the next one begins.
#[derive(Debug)]
pub struct Record<'a> {
    /// The record's bytes, split parts joined.
    pub payload: &'a [u8],
    /// The offset of the next record's header: the file's length after the last record.
    pub next: u64,
}

impl RecordFile {
    /// Opens a file, and the `.rsum` file beside it if there is one.
    ///
    /// That the two do not fit is no error yet: which records are sound, their checksums tell.
    ///
    /// # Errors
    /// [`ErrorKind::Io`](crate::error::ErrorKind::Io); [`Corrupt`](crate::error::ErrorKind::Corrupt) for a damaged `.rsum`.
    pub fn open(path: &Path) -> Result<Self> {
        let file = Self::open_without_checksums(path)?;
        Ok(Self {
            sums: load_checksums(path)?,
            ..file
        })
    }

    /// Opens a file, and leaves checksums to the caller.
    ///
    /// # Errors
    /// [`ErrorKind::Io`](crate::error::ErrorKind::Io).
    pub fn open_without_checksums(path: &Path) -> Result<Self> {
        Ok(Self {
            file: LocalFile::open(path)?,
            sums: None,
        })
    }

    /// The checksums that records are held to, if there are any.
    #[must_use]
    pub fn checksums(&self) -> Option<&Checksums> {
        self.sums.as_ref()
    }

    /// Lets go of the file, and gives these.
    #[must_use]
    pub fn into_checksums(self) -> Option<Checksums> {
        self.sums
    }

    /// Refuses a file of another length than its checksums were written for.
    ///
    /// # Errors
    /// [`ErrorKind::Corrupt`](crate::error::ErrorKind::Corrupt), with both lengths and what can be done.
    pub fn check_len(&self) -> Result<()> {
        match &self.sums {
            Some(sums) if sums.file_len() != self.len() => Err(self.unlike(sums)),
            _ => Ok(()),
        }
    }

    /// The path it was opened by.
    #[must_use]
    pub fn path(&self) -> &Path {
        self.file.path()
    }

    /// Its length in bytes, when it was opened.
    #[must_use]
    pub fn len(&self) -> u64 {
        self.file.len()
    }

    /// Whether there is nothing in it.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.file.is_empty()
    }

    /// Reads the record whose header is at `offset`, or nothing if that is the end of the file.
    ///
    /// `next` is where the next record begins, if an index says so. Then one read fetches all, and a record that ends just
    /// there is sound even if the one behind it is damaged. `buffer` is overwritten, and grows as needed.
    ///
    /// # Errors
    /// A [`FrameError`](frame::FrameError) or an I/O error, with path and offset.
    pub fn read<'b>(
        &self,
        offset: u64,
        next: Option<u64>,
        buffer: &'b mut Vec<u8>,
    ) -> Result<Option<Record<'b>>> {
        let Some(frames) = self.read_frame(offset, next, buffer)? else {
            return Ok(None);
        };
        let next = offset + frames.len() as u64;
        let range = frame::join_fragments(frames);
        Ok(Some(Record {
            payload: &frames[range],
            next,
        }))
    }

    /// Reads all bytes of the record whose header is at `offset`, headers and padding included, as [`read`](Self::read)
    /// does, and as strictly.
    ///
    /// # Errors
    /// As [`read`](Self::read).
    pub fn read_frame<'b>(
        &self,
        offset: u64,
        next: Option<u64>,
        buffer: &'b mut Vec<u8>,
    ) -> Result<Option<&'b mut [u8]>> {
        if offset == self.len() {
            self.check_len()?;
            return Ok(None);
        }
        let listed = self.listed(offset)?;
        let next = listed.map_or(next, |entry| Some(entry.end));
        let end = self
            .fetch(
                offset,
                next.and_then(|next| next.checked_sub(offset)),
                buffer,
            )
            .map_err(|error| error.at_offset(offset).at_path(self.path()))?;
        if listed.is_some_and(|entry| entry.crc != checksum::crc(&buffer[..end])) {
            return Err(self.damaged(offset));
        }
        Ok(Some(&mut buffer[..end]))
    }

    /// The checksum of the record at `offset`: none without a `.rsum`, an error if that does not list the record.
    fn listed(&self, offset: u64) -> Result<Option<checksum::Entry>> {
        let Some(sums) = &self.sums else {
            return Ok(None);
        };
        match sums.get(offset) {
            Some(entry) => Ok(Some(entry)),
            None if offset >= sums.file_len() => Err(self.unlike(sums).at_offset(offset)),
            None => {
                let text = format!("{} lists no record that begins here", self.sums_name());
                Err(Error::corrupt(text).at_offset(offset).at_path(self.path()))
            }
        }
    }

    fn damaged(&self, offset: u64) -> Error {
        Error::corrupt(format!(
            "the bytes of this record are not those that {} was written for: the record is damaged, or the file was changed",
            self.sums_name()
        ))
        .at_offset(offset)
        .at_path(self.path())
    }

    fn unlike(&self, sums: &Checksums) -> Error {
        let (len, wanted, name) = (self.len(), sums.file_len(), self.sums_name());
        let what = if len < wanted {
            "the file was cut short, or replaced"
        } else {
            "the file was replaced, or written on"
        };
        Error::corrupt(format!(
            "{len} bytes, but {name} was written for a file of {wanted}: {what} (`recio verify` tells what is damaged, \
             `recio repair` saves the whole records; if the file was changed on purpose, remove {name})"
        ))
        .at_path(self.path())
    }

    fn sums_name(&self) -> String {
        let path = checksum::path_for(self.path());
        path.file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned()
    }

    /// Reads until `buffer` begins with a whole record, and gives its length.
    fn fetch(&self, offset: u64, next: Option<u64>, buffer: &mut Vec<u8>) -> Result<usize> {
        let left = self
            .len()
            .checked_sub(offset)
            .ok_or_else(|| Error::corrupt(format!("the file ends at byte {}", self.len())))?;
        let first = next.map_or(FIRST_READ, |next| next.min(MAX_FIRST_READ));
        let (mut have, mut want) = (0, left.min(first) as usize);
        loop {
            if buffer.len() < want {
                buffer.resize(want, 0);
            }
            self.read_exact_at(&mut buffer[have..want], offset + have as u64)?;
            have = want;
            match frame::check(&buffer[..have], left, next) {
                Ok(Progress::Complete(end)) => return Ok(end),
                // At least twice as much: a record of many parts is checked from its beginning each time.
                Ok(Progress::NeedsMore(more)) => {
                    want = more.max(left.min(2 * have as u64) as usize);
                }
                Err((at, error)) => return Err(Error::from(error).at_offset(offset + at as u64)),
            }
        }
    }

    /// Fills `bytes` from `offset`.
    ///
    /// # Errors
    /// As [`LocalFile::read_exact_at`].
    pub fn read_exact_at(&self, bytes: &mut [u8], offset: u64) -> Result<()> {
        self.file.read_exact_at(bytes, offset)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::frame::MAGIC;

    fn file_of(records: &[&[u8]]) -> (tempfile::TempDir, RecordFile, Vec<u64>) {
        let (mut bytes, mut offsets) = (Vec::new(), Vec::new());
        for record in records {
            offsets.push(bytes.len() as u64);
            frame::encode(record, &mut bytes).unwrap();
        }
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.rec");
        std::fs::write(&path, bytes).unwrap();
        let file = RecordFile::open(&path).unwrap();
        (folder, file, offsets)
    }

    #[test]
    fn records_are_read_in_any_order_with_and_without_an_index() {
        let long = vec![7; 3 * FIRST_READ as usize];
        let split = [b"AAAA", &MAGIC.to_le_bytes()[..], &[9; 10_000]].concat();
        let records: [&[u8]; 4] = [b"one", &long, b"", &split];
        let (_folder, file, offsets) = file_of(&records);
        let mut buffer = Vec::new();
        for i in [3, 0, 2, 1] {
            let next = *offsets.get(i + 1).unwrap_or(&file.len());
            for hint in [None, Some(next), Some(u64::MAX)] {
                let record = file.read(offsets[i], hint, &mut buffer).unwrap().unwrap();
                assert_eq!((record.payload, record.next), (records[i], next));
            }
        }
        assert!(file.read(file.len(), None, &mut buffer).unwrap().is_none());
    }

    #[test]
    fn errors_name_path_and_offset() {
        let (_folder, file, _) = file_of(&[b"one", b"two"]);
        let text = |offset| {
            file.read(offset, None, &mut Vec::new())
                .unwrap_err()
                .to_string()
        };
        assert!(
            text(4).ends_with("a.rec: at byte 4: magic 0x00000003, expected 0xced7230a"),
            "{}",
            text(4)
        );
        assert!(
            text(400).ends_with("at byte 400: the file ends at byte 24"),
            "{}",
            text(400)
        );
    }

    /// The file again, with checksums of its records beside it.
    fn with_sums(file: &RecordFile, offsets: &[u64]) -> RecordFile {
        let bytes = std::fs::read(file.path()).unwrap();
        let mut sums = Checksums::default();
        for (i, &offset) in offsets.iter().enumerate() {
            let end = offsets
                .get(i + 1)
                .map_or(bytes.len(), |&next| next as usize);
            sums.push(offset, &bytes[offset as usize..end]);
        }
        let mut rsum = Vec::new();
        sums.write_to(&mut rsum).unwrap();
        std::fs::write(checksum::path_for(file.path()), rsum).unwrap();
        RecordFile::open(file.path()).unwrap()
    }

    #[test]
    fn records_are_held_to_their_checksums() {
        let split = [b"AAAA", &MAGIC.to_le_bytes()[..], &[9; 10_000]].concat();
        let (_folder, file, offsets) = file_of(&[b"one", &split, b"three"]);
        let file = with_sums(&file, &offsets);
        let mut buffer = Vec::new();
        let record = file.read(offsets[1], None, &mut buffer).unwrap().unwrap();
        assert_eq!((record.payload, record.next), (&split[..], offsets[2]));
        let mut bytes = std::fs::read(file.path()).unwrap();
        bytes[offsets[1] as usize + 5000] ^= 1;
        std::fs::write(file.path(), bytes).unwrap();
        let error = file.read(offsets[1], None, &mut buffer).unwrap_err();
        assert!(
            error.to_string().ends_with(
                "a.rec: at byte 12: the bytes of this record are not those that a.rsum was written for: the record is \
                 damaged, or the file was changed"
            ),
            "{error}"
        );
    }

    #[test]
    fn an_offset_that_the_checksums_do_not_list_is_refused() {
        let inner = frame_of(b"inside");
        let (_folder, file, offsets) = file_of(&[b"one", &[b"x", &inner[..]].concat()]);
        assert!(file.read(21, None, &mut Vec::new()).is_err());
        let file = with_sums(&file, &offsets);
        let error = file.read(21, None, &mut Vec::new()).unwrap_err();
        let text = "at byte 21: a.rsum lists no record that begins here";
        assert!(error.to_string().ends_with(text), "{error}");
    }

    fn frame_of(record: &[u8]) -> Vec<u8> {
        let mut bytes = Vec::new();
        frame::encode(record, &mut bytes).unwrap();
        bytes
    }

    #[test]
    fn of_a_file_that_was_cut_the_records_are_read_and_its_end_is_an_error() {
        let (_folder, file, offsets) = file_of(&[b"one", b"two", b"three"]);
        with_sums(&file, &offsets);
        let bytes = std::fs::read(file.path()).unwrap();
        std::fs::write(file.path(), &bytes[..offsets[2] as usize]).unwrap();
        let file = RecordFile::open(file.path()).unwrap();
        let mut buffer = Vec::new();
        let record = file.read(offsets[1], None, &mut buffer).unwrap().unwrap();
        assert_eq!(record.payload, b"two");
        let error = file.read(record.next, None, &mut Vec::new()).unwrap_err();
        let text = "24 bytes, but a.rsum was written for a file of 40: the file was cut short, or replaced";
        assert!(error.to_string().contains(text), "{error}");
        std::fs::write(file.path(), [&bytes[..], &frame_of(b"four")].concat()).unwrap();
        let file = RecordFile::open(file.path()).unwrap();
        let error = file.read(40, None, &mut buffer).unwrap_err().to_string();
        assert!(error.contains("replaced, or written on"), "{error}");
    }

    #[test]
    fn a_record_before_a_damaged_header_is_whole_if_its_checksum_says_so() {
        let (_folder, file, offsets) = file_of(&[b"one", b"two"]);
        with_sums(&file, &offsets);
        let mut bytes = std::fs::read(file.path()).unwrap();
        bytes[12] ^= 1;
        std::fs::write(file.path(), bytes).unwrap();
        let mut buffer = Vec::new();
        let file = RecordFile::open(file.path()).unwrap();
        let record = file.read(0, None, &mut buffer).unwrap().unwrap();
        assert_eq!(record.payload, b"one");
    }

    #[test]
    fn a_file_cut_short_after_opening_is_an_error() {
        let (folder, file, _) = file_of(&[&[7; 100]]);
        std::fs::File::options()
            .write(true)
            .open(folder.path().join("a.rec"))
            .unwrap()
            .set_len(50)
            .unwrap();
        let error = file.read(0, None, &mut Vec::new()).unwrap_err();
        assert!(error.to_string().contains("has become shorter"), "{error}");
    }

    #[test]
    fn a_record_of_very_many_parts_is_read_in_time() {
        let record = MAGIC.to_le_bytes().repeat(100_000);
        let (_folder, file, _) = file_of(&[&record]);
        let start = std::time::Instant::now();
        let mut buffer = Vec::new();
        assert_eq!(
            file.read(0, None, &mut buffer).unwrap().unwrap().payload,
            record
        );
        assert!(start.elapsed().as_secs() < 2, "{:?}", start.elapsed());
    }
}
