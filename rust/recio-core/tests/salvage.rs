//! What is left of damaged files: holes, inserted and lost bytes, at random places, against what is
//! known to be untouched.
//!
//! Each test prints its figures (`--nocapture`). `SALVAGE_TRIALS` (25) is how many files are damaged.
#![allow(clippy::unwrap_used, clippy::print_stdout)]

use std::collections::HashSet;

use recio_core::format::frame;
use recio_core::read::record_file::RecordFile;
use recio_core::read::salvage::{SalvageReader, Segment, SkippedRegion};

const RECORDS: usize = 10_000;
const MAGIC: [u8; 4] = frame::MAGIC.to_le_bytes();

fn trials() -> u64 {
    std::env::var("SALVAGE_TRIALS").map_or(25, |trials| trials.parse().unwrap())
}

/// Numbers that look random and are the same each time (xorshift).
struct Dice(u64);

impl Dice {
    fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 16
    }

    fn below(&mut self, end: usize) -> usize {
        (self.next() % end as u64) as usize
    }

    fn bytes(&mut self, len: usize) -> Vec<u8> {
        (0..len).map(|_| self.next() as u8).collect()
    }
}

/// The bytes of a file, and where its records begin and end.
struct Original {
    bytes: Vec<u8>,
    records: Vec<(usize, usize)>,
}

impl Original {
    fn new(dice: &mut Dice) -> Self {
        let (mut bytes, mut records) = (Vec::new(), Vec::new());
        for _ in 0..RECORDS {
            let begin = bytes.len();
            frame::encode(&payload(dice), &mut bytes).unwrap();
            records.push((begin, bytes.len()));
        }
        Self { bytes, records }
    }
}

/// Some are split by a magic word, some have one that is not aligned, some have a whole frame
/// inside.
fn payload(dice: &mut Dice) -> Vec<u8> {
    let len = 24 + dice.below(500);
    let mut payload = dice.bytes(len);
    let at = dice.below(len - 16);
    match dice.below(20) {
        0 => payload[at & !3..][..4].copy_from_slice(&MAGIC),
        1 => payload[at..at + 4].copy_from_slice(&MAGIC),
        2 => payload[at | 1..][..12].copy_from_slice(b"\x0a\x23\xd7\xce\x04\0\0\0abcd"),
        _ => {}
    }
    payload
}

/// Bytes overwritten, lost or inserted at a place of the original.
struct Wound {
    at: usize,
    lost: usize,
    new: Vec<u8>,
}

impl Wound {
    fn overwritten(dice: &mut Dice, len: usize) -> Self {
        let (size, at) = (1 + dice.below(4096), dice.below(len));
        let lost = size.min(len - at);
        let new = match dice.below(3) {
            0 => vec![0; lost],
            1 => vec![0xff; lost],
            _ => dice.bytes(lost),
        };
        Self { at, lost, new }
    }

    fn inserted_or_lost(dice: &mut Dice, len: usize) -> Self {
        let (size, at) = (1 + dice.below(4096), dice.below(len));
        match dice.below(2) {
            0 => Self {
                at,
                lost: 0,
                new: dice.bytes(size),
            },
            _ => Self {
                at,
                lost: size.min(len - at),
                new: Vec::new(),
            },
        }
    }

    /// Whether it changes the bytes from `begin` to `end`.
    fn touches(&self, (begin, end): (usize, usize)) -> bool {
        match self.lost {
            0 => begin < self.at && self.at < end,
            lost => self.at < end && begin < self.at + lost,
        }
    }
}

/// The bytes with their wounds, in the order of their places, and how far each byte that is left
/// has moved.
fn wounded(original: &Original, wounds: &mut Vec<Wound>) -> Vec<u8> {
    wounds.sort_by_key(|wound| wound.at);
    let mut end = 0;
    wounds.retain(|wound| {
        let apart = wound.at >= end;
        end = if apart {
            wound.at + wound.lost + 1
        } else {
            end
        };
        apart
    });
    let (mut bytes, mut from) = (Vec::new(), 0);
    for wound in wounds.iter() {
        bytes.extend_from_slice(&original.bytes[from..wound.at]);
        bytes.extend_from_slice(&wound.new);
        from = wound.at + wound.lost;
    }
    bytes.extend_from_slice(&original.bytes[from..]);
    bytes
}

