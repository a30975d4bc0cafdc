//! Headers and labels of image records, read without the images.
//!
//! These reads are smaller than a record of one fragment, so its checksum is not verified.

use crate::error::Result;
use crate::format::frame::{self, FragmentHeader, FragmentKind};
use crate::format::image_header::{self, Header, ImageRecord};
use crate::memory;
use crate::read::record_file::RecordFile;

/// Reads the header of the image record at `offset`; `None` if the record is too short for one.
/// `next` is the offset of the next record, if that is known.
///
/// # Errors
/// As [`RecordFile::read_existing`] and [`Header::check`].
pub fn read_header(
    file: &RecordFile,
    offset: u64,
    next: Option<u64>,
    buffer: &mut Vec<u8>,
) -> Result<Option<Header>> {
    let (header, len) = if let Some((fragment, header)) = single_fragment(file, offset)? {
        (header, fragment.len)
    } else {
        let record = file.read_existing(offset, next, buffer)?.bytes;
        (record.first_chunk().map(Header::parse), record.len())
    };
    header
        .map(|header| header.check(len).map(|()| header))
        .transpose()
}

/// Reads the header and the labels of the image record at `offset`. Its image is only read if the
/// record is split. `next` is the offset of the next record, if that is known.
///
/// # Errors
/// As [`RecordFile::read_existing`] and [`ImageRecord::parse`].
pub fn read_labels<'b>(
    file: &RecordFile,
    offset: u64,
    next: Option<u64>,
    buffer: &'b mut Vec<u8>,
) -> Result<ImageRecord<'b>> {
    let begin = offset + frame::HEADER_LEN as u64;
    let room =
        |fragment: FragmentHeader| (fragment.len as u64).min(file.len().saturating_sub(begin));
    let len = single_fragment(file, offset)?.and_then(|(fragment, header)| {
        let len = image_header::HEADER_LEN as u64 + 4 * u64::from(header?.flag);
        (len <= room(fragment)).then_some(len as usize)
    });
    let Some(len) = len else {
        return ImageRecord::parse(file.read_existing(offset, next, buffer)?.bytes);
    };
    memory::resize(buffer, len, 0)?;
    file.read_exact_at(buffer, begin)
        .map_err(|error| error.at_offset(offset))?;
    ImageRecord::parse(buffer)
}

/// Returns the header of an image record, from the bytes of its frame; none if they are too few, or
/// the header is split.
pub(crate) fn of_frame(bytes: &[u8]) -> Option<Header> {
    let fragment = FragmentHeader::parse(*bytes.first_chunk()?).ok()?;
    let header = bytes[frame::HEADER_LEN..].first_chunk()?;
    (fragment.len >= image_header::HEADER_LEN).then(|| Header::parse(header))
}

/// Bytes of the headers of a fragment and an image record.
pub(super) const HEADERS_LEN: usize = frame::HEADER_LEN + image_header::HEADER_LEN;

/// Reads the headers of the fragment and the image record at `offset`; `None` if the record is
/// split or its frame invalid.
pub(super) fn single_fragment(
    file: &RecordFile,
    offset: u64,
) -> Result<Option<(FragmentHeader, Option<Header>)>> {
    let mut bytes = [0; HEADERS_LEN];
    let len = file.len().saturating_sub(offset).min(bytes.len() as u64) as usize;
    file.read_exact_at(&mut bytes[..len], offset)
        .map_err(|error| error.at_offset(offset))?;
    Ok(parse_headers(&bytes[..len]))
}

/// Parses the headers of a fragment and an image record, of which the bytes may be fewer at the end
/// of the file; `None` if the record is split or its frame invalid.
pub(super) fn parse_headers(bytes: &[u8]) -> Option<(FragmentHeader, Option<Header>)> {
    let fragment = FragmentHeader::parse(*bytes.first_chunk()?).ok()?;
    let header = bytes.get(frame::HEADER_LEN..HEADERS_LEN);
    let header = header.filter(|_| fragment.len >= image_header::HEADER_LEN);
    let header = header.and_then(<[u8]>::first_chunk).map(Header::parse);
    (fragment.kind == FragmentKind::Full).then_some((fragment, header))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::frame::MAGIC;
    use crate::format::image_header::encode;

    #[test]
    fn labels_of_single_and_split_records_are_read() {
        let magic = f32::from_bits(MAGIC);
        let records = [vec![1.5, 2.5], vec![3.0, magic, 4.0]].map(|labels: Vec<f32>| {
            let mut bytes = Vec::new();
            encode(&labels, 7, &mut bytes);
            bytes.extend_from_slice(b"an image");
            (labels, bytes)
        });
        let mut bytes = Vec::new();
        for (_, record) in &records {
            frame::encode(record, &mut bytes).unwrap();
        }
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.rec");
        std::fs::write(&path, bytes).unwrap();
        let file = RecordFile::open(&path).unwrap();
        let (mut buffer, mut offset) = (Vec::new(), 0);
        for (labels, _) in records {
            let record = read_labels(&file, offset, None, &mut buffer).unwrap();
            assert_eq!(record.labels().collect::<Vec<_>>(), labels);
            assert_eq!(record.header.id, 7);
            offset = file.read_existing(offset, None, &mut buffer).unwrap().next;
        }
    }
}
