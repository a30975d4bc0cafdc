//! Whether bytes are a record's frame.

use super::fragment::{FragmentHeader, FrameError, HEADER_LEN, MAX_RECORD_LEN};
use super::magic::{MAGIC_BYTES, first_magic_word};

/// How far [`check`] got with the bytes that it was given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress {
    /// A whole record, sound, of this many bytes with headers and padding.
    Complete(usize),
    /// At least this many bytes, from the record's beginning, are needed to go on.
    NeedsMore(usize),
}

/// Checks the record whose first header stands at the beginning of `bytes`.
///
/// `left` is how many bytes there are in the file from there on, of which `bytes` are the first. `next` is where an index
/// says that the next record begins, relative to the beginning too: a record that ends just there needs no look at it.
///
/// # Errors
/// A [`FrameError`], with the place of the header that it is about, relative to the beginning.
pub fn check(bytes: &[u8], left: u64, next: Option<u64>) -> Result<Progress, (usize, FrameError)> {
    let (mut at, mut inside, mut total) = (0, false, 0);
    loop {
        let Some(header) = header_at(bytes, at, left).map_err(|error| (at, error))? else {
            return Ok(Progress::NeedsMore(at + HEADER_LEN));
        };
        header.check_order(inside).map_err(|error| (at, error))?;
        total += header.len + if inside { MAGIC_BYTES.len() } else { 0 };
        if total > MAX_RECORD_LEN {
            return Err((at, FrameError::TooLong(total)));
        }
        let end = match fragment_end(bytes, at, header, left).map_err(|error| (at, error))? {
            Progress::Complete(end) => end,
            needs @ Progress::NeedsMore(_) => return Ok(needs),
        };
        if header.kind.ends() {
            let expected = next == Some(end as u64);
            let whole = if expected {
                Ok(Progress::Complete(end))
            } else {
                check_lookahead(bytes, end, left)
            };
            return whole.map_err(|error| (at, error));
        }
        (at, inside) = (end, true);
    }
}

/// The header at `at`, or none if it lies beyond the bytes at hand.
fn header_at(bytes: &[u8], at: usize, left: u64) -> Result<Option<FragmentHeader>, FrameError> {
    if let Some(header) = bytes.get(at..).and_then(|rest| rest.first_chunk()) {
        return FragmentHeader::parse(*header).map(Some);
    }
    match left - at as u64 {
        left if left < HEADER_LEN as u64 => Err(FrameError::TruncatedHeader(left)),
        _ => Ok(None),
    }
}

/// Where the part with this header ends; asks for the bytes up to there.
fn fragment_end(
    bytes: &[u8],
    at: usize,
    header: FragmentHeader,
    left: u64,
) -> Result<Progress, FrameError> {
    let data_end = at + HEADER_LEN + header.len;
    let end = at + HEADER_LEN + header.padded_len();
    if end as u64 > left {
        let left = left - (at + HEADER_LEN) as u64;
        return Err(FrameError::Truncated {
            len: header.len,
            left,
        });
    }
    // Before more is asked for: a damaged length is then found out by the next record, not after 512 MB.
    if let Some(inside) = first_magic_word(&bytes[at + HEADER_LEN..data_end.min(bytes.len())]) {
        return Err(FrameError::MagicInside(inside));
    }
    if bytes.len() < end {
        // Most records end here, so the bytes of the look-ahead are asked for at once.
        return Ok(Progress::NeedsMore(
            left.min((end + HEADER_LEN) as u64) as usize
        ));
    }
    if bytes[data_end..end].iter().any(|&byte| byte != 0) {
        return Err(FrameError::Padding(header.len));
    }
    Ok(Progress::Complete(end))
}

/// Whether what stands at `end`, where a record ends, is the end of the file or the head of another record.
fn check_lookahead(bytes: &[u8], end: usize, left: u64) -> Result<Progress, FrameError> {
    let ahead = left.min((end + HEADER_LEN) as u64) as usize;
    match bytes.get(end..ahead) {
        Some(follow) => check_next_header(follow).map(|()| Progress::Complete(end)),
        None => Ok(Progress::NeedsMore(ahead)),
    }
}

/// Checks what comes after a record.
///
/// A head that the file's end cuts short is left for the next read to complain of: this record is whole.
pub(crate) fn check_next_header(head: &[u8]) -> Result<(), FrameError> {
    let head = &head[..head.len().min(HEADER_LEN)];
    let magic = head.len().min(MAGIC_BYTES.len());
    let sound = match head.first_chunk() {
        Some(header) => FragmentHeader::parse(*header).is_ok_and(|header| header.kind.begins()),
        None => head[..magic] == MAGIC_BYTES[..magic],
    };
    if sound {
        Ok(())
    } else {
        Err(FrameError::InvalidNext(head.to_vec()))
    }
}