/// Where a byte of the original stands now, if it is left.
fn moved(at: usize, wounds: &[Wound]) -> Option<usize> {
    let before = |wound: &&Wound| wound.at + wound.lost <= at;
    let is_left = wounds.iter().all(|wound| !wound.touches((at, at + 1)));
    let (new, lost) = wounds
        .iter()
        .filter(before)
        .fold((0, 0), |(new, lost), wound| {
            (new + wound.new.len(), lost + wound.lost)
        });
    is_left.then_some(at + new - lost)
}

/// Walks a file; gives the records' places and the regions between them. They must add up to the
/// file.
fn walk(bytes: &[u8], listed: &[u64]) -> (Vec<(usize, usize)>, Vec<SkippedRegion>) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.rec");
    std::fs::write(&path, bytes).unwrap();
    let file = RecordFile::open(&path).unwrap();
    let mut walk = SalvageReader::new(&file, listed, |_| false);
    let (mut records, mut regions, mut at) = (Vec::new(), Vec::new(), 0);
    while let Some(segment) = walk.next_segment().unwrap() {
        let (begin, end) = match &segment {
            Segment::Record(record) => (record.offset, record.offset + record.frame.len() as u64),
            Segment::Skipped(region) => (region.begin, region.end),
        };
        assert_eq!(begin, at, "one behind another");
        assert!(end > begin);
        at = end;
        match segment {
            Segment::Record(record) => {
                assert!(record.frame == &bytes[begin as usize..end as usize]);
                records.push((begin as usize, end as usize));
            }
            Segment::Skipped(region) => regions.push(region),
        }
    }
    assert_eq!(at, bytes.len() as u64, "all of the file");
    (records, regions)
}

#[derive(Default, Debug)]
struct Figures {
    untouched: usize,
    lost: usize,
    invented: usize,
    skipped: u64,
}

/// A record that is given must begin where one of the original does, and be as long; and each that
/// is untouched must be.
fn tally(
    original: &Original,
    wounds: &[Wound],
    figures: &mut Figures,
    bytes: &[u8],
    listed: &[u64],
) {
    let (records, regions) = walk(bytes, listed);
    figures.skipped += regions
        .iter()
        .map(|region| region.end - region.begin)
        .sum::<u64>();
    let found: HashSet<_> = records.iter().copied().collect();
    let mut possible = HashSet::new();
    for &(begin, end) in &original.records {
        let Some(now) = moved(begin, wounds) else {
            continue;
        };
        let place = (now, now + end - begin);
        possible.insert(place);
        if !wounds.iter().any(|wound| wound.touches((begin, end))) {
            figures.untouched += 1;
            figures.lost += usize::from(!found.contains(&place));
        }
    }
    figures.invented += found.difference(&possible).count();
}

fn try_all(make: fn(&mut Dice, usize) -> Wound, with_index: bool) -> Figures {
    let mut figures = Figures::default();
    for trial in 0..trials() {
        let mut dice = Dice::new(trial + 1);
        let original = Original::new(&mut dice);
        let count = 1 + dice.below(20);
        let mut wounds: Vec<_> = (0..count)
            .map(|_| make(&mut dice, original.bytes.len()))
            .collect();
        let bytes = wounded(&original, &mut wounds);
        let begins = original.records.iter().map(|&(begin, _)| begin as u64);
        let listed: Vec<u64> = begins.filter(|_| with_index).collect();
        tally(&original, &wounds, &mut figures, &bytes, &listed);
    }
    figures
}

#[test]
fn of_files_with_holes_and_an_index_every_untouched_record_is_kept_and_none_is_invented() {
    let figures = try_all(Wound::overwritten, true);
    println!("holes, with an index, {} trials: {figures:?}", trials());
    assert_eq!((figures.lost, figures.invented), (0, 0));
    assert!(figures.untouched > 0 && figures.skipped > 0);
}

/// One in a million may be given up: where a hole begins just behind a record and is as long as one
/// flipped bit in the record's length would have it.
#[test]
fn of_files_with_holes_every_untouched_record_is_kept_and_none_is_invented() {
    let figures = try_all(Wound::overwritten, false);
    println!("holes, {} trials: {figures:?}", trials());
    assert!(figures.lost <= figures.untouched / 1_000_000);
    assert_eq!(figures.invented, 0);
}

