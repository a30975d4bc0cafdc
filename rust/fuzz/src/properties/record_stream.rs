//! Any bytes as a `.rec` file, read from its beginning: `Reader` gives the records that
//! [`reference`](super::reference) finds, and an error where that finds a rule broken, again and
//! again; writing what was read makes the same bytes; and hopping over the records finds them where
//! reading does.

use std::path::Path;

use recio_core::read::scan;
use recio_core::read::sequential::Reader;
use recio_core::write::record_writer::Writer;

use super::Desk;
use super::reference::{self, Found};

/// Checks it.
pub fn check(bytes: &[u8], desk: &mut Desk) {
    let (expected, is_whole) = reference::records(bytes);
    let reader = Reader::open(desk.lay(bytes)).expect("the file is there");
    for record in &expected {
        let read = reader.read();
        let read = read.unwrap_or_else(|error| panic!("{record:?} is refused: {error}"));
        assert_eq!(read.as_ref(), Some(&record.payload), "{record:?}");
        assert_eq!(reader.tell(), record.end as u64);
    }
    for _ in 0..2 {
        match reader.read() {
            Ok(None) => assert!(is_whole, "damage passes for the end"),
            Ok(Some(record)) => panic!("{record:?} is no record"),
            Err(error) => assert!(!is_whole, "no rule is broken: {error}"),
        }
    }
    check_writing(bytes, &expected);
    check_hopping(&reader, &expected, is_whole);
}

/// The writer makes the bytes again, up to the damage.
fn check_writing(bytes: &[u8], records: &[Found]) {
    let mut writer = Writer::new(Path::new("again.rec"), Vec::new());
    for record in records {
        let offset = writer.write(&record.payload);
        assert_eq!(offset.ok(), Some(record.offset as u64));
    }
    writer.flush().expect("a vector takes all");
    let written = writer.sink();
    assert_eq!(written[..], bytes[..written.len()]);
}

/// Headers are hopped over where records are read. A hop may pass what only reading sees: bytes in
/// a record's data.
fn check_hopping(reader: &Reader, records: &[Found], is_whole: bool) {
    let mut offsets = Vec::new();
    let outcome = scan::scan(reader.file(), |found| offsets.push(found.offset));
    assert!(outcome.is_ok() || !is_whole, "{outcome:?}");
    let expected = records.iter().map(|record| record.offset as u64);
    let is_same = offsets.iter().copied().zip(expected).all(|(a, b)| a == b);
    assert!(is_same && offsets.len() >= records.len(), "{offsets:?}");
}
