//! A `.rec` file: the record at an offset, by positioned reads.
//!
//! If there is a `.rsum` file beside it, each record that is read must match its checksum.

use std::ops::Range;
use std::path::Path;

use crate::error::{Error, ErrorKind, Result};
use crate::format::checksum::{self, Checksums};
use crate::format::content::{self, Content};
use crate::format::frame::{self, FrameError, Progress};
use crate::memory;
use crate::read::sidecar::load_checksums;
use crate::storage::location::Location;
use crate::storage::store::OnRead;
use crate::storage::stored_file::StoredFile;

/// Bytes of the first read if the length of the record is unknown: all of most small records, one
/// page of a large one.
const FIRST_READ: u64 = 4096;
/// Maximum bytes of the first read: if an index lists only some records, the next listed one may be
/// at any distance. From slow storage, a second read takes longer than so many bytes.
const MAX_FIRST_READ: u64 = 1 << 20;

/// An open `.rec` file.
#[derive(Debug)]
pub struct RecordFile {
    file: StoredFile,
    checksums: Option<Checksums>,
}

/// Record that was read.
#[derive(Debug)]
pub struct Record<'a> {
    /// Bytes of the record, its fragments joined.
    pub bytes: &'a [u8],
    /// Offset of the next record; the length of the file after the last.
    pub next: u64,
}

impl RecordFile {
    /// Opens a file, and the `.rsum` file beside it if there is one.
    ///
    /// A mismatch of the two files is not an error yet: the checksums of some records may match.
    ///
    /// # Errors
    /// [`ErrorKind::Io`](crate::error::ErrorKind::Io);
    /// [`Corrupt`](crate::error::ErrorKind::Corrupt) for a damaged `.rsum`.
    pub fn open(location: impl Into<Location>) -> Result<Self> {
        let location = location.into();
        let file = Self::open_without_checksums(&location)?;
        let stated = location.shard().map(|shard| shard.has_checksums);
        // One beside a local shard may have been written later.
        let may_have = stated != Some(false) || location.local().is_some();
        let checksums = may_have.then(|| load_checksums(&location)).transpose()?;
        let checksums = checksums.flatten();
        if stated == Some(true) && checksums.is_none() {
            let reason = "the manifest of its set states that there is a .rsum, but there is none";
            return Err(Error::corrupt(reason).at_path(file.path()));
        }
        Ok(Self { checksums, ..file })
    }

    /// Whether some records may be those of a face data set without an image, as far as that is
    /// known without reading them.
    #[must_use]
    pub fn may_be_face_set(&self) -> bool {
        let shard = self.location().shard();
        shard.is_none_or(|shard| shard.has_identities)
    }

    /// Lets a local file be closed in favor of others, until it is read again.
    ///
    /// # Errors
    /// [`ErrorKind::Io`].
    pub fn shared(self) -> Result<Self> {
        Ok(Self {
            file: self.file.shared()?,
            ..self
        })
    }

    /// Opens a file without its `.rsum` file.
    ///
    /// # Errors
    /// [`ErrorKind::Io`](crate::error::ErrorKind::Io).
    pub fn open_without_checksums(location: impl Into<Location>) -> Result<Self> {
        Ok(Self {
            file: location.into().open()?,
            checksums: None,
        })
    }

    /// Returns the checksums of the records, if there are any.
    #[must_use]
    pub fn checksums(&self) -> Option<&Checksums> {
        self.checksums.as_ref()
    }

    /// Closes the file, and returns its checksums.
    #[must_use]
    pub fn into_checksums(self) -> Option<Checksums> {
        self.checksums
    }

    /// Checks that the file has the length for which its checksums were written.
    ///
    /// # Errors
    /// [`ErrorKind::Corrupt`](crate::error::ErrorKind::Corrupt), with both lengths and advice.
    pub fn check_len(&self) -> Result<()> {
        match &self.checksums {
            Some(checksums) if checksums.file_len() != self.len() => {
                Err(self.length_mismatch(checksums))
            }
            _ => Ok(()),
        }
    }

    /// Returns where the file is.
    #[must_use]
    pub fn location(&self) -> &Location {
        self.file.location()
    }

    /// Returns the path by which the file was opened, for messages.
    #[must_use]
    pub fn path(&self) -> &Path {
        self.file.path()
    }

    /// Returns the length in bytes when the file was opened.
    #[must_use]
    pub fn len(&self) -> u64 {
        self.file.len()
    }

