//! Any bytes as a record's payload: header, labels and image add up to it, or it is refused because
//! they cannot. All who read headers, from the payload and from a file that has it as its only
//! record, say the same of it.

use recio_core::format::frame;
use recio_core::format::image_header::{self, HEADER_LEN, ImageRecord};
use recio_core::format::index::{Entry, Index};
use recio_core::read::header_table::HeaderTable;
use recio_core::read::record_file::RecordFile;
use recio_core::read::scan;

use super::Desk;

/// Checks it.
pub fn check(payload: &[u8], desk: &mut Desk) {
    let mut bytes = Vec::new();
    frame::encode(payload, &mut bytes).expect("it is short");
    let file = RecordFile::open(desk.lay(&bytes)).expect("the file is there");
    let record = ImageRecord::parse(payload);
    if let Ok(record) = &record {
        check_sum(payload, record);
        check_again(record);
    } else {
        let labels = payload.first_chunk().map(|flag| u32::from_le_bytes(*flag));
        let room = payload.len().checked_sub(HEADER_LEN).map(|rest| rest / 4);
        assert!(room.is_none_or(|room| labels.is_some_and(|labels| labels as usize > room)));
    }
    check_peeks(&file, record.as_ref().ok());
    check_columns(&file, record.as_ref().ok());
}

fn check_sum(payload: &[u8], record: &ImageRecord<'_>) {
    let behind = 4 * record.header.flag as usize;
    assert_eq!(HEADER_LEN + behind + record.image.len(), payload.len());
    assert!(payload.ends_with(record.image));
    assert_eq!(record.labels().len(), record.header.label_width());
    assert_eq!(record.labels().count(), record.header.label_width());
}

/// What encoding the fields makes is read as the same.
fn check_again(record: &ImageRecord<'_>) {
    let labels: Vec<f32> = record.labels().collect();
    let mut bytes = Vec::new();
    image_header::encode(&labels, record.header.id, &mut bytes);
    bytes.extend(record.image);
    let again = ImageRecord::parse(&bytes).expect("it was just encoded");
    assert_eq!(bits(again.labels()), bits(record.labels()));
    assert_eq!(
        (again.header.id, again.image),
        (record.header.id, record.image)
    );
}

/// Headers that are read without the image.
fn check_peeks(file: &RecordFile, record: Option<&ImageRecord<'_>>) {
    let mut buffer = vec![0xff; 50];
    let peeked = scan::read_header(file, 0, &mut buffer).ok().flatten();
    assert_eq!(peeked.map(|header| header.id), record.map(|r| r.header.id));
    let labels = scan::read_labels(file, 0, &mut buffer);
    let labels = labels.ok().map(|record| bits(record.labels()));
    assert_eq!(labels, record.map(|record| bits(record.labels())));
}

fn check_columns(file: &RecordFile, record: Option<&ImageRecord<'_>>) {
    let index = Index::new(vec![Entry { key: 7, offset: 0 }]).expect("it is one entry");
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