#[test]
fn of_files_that_lost_or_gained_bytes_nearly_all_is_kept_and_none_is_invented() {
    let figures = try_all(Wound::inserted_or_lost, false);
    println!("shifts, {} trials: {figures:?}", trials());
    assert!(figures.lost * 100 <= figures.untouched);
    assert_eq!(figures.invented, 0);
}

#[test]
fn of_files_with_one_flipped_bit_in_a_header_no_record_changes_its_place() {
    let mut figures = Figures::default();
    let mut dice = Dice::new(7);
    let mut original = Original::new(&mut dice);
    original.records.truncate(60);
    original.bytes.truncate(original.records[59].1);
    for &(begin, _) in &original.records {
        for bit in 0..64 {
            let mut bytes = original.bytes.clone();
            bytes[begin + bit / 8] ^= 1 << (bit % 8);
            let at = begin + bit / 8;
            let wounds = [Wound {
                at,
                lost: 1,
                new: vec![bytes[at]],
            }];
            tally(&original, &wounds, &mut figures, &bytes, &[]);
        }
    }
    println!("flips, {}: {figures:?}", 60 * 64);
    assert_eq!(figures.lost, 0);
    assert_eq!(figures.invented, 0);
}

#[test]
fn a_record_file_inside_a_record_whose_header_is_damaged_is_not_taken_for_records() {
    for inner in 1..8 {
        let mut payload = b"x".to_vec();
        for _ in 0..inner {
            frame::encode(b"an inner record", &mut payload).unwrap();
        }
        let mut bytes = Vec::new();
        for record in [&b"one"[..], &payload, b"three", b"four"] {
            frame::encode(record, &mut bytes).unwrap();
        }
        bytes[12] ^= 1;
        let (records, regions) = walk(&bytes, &[]);
        let outer = 12 + 8 + payload.len().next_multiple_of(4);
        let ends: Vec<_> = records.iter().map(|&(begin, _)| begin).collect();
        assert_eq!(ends, [0, outer, outer + 16], "{inner} inside");
        assert_eq!(regions.len(), 1);
        assert!(
            regions[0].reason.contains("magic 0xced7230b"),
            "{regions:?}"
        );
    }
}

#[test]
fn a_file_with_bytes_before_it_is_read_from_its_first_record_on() {
    for junk in 1..20 {
        let mut bytes = vec![b'#'; junk];
        let mut part = Vec::new();
        for record in [&b"one"[..], b"two"] {
            frame::encode(record, &mut part).unwrap();
        }
        bytes.extend_from_slice(&part);
        let (records, regions) = walk(&bytes, &[]);
        assert_eq!(records, [(junk, junk + 12), (junk + 12, junk + 24)]);
        assert_eq!((regions[0].begin, regions[0].end), (0, junk as u64));
    }
}

#[test]
fn a_file_cut_anywhere_gives_the_records_before_the_cut() {
    let mut dice = Dice::new(3);
    let mut original = Original::new(&mut dice);
    original.records.truncate(8);
    for len in 0..original.records[7].1 {
        let (records, _) = walk(&original.bytes[..len], &[]);
        let whole = original.records.iter().filter(|record| record.1 <= len);
        assert_eq!(records, whole.copied().collect::<Vec<_>>(), "cut at {len}");
    }
}

#[test]
fn hostile_lengths_cost_no_more_than_the_file() {
    // Each header promises half a gigabyte, in a file that has it (a sparse one).
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.rec");
    let mut bytes = Vec::new();
    for _ in 0..20_000 {
        bytes.extend_from_slice(b"\x0a\x23\xd7\xce\x00\x00\x00\x1fabc");
    }
    std::fs::write(&path, &bytes).unwrap();
    let sparse = std::fs::File::options().write(true).open(&path).unwrap();
    sparse.set_len(1 << 29).unwrap();
    let file = RecordFile::open(&path).unwrap();
    let start = std::time::Instant::now();
    let mut walk = SalvageReader::new(&file, &[], |_| false);
    let (mut records, mut bytes) = (0, 0);
    while let Some(segment) = walk.next_segment().unwrap() {
        match segment {
            Segment::Record(record) => {
                records += 1;
                bytes += record.frame.len() as u64;
            }
            Segment::Skipped(region) => bytes += region.end - region.begin,
        }
    }
    assert_eq!(bytes, 1 << 29);
    // The last of them might be one: nothing speaks against it.
    assert!(records <= 1, "{records}");
    assert!(start.elapsed().as_secs() < 20, "{:?}", start.elapsed());
}
