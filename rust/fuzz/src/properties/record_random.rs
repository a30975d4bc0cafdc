//! Any bytes as a `.rec` file, read at random offsets and with random ends of records, aligned to
//! four bytes or not, within the file and after its end. `RecordFile::read` returns the record that
//! [`reference`](super::reference) finds there, or an error, whatever its buffer contained before.

use recio_core::read::record_file::RecordFile;

use super::InputFile;
use super::reference;
use crate::fuzz_rng::FuzzRng;

/// Number of leading bytes for choices; the rest is the file.
pub const CHOICE_BYTES: usize = 8;

/// Reads per file. More find nothing more, and slow fuzzing down.
const READS: usize = 6;

/// Check the property.
pub fn check(bytes: &[u8], input: &mut InputFile) {
    let (choices, bytes) = bytes.split_at(bytes.len().min(CHOICE_BYTES));
    let mut rng = FuzzRng::new(choices);
    let file = RecordFile::open(input.write(bytes)).expect("the file exists");
    let mut buffer = vec![0xff; 100];
    for _ in 0..READS {
        let offset = offset(bytes.len(), &mut rng);
        let next = next(bytes, offset, &mut rng);
        let outcome = file.read(offset as u64, next, &mut buffer);
        let expected = reference::record(bytes, offset, next);
        match outcome {
            Ok(None) => assert_eq!(offset, bytes.len(), "this is not the end"),
            Ok(Some(read)) => {
                let expected = expected.unwrap_or_else(|| panic!("{read:?} is not a record"));
                assert_eq!(read.bytes, expected.payload, "at {offset}, {next:?}");
                assert_eq!(read.next, expected.end as u64, "at {offset}, {next:?}");
            }
            Err(error) => assert_eq!(expected, None, "at {offset}, {next:?}: {error}"),
        }
    }
}

fn offset(len: usize, rng: &mut FuzzRng<'_>) -> usize {
    let any = rng.below((len + 12).min(1 << 16));
    if rng.one_in(4) { any } else { any / 4 * 4 }
}

/// Return a position for the start of the next record: none, the real one, far away, or random.
fn next(bytes: &[u8], offset: usize, rng: &mut FuzzRng<'_>) -> Option<u64> {
    match rng.below(4) {
        0 => None,
        1 => reference::record(bytes, offset, None).map(|record| record.end as u64),
        2 => Some(u64::MAX),
        _ => Some((offset + rng.below(64)) as u64),
    }
}
