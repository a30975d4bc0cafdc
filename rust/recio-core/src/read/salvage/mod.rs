//! One pass over all bytes of a file that may be damaged: whole records, and the regions between them that are none.
//!
//! Every byte belongs to a record or to a region, so their lengths add up to the file's. A record is whole if its frames
//! are as strict as [`frame`] asks, and what follows proves where it ends: the head of another record, the end of the file,
//! or the place where a list of the records (`.rsum`, `.idx`) has the next one. If what follows is damaged, whoever walks is
//! asked, who may know more (a checksum, the end of an image); else it is kept unless something speaks against its length
//! ([`boundary`]).
//!
//! Behind damage the walk goes on at the next word that heads a sound record: on the file's 4-byte grid, where a magic word
//! is always a header, and where bytes were inserted or lost, off it. There a magic word may also be a payload's own, so
//! it is believed only with [`CHAIN`] sound records in a row from it, or sound records up to the end of the file. A payload
//! that is itself a RecordIO file can deceive that, if the header before it is damaged.
//!
//! What a record's bytes are is not known here: damage that leaves the frames as they were is for checksums and decoders.
//!
//! Reading goes ahead in large pieces, and no further than a damaged length is believed: each byte is looked at a few times
//! at most, whatever the file claims.

mod boundary;
mod window;

use crate::error::Result;
use crate::format::frame::{self, FragmentHeader, FrameError, HEADER_LEN, Progress};
use crate::read::record_file::RecordFile;
use window::{CHUNK, Window};

/// Sound records in a row that prove a record off the grid.
const CHAIN: usize = 8;
/// Bytes of the magic word.
const WORD: usize = 4;

/// A part of a file. Together, they are all of it.
#[derive(Debug)]
pub enum Segment<'b> {
    /// A whole record.
    Record(SalvagedRecord<'b>),
    /// Bytes that are of no whole record.
    Skipped(SkippedRegion),
}

/// A whole record: where it stands, and its bytes.
#[derive(Debug)]
pub struct SalvagedRecord<'b> {
    /// The offset of its first header.
    pub offset: u64,
    /// All of it, headers and padding included, to be overwritten at will. [`frame::join_fragments`] makes its payload of them.
    pub frame: &'b mut [u8],
}

/// Bytes that are of no whole record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SkippedRegion {
    /// The first of them.
    pub begin: u64,
    /// Where they end.
    pub end: u64,
    /// Why the record that should be at the beginning is not whole.
    pub reason: String,
}

/// A record of which framing alone cannot tell whether it ends where its length says.
#[derive(Debug)]
pub struct UnconfirmedRecord<'b> {
    /// The offset of its first header.
    pub offset: u64,
    /// Its bytes, if it does.
    pub frame: &'b [u8],
}

/// A walk over a file. `V` is asked whether doubtful records are whole; its no means that it cannot tell.
#[derive(Debug)]
pub struct SalvageReader<'f, V> {
    len: u64,
    vouches: V,
    window: Window<'f>,
    /// Where the records begin, ascending, as far as something tells.
    listed: &'f [u64],
    /// How many of these have been passed, as records are mostly met in their order.
    passed: usize,
    at: u64,
    /// On which bytes, modulo 4, records begin since the last one.
    grid: u64,
    /// What has been skipped since the last record.
    gap: Option<SkippedRegion>,
    /// What the last search found: from the first offset to the second there is nowhere to go on.
    searched: Option<(u64, u64)>,
}

/// What stands at an offset.
enum Head {
    /// A record that ends here, for sure.
    Sound(u64),
    /// The frames of a record that ends at `end`, unless `len`, its last part's length, is damaged; something is there.
    Doubtful {
        end: u64,
        len: usize,
    },
    Broken(String),
}

