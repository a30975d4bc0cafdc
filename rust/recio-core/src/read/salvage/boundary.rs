//! Boundary heuristics: whether to keep a record that is followed by damage.
//!
//! Its frame is valid, but no header follows. Either that next header is damaged, and the record is
//! intact; or the length of the record is damaged, and it ends elsewhere. Nothing in the format
//! distinguishes the two, so the record is kept unless one of these contradicts its length:
//!
//! - the `.rsum` or the `.idx` lists the next record at another offset;
//! - what follows continues a split record, of which this would be the first fragment;
//! - it contains only zeros, and more zeros follow: a zeroed region that begins in its header;
//! - a valid record begins inside it, or after it but not aligned with it: bytes were inserted or
//!   removed here;
//! - the next valid record begins after it by fewer bytes than a record has: bytes were inserted;
//! - with one more bit set in its length, it would end where the next valid record begins.
//!
//! If half of a magic word follows, that is a damaged header, and confirms the length; so does the
//! caller.

use super::scanner::{Candidate, Scanner, WORD};
use super::segment::UnconfirmedRecord;
use crate::error::Result;
use crate::format::frame::{self, FragmentHeader, HEADER_LEN};

/// Returns what contradicts the length of a record, if anything does. `confirm` is asked whether
/// the record is intact.
pub(super) fn contradiction(
    scanner: &mut Scanner<'_>,
    record: Candidate,
    confirm: &mut impl FnMut(UnconfirmedRecord<'_>) -> bool,
) -> Result<Option<String>> {
    let Candidate { offset, end, len } = record;
    if let Some(next) = scanner.next_listed(offset) {
        return Ok((next != end).then(|| {
            format!("it ends at byte {end}, but the next record is listed at byte {next}")
        }));
    }
    let next_header = scanner.window.at(end, HEADER_LEN)?;
    let next_header = next_header[..next_header.len().min(HEADER_LEN)].to_vec();
    if is_near_magic(&next_header) {
        let is_split = len.is_multiple_of(4) && continues_record(scanner, end)?;
        return Ok(is_split.then(|| {
            "it is followed by a later fragment of a split record (a damaged fragment flag?)".into()
        }));
    }
    if is_confirmed(scanner, record, confirm)? {
        return Ok(None);
    }
    if next_header.first() == Some(&0) && is_zero(scanner, offset + HEADER_LEN as u64, end)? {
        return Ok(Some("only zero bytes, and more follow".into()));
    }
    let next = scanner.next_record(end)?;
    if let Some(other) = scanner.find_confirmed(offset + WORD as u64, next)? {
        return Ok(Some(format!(
            "a valid record begins at byte {other}, so this one cannot be intact (bytes inserted or removed?)"
        )));
    }
    if next < scanner.len && next % 4 != offset % 4 {
        return Ok(Some(format!(
            "the next record, at byte {next}, is not aligned with it (bytes inserted or removed?)"
        )));
    }
    explain_gap(scanner, record, next)
}

fn is_confirmed(
    scanner: &mut Scanner<'_>,
    Candidate { offset, end, .. }: Candidate,
    confirm: &mut impl FnMut(UnconfirmedRecord<'_>) -> bool,
) -> Result<bool> {
    let len = (end - offset) as usize;
    let frame = &scanner.window.at(offset, len)?[..len];
    Ok(confirm(UnconfirmedRecord { offset, frame }))
}

/// Returns what the distance to the next valid record, at `next`, contradicts.
fn explain_gap(
    scanner: &mut Scanner<'_>,
    Candidate { end, len, .. }: Candidate,
    next: u64,
) -> Result<Option<String>> {
    let gap = next - end;
    if gap < HEADER_LEN as u64 && next < scanner.len {
        return Ok(Some(format!(
            "the next record begins {gap} bytes after its end (bytes inserted?)"
        )));
    }
    let growth = |longer: usize| (longer.next_multiple_of(4) - len.next_multiple_of(4)) as u64;
    let mut lengths = (0..frame::LEN_BITS).map(|bit| len | 1 << bit);
    let Some(longer) = lengths.find(|&longer| growth(longer) == gap) else {
        return Ok(None);
    };
    let padding = longer.next_multiple_of(4) - longer;
    let is_padded = is_zero(scanner, next - padding as u64, next)?;
    Ok(is_padded.then(|| {
        format!("with one more bit set in its length it would end at byte {next}, where the next record begins")
    }))
}

/// Returns whether a middle or last fragment begins at `offset`, followed by what may follow it.
fn continues_record(scanner: &mut Scanner<'_>, offset: u64) -> Result<bool> {
    let fragment = header_at(scanner, offset)?.filter(|header| !header.kind.begins());
    let Some(fragment) = fragment else {
        return Ok(false);
    };
    let end = offset + (HEADER_LEN + fragment.padded_len()) as u64;
    if end >= scanner.len {
        return Ok(end == scanner.len && fragment.kind.ends());
    }
    let next = header_at(scanner, end)?;
    Ok(next.is_some_and(|next| next.kind.begins() == fragment.kind.ends()))
}

fn header_at(scanner: &mut Scanner<'_>, offset: u64) -> Result<Option<FragmentHeader>> {
    let bytes = scanner.window.at(offset, HEADER_LEN)?.first_chunk();
    Ok(bytes.and_then(|bytes| FragmentHeader::parse(*bytes).ok()))
}

fn is_zero(scanner: &mut Scanner<'_>, from: u64, to: u64) -> Result<bool> {
    let len = (to - from) as usize;
    let bytes = &scanner.window.at(from, len)?[..len];
    Ok(bytes.iter().all(|&byte| byte == 0))
}

/// Returns whether at least two of the first four bytes are those of the magic word. By chance,
/// this happens once in ten thousand times.
fn is_near_magic(bytes: &[u8]) -> bool {
    let magic = frame::MAGIC.to_le_bytes();
    bytes.iter().zip(magic).filter(|&(&a, b)| a == b).count() >= 2
}
