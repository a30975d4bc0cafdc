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
    let mut words = magic_words(record);
    let mut start = 0;
    loop {
        let word = words.next();
        let end = word.unwrap_or(record.len());
        let header = FragmentHeader {
            kind: FragmentKind::of(start == 0, word.is_none()),
            len: end - start,
        };
        out.extend_from_slice(&header.to_bytes());
        out.extend_from_slice(&record[start..end]);
        out.extend_from_slice(&[0; 3][..header.padded_len() - header.len]);
        if word.is_none() {
            return Ok(());
        }
        start = end + MAGIC_BYTES.len();
    }
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

/// Returns the record in a frame that [`check`](super::check()) has accepted; none if it is split.
#[must_use]
pub fn whole(frame: &[u8]) -> Option<&[u8]> {
    let header = FragmentHeader::parse(*frame.first_chunk()?).ok()?;
    (header.kind == FragmentKind::Full).then(|| &frame[HEADER_LEN..HEADER_LEN + header.len])
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
