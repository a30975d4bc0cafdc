//! Tests of record sets.

use std::path::Path;

use super::*;
use crate::format::index::Entry;
use crate::format::{frame, image_header};
use crate::write::sidecar::save_index;

fn write(folder: &Path, name: &str, ids: Range<u64>) -> Location {
    let mut bytes = Vec::new();
    for id in ids {
        let mut record = Vec::new();
        image_header::encode(&[id as f32], id, &mut record);
        record.resize(record.len() + id as usize * 100, b'x');
        frame::encode(&record, &mut bytes).unwrap();
    }
    let path = folder.join(name);
    std::fs::write(&path, bytes).unwrap();
    path.into()
}

fn ids(set: &RecordSet) -> Vec<u64> {
    let mut buffer = Vec::new();
    (0..set.len())
        .map(|i| set.read(i, &mut buffer).unwrap().header.id)
        .collect()
}

#[test]
fn files_are_one_sequence_with_and_without_an_index() {
    let folder = tempfile::tempdir().unwrap();
    let files = [
        write(folder.path(), "a.rec", 0..3),
        write(folder.path(), "b.rec", 3..7),
    ];
    let set = RecordSet::open(&files, &[]).unwrap();
    assert_eq!(ids(&set), [0, 1, 2, 3, 4, 5, 6]);
    let index = folder.path().join("all.idx");
    let offsets: Vec<u64> = set.offsets.iter().collect();
    let entries: Vec<Entry> = offsets
        .into_iter()
        .rev()
        .map(|offset| Entry {
            key: offset,
            offset,
        })
        .collect();
    save_index(&entries, &index).unwrap();
    assert_eq!(
        ids(&RecordSet::open(&files, &[index.into()]).unwrap()),
        [0, 1, 2, 3, 4, 5, 6]
    );
}

#[test]
fn the_first_read_is_all_of_a_record_unless_it_is_long() {
    let folder = tempfile::tempdir().unwrap();
    let files = [
        write(folder.path(), "short.rec", 3..5),
        write(folder.path(), "long.rec", 20_000..20_001),
    ];
    let set = RecordSet::open(&files, &[]).unwrap();
    let (first, is_all) = set.first_read(0);
    assert_eq!((first.start, is_all), (0, true));
    let (second, is_all) = set.first_read(1);
    assert!(is_all && set.are_neighbors(&first, &second));
    let (long, is_all) = set.first_read(2);
    assert!(!is_all && long.end - long.start == 1 << 20);
}

#[test]
fn only_the_records_of_the_index_are_read() {
    let folder = tempfile::tempdir().unwrap();
    let file = write(folder.path(), "a.rec", 0..6);
    let all = RecordSet::open(std::slice::from_ref(&file), &[]).unwrap();
    let index = folder.path().join("some.idx");
    std::fs::write(
        &index,
        format!("0\t{}\n1\t{}\n", all.offset(1), all.offset(4)),
    )
    .unwrap();
    assert_eq!(
        ids(&RecordSet::open(&[file], &[index.into()]).unwrap()),
        [1, 4]
    );
}

#[test]
fn errors_count_records_within_their_file() {
    let folder = tempfile::tempdir().unwrap();
    let files = [
        write(folder.path(), "a.rec", 0..3),
        write(folder.path(), "b.rec", 3..5),
    ];
    let set = RecordSet::open(&files, &[]).unwrap();
    let text = set.locate(Error::corrupt("bad"), 4).to_string();
    assert!(text.contains("b.rec: record 1 at byte 332: bad"), "{text}");
}

#[test]
fn a_header_with_too_many_labels_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let path = write(folder.path(), "a.rec", 0..3);
    let mut bytes = std::fs::read(path.path()).unwrap();
    bytes[8..12].fill(0xff);
    std::fs::write(path.path(), bytes).unwrap();
    let error = RecordSet::open(&[path], &[])
        .unwrap()
        .max_label_width(false, &Interrupt::never())
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("record 0 at byte 0: the header claims 4294967295 labels"),
        "{error}"
    );
}

#[test]
fn the_digest_is_that_of_all_offsets_in_order() {
    let numbers: Vec<u64> = (0..5000).map(|i| i * i).collect();
    for count in [0, 1, 1023, 1024, 5000] {
        let expected = numbers[..count].iter().fold(7, |digest, number| {
            crc32c::crc32c_append(digest, &number.to_le_bytes())
        });
        assert_eq!(append_digest(7, &numbers[..count]), expected);
    }
}