impl<'f, V: FnMut(UnconfirmedRecord<'_>) -> bool> SalvageReader<'f, V> {
    /// A walk from the beginning. `listed` are the offsets at which the file's records begin, ascending, from its `.rsum` or
    /// its `.idx`; empty if there is neither. `vouches` is asked whether a record is whole that is followed by damage.
    pub fn new(file: &'f RecordFile, listed: &'f [u64], vouches: V) -> Self {
        Self {
            len: file.len(),
            vouches,
            window: Window::new(file),
            listed,
            passed: 0,
            at: 0,
            grid: 0,
            gap: None,
            searched: None,
        }
    }

    /// How far it has come, in bytes.
    #[must_use]
    pub fn position(&self) -> u64 {
        self.at
    }

    /// The next part of the file; none at its end.
    ///
    /// # Errors
    /// As [`RecordFile::read_exact_at`].
    pub fn next_segment(&mut self) -> Result<Option<Segment<'_>>> {
        loop {
            if self.at == self.len {
                return Ok(self.gap.take().map(Segment::Skipped));
            }
            match (self.judge(self.at)?, self.gap.take()) {
                // The record is judged again then, which is rare.
                (Ok(_), Some(gap)) => return Ok(Some(Segment::Skipped(gap))),
                (Ok(end), None) => return self.record(end).map(Some),
                (Err(reason), gap) => self.skip(gap, reason)?,
            }
        }
    }

    fn record(&mut self, end: u64) -> Result<Segment<'_>> {
        let offset = std::mem::replace(&mut self.at, end);
        self.grid = offset % 4;
        let len = (end - offset) as usize;
        let frame = &mut self.window.at(offset, len)?[..len];
        Ok(Segment::Record(SalvagedRecord { offset, frame }))
    }

    /// Adds what lies before the next record to what is skipped.
    fn skip(&mut self, gap: Option<SkippedRegion>, reason: String) -> Result<()> {
        let (begin, end) = (self.at, self.resume(self.at + 1)?);
        self.at = end;
        self.gap = Some(match gap {
            Some(gap) => SkippedRegion { end, ..gap },
            None => SkippedRegion { begin, end, reason },
        });
        Ok(())
    }

    /// Where the record at `at` ends, or why there is none that can be vouched for.
    fn judge(&mut self, at: u64) -> Result<Result<u64, String>> {
        Ok(match self.head(at)? {
            Head::Sound(end) => Ok(end),
            Head::Broken(reason) => Err(reason),
            Head::Doubtful { end, len } => match self.doubt(at, end, len)? {
                None => Ok(end),
                Some(reason) => Err(reason),
            },
        })
    }

    /// Looks at what stands at `at`.
    fn head(&mut self, at: u64) -> Result<Head> {
        let next = self.next_listed(at).map(|next| next - at);
        let (left, mut want) = (self.len - at, HEADER_LEN);
        loop {
            let bytes = self.window.at(at, want)?;
            match frame::check(bytes, left, next) {
                Ok(Progress::Complete(len)) => return Ok(Head::Sound(at + len as u64)),
                // No more than twice as much: what a hostile length promises need not come.
                Ok(Progress::NeedsMore(more)) => want = more.min(CHUNK.max(2 * bytes.len())),
                Err((part, FrameError::InvalidNext(_))) => return Ok(doubtful(at, bytes, part)),
                Err((0, error)) => return Ok(Head::Broken(error.to_string())),
                Err((part, error)) => {
                    let place = at + part as u64;
                    return Ok(Head::Broken(format!("at byte {place}: {error}")));
                }
            }
        }
    }

    /// Where the record behind the one at `at` begins, if `at` is listed.
    fn next_listed(&mut self, at: u64) -> Option<u64> {
        let listed = self.listed;
        if listed.get(self.passed) != Some(&at) {
            self.passed = listed.partition_point(|&offset| offset < at);
        }
        let is_listed = listed.get(self.passed) == Some(&at);
        self.passed += usize::from(is_listed);
        is_listed.then(|| listed.get(self.passed).copied().unwrap_or(self.len))
    }

    /// The first offset from `from` on where a record can be gone on with: the file's end if there is none.
    fn resume(&mut self, from: u64) -> Result<u64> {
        if let Some((begin, end)) = self.searched
            && (begin..=end).contains(&from)
        {
            return Ok(end);
        }
        let found = self.search(from, self.len, Self::can_resume)?;
        let end = found.unwrap_or(self.len);
        self.searched = Some((from, end));
        Ok(end)
    }

    /// The first magic word from `from` to `to` that `is_wanted`.
    fn search(
        &mut self,
        from: u64,
        to: u64,
        is_wanted: impl Fn(&mut Self, u64) -> Result<bool>,
    ) -> Result<Option<u64>> {
        let mut at = from;
        while at + WORD as u64 <= to {
            let bytes = self.window.at(at, WORD)?;
            let within = &bytes[..bytes.len().min((to - at) as usize)];
            let Some(found) = memchr::memmem::find(within, &frame::MAGIC.to_le_bytes()) else {
                at += (within.len() - WORD + 1) as u64;
                continue;
            };
            at += found as u64;
            if is_wanted(self, at)? {
                return Ok(Some(at));
            }
            at += 1;
        }
        Ok(None)
    }

    fn can_resume(&mut self, at: u64) -> Result<bool> {
        if at % 4 == self.grid {
            return Ok(!matches!(self.head(at)?, Head::Broken(_)));
        }
        self.is_chain(at)
    }

    /// Whether so many sound records follow one another from `at` on that they are no accident.
    fn is_chain(&mut self, mut at: u64) -> Result<bool> {
        for _ in 0..CHAIN {
            match self.head(at)? {
                Head::Sound(end) if end == self.len => return Ok(true),
                Head::Sound(end) => at = end,
                _ => return Ok(false),
            }
        }
        Ok(true)
    }
}

/// The record at `at`, whose last part stands at `part` of its `bytes`.
fn doubtful(at: u64, bytes: &[u8], part: usize) -> Head {
    let header = bytes[part..]
        .first_chunk()
        .map(|bytes| FragmentHeader::parse(*bytes));
    let Some(Ok(header)) = header else {
        unreachable!("what follows a part is looked at behind its header");
    };
    Head::Doubtful {
        end: at + (part + HEADER_LEN + header.padded_len()) as u64,
        len: header.len,
    }
}

#[cfg(test)]
mod tests;
