//! Records that end where their images end, which confirms their length.

use super::segment::UnconfirmedRecord;
use crate::format::frame;
use crate::format::image_header::ImageRecord;

/// Begins and ends of images, in formats whose last bytes are known.
const ENDS: [(&[u8], &[u8]); 4] = [
    (&[0xff, 0xd8], &[0xff, 0xd9]),
    (b"\x89PNG", b"\0\0\0\0IEND\xae\x42\x60\x82"),
    (b"GIF87a", b";"),
    (b"GIF89a", b";"),
];

/// Whether a record is an image record whose image ends with the record: a JPEG, PNG or GIF by its
/// last bytes, a WebP or BMP by the length in its header.
#[must_use]
pub fn has_complete_image(record: UnconfirmedRecord<'_>) -> bool {
    let mut frame = record.frame.to_vec();
    let payload = frame::join_fragments(&mut frame);
    ImageRecord::parse(&frame[payload]).is_ok_and(|record| {
        let image = record.image;
        let has_end = |&(begin, end)| image.starts_with(begin) && image.ends_with(end);
        ENDS.iter().any(has_end) || claimed_len(image) == Some(image.len())
    })
}

/// Returns the length in the header of a WebP or BMP.
fn claimed_len(image: &[u8]) -> Option<usize> {
    let len_at = |at: usize| Some(u32::from_le_bytes(*image.get(at..)?.first_chunk()?) as usize);
    if image.starts_with(b"RIFF") {
        return len_at(4)?.checked_add(8);
    }
    image.starts_with(b"BM").then(|| len_at(2)).flatten()
}
