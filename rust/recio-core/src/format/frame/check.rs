//! Checks that bytes are a frame.

use super::fragment::{FragmentHeader, FrameError, HEADER_LEN, MAX_RECORD_LEN};
use super::magic::{MAGIC_BYTES, first_magic_word};

/// Result of [`check`] for the bytes at hand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress {
    /// A complete, valid frame of this many bytes.
    Complete(usize),
    /// At least this many bytes from the beginning of the frame are needed.
    NeedsMore(usize),
}

/// Checks the frame at the beginning of `bytes`.
///
/// `left` is the number of bytes in the file from there on, of which `bytes` are the first. `next`
/// is the offset of the next record relative to the frame, if an index lists it: a frame that ends
/// there is valid whatever follows.
///
/// # Errors
/// A [`FrameError`], with the position of the fragment header that it is about, relative to the
/// frame.
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
            more @ Progress::NeedsMore(_) => return Ok(more),
        };
        if header.kind.ends() {
            let progress = if next == Some(end as u64) {
                Ok(Progress::Complete(end))
            } else {
                check_lookahead(bytes, end, left)
            };
            return progress.map_err(|error| (at, error));
        }
        (at, inside) = (end, true);
    }
}

/// Returns the header at `at`; `None` if it is beyond the bytes at hand.
fn header_at(bytes: &[u8], at: usize, left: u64) -> Result<Option<FragmentHeader>, FrameError> {
    if let Some(header) = bytes.get(at..).and_then(|rest| rest.first_chunk()) {
        return FragmentHeader::parse(*header).map(Some);
    }
    match left - at as u64 {
        left if left < HEADER_LEN as u64 => Err(FrameError::TruncatedHeader(left)),
        _ => Ok(None),
    }
}

/// Checks the fragment with this header, and returns its end. Needs the bytes up to there.
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
    // Before more bytes are requested: the next record then reveals a damaged length, not a read of
    // 512 MB.
    if let Some(position) = first_magic_word(&bytes[at + HEADER_LEN..data_end.min(bytes.len())]) {
        return Err(FrameError::MagicInside(position));
    }
    if bytes.len() < end {
        // Most records end here, so the bytes of the lookahead are requested at once.
        return Ok(Progress::NeedsMore(
            left.min((end + HEADER_LEN) as u64) as usize
        ));
    }
    if bytes[data_end..end].iter().any(|&byte| byte != 0) {
        return Err(FrameError::Padding(header.len));
    }
    Ok(Progress::Complete(end))
}

/// Checks that the end of the file or the header of another record is at `end`, the end of a frame.
fn check_lookahead(bytes: &[u8], end: usize, left: u64) -> Result<Progress, FrameError> {
    let ahead = left.min((end + HEADER_LEN) as u64) as usize;
    match bytes.get(end..ahead) {
        Some(header) => check_next_header(header).map(|()| Progress::Complete(end)),
        None => Ok(Progress::NeedsMore(ahead)),
    }
}

/// Checks that the bytes after a frame begin a record, or are none.
///
/// A header that is truncated by the end of the file is accepted: this frame is valid, and reading
/// the next one reports it.
pub(crate) fn check_next_header(bytes: &[u8]) -> Result<(), FrameError> {
    let bytes = &bytes[..bytes.len().min(HEADER_LEN)];
    let magic = bytes.len().min(MAGIC_BYTES.len());
    let is_valid = match bytes.first_chunk() {
        Some(header) => FragmentHeader::parse(*header).is_ok_and(|header| header.kind.begins()),
        None => bytes[..magic] == MAGIC_BYTES[..magic],
    };
    if is_valid {
        Ok(())
    } else {
        Err(FrameError::InvalidNext(bytes.to_vec()))
    }
}
