//! Records of a file in another order: they are read in the order of the file, neighbors together.

use std::iter::Peekable;
use std::ops::ControlFlow;

use super::source_file::{BLOCK, SourceFile};
use crate::error::{Error, Result};

/// Bytes between two records up to which it is faster to read them than to read twice.
const MAX_GAP: u64 = 4096;

/// A record and where it begins in a window of the output.
#[derive(Debug, Clone, Copy)]
pub(super) struct Slot {
    pub(super) record: usize,
    pub(super) start: usize,
}

/// Returns the slots of the next records, of at most `max` bytes but of one record at least, and
/// their bytes.
pub(super) fn next_slots(
    source: &SourceFile,
    numbers: &mut Peekable<impl Iterator<Item = usize>>,
    max: u64,
) -> (Vec<Slot>, usize) {
    let (mut slots, mut bytes) = (Vec::new(), 0);
    while let Some(&record) = numbers.peek() {
        let start = bytes as usize;
        let len = source.offset(record + 1) - source.offset(record);
        if !slots.is_empty() && bytes + len > max {
            break;
        }
        slots.push(Slot { record, start });
        bytes += len;
        numbers.next();
    }
    (slots, bytes as usize)
}

/// Reads the records of the slots into a window. `poll` is called after each read, and breaks if
/// the caller wants to stop.
///
/// # Errors
/// As [`SourceFile::read_frame`].
pub(super) fn fill(
    source: &SourceFile,
    slots: &[Slot],
    window: &mut [u8],
    buffer: &mut Vec<u8>,
    poll: &mut impl FnMut() -> ControlFlow<()>,
) -> Result<ControlFlow<()>> {
    let mut slots = slots.to_vec();
    slots.sort_unstable_by_key(|slot| slot.record);
    let (mut slots, mut single) = (&slots[..], Vec::new());
    while let [first, ..] = slots {
        let (run, later) = slots.split_at(neighbors(source, slots));
        let first = first.record;
        let block = match run {
            [_] => &[],
            _ => source.read_block(first..run[run.len() - 1].record + 1, buffer)?,
        };
        for slot in run {
            let frame = match source.frame_in(block, first, slot.record) {
                Some(frame) => frame,
                None => read_one(source, slot.record, &mut single)?,
            };
            window[slot.start..][..frame.len()].copy_from_slice(frame);
        }
        if poll().is_break() {
            return Ok(ControlFlow::Break(()));
        }
        slots = later;
    }
    Ok(ControlFlow::Continue(()))
}

/// Returns how many of the first slots, which are sorted by their records, are read together.
fn neighbors(source: &SourceFile, slots: &[Slot]) -> usize {
    let begin = source.offset(slots[0].record);
    let is_neighbor = |pair: &&[Slot]| {
        let (end, next) = (source.offset(pair[0].record + 1), pair[1].record);
        source.offset(next) - end <= MAX_GAP && source.offset(next + 1) - begin <= BLOCK
    };
    1 + slots.windows(2).take_while(is_neighbor).count()
}

/// Reads the frame of one record, which must have the length that its slot has.
fn read_one<'b>(source: &SourceFile, record: usize, buffer: &'b mut Vec<u8>) -> Result<&'b [u8]> {
    let frame = source.read_frame(record, buffer)?;
    if frame.len() as u64 == source.offset(record + 1) - source.offset(record) {
        return Ok(frame);
    }
    let error = Error::corrupt("the file was changed while it was read");
    Err(source.locate(error, record))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::progress::Interrupt;
    use crate::write::record_output::{RecordOutput, commit};

    /// A file of records of up to 3,000 bytes, of which one is longer than a block.
    fn source(folder: &std::path::Path) -> SourceFile {
        let rec = folder.join("a.rec");
        let mut output = RecordOutput::create(&rec, true).unwrap();
        for key in 0..2000u64 {
            let len = match key {
                1000 => 2 * BLOCK,
                _ => key * key % 3000,
            };
            output.append(key, &vec![key as u8; len as usize]).unwrap();
        }
        commit(vec![output.prepare().unwrap()]).unwrap();
        SourceFile::open(&rec.into(), &Interrupt::never()).unwrap()
    }

    #[test]
    fn windows_of_any_length_have_the_records_in_order() {
        let folder = tempfile::tempdir().unwrap();
        let source = source(folder.path());
        let order: Vec<usize> = (0..2000).map(|i| i * 777 % 2000).collect();
        let (mut single, mut buffer) = (Vec::new(), Vec::new());
        for max in [1, 20_000, 1 << 30] {
            let (mut numbers, mut gathered) = (order.iter().copied().peekable(), Vec::new());
            while numbers.peek().is_some() {
                let (slots, len) = next_slots(&source, &mut numbers, max);
                assert!(len as u64 <= max || slots.len() == 1);
                let mut window = vec![0; len];
                let mut poll = || ControlFlow::Continue(());
                let filled = fill(&source, &slots, &mut window, &mut buffer, &mut poll).unwrap();
                assert!(filled.is_continue());
                gathered.extend(window);
            }
            let frames = order.iter().flat_map(|&i| {
                let frame = source.read_frame(i, &mut single).unwrap();
                frame.to_vec()
            });
            assert!(frames.eq(gathered), "{max}");
        }
    }

    #[test]
    fn a_damaged_record_between_others_is_an_error_only_if_it_is_needed() {
        let folder = tempfile::tempdir().unwrap();
        let source = source(folder.path());
        let path = folder.path().join("a.rec");
        let mut bytes = std::fs::read(&path).unwrap();
        bytes[source.offset(11) as usize + 20] ^= 1;
        std::fs::write(&path, bytes).unwrap();
        let (mut window, mut buffer) = (vec![0; 1 << 20], Vec::new());
        let mut fill = |records: &[usize]| {
            let mut numbers = records.iter().copied().peekable();
            let (slots, _) = next_slots(&source, &mut numbers, 1 << 20);
            let mut poll = || ControlFlow::Continue(());
            fill(&source, &slots, &mut window, &mut buffer, &mut poll)
        };
        assert!(fill(&[12, 10]).unwrap().is_continue());
        let error = fill(&[12, 11, 10]).unwrap_err().to_string();
        assert!(error.contains("a.rec: record 11 at byte"), "{error}");
    }
}
