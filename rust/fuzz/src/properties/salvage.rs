//! Any bytes as a damaged `.rec` file: records and skipped regions cover the file in order. No
//! record is invented: the reference finds each one, except for what follows it, and its payload
//! encodes to the same bytes. Nothing is skipped in an intact file, and all records that the
//! reference reads are salvaged.

use recio_core::format::frame;
use recio_core::read::record_file::RecordFile;
use recio_core::read::salvage::{SalvageReader, SalvagedRecord, Segment};

use super::InputFile;
use super::reference::{self, ReferenceRecord};

/// Check the property, with both policies for records that are followed by damage.
pub fn check(bytes: &[u8], input: &mut InputFile) {
    let file = RecordFile::open(input.write(bytes)).expect("the file exists");
    let (expected, is_complete) = reference::records(bytes);
    for vouches in [false, true] {
        let salvaged = salvage(&file, bytes, vouches);
        assert!(
            salvaged.records.starts_with(&offsets(&expected)),
            "{salvaged:?}"
        );
        assert!(salvaged.skipped == 0 || !is_complete, "{salvaged:?}");
    }
}

/// Result of salvaging a file.
#[derive(Debug, Default)]
struct Salvaged {
    /// Positions of records.
    records: Vec<usize>,
    /// Number of skipped bytes.
    skipped: usize,
}

fn salvage(file: &RecordFile, bytes: &[u8], vouches: bool) -> Salvaged {
    let mut reader = SalvageReader::new(file, &[], |_| vouches);
    let (mut salvaged, mut at) = (Salvaged::default(), 0);
    while let Some(segment) = reader.next_segment().expect("the file does not change") {
        let (begin, end) = match segment {
            Segment::Record(mut record) => {
                salvaged.records.push(record.offset as usize);
                check_record(bytes, &mut record)
            }
            Segment::Skipped(region) => {
                salvaged.skipped += (region.end - region.begin) as usize;
                (region.begin as usize, region.end as usize)
            }
        };
        assert!(begin == at && end > begin, "{begin} to {end} after {at}");
        at = end;
    }
    assert_eq!(at, bytes.len());
    salvaged
}

/// Check a record. Return its start and end.
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
    let mut repeated = Vec::new();
    frame::encode(payload, &mut repeated).expect("the payload is short");
    assert_eq!(repeated, bytes[begin..end]);
    (begin, end)
}

fn offsets(records: &[ReferenceRecord]) -> Vec<usize> {
    records.iter().map(|record| record.offset).collect()
}
