//! Headers and labels of image records, read without the images.

use crate::error::{Error, Result};
use crate::format::frame::{self, FragmentKind};
use crate::format::image_header::{self, Header, ImageRecord};
use crate::read::record_file::{Record, RecordFile};

/// Reads the image record's header of the record at `offset`; none if it is too short to have one.
///
/// # Errors
/// As [`RecordFile::read`], and [`Header::check`].
pub fn read_header(file: &RecordFile, offset: u64, buffer: &mut Vec<u8>) -> Result<Option<Header>> {
    let (header, len) = if let Some((fragment, header)) = single_fragment(file, offset)? {
        (header, fragment.len)
    } else {
        let payload = read_record(file, offset, buffer)?.payload;
        (payload.first_chunk().map(Header::parse), payload.len())
    };
    header
        .map(|header| header.check(len).map(|()| header))
        .transpose()
}

/// Reads the image record's header and labels of the record at `offset`, and no more of it than need be.
///
/// # Errors
/// As [`RecordFile::read`] and [`ImageRecord::parse`].
pub fn read_labels<'b>(
    file: &RecordFile,
    offset: u64,
    buffer: &'b mut Vec<u8>,
) -> Result<ImageRecord<'b>> {
    let begin = offset + frame::HEADER_LEN as u64;
    let room = |fragment: frame::FragmentHeader| {
        (fragment.len as u64).min(file.len().saturating_sub(begin))
    };
    let len = single_fragment(file, offset)?.and_then(|(fragment, header)| {
        let len = image_header::HEADER_LEN as u64 + 4 * u64::from(header?.flag);
        (len <= room(fragment)).then_some(len as usize)
    });
    let Some(len) = len else {
        return ImageRecord::parse(read_record(file, offset, buffer)?.payload);
    };
    buffer.resize(len, 0);
    file.read_exact_at(buffer, begin)
        .map_err(|error| error.at_offset(offset).at_path(file.path()))?;
    ImageRecord::parse(buffer)
}

/// The frame's and the image record's header at `offset`, if the record has one fragment.
pub(super) fn single_fragment(
    file: &RecordFile,
    offset: u64,
) -> Result<Option<(frame::FragmentHeader, Option<Header>)>> {
    let mut head = [0; frame::HEADER_LEN + image_header::HEADER_LEN];
    let have = file.len().saturating_sub(offset).min(head.len() as u64) as usize;
    file.read_exact_at(&mut head[..have], offset)
        .map_err(|error| error.at_offset(offset).at_path(file.path()))?;
    let fragment = head
        .first_chunk()
        .map(|bytes| frame::FragmentHeader::parse(*bytes));
    let Some(Ok(fragment)) = fragment.filter(|_| have >= frame::HEADER_LEN) else {
        return Ok(None);
    };
    let fits = fragment.len >= image_header::HEADER_LEN && have == head.len();
    let header = head.last_chunk().filter(|_| fits).map(Header::parse);
    Ok((fragment.kind == FragmentKind::Full).then_some((fragment, header)))
}

/// Reads the record at `offset`; that the file ends there is an error.
pub(super) fn read_record<'b>(
    file: &RecordFile,
    offset: u64,
    buffer: &'b mut Vec<u8>,
) -> Result<Record<'b>> {
    file.read(offset, None, buffer)?.ok_or_else(|| {
        Error::corrupt("the file ends here")
            .at_offset(offset)
            .at_path(file.path())
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::frame::MAGIC;
    use crate::format::image_header::encode;

    #[test]
    fn labels_are_read_of_whole_and_of_split_records() {
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
            let record = read_labels(&file, offset, &mut buffer).unwrap();
            assert_eq!(record.labels().collect::<Vec<_>>(), labels);
            assert_eq!(record.header.id, 7);
            offset = read_record(&file, offset, &mut buffer).unwrap().next;
        }
    }
}
