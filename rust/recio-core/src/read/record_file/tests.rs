use super::*;
use crate::format::frame::MAGIC;

fn file_of(records: &[&[u8]]) -> (tempfile::TempDir, RecordFile, Vec<u64>) {
    let (mut bytes, mut offsets) = (Vec::new(), Vec::new());
    for record in records {
        offsets.push(bytes.len() as u64);
        frame::encode(record, &mut bytes).unwrap();
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.rec");
    std::fs::write(&path, bytes).unwrap();
    let file = RecordFile::open(&path).unwrap();
    (folder, file, offsets)
}

#[test]
fn records_are_read_in_any_order_with_and_without_next_offsets() {
    let long = vec![7; 3 * FIRST_READ as usize];
    let split = [b"AAAA", &MAGIC.to_le_bytes()[..], &[9; 10_000]].concat();
    let records: [&[u8]; 4] = [b"one", &long, b"", &split];
    let (_folder, file, offsets) = file_of(&records);
    let mut buffer = Vec::new();
    for i in [3, 0, 2, 1] {
        let next = *offsets.get(i + 1).unwrap_or(&file.len());
        for hint in [None, Some(next), Some(u64::MAX)] {
            let record = file.read(offsets[i], hint, &mut buffer).unwrap().unwrap();
            assert_eq!((record.bytes, record.next), (records[i], next));
        }
    }
    assert!(file.read(file.len(), None, &mut buffer).unwrap().is_none());
}

#[test]
fn errors_name_path_and_offset() {
    let (_folder, file, _) = file_of(&[b"one", b"two"]);
    let text = |offset| {
        file.read(offset, None, &mut Vec::new())
            .unwrap_err()
            .to_string()
    };
    assert!(
        text(4).ends_with("a.rec: at byte 4: magic 0x00000003, expected 0xced7230a"),
        "{}",
        text(4)
    );
    assert!(
        text(400).ends_with("at byte 400: the file ends at byte 24"),
        "{}",
        text(400)
    );
}

/// Writes the checksums of a file, and opens it again.
fn with_checksums(file: &RecordFile, offsets: &[u64]) -> RecordFile {
    let bytes = std::fs::read(file.path()).unwrap();
    let mut sums = Checksums::default();
    for (i, &offset) in offsets.iter().enumerate() {
        let end = offsets
            .get(i + 1)
            .map_or(bytes.len(), |&next| next as usize);
        sums.push(offset, &bytes[offset as usize..end]);
    }
    let mut rsum = Vec::new();
    sums.write_to(&mut rsum).unwrap();
    std::fs::write(checksum::path_for(file.path()), rsum).unwrap();
    RecordFile::open(file.path()).unwrap()
}

#[test]
fn records_must_match_their_checksums() {
    let split = [b"AAAA", &MAGIC.to_le_bytes()[..], &[9; 10_000]].concat();
    let (_folder, file, offsets) = file_of(&[b"one", &split, b"three"]);
    let file = with_checksums(&file, &offsets);
    let mut buffer = Vec::new();
    let record = file.read(offsets[1], None, &mut buffer).unwrap().unwrap();
    assert_eq!((record.bytes, record.next), (&split[..], offsets[2]));
    let mut bytes = std::fs::read(file.path()).unwrap();
    bytes[offsets[1] as usize + 5000] ^= 1;
    std::fs::write(file.path(), bytes).unwrap();
    let error = file.read(offsets[1], None, &mut buffer).unwrap_err();
    assert!(
        error.to_string().ends_with(
            "a.rec: at byte 12: the bytes of this record do not match their checksum in a.rsum: the record is \
             damaged, or the file was changed"
        ),
        "{error}"
    );
}

#[test]
fn offsets_that_the_checksums_do_not_list_are_errors() {
    let inner = frame_of(b"inside");
    let (_folder, file, offsets) = file_of(&[b"one", &[b"x", &inner[..]].concat()]);
    assert!(file.read(21, None, &mut Vec::new()).is_err());
    let file = with_checksums(&file, &offsets);
    let error = file.read(21, None, &mut Vec::new()).unwrap_err();
    let text = "at byte 21: a.rsum lists no record at this offset";
    assert!(error.to_string().ends_with(text), "{error}");
}

fn frame_of(record: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    frame::encode(record, &mut bytes).unwrap();
    bytes
}

#[test]
fn records_of_a_truncated_file_are_read_and_its_end_is_an_error() {
    let (_folder, file, offsets) = file_of(&[b"one", b"two", b"three"]);
    with_checksums(&file, &offsets);
    let bytes = std::fs::read(file.path()).unwrap();
    std::fs::write(file.path(), &bytes[..offsets[2] as usize]).unwrap();
    let file = RecordFile::open(file.path()).unwrap();
    let mut buffer = Vec::new();
    let record = file.read(offsets[1], None, &mut buffer).unwrap().unwrap();
    assert_eq!(record.bytes, b"two");
    let error = file.read(record.next, None, &mut Vec::new()).unwrap_err();
    let text =
        "24 bytes, but a.rsum was written for a file of 40: the file was truncated or replaced";
    assert!(error.to_string().contains(text), "{error}");
    std::fs::write(file.path(), [&bytes[..], &frame_of(b"four")].concat()).unwrap();
    let file = RecordFile::open(file.path()).unwrap();
    let error = file.read(40, None, &mut buffer).unwrap_err().to_string();
    assert!(error.contains("replaced or appended to"), "{error}");
}

#[test]
fn a_record_before_a_damaged_header_is_valid_if_its_checksum_matches() {
    let (_folder, file, offsets) = file_of(&[b"one", b"two"]);
    with_checksums(&file, &offsets);
    let mut bytes = std::fs::read(file.path()).unwrap();
    bytes[12] ^= 1;
    std::fs::write(file.path(), bytes).unwrap();
    let mut buffer = Vec::new();
    let file = RecordFile::open(file.path()).unwrap();
    let record = file.read(0, None, &mut buffer).unwrap().unwrap();
    assert_eq!(record.bytes, b"one");
}

#[test]
fn a_file_truncated_after_opening_is_an_error() {
    let (folder, file, _) = file_of(&[&[7; 100]]);
    std::fs::File::options()
        .write(true)
        .open(folder.path().join("a.rec"))
        .unwrap()
        .set_len(50)
        .unwrap();
    let error = file.read(0, None, &mut Vec::new()).unwrap_err();
    assert!(error.to_string().contains("was truncated"), "{error}");
}

#[test]
fn a_record_of_many_fragments_is_read_in_linear_time() {
    let record = MAGIC.to_le_bytes().repeat(100_000);
    let (_folder, file, _) = file_of(&[&record]);
    let start = std::time::Instant::now();
    let mut buffer = Vec::new();
    assert_eq!(
        file.read(0, None, &mut buffer).unwrap().unwrap().bytes,
        record
    );
    assert!(start.elapsed().as_secs() < 2, "{:?}", start.elapsed());
}