    /// Returns whether the file was empty when it was opened.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.file.is_empty()
    }

    /// Reads the record at `offset`; `None` at the end of the file.
    ///
    /// `next` is the offset of the next record, if an index lists it. Then one read is enough, and
    /// a record that ends there is valid even if the next one is damaged. `buffer` is overwritten,
    /// and grows as needed.
    ///
    /// # Errors
    /// A [`FrameError`](frame::FrameError) or an I/O error, with path and offset.
    pub fn read<'b>(
        &self,
        offset: u64,
        next: Option<u64>,
        buffer: &'b mut Vec<u8>,
    ) -> Result<Option<Record<'b>>> {
        let frame = self.read_frame(offset, next, buffer)?;
        Ok(frame.map(|frame| joined(frame, offset)))
    }

    /// Reads the record at `offset`, as [`read`](Self::read) does.
    ///
    /// # Errors
    /// As [`read`](Self::read); also at the end of the file.
    pub fn read_existing<'b>(
        &self,
        offset: u64,
        next: Option<u64>,
        buffer: &'b mut Vec<u8>,
    ) -> Result<Record<'b>> {
        self.read_loaded(offset, next, 0, buffer)
    }

    /// Reads the record at `offset`, as [`read_existing`](Self::read_existing) does; the first
    /// `have` bytes of it are in `buffer` already.
    ///
    /// # Errors
    /// As [`read_existing`](Self::read_existing).
    pub fn read_loaded<'b>(
        &self,
        offset: u64,
        next: Option<u64>,
        have: usize,
        buffer: &'b mut Vec<u8>,
    ) -> Result<Record<'b>> {
        let frame = self.frame(offset, next, have, buffer)?;
        frame.map(|frame| joined(frame, offset)).ok_or_else(|| {
            Error::corrupt("the file ends here")
                .at_offset(offset)
                .at_path(self.path())
        })
    }

    /// Reads the bytes of the record at `offset` into `buffer`, without verifying them, and returns
    /// their number: those of the first read and, as long as `may_grow` returns true for the number
    /// of bytes that are missing, all others. [`read_loaded`](Self::read_loaded) then reads what is
    /// missing, and reports what is wrong with the record.
    ///
    /// # Errors
    /// As [`read_exact_at`](Self::read_exact_at), with the offset.
    pub fn load(
        &self,
        offset: u64,
        next: Option<u64>,
        buffer: &mut Vec<u8>,
        may_grow: &mut dyn FnMut(usize) -> bool,
    ) -> Result<usize> {
        let mut have = 0;
        while let Some(want) = self.required(offset, next, &buffer[..have]) {
            if have > 0 && !may_grow(want - have) {
                break;
            }
            self.read_up_to(want, have, offset, buffer)
                .map_err(|error| error.at_offset(offset).at_path(self.path()))?;
            have = want;
        }
        Ok(have)
    }

    /// Returns how many bytes of the record at `offset` are needed, of which `bytes` are the first;
    /// none if no more are needed, or the record is damaged.
    #[must_use]
    pub fn required(&self, offset: u64, next: Option<u64>, bytes: &[u8]) -> Option<usize> {
        let left = self.len().checked_sub(offset).filter(|&left| left > 0)?;
        let next = relative_end(offset, next, self.checksum_entry(offset).ok()?);
        if bytes.is_empty() {
            return Some(first_read(left, next));
        }
        match frame::check(bytes, left, next) {
            Ok(Progress::NeedsMore(more)) => Some(larger_read(bytes.len(), more, left)),
            _ => None,
        }
    }

    /// Starts a read and returns, as [`StoredFile::start_read`] does.
    ///
    /// # Errors
    /// As [`StoredFile::start_read`].
    pub fn start_read(&self, range: Range<u64>, done: OnRead) -> Result<(), OnRead> {
        self.file.start_read(range, done)
    }

    /// Returns what changes if an object is replaced; none for a local file.
    #[must_use]
    pub fn identity(&self) -> Option<&str> {
        self.file.identity()
    }

    /// Returns whether the file is in the local file system.
    #[must_use]
    pub fn is_local(&self) -> bool {
        self.file.is_local()
    }
    /// Reads the frame of the record at `offset`, as [`read`](Self::read) does.
    ///
    /// # Errors
    /// As [`read`](Self::read).
    pub fn read_frame<'b>(
        &self,
        offset: u64,
        next: Option<u64>,
        buffer: &'b mut Vec<u8>,
    ) -> Result<Option<&'b mut [u8]>> {
        self.frame(offset, next, 0, buffer)
    }

    /// Reads a frame whose first `have` bytes are in `buffer` already.
    fn frame<'b>(
        &self,
        offset: u64,
        next: Option<u64>,
        have: usize,
        buffer: &'b mut Vec<u8>,
    ) -> Result<Option<&'b mut [u8]>> {
        if offset == self.len() {
            self.check_len()?;
            return Ok(None);
        }
        let entry = self.checksum_entry(offset)?;
        let next = relative_end(offset, next, entry);
        let end = self
            .fetch_frame(offset, next, have, buffer)
            .map_err(|error| error.at_offset(offset).at_path(self.path()))?;
        if entry.is_some_and(|entry| entry.crc != checksum::crc(&buffer[..end])) {
            return Err(self.checksum_mismatch(offset));
        }
        Ok(Some(&mut buffer[..end]))
    }

    /// Returns the length of the frame at the beginning of `bytes`, which are those of the file
    /// from `offset` on; none if they do not have all of it, or it is damaged, as
    /// [`read_frame`](Self::read_frame) then finds out.
    #[must_use]
    pub fn frame_in(&self, bytes: &[u8], offset: u64, next: Option<u64>) -> Option<usize> {
        let left = self.len().checked_sub(offset)?;
        let entry = self.checksum_entry(offset).ok()?;
        let next = relative_end(offset, next, entry);
        let Ok(Progress::Complete(end)) = frame::check(bytes, left, next) else {
            return None;
        };
        let matches = |entry: checksum::Entry| entry.crc == checksum::crc(&bytes[..end]);
        entry.is_none_or(matches).then_some(end)
    }

    /// Returns the checksum entry of the record at `offset`; `None` without a `.rsum`, an error if
    /// that does not list the record.
    fn checksum_entry(&self, offset: u64) -> Result<Option<checksum::Entry>> {
        let Some(checksums) = &self.checksums else {
            return Ok(None);
        };
        match checksums.get(offset) {
            Some(entry) => Ok(Some(entry)),
            None if offset >= checksums.file_len() => {
                Err(self.length_mismatch(checksums).at_offset(offset))
            }
            None => {
                let text = format!(
                    "{} lists no record at this offset",
                    self.checksum_file_name()
                );
                Err(Error::corrupt(text).at_offset(offset).at_path(self.path()))
            }
        }
    }

    fn checksum_mismatch(&self, offset: u64) -> Error {
        Error::corrupt(format!(
            "the bytes of this record do not match their checksum in {}: the record is damaged, or the file was changed",
            self.checksum_file_name()
        ))
        .at_offset(offset)
        .at_path(self.path())
    }

    fn length_mismatch(&self, checksums: &Checksums) -> Error {
        let (len, expected, name) = (self.len(), checksums.file_len(), self.checksum_file_name());
        let cause = if len < expected {
            "the file was truncated or replaced"
        } else {
            "the file was replaced or appended to"
        };
        Error::corrupt(format!(
            "{len} bytes, but {name} was written for a file of {expected}: {cause} (`recio verify` lists the damage, \
             `recio repair` saves the intact records; if the file was changed on purpose, remove {name})"
        ))
        .at_path(self.path())
    }

    fn checksum_file_name(&self) -> String {
        let path = checksum::path_for(self.path());
        path.file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned()
    }

    /// Reads until `buffer` begins with a complete frame, and returns its length. `next` is
    /// relative to `offset`; `have` bytes are in `buffer` already.
    fn fetch_frame(
        &self,
        offset: u64,
        next: Option<u64>,
        mut have: usize,
        buffer: &mut Vec<u8>,
    ) -> Result<usize> {
        let left = self
            .len()
            .checked_sub(offset)
            .ok_or_else(|| Error::corrupt(format!("the file ends at byte {}", self.len())))?;
        let mut want = have.max(first_read(left, next));
        loop {
            self.read_up_to(want, have, offset, buffer)?;
            have = want;
            match frame::check(&buffer[..have], left, next) {
                Ok(Progress::Complete(end)) => return Ok(end),
                Ok(Progress::NeedsMore(more)) => want = larger_read(have, more, left),
                Err((at, error)) => {
                    let position = offset + at as u64;
                    let error = self.frame_error(position, error)?;
                    return Err(error.at_offset(position));
                }
            }
        }
    }

    /// Reads the first `want` bytes from `offset` on, of which `buffer` has `have` already.
    fn read_up_to(
        &self,
        want: usize,
        have: usize,
        offset: u64,
        buffer: &mut Vec<u8>,
    ) -> Result<()> {
        if buffer.len() < want {
            memory::resize(buffer, want, 0)?;
        }
        match have {
            have if have >= want => Ok(()),
            have => self.read_exact_at(&mut buffer[have..want], offset + have as u64),
        }
    }

    /// Explains an invalid frame: the file may be none of records at all.
    fn frame_error(&self, position: u64, error: FrameError) -> Result<Error> {
        match (position, self.other_content()?) {
            (0, Some(content)) => Ok(not_records(content)),
            _ => Ok(error.into()),
        }
    }

    /// Returns what the file is, if it is known not to be a record file.
    ///
    /// # Errors
    /// As [`read_exact_at`](Self::read_exact_at).
    pub fn other_content(&self) -> Result<Option<Content>> {
        let mut start = [0; content::IDENTIFYING_LEN];
        let start = &mut start[..self.len().min(content::IDENTIFYING_LEN as u64) as usize];
        self.read_exact_at(start, 0)?;
        let is_record = start.starts_with(&frame::MAGIC.to_le_bytes());
        Ok(content::identify(start).filter(|_| !is_record))
    }

    /// Checks that the file is not known to be something else.
    ///
    /// # Errors
    /// [`ErrorKind::Corrupt`](crate::error::ErrorKind::Corrupt) that names what it is.
    pub fn check_content(&self) -> Result<()> {
        match self.other_content()? {
            Some(content) => Err(not_records(content).at_path(self.path())),
            None => Ok(()),
        }
    }

    /// Fills `bytes` from `offset`.
    ///
    /// # Errors
    /// As [`StoredFile::read_exact_at`].
    pub fn read_exact_at(&self, bytes: &mut [u8], offset: u64) -> Result<()> {
        self.file.read_exact_at(bytes, offset)
    }
}

