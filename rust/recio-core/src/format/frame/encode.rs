//! Encodes records as frames, and joins the fragments of a frame.

use std::ops::Range;

use super::fragment::{FragmentHeader, FragmentKind, FrameError, HEADER_LEN, MAX_RECORD_LEN};
use super::magic::{MAGIC_BYTES, magic_words};

/// Appends the frame of one record to `out`.
///
/// # Errors
/// [`FrameError::TooLong`]; then nothing is appended.
///
/// # Examples
/// ```
/// use recio_core::format::frame;
/// let mut bytes = Vec::new();
/// frame::encode(b"abcde", &mut bytes).unwrap();
/// assert_eq!(bytes, b"\x0a\x23\xd7\xce\x05\0\0\0abcde\0\0\0");
/// ```
pub fn encode(record: &[u8], out: &mut Vec<u8>) -> Result<(), FrameError> {
    if record.len() > MAX_RECORD_LEN {
        return Err(FrameError::TooLong(record.len()));
    }
    let mut ends: Vec<usize> = magic_words(record).collect();
    ends.push(record.len());
    out.reserve(record.len() + ends.len() * (HEADER_LEN + 4));
    let mut start = 0;
    for (i, &end) in ends.iter().enumerate() {
        let header = FragmentHeader {
            kind: FragmentKind::of(i, ends.len()),
            len: end - start,
        };
        out.extend_from_slice(&header.to_bytes());
        out.extend_from_slice(&record[start..end]);
        out.resize(out.len() + header.padded_len() - header.len, 0);
        start = end + MAGIC_BYTES.len();
    }
    Ok(())
}

/// Returns the length of the frame of a record.
#[must_use]
pub fn encoded_len(record: &[u8]) -> usize {
    let mut start = 0;
    let ends = magic_words(record).chain([record.len()]);
    let lens = ends.map(|end| {
        let len = HEADER_LEN + (end - start).next_multiple_of(4);
        start = end + MAGIC_BYTES.len();
        len
    });
    lens.sum()
}

/// Joins the fragments of a frame that [`check`](super::check()) has accepted, in place. Returns
/// the range of the record in `frame`.
///
/// A record of one fragment is not moved. The fragments of a split record are moved together, and
/// the magic words inserted between them.
pub fn join_fragments(frame: &mut [u8]) -> Range<usize> {
    let (mut at, mut filled) = (0, HEADER_LEN);
    while let Some(header) = frame.get(at..).and_then(<[u8]>::first_chunk::<HEADER_LEN>) {
        let len =
            u32::from_le_bytes(std::array::from_fn(|i| header[4 + i])) as usize & MAX_RECORD_LEN;
        if at > 0 {
            frame[filled..filled + 4].copy_from_slice(&MAGIC_BYTES);
            filled += 4;
        }
        if filled != at + HEADER_LEN {
            frame.copy_within(at + HEADER_LEN..at + HEADER_LEN + len, filled);
        }
        filled += len;
        at += HEADER_LEN + len.next_multiple_of(4);
    }
    HEADER_LEN..filled
}
