//! Any bytes as a record's payload: header, labels and image add up to the payload, or it is
//! rejected because they cannot. All readers of headers, from the payload and from a file with this
//! record, agree.

use recio_core::format::frame;
use recio_core::format::image_header::{self, HEADER_LEN, ImageRecord};
use recio_core::format::index::{Entry, Index};
use recio_core::read::header;
use recio_core::read::header_table::HeaderTable;
use recio_core::read::record_file::RecordFile;

use super::InputFile;

/// Check the property.
pub fn check(payload: &[u8], input: &mut InputFile) {
    let mut bytes = Vec::new();
    frame::encode(payload, &mut bytes).expect("the payload is short");
    let file = RecordFile::open(input.write(&bytes)).expect("the file exists");
    let record = ImageRecord::parse(payload);
    if let Ok(record) = &record {
        check_lengths(payload, record);
        check_round_trip(record);
    } else {
        let labels = payload.first_chunk().map(|flag| u32::from_le_bytes(*flag));
        let room = payload.len().checked_sub(HEADER_LEN).map(|rest| rest / 4);
        assert!(room.is_none_or(|room| labels.is_some_and(|labels| labels as usize > room)));
    }
    check_headers_without_image(&file, record.as_ref().ok());
    check_columns(&file, record.as_ref().ok());
}

fn check_lengths(payload: &[u8], record: &ImageRecord<'_>) {
    let label_bytes = 4 * record.header.flag as usize;
    assert_eq!(HEADER_LEN + label_bytes + record.image.len(), payload.len());
    assert!(payload.ends_with(record.image));
    assert_eq!(record.labels().len(), record.header.label_width());
    assert_eq!(record.labels().count(), record.header.label_width());
}

/// Encoding the fields and parsing the result returns the same fields.
fn check_round_trip(record: &ImageRecord<'_>) {
    let labels: Vec<f32> = record.labels().collect();
    let mut bytes = Vec::new();
    image_header::encode(&labels, record.header.id, &mut bytes);
    bytes.extend(record.image);
    let repeated = ImageRecord::parse(&bytes).expect("it was encoded from a valid record");
    assert_eq!(bits(repeated.labels()), bits(record.labels()));
    assert_eq!(
        (repeated.header.id, repeated.image),
        (record.header.id, record.image)
    );
}

/// Check headers that are read without the image.
fn check_headers_without_image(file: &RecordFile, record: Option<&ImageRecord<'_>>) {
    let mut buffer = vec![0xff; 50];
    let header = header::read_header(file, 0, None, &mut buffer)
        .ok()
        .flatten();
    assert_eq!(header.map(|header| header.id), record.map(|r| r.header.id));
    let labels = header::read_labels(file, 0, None, &mut buffer);
    let labels = labels.ok().map(|record| bits(record.labels()));
    assert_eq!(labels, record.map(|record| bits(record.labels())));
}

fn check_columns(file: &RecordFile, record: Option<&ImageRecord<'_>>) {
    let index = Index::new(vec![Entry { key: 7, offset: 0 }]).expect("there is one entry");
    let mut columns = HeaderTable::default();
    let outcome = columns.extend(file, &index, &[7]);
    assert_eq!(outcome.is_ok(), record.is_some(), "{outcome:?}");
    if let Some(record) = record {
        assert_eq!(bits(columns.labels.into_iter()), bits(record.labels()));
        assert_eq!(columns.image_lens, [record.image.len() as u32]);
        assert_eq!(columns.flags, [record.header.flag]);
    }
}

fn bits(labels: impl Iterator<Item = f32>) -> Vec<u32> {
    labels.map(f32::to_bits).collect()
}
