//! Any bytes as a `.rec` file, read anywhere: at offsets and with ends of records that the first
//! bytes draw, on the grid of four and off it, within the file and behind it. `RecordFile::read`
//! gives what [`reference`](super::reference) finds there, or an error, whatever was in its buffer
//! before.

use recio_core::read::record_file::RecordFile;

use super::Desk;
use super::reference;
use crate::fuzz_rng::Dice;

/// Bytes at the beginning that are drawn from; the file is the rest.
pub const DRAWN: usize = 8;

/// Reads of a file. More tell nothing more, and cost runs.
const READS: usize = 6;

/// Checks it.
pub fn check(bytes: &[u8], desk: &mut Desk) {
    let (drawn, bytes) = bytes.split_at(bytes.len().min(DRAWN));
    let mut dice = Dice::new(drawn);
    let file = RecordFile::open(desk.lay(bytes)).expect("the file is there");
    let mut buffer = vec![0xff; 100];
    for _ in 0..READS {
        let offset = offset(bytes.len(), &mut dice);
        let next = next(bytes, offset, &mut dice);
        let outcome = file.read(offset as u64, next, &mut buffer);
        let expected = reference::record(bytes, offset, next);
        match outcome {
            Ok(None) => assert_eq!(offset, bytes.len(), "this is not the end"),
            Ok(Some(read)) => {
                let expected = expected.unwrap_or_else(|| panic!("{read:?} is no record"));
                assert_eq!(read.payload, expected.payload, "at {offset}, {next:?}");
                assert_eq!(read.next, expected.end as u64, "at {offset}, {next:?}");
            }
            Err(error) => assert_eq!(expected, None, "at {offset}, {next:?}: {error}"),
        }
    }
}

fn offset(len: usize, dice: &mut Dice<'_>) -> usize {
    let any = dice.below((len + 12).min(1 << 16));
    if dice.one_in(4) { any } else { any / 4 * 4 }
}

/// Where the next record is said to begin: nowhere, where it does, far away, or anywhere.
fn next(bytes: &[u8], offset: usize, dice: &mut Dice<'_>) -> Option<u64> {
    match dice.below(4) {
        0 => None,
        1 => reference::record(bytes, offset, None).map(|record| record.end as u64),
        2 => Some(u64::MAX),
        _ => Some((offset + dice.below(64)) as u64),
    }
}
