//! Salvage of small files with one kind of damage each. `tests/salvage.rs` has large files.

use super::*;
use crate::format::frame::{self, FragmentHeader};
use crate::read::record_file::RecordFile;

const MAGIC_BYTES: [u8; 4] = frame::MAGIC.to_le_bytes();

const UNKNOWN: fn(UnconfirmedRecord<'_>) -> bool = |_| false;

/// Returns the records of a damaged file, and the skipped regions.
fn salvage(
    bytes: &[u8],
    confirm: impl FnMut(UnconfirmedRecord<'_>) -> bool,
) -> (Vec<Vec<u8>>, Vec<SkippedRegion>) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.rec");
    std::fs::write(&path, bytes).unwrap();
    let file = RecordFile::open(&path).unwrap();
    let mut reader = SalvageReader::new(&file, &[], confirm);
    let (mut records, mut skipped, mut at) = (vec![], vec![], 0);
    while let Some(segment) = reader.next_segment().unwrap() {
        match segment {
            Segment::Record(record) => {
                assert_eq!(record.offset, at);
                at += record.frame.len() as u64;
                let range = frame::join_fragments(record.frame);
                records.push(record.frame[range].to_vec());
            }
            Segment::Skipped(region) => {
                assert_eq!(region.begin, at);
                at = region.end;
                skipped.push(region);
            }
        }
    }
    assert_eq!(at, bytes.len() as u64);
    (records, skipped)
}

/// Returns records of many lengths, some with magic words; their file; and their offsets.
fn sample_file() -> (Vec<Vec<u8>>, Vec<u8>, Vec<usize>) {
    let (mut records, mut bytes, mut offsets) = (vec![], vec![], vec![]);
    for n in 0..60usize {
        let mut record = vec![n as u8 + 1; n * 7 % 90];
        if n % 5 == 0 {
            record.extend(MAGIC_BYTES);
            record.extend([7; 3]);
        }
        offsets.push(bytes.len());
        frame::encode(&record, &mut bytes).unwrap();
        records.push(record);
    }
    (records, bytes, offsets)
}

#[test]
fn all_records_of_an_intact_file_are_read() {
    let (records, bytes, _) = sample_file();
    assert_eq!(salvage(&bytes, UNKNOWN), (records, vec![]));
    assert_eq!(salvage(b"", UNKNOWN), (vec![], vec![]));
}

#[test]
fn only_damaged_records_are_skipped() {
    let (mut records, mut bytes, offsets) = sample_file();
    bytes[offsets[20] + 9] = 0;
    bytes[offsets[31]..offsets[33] + 2].fill(0xaa);
    let (salvaged, skipped) = salvage(&bytes, UNKNOWN);
    records[20][1] = 0;
    records.drain(31..34);
    assert_eq!(salvaged, records);
    assert_eq!(skipped.len(), 1);
    assert_eq!(
        (skipped[0].begin, skipped[0].end),
        (offsets[31] as u64, offsets[34] as u64)
    );
    assert!(
        skipped[0].reason.starts_with("magic 0xaaaaaaaa"),
        "{}",
        skipped[0].reason
    );
}

#[test]
fn a_record_before_a_damaged_header_is_kept() {
    let (records, mut bytes, offsets) = sample_file();
    bytes[offsets[12] + 7] |= 0xf0;
    let (salvaged, skipped) = salvage(&bytes, UNKNOWN);
    assert_eq!(salvaged.len(), records.len() - 1);
    assert_eq!(skipped[0].begin, offsets[12] as u64);
    assert_eq!(skipped[0].reason, "fragment flag 7, expected 0 to 3");
}

#[test]
fn records_after_inserted_or_removed_bytes_are_found() {
    let (records, bytes, offsets) = sample_file();
    for (at, taken, put) in [(20, 0, 1), (20, 3, 0), (20, 0, 4), (20, 2, 5), (40, 1, 0)] {
        let at = offsets[at] + 10;
        let mut bytes = bytes.clone();
        bytes.splice(at..at + taken, vec![0x55; put]);
        let (salvaged, skipped) = salvage(&bytes, UNKNOWN);
        assert!(salvaged.iter().all(|record| records.contains(record)));
        assert!(
            salvaged.len() >= records.len() - 2,
            "{} {skipped:?}",
            salvaged.len()
        );
    }
}

#[test]
fn a_truncated_last_record_is_skipped() {
    let (records, bytes, offsets) = sample_file();
    for cut in offsets[58] + 1..offsets[59] {
        let (salvaged, skipped) = salvage(&bytes[..cut], UNKNOWN);
        assert_eq!(salvaged, records[..58]);
        assert_eq!(
            (skipped[0].begin, skipped[0].end),
            (offsets[58] as u64, cut as u64)
        );
    }
}

#[test]
fn false_lengths_do_not_cause_repeated_reads() {
    let header = FragmentHeader {
        kind: frame::FragmentKind::Full,
        len: 200 << 20,
    };
    let mut bytes = header.to_bytes().repeat(1 << 20);
    // Too short for the last of them, which would be a record otherwise.
    bytes.resize(bytes.len() + (199 << 20), 1);
    let start = std::time::Instant::now();
    let (salvaged, skipped) = salvage(&bytes, UNKNOWN);
    assert_eq!((salvaged.len(), skipped.len()), (0, 1));
    assert!(start.elapsed().as_secs() < 20, "{:?}", start.elapsed());
}

#[test]
fn an_unaligned_header_inside_a_record_is_ignored() {
    let mut inner = b"x".to_vec();
    frame::encode(b"not a record", &mut inner).unwrap();
    inner.extend([9; 30]);
    let mut bytes = Vec::new();
    frame::encode(&inner, &mut bytes).unwrap();
    frame::encode(b"valid", &mut bytes).unwrap();
    bytes[0] = 0;
    let (salvaged, _) = salvage(&bytes, UNKNOWN);
    assert_eq!(salvaged, [b"valid".to_vec()]);
}

/// Returns a file of three records, at bytes 0, 24 and 80.
fn three_records() -> Vec<u8> {
    let mut bytes = Vec::new();
    for record in [&[1; 16][..], &[2; 48], &[3; 24]] {
        frame::encode(record, &mut bytes).unwrap();
    }
    bytes
}

/// Salvages the three records after `damage` to the second.
fn salvage_second(damage: impl Fn(&mut [u8])) -> (Vec<Vec<u8>>, Vec<SkippedRegion>) {
    let mut bytes = three_records();
    damage(&mut bytes[24..80]);
    salvage(&bytes, UNKNOWN)
}

#[test]
fn a_record_before_an_overwritten_header_is_kept() {
    let (salvaged, skipped) = salvage_second(|bytes| bytes[..40].fill(0x77));
    assert_eq!(salvaged, [vec![1; 16], vec![3; 24]]);
    assert_eq!(skipped[0].reason, "magic 0x77777777, expected 0xced7230a");
}

#[test]
fn the_reason_names_what_contradicts_a_length() {
    // One bit of the length is cleared, so that the record ends inside itself; then zeros from the
    // length on.
    let (salvaged, skipped) = salvage_second(|bytes| bytes[4] = 32);
    assert_eq!(salvaged, [vec![1; 16], vec![3; 24]]);
    assert!(
        skipped[0].reason.starts_with("with one more bit"),
        "{skipped:?}"
    );
    let (salvaged, skipped) = salvage_second(|bytes| bytes[4..50].fill(0));
    assert_eq!(salvaged, [vec![1; 16], vec![3; 24]]);
    assert!(
        skipped[0].reason.starts_with("only zero bytes"),
        "{skipped:?}"
    );
}

#[test]
fn the_caller_can_confirm_a_record() {
    let mut bytes = three_records();
    bytes[28] = 32;
    let (salvaged, _) = salvage(&bytes, |record| record.offset == 24);
    assert_eq!(salvaged, [vec![1; 16], vec![2; 32], vec![3; 24]]);
}

#[test]
fn a_fragment_flag_that_hides_later_fragments_is_damage() {
    let mut bytes = Vec::new();
    for record in [&b"head"[..], b"AAAA\x0a\x23\xd7\xceBBBB", b"tail"] {
        frame::encode(record, &mut bytes).unwrap();
    }
    bytes[12 + 7] = 0;
    let (salvaged, skipped) = salvage(&bytes, UNKNOWN);
    assert_eq!(salvaged, [b"head", b"tail"]);
    assert!(
        skipped[0].reason.contains("a damaged fragment flag?"),
        "{skipped:?}"
    );
}

#[test]
fn listed_offsets_decide_where_a_record_ends() {
    let mut bytes = three_records();
    bytes[28] = 28;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.rec");
    std::fs::write(&path, &bytes).unwrap();
    let file = RecordFile::open(&path).unwrap();
    let mut reader = SalvageReader::new(&file, &[0, 24, 80], UNKNOWN);
    assert!(matches!(
        reader.next_segment().unwrap(),
        Some(Segment::Record(_))
    ));
    let Some(Segment::Skipped(region)) = reader.next_segment().unwrap() else {
        panic!("the record has a damaged length");
    };
    assert!(
        region
            .reason
            .contains("the next record is listed at byte 80"),
        "{region:?}"
    );
    assert_eq!((region.begin, region.end), (24, 80));
}
