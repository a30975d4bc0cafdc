//! Any bytes as a damaged `.rec` file: records and skipped regions, in turn, are all of it; a
//! record is never invented (the reference finds it there, give or take what follows it, and its
//! payload is encoded to the same bytes); of a file that is whole nothing is skipped; and what the
//! reference reads from the beginning is saved.

use recio_core::format::frame;
use recio_core::read::record_file::RecordFile;
use recio_core::read::salvage::{SalvageReader, SalvagedRecord, Segment};

use super::Desk;
use super::reference::{self, Found};

/// Checks it, whatever is said of records that are followed by damage.
pub fn check(bytes: &[u8], desk: &mut Desk) {
    let file = RecordFile::open(desk.lay(bytes)).expect("the file is there");
    let (expected, is_whole) = reference::records(bytes);
    for vouches in [false, true] {
        let saved = salvage(&file, bytes, vouches);
        assert!(saved.records.starts_with(&offsets(&expected)), "{saved:?}");
        assert!(saved.skipped == 0 || !is_whole, "{saved:?}");
    }
}

/// What a walk found.
#[derive(Debug, Default)]
struct Saved {
    /// Where records begin.
    records: Vec<usize>,
    /// Bytes that are of none.
    skipped: usize,
}

fn salvage(file: &RecordFile, bytes: &[u8], vouches: bool) -> Saved {
    let mut reader = SalvageReader::new(file, &[], |_| vouches);
    let (mut saved, mut at) = (Saved::default(), 0);
    while let Some(segment) = reader.next_segment().expect("the file stays as it is") {
        let (begin, end) = match segment {
            Segment::Record(mut record) => {
                saved.records.push(record.offset as usize);
                check_record(bytes, &mut record)
            }
            Segment::Skipped(region) => {
                saved.skipped += (region.end - region.begin) as usize;
                (region.begin as usize, region.end as usize)
            }
        };
        assert!(begin == at && end > begin, "{begin} to {end} after {at}");
        at = end;
    }
    assert_eq!(at, bytes.len());
    saved
}

/// Gives where it begins and ends.
fn check_record(bytes: &[u8], record: &mut SalvagedRecord<'_>) -> (usize, usize) {
    let begin = record.offset as usize;
    let end = begin + record.frame.len();
    assert_eq!(record.frame, &bytes[begin..end]);
    let payload = frame::join_fragments(record.frame);
    let payload = &record.frame[payload];
    let found = reference::record(bytes, begin, Some(end as u64));
    assert_eq!(found.as_ref().map(|found| found.end), Some(end));
    assert_eq!(
        found.as_ref().map(|found| &found.payload[..]),
        Some(payload)
    );
    let mut again = Vec::new();
    frame::encode(payload, &mut again).expect("it is short");
    assert_eq!(again, bytes[begin..end]);
    (begin, end)
}

fn offsets(records: &[Found]) -> Vec<usize> {
    records.iter().map(|record| record.offset).collect()
}
