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
                let text = format!("{} lists no record at this offset", self.sums_name());
                Err(Error::corrupt(text).at_offset(offset).at_path(self.path()))
            }
        }
    }

    fn damaged(&self, offset: u64) -> Error {
        Error::corrupt(format!(
            "the bytes of this record do not match their checksum in {}: the record is damaged, or the file was changed",
            self.sums_name()
        ))
        .at_offset(offset)
        .at_path(self.path())
    }

    fn unlike(&self, sums: &Checksums) -> Error {
        let (len, wanted, name) = (self.len(), sums.file_len(), self.sums_name());
        let what = if len < wanted {
            "the file was truncated or replaced"
        } else {
            "the file was replaced or appended to"
        };
        Error::corrupt(format!(
            "{len} bytes, but {name} was written for a file of {wanted}: {what} (`recio verify` lists the damage, \
             `recio repair` saves the intact records; if the file was changed on purpose, remove {name})"
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
mod tests;
