//! Whether to keep a record behind which there is damage.
//!
//! Its frames are in order, but what follows is no head of a record. Either that head is damaged, and the record is whole;
//! or the record's own header is, and it ends elsewhere. Nothing in the format tells the two apart, so the record is kept
//! unless one of these speaks against it:
//!
//! - a list of the records (`.rsum`, `.idx`) has the next one elsewhere;
//! - what follows goes on with a split record, of which this would be the first part;
//! - it is nothing but zeros, and zeros follow: a hole that begins in its header;
//! - a sound record begins inside it, or off its 4-byte grid behind it: bytes were lost or inserted here;
//! - the next sound record is behind it by fewer bytes than a record has: bytes were inserted here;
//! - one bit in its length, if it were set, would let it end where that one begins.
//!
//! Where half of a magic word follows, that is a damaged header, and proof enough; and so is the word of whoever walks.

use super::{HEADER_LEN, Head, SalvageReader, UnconfirmedRecord, WORD};
use crate::error::Result;
use crate::format::frame::{self, FragmentHeader};

impl<V: FnMut(UnconfirmedRecord<'_>) -> bool> SalvageReader<'_, V> {
    /// What speaks against the record at `at` that would end at `end`, its last part having `len` bytes.
    pub(super) fn doubt(&mut self, at: u64, end: u64, len: usize) -> Result<Option<String>> {
        if let Some(next) = self.next_listed(at) {
            return Ok((next != end).then(|| {
                format!("it ends at byte {end}, but the next record is listed at byte {next}")
            }));
        }
        let follow = self.window.at(end, HEADER_LEN)?;
        let follow = follow[..follow.len().min(HEADER_LEN)].to_vec();
        if is_near_magic(&follow) {
            let goes_on = len.is_multiple_of(4) && self.goes_on(end)?;
            return Ok(goes_on.then(|| {
                "it is followed by a later part of a split record (a damaged part flag?)".into()
            }));
        }
        if self.is_vouched_for(at, end)? {
            return Ok(None);
        }
        if follow.first() == Some(&0) && self.is_zero(at + HEADER_LEN as u64, end)? {
            return Ok(Some("nothing but zeros, and more of them follow".into()));
        }
        let next = self.resume(end)?;
        if let Some(other) = self.search(at + WORD as u64, next, Self::is_sound)? {
            return Ok(Some(format!(
                "a sound record begins at byte {other}, where none can if this one is whole (bytes inserted or lost?)"
            )));
        }
        if next < self.len && next % 4 != at % 4 {
            return Ok(Some(format!(
                "the next record, at byte {next}, is not on its 4-byte grid (bytes inserted or lost?)"
            )));
        }
        self.explain_gap(end, len, next)
    }

    fn is_vouched_for(&mut self, offset: u64, end: u64) -> Result<bool> {
        let len = (end - offset) as usize;
        let frame = &self.window.at(offset, len)?[..len];
        Ok((self.vouches)(UnconfirmedRecord { offset, frame }))
    }

    /// What the distance from the record's end to the next sound one says against it.
    fn explain_gap(&mut self, end: u64, len: usize, next: u64) -> Result<Option<String>> {
        let gap = next - end;
        if gap < HEADER_LEN as u64 && next < self.len {
            return Ok(Some(format!(
                "the next record begins {gap} bytes behind its end (bytes inserted?)"
            )));
        }
        let grows_by =
            |longer: usize| (longer.next_multiple_of(4) - len.next_multiple_of(4)) as u64;
        let mut lengths = (0..frame::LEN_BITS).map(|bit| len | 1 << bit);
        let Some(longer) = lengths.find(|&longer| grows_by(longer) == gap) else {
            return Ok(None);
        };
        let padding = longer.next_multiple_of(4) - longer;
        let is_padded = self.is_zero(next - padding as u64, next)?;
        Ok(is_padded.then(|| {
            format!("with one bit more in its length it would end at byte {next}, as it should")
        }))
    }

    /// Whether a middle or a last part stands at `at`, and behind it what belongs there.
    fn goes_on(&mut self, at: u64) -> Result<bool> {
        let Some(part) = self.header(at)?.filter(|header| !header.kind.begins()) else {
            return Ok(false);
        };
        let end = at + (HEADER_LEN + part.padded_len()) as u64;
        if end >= self.len {
            return Ok(end == self.len && part.kind.ends());
        }
        let next = self.header(end)?;
        Ok(next.is_some_and(|next| next.kind.begins() == part.kind.ends()))
    }

    fn header(&mut self, at: u64) -> Result<Option<FragmentHeader>> {
        let bytes = self.window.at(at, HEADER_LEN)?.first_chunk();
        Ok(bytes.and_then(|bytes| FragmentHeader::parse(*bytes).ok()))
    }

    fn is_zero(&mut self, from: u64, to: u64) -> Result<bool> {
        let len = (to - from) as usize;
        let bytes = &self.window.at(from, len)?[..len];
        Ok(bytes.iter().all(|&byte| byte == 0))
    }

    fn is_sound(&mut self, at: u64) -> Result<bool> {
        Ok(matches!(self.head(at)?, Head::Sound(_)))
    }
}

/// Whether at least two of the first four bytes are the magic's: by chance, one time in ten thousand.
fn is_near_magic(bytes: &[u8]) -> bool {
    let magic = frame::MAGIC.to_le_bytes();
    bytes.iter().zip(magic).filter(|&(&a, b)| a == b).count() >= 2
}
