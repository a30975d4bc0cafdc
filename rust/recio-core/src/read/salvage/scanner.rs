//! Records at an offset of a damaged file, and the search for the next one.

use super::window::{CHUNK, Window};
use crate::error::Result;
use crate::format::frame::{self, FragmentHeader, FrameError, HEADER_LEN, Progress};
use crate::read::record_file::RecordFile;

/// Valid records in a row that prove a record at an unaligned offset.
const CHAIN: usize = 8;
/// Bytes of the magic word.
pub(super) const WORD: usize = 4;

/// Result of looking for a record at an offset.
pub(super) enum Probe {
    /// A valid frame, whose end is confirmed by what follows.
    Confirmed { end: u64 },
    /// A valid frame that is followed by damage.
    Unconfirmed(Candidate),
    /// No valid frame, and why.
    Invalid(String),
}

/// A frame that is valid if its length is.
#[derive(Clone, Copy)]
pub(super) struct Candidate {
    pub(super) offset: u64,
    pub(super) end: u64,
    /// Length in the header of its last fragment.
    pub(super) len: usize,
}

/// Finds records in the bytes of a file.
#[derive(Debug)]
pub(super) struct Scanner<'f> {
    pub(super) len: u64,
    pub(super) window: Window<'f>,
    /// Offsets of the records, ascending, if the file has an index or checksums.
    listed: &'f [u64],
    /// Position in `listed` of the next record, as records are mostly met in their order.
    cursor: usize,
    /// Offset modulo 4 of the last valid record, and so of the records after it.
    alignment: u64,
    /// Result of the last search: no record begins from the first offset up to the second.
    searched: Option<(u64, u64)>,
}

impl<'f> Scanner<'f> {
    pub(super) fn new(file: &'f RecordFile, listed: &'f [u64]) -> Self {
        Self {
            len: file.len(),
            window: Window::new(file),
            listed,
            cursor: 0,
            alignment: 0,
            searched: None,
        }
    }

    /// Sets the alignment of the following records to that of a record at `offset`.
    pub(super) fn align_to(&mut self, offset: u64) {
        self.alignment = offset % 4;
    }

    /// Looks for a record at `offset`.
    pub(super) fn probe(&mut self, offset: u64) -> Result<Probe> {
        let next = self.next_listed(offset).map(|next| next - offset);
        let (left, mut want) = (self.len - offset, HEADER_LEN);
        loop {
            let bytes = self.window.at(offset, want)?;
            match frame::check(bytes, left, next) {
                Ok(Progress::Complete(len)) => {
                    let end = offset + len as u64;
                    return Ok(Probe::Confirmed { end });
                }
                // At most twice as many bytes, because a damaged length may ask for any number.
                Ok(Progress::NeedsMore(more)) => want = more.min(CHUNK.max(2 * bytes.len())),
                Err((last, FrameError::InvalidNext(_))) => {
                    return Ok(Probe::Unconfirmed(candidate(offset, bytes, last)));
                }
                Err((0, error)) => return Ok(Probe::Invalid(error.to_string())),
                Err((fragment, error)) => {
                    let position = offset + fragment as u64;
                    return Ok(Probe::Invalid(format!("at byte {position}: {error}")));
                }
            }
        }
    }

    /// Offset of the record after the one at `offset`, if that is listed.
    pub(super) fn next_listed(&mut self, offset: u64) -> Option<u64> {
        let listed = self.listed;
        if listed.get(self.cursor) != Some(&offset) {
            self.cursor = listed.partition_point(|&other| other < offset);
        }
        let is_listed = listed.get(self.cursor) == Some(&offset);
        self.cursor += usize::from(is_listed);
        is_listed.then(|| listed.get(self.cursor).copied().unwrap_or(self.len))
    }

    /// First offset at or after `from` where a record begins; the end of the file if there is none.
    pub(super) fn next_record(&mut self, from: u64) -> Result<u64> {
        if let Some((begin, end)) = self.searched
            && (begin..=end).contains(&from)
        {
            return Ok(end);
        }
        let begin = self.search(from, self.len, Self::is_record)?;
        let end = begin.unwrap_or(self.len);
        self.searched = Some((from, end));
        Ok(end)
    }

    /// First record with a confirmed end that begins in `from..to`.
    pub(super) fn find_confirmed(&mut self, from: u64, to: u64) -> Result<Option<u64>> {
        self.search(from, to, Self::is_confirmed)
    }

    /// First magic word in `from..to` that is `accepted`.
    fn search(
        &mut self,
        from: u64,
        to: u64,
        accepted: impl Fn(&mut Self, u64) -> Result<bool>,
    ) -> Result<Option<u64>> {
        let mut offset = from;
        while offset + WORD as u64 <= to {
            let bytes = self.window.at(offset, WORD)?;
            let bytes = &bytes[..bytes.len().min((to - offset) as usize)];
            let Some(position) = memchr::memmem::find(bytes, &frame::MAGIC.to_le_bytes()) else {
                offset += (bytes.len() - WORD + 1) as u64;
                continue;
            };
            offset += position as u64;
            if accepted(self, offset)? {
                return Ok(Some(offset));
            }
            offset += 1;
        }
        Ok(None)
    }

    fn is_record(&mut self, offset: u64) -> Result<bool> {
        if offset % 4 == self.alignment {
            return Ok(!matches!(self.probe(offset)?, Probe::Invalid(_)));
        }
        self.is_chain(offset)
    }

    fn is_confirmed(&mut self, offset: u64) -> Result<bool> {
        Ok(matches!(self.probe(offset)?, Probe::Confirmed { .. }))
    }

    /// Returns whether [`CHAIN`] valid records, or all up to the end of the file, follow one
    /// another from `offset` on.
    fn is_chain(&mut self, mut offset: u64) -> Result<bool> {
        for _ in 0..CHAIN {
            match self.probe(offset)? {
                Probe::Confirmed { end } if end == self.len => return Ok(true),
                Probe::Confirmed { end } => offset = end,
                _ => return Ok(false),
            }
        }
        Ok(true)
    }
}

/// The record at `offset` whose last fragment is at `last` in its `bytes`.
fn candidate(offset: u64, bytes: &[u8], last: usize) -> Candidate {
    let header = bytes[last..]
        .first_chunk()
        .map(|bytes| FragmentHeader::parse(*bytes));
    let Some(Ok(header)) = header else {
        unreachable!("the header of a fragment is parsed before what follows it");
    };
    Candidate {
        offset,
        end: offset + (last + HEADER_LEN + header.padded_len()) as u64,
        len: header.len,
    }
}