/// Returns the number of bytes that are read at first. `left` are in the file.
fn first_read(left: u64, next: Option<u64>) -> usize {
    let first = next.map_or(FIRST_READ, |next| next.min(MAX_FIRST_READ));
    left.min(first) as usize
}

/// Returns the record of a complete frame at `offset`.
fn joined(frame: &mut [u8], offset: u64) -> Record<'_> {
    let next = offset + frame.len() as u64;
    let range = frame::join_fragments(frame);
    Record {
        bytes: &frame[range],
        next,
    }
}

/// Returns how many bytes of a frame to read when `have` are too few, and at least `more` are
/// needed: twice as many, as a frame of many fragments is checked from its beginning each time.
fn larger_read(have: usize, more: usize, left: u64) -> usize {
    more.max(left.min(2 * have as u64) as usize)
}

/// Returns the end of a record relative to its offset, if its checksum or an index lists it.
fn relative_end(offset: u64, next: Option<u64>, entry: Option<checksum::Entry>) -> Option<u64> {
    let next = entry.map_or(next, |entry| Some(entry.end));
    next.and_then(|next| next.checked_sub(offset))
}

/// Explains an error of the record at `offset` that an index lists: it may be no beginning of one.
#[must_use]
pub fn explain_listed(error: Error, offset: u64, index: Option<&Path>) -> Error {
    let is_start = error.position().offset == Some(offset);
    let is_magic =
        matches!(error.kind(), ErrorKind::Corrupt(reason) if reason.starts_with("magic 0x"));
    if !(is_start && is_magic) {
        return error;
    }
    let index = index.map_or_else(|| "the index".into(), |path| path.display().to_string());
    error.advise(format!(
        "{index} lists a record there: if it is the index of another file, `recio index` rebuilds it; \
         `recio verify` compares the two"
    ))
}

/// Error for a file that holds something else.
pub(crate) fn not_records(Content { name, advice }: Content) -> Error {
    let other = match name {
        content::BIG_ENDIAN => "which recio does not read",
        _ => "not a record file",
    };
    let error = Error::corrupt(format!("this is {name}, {other}"));
    match advice {
        Some(advice) => error.advise(advice),
        None => error,
    }
}

#[cfg(test)]
mod tests;
