//! Any bytes as a `.rec` file, read from its start: `Reader` returns the records that
//! [`reference`](super::reference) finds, and an error at the first violation of the format,
//! repeatedly. Writing these records produces the same bytes. A scan of the headers finds the same
//! records.

use std::path::Path;

use recio_core::progress::Interrupt;
use recio_core::read::scan;
use recio_core::read::sequential::Reader;
use recio_core::write::record_writer::RecordWriter;

use super::InputFile;
use super::reference::{self, ReferenceRecord};

/// Check the property.
pub fn check(bytes: &[u8], input: &mut InputFile) {
    let (expected, is_complete) = reference::records(bytes);
    let reader = Reader::open(input.write(bytes)).expect("the file exists");
    for record in &expected {
        let read = reader.read(&Interrupt::never());
        let read = read.unwrap_or_else(|error| panic!("{record:?} is rejected: {error}"));
        assert_eq!(read.as_ref(), Some(&record.payload), "{record:?}");
        assert_eq!(reader.tell(), record.end as u64);
    }
    for _ in 0..2 {
        match reader.read(&Interrupt::never()) {
            Ok(None) => assert!(is_complete, "damage is reported as the end"),
            Ok(Some(record)) => panic!("{record:?} is not a record"),
            Err(error) => assert!(!is_complete, "the file is valid: {error}"),
        }
    }
    check_writing(bytes, &expected);
    check_scan(&reader, &expected, is_complete);
}

/// The writer produces the same bytes, up to the damage.
fn check_writing(bytes: &[u8], records: &[ReferenceRecord]) {
    let mut writer = RecordWriter::new(Path::new("copy.rec"), Vec::new());
    for record in records {
        let offset = writer.write(&record.payload);
        assert_eq!(offset.ok(), Some(record.offset as u64));
    }
    writer.flush().expect("writing to a vector cannot fail");
    let written = writer.sink();
    assert_eq!(written[..], bytes[..written.len()]);
}

/// A scan finds all records. It may skip damage that only reading detects: a magic number within
/// data.
fn check_scan(reader: &Reader, records: &[ReferenceRecord], is_complete: bool) {
    let mut offsets = Vec::new();
    let outcome = scan::scan(reader.file(), &Interrupt::never(), |found| {
        offsets.push(found.offset);
    });
    assert!(outcome.is_ok() || !is_complete, "{outcome:?}");
    let expected = records.iter().map(|record| record.offset as u64);
    let is_same = offsets.iter().copied().zip(expected).all(|(a, b)| a == b);
    assert!(is_same && offsets.len() >= records.len(), "{offsets:?}");
}
