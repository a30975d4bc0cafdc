//! What a walk finds: small files, one kind of damage each. `tests/salvage.rs` has the large ones.

use super::*;
use crate::format::frame::{self, FragmentHeader};
use crate::read::record_file::RecordFile;

const MAGIC_BYTES: [u8; 4] = frame::MAGIC.to_le_bytes();

const NEVER: fn(UnconfirmedRecord<'_>) -> bool = |_| false;

/// What a walk over these bytes finds: the payloads, and the regions skipped.
fn walked(
    bytes: &[u8],
    vouches: impl FnMut(UnconfirmedRecord<'_>) -> bool,
) -> (Vec<Vec<u8>>, Vec<SkippedRegion>) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.rec");
    std::fs::write(&path, bytes).unwrap();
    let file = RecordFile::open(&path).unwrap();
    let mut walk = SalvageReader::new(&file, &[], vouches);
    let (mut records, mut skipped, mut at) = (vec![], vec![], 0);
    while let Some(segment) = walk.next_segment().unwrap() {
        match segment {
            Segment::Record(whole) => {
                assert_eq!(whole.offset, at);
                at += whole.frame.len() as u64;
                let payload = frame::join_fragments(whole.frame);
                records.push(whole.frame[payload].to_vec());
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

/// Records of many lengths, some with magic words, and where they begin.
fn sample() -> (Vec<Vec<u8>>, Vec<u8>, Vec<usize>) {
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
fn a_sound_file_is_its_records() {
    let (records, bytes, _) = sample();
    assert_eq!(walked(&bytes, NEVER), (records, vec![]));
    assert_eq!(walked(b"", NEVER), (vec![], vec![]));
}

#[test]
fn damage_costs_the_records_that_it_touches() {
    let (mut records, mut bytes, offsets) = sample();
    bytes[offsets[20] + 9] = 0;
    bytes[offsets[31]..offsets[33] + 2].fill(0xaa);
    let (found, skipped) = walked(&bytes, NEVER);
    records[20][1] = 0;
    records.drain(31..34);
    assert_eq!(found, records);
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
fn a_record_before_a_header_of_damaged_length_is_whole() {
    let (records, mut bytes, offsets) = sample();
    bytes[offsets[12] + 7] |= 0xf0;
    let (found, skipped) = walked(&bytes, NEVER);
    assert_eq!(found.len(), records.len() - 1);
    assert_eq!(skipped[0].begin, offsets[12] as u64);
    assert_eq!(skipped[0].reason, "fragment flag 7, expected 0 to 3");
}

#[test]
fn records_are_found_where_bytes_were_put_in_or_taken_out() {
    let (records, bytes, offsets) = sample();
    for (at, taken, put) in [(20, 0, 1), (20, 3, 0), (20, 0, 4), (20, 2, 5), (40, 1, 0)] {
        let at = offsets[at] + 10;
        let mut bytes = bytes.clone();
        bytes.splice(at..at + taken, vec![0x55; put]);
        let (found, skipped) = walked(&bytes, NEVER);
        assert!(found.iter().all(|record| records.contains(record)));
        assert!(
            found.len() >= records.len() - 2,
            "{} {skipped:?}",
            found.len()
        );
    }
}

#[test]
fn the_end_that_a_cut_leaves_is_skipped() {
    let (records, bytes, offsets) = sample();
    for cut in offsets[58] + 1..offsets[59] {
        let (found, skipped) = walked(&bytes[..cut], NEVER);
        assert_eq!(found, records[..58]);
        assert_eq!(
            (skipped[0].begin, skipped[0].end),
            (offsets[58] as u64, cut as u64)
        );
    }
}

#[test]
fn lengths_that_lie_do_not_make_the_walk_read_all_again_and_again() {
    let header = FragmentHeader {
        kind: frame::FragmentKind::Full,
        len: 200 << 20,
    };
    let mut bytes = header.to_bytes().repeat(1 << 20);
    // Not for the last of them, which could be a record.
    bytes.resize(bytes.len() + (199 << 20), 1);
    let start = std::time::Instant::now();
    let (found, skipped) = walked(&bytes, NEVER);
    assert_eq!((found.len(), skipped.len()), (0, 1));
    assert!(start.elapsed().as_secs() < 20, "{:?}", start.elapsed());
}

#[test]
fn a_header_within_a_payload_off_the_grid_counts_for_nothing() {
    let mut inner = b"x".to_vec();
    frame::encode(b"not a record", &mut inner).unwrap();
    inner.extend([9; 30]);
    let mut bytes = Vec::new();
    frame::encode(&inner, &mut bytes).unwrap();
    frame::encode(b"sound", &mut bytes).unwrap();
    bytes[0] = 0;
    let (found, _) = walked(&bytes, NEVER);
    assert_eq!(found, [b"sound".to_vec()]);
}

/// Three records, of which the second begins at byte 24, and the third at byte 80.
fn three() -> Vec<u8> {
    let mut bytes = Vec::new();
    for record in [&[1; 16][..], &[2; 48], &[3; 24]] {
        frame::encode(record, &mut bytes).unwrap();
    }
    bytes
}

/// What is found of these three if the second is changed by `damage`.
fn second_damaged(damage: impl Fn(&mut [u8])) -> (Vec<Vec<u8>>, Vec<SkippedRegion>) {
    let mut bytes = three();
    damage(&mut bytes[24..80]);
    walked(&bytes, NEVER)
}

#[test]
fn a_record_before_a_header_that_is_gone_is_kept() {
    let (found, skipped) = second_damaged(|bytes| bytes[..40].fill(0x77));
    assert_eq!(found, [vec![1; 16], vec![3; 24]]);
    assert_eq!(skipped[0].reason, "magic 0x77777777, expected 0xced7230a");
}

#[test]
fn what_speaks_against_a_length_is_told() {
    // The length of the second record with a bit less, so that it ends within itself; then with zeros from its length on.
    let (found, skipped) = second_damaged(|bytes| bytes[4] = 32);
    assert_eq!(found, [vec![1; 16], vec![3; 24]]);
    assert!(
        skipped[0].reason.starts_with("with one more bit"),
        "{skipped:?}"
    );
    let (found, skipped) = second_damaged(|bytes| bytes[4..50].fill(0));
    assert_eq!(found, [vec![1; 16], vec![3; 24]]);
    assert!(
        skipped[0].reason.starts_with("only zero bytes"),
        "{skipped:?}"
    );
}

#[test]
fn who_walks_may_know_better() {
    let mut bytes = three();
    bytes[28] = 32;
    let (found, _) = walked(&bytes, |doubtful| doubtful.offset == 24);
    assert_eq!(found, [vec![1; 16], vec![2; 32], vec![3; 24]]);
}

#[test]
fn a_part_flag_that_hides_later_parts_is_seen() {
    let mut bytes = Vec::new();
    for record in [&b"head"[..], b"AAAA\x0a\x23\xd7\xceBBBB", b"tail"] {
        frame::encode(record, &mut bytes).unwrap();
    }
    bytes[12 + 7] = 0;
    let (found, skipped) = walked(&bytes, NEVER);
    assert_eq!(found, [b"head", b"tail"]);
    assert!(
        skipped[0].reason.contains("a damaged fragment flag?"),
        "{skipped:?}"
    );
}

#[test]
fn a_list_of_the_records_settles_where_one_ends() {
    let mut bytes = three();
    bytes[28] = 28;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.rec");
    std::fs::write(&path, &bytes).unwrap();
    let file = RecordFile::open(&path).unwrap();
    let mut walk = SalvageReader::new(&file, &[0, 24, 80], NEVER);
    assert!(matches!(
        walk.next_segment().unwrap(),
        Some(Segment::Record(_))
    ));
    let Some(Segment::Skipped(region)) = walk.next_segment().unwrap() else {
        panic!("a record of a damaged length");
    };
    assert!(
        region
            .reason
            .contains("the next record is listed at byte 80"),
        "{region:?}"
    );
    assert_eq!((region.begin, region.end), (24, 80));
}
