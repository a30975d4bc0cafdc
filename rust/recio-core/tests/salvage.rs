//! Salvage of files with random damage: overwritten, inserted and removed bytes. The salvaged
//! records are compared with those that the damage does not touch.
//!
//! Each test prints its counts (`--nocapture`). `SALVAGE_TRIALS` is the number of damaged files,
//! default 25.
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

/// Deterministic random numbers (xorshift).
struct Rng(u64);

impl Rng {
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

/// Bytes of an intact file, and the ranges of its records.
struct Original {
    bytes: Vec<u8>,
    records: Vec<(usize, usize)>,
}

impl Original {
    fn new(rng: &mut Rng) -> Self {
        let (mut bytes, mut records) = (Vec::new(), Vec::new());
        for _ in 0..RECORDS {
            let begin = bytes.len();
            frame::encode(&random_record(rng), &mut bytes).unwrap();
            records.push((begin, bytes.len()));
        }
        Self { bytes, records }
    }
}

/// Returns a random record. Some are split by a magic word, some have an unaligned one, and some
/// contain a frame.
fn random_record(rng: &mut Rng) -> Vec<u8> {
    let len = 24 + rng.below(500);
    let mut record = rng.bytes(len);
    let at = rng.below(len - 16);
    match rng.below(20) {
        0 => record[at & !3..][..4].copy_from_slice(&MAGIC),
        1 => record[at..at + 4].copy_from_slice(&MAGIC),
        2 => record[at | 1..][..12].copy_from_slice(b"\x0a\x23\xd7\xce\x04\0\0\0abcd"),
        _ => {}
    }
    record
}

/// Bytes that are overwritten, removed or inserted.
struct Damage {
    at: usize,
    /// Number of bytes that are removed or overwritten.
    removed: usize,
    /// Bytes in their place.
    inserted: Vec<u8>,
}

impl Damage {
    fn overwritten(rng: &mut Rng, len: usize) -> Self {
        let (size, at) = (1 + rng.below(4096), rng.below(len));
        let removed = size.min(len - at);
        let inserted = match rng.below(3) {
            0 => vec![0; removed],
            1 => vec![0xff; removed],
            _ => rng.bytes(removed),
        };
        Self {
            at,
            removed,
            inserted,
        }
    }

    fn inserted_or_removed(rng: &mut Rng, len: usize) -> Self {
        let (size, at) = (1 + rng.below(4096), rng.below(len));
        match rng.below(2) {
            0 => Self {
                at,
                removed: 0,
                inserted: rng.bytes(size),
            },
            _ => Self {
                at,
                removed: size.min(len - at),
                inserted: Vec::new(),
            },
        }
    }

    /// Returns whether the damage changes the bytes from `begin` to `end`.
    fn touches(&self, (begin, end): (usize, usize)) -> bool {
        match self.removed {
            0 => begin < self.at && self.at < end,
            removed => self.at < end && begin < self.at + removed,
        }
    }
}

/// Returns the damaged bytes. Sorts the damage by position, and drops what overlaps.
fn apply(original: &Original, damages: &mut Vec<Damage>) -> Vec<u8> {
    damages.sort_by_key(|damage| damage.at);
    let mut end = 0;
    damages.retain(|damage| {
        let is_separate = damage.at >= end;
        end = if is_separate {
            damage.at + damage.removed + 1
        } else {
            end
        };
        is_separate
    });
    let (mut bytes, mut from) = (Vec::new(), 0);
    for damage in damages.iter() {
        bytes.extend_from_slice(&original.bytes[from..damage.at]);
        bytes.extend_from_slice(&damage.inserted);
        from = damage.at + damage.removed;
    }
    bytes.extend_from_slice(&original.bytes[from..]);
    bytes
}

/// Returns the position of an original byte in the damaged file, unless it was removed.
fn moved(at: usize, damages: &[Damage]) -> Option<usize> {
    let before = |damage: &&Damage| damage.at + damage.removed <= at;
    let is_kept = damages.iter().all(|damage| !damage.touches((at, at + 1)));
    let (inserted, removed) = damages
        .iter()
        .filter(before)
        .fold((0, 0), |(inserted, removed), damage| {
            (inserted + damage.inserted.len(), removed + damage.removed)
        });
    is_kept.then_some(at + inserted - removed)
}

/// Salvages a file. Returns the ranges of its records and the skipped regions, after checking that
/// they add up to the file.
fn salvage(bytes: &[u8], listed: &[u64]) -> (Vec<(usize, usize)>, Vec<SkippedRegion>) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.rec");
    std::fs::write(&path, bytes).unwrap();
    let file = RecordFile::open(&path).unwrap();
    let mut reader = SalvageReader::new(&file, listed, |_| false);
    let (mut records, mut regions, mut at) = (Vec::new(), Vec::new(), 0);
    while let Some(segment) = reader.next_segment().unwrap() {
        let (begin, end) = match &segment {
            Segment::Record(record) => (record.offset, record.offset + record.frame.len() as u64),
            Segment::Skipped(region) => (region.begin, region.end),
        };
        assert_eq!(begin, at, "segments are contiguous");
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
    assert_eq!(at, bytes.len() as u64, "segments cover the file");
    (records, regions)
}

#[derive(Default, Debug)]
struct Counts {
    /// Records that the damage does not touch.
    untouched: usize,
    /// Untouched records that were not salvaged.
    missing: usize,
    /// Salvaged records that the original does not have.
    invented: usize,
    /// Skipped bytes.
    skipped: u64,
}

/// Counts the records that are missing or invented. A salvaged record must have the position and
/// length of an original one.
fn count(
    original: &Original,
    damages: &[Damage],
    counts: &mut Counts,
    bytes: &[u8],
    listed: &[u64],
) {
    let (records, regions) = salvage(bytes, listed);
    counts.skipped += regions
        .iter()
        .map(|region| region.end - region.begin)
        .sum::<u64>();
    let salvaged: HashSet<_> = records.iter().copied().collect();
    let mut originals = HashSet::new();
    for &(begin, end) in &original.records {
        let Some(begin_now) = moved(begin, damages) else {
            continue;
        };
        let range = (begin_now, begin_now + end - begin);
        originals.insert(range);
        if !damages.iter().any(|damage| damage.touches((begin, end))) {
            counts.untouched += 1;
            counts.missing += usize::from(!salvaged.contains(&range));
        }
    }
    counts.invented += salvaged.difference(&originals).count();
}

fn run_trials(random_damage: fn(&mut Rng, usize) -> Damage, with_index: bool) -> Counts {
    let mut counts = Counts::default();
    for trial in 0..trials() {
        let mut rng = Rng::new(trial + 1);
        let original = Original::new(&mut rng);
        let number = 1 + rng.below(20);
        let mut damages: Vec<_> = (0..number)
            .map(|_| random_damage(&mut rng, original.bytes.len()))
            .collect();
        let bytes = apply(&original, &mut damages);
        let begins = original.records.iter().map(|&(begin, _)| begin as u64);
        let listed: Vec<u64> = begins.filter(|_| with_index).collect();
        count(&original, &damages, &mut counts, &bytes, &listed);
    }
    counts
}

#[test]
fn overwritten_bytes_with_an_index_cost_no_untouched_record() {
    let counts = run_trials(Damage::overwritten, true);
    println!(
        "overwritten, with an index, {} trials: {counts:?}",
        trials()
    );
    assert_eq!((counts.missing, counts.invented), (0, 0));
    assert!(counts.untouched > 0 && counts.skipped > 0);
}

/// One record in a million may be skipped: if the damage begins directly after it, and is as long
/// as one flipped bit in its length would suggest.
#[test]
fn overwritten_bytes_cost_no_untouched_record() {
    let counts = run_trials(Damage::overwritten, false);
    println!("overwritten, {} trials: {counts:?}", trials());
    assert!(counts.missing <= counts.untouched / 1_000_000);
    assert_eq!(counts.invented, 0);
}

#[test]
fn inserted_and_removed_bytes_cost_few_untouched_records() {
    let counts = run_trials(Damage::inserted_or_removed, false);
    println!("inserted or removed, {} trials: {counts:?}", trials());
    assert!(counts.missing * 100 <= counts.untouched);
    assert_eq!(counts.invented, 0);
}

#[test]
fn a_flipped_bit_in_a_header_invents_no_record() {
    let mut counts = Counts::default();
    let mut rng = Rng::new(7);
    let mut original = Original::new(&mut rng);
    original.records.truncate(60);
    original.bytes.truncate(original.records[59].1);
    for &(begin, _) in &original.records {
        for bit in 0..64 {
            let mut bytes = original.bytes.clone();
            bytes[begin + bit / 8] ^= 1 << (bit % 8);
            let at = begin + bit / 8;
            let damages = [Damage {
                at,
                removed: 1,
                inserted: vec![bytes[at]],
            }];
            count(&original, &damages, &mut counts, &bytes, &[]);
        }
    }
    println!("flipped bits, {}: {counts:?}", 60 * 64);
    assert_eq!(counts.missing, 0);
    assert_eq!(counts.invented, 0);
}

#[test]
fn a_record_file_inside_a_damaged_record_is_not_salvaged() {
    for inner in 1..8 {
        let mut record = b"x".to_vec();
        for _ in 0..inner {
            frame::encode(b"an inner record", &mut record).unwrap();
        }
        let mut bytes = Vec::new();
        for payload in [&b"one"[..], &record, b"three", b"four"] {
            frame::encode(payload, &mut bytes).unwrap();
        }
        bytes[12] ^= 1;
        let (records, regions) = salvage(&bytes, &[]);
        let outer = 12 + 8 + record.len().next_multiple_of(4);
        let begins: Vec<_> = records.iter().map(|&(begin, _)| begin).collect();
        assert_eq!(begins, [0, outer, outer + 16], "{inner} inside");
        assert_eq!(regions.len(), 1);
        assert!(
            regions[0].reason.contains("magic 0xced7230b"),
            "{regions:?}"
        );
    }
}

#[test]
fn bytes_before_the_first_record_are_skipped() {
    for junk in 1..20 {
        let mut bytes = vec![b'#'; junk];
        let mut records = Vec::new();
        for record in [&b"one"[..], b"two"] {
            frame::encode(record, &mut records).unwrap();
        }
        bytes.extend_from_slice(&records);
        let (records, regions) = salvage(&bytes, &[]);
        assert_eq!(records, [(junk, junk + 12), (junk + 12, junk + 24)]);
        assert_eq!((regions[0].begin, regions[0].end), (0, junk as u64));
    }
}

#[test]
fn records_before_a_truncation_are_salvaged() {
    let mut rng = Rng::new(3);
    let mut original = Original::new(&mut rng);
    original.records.truncate(8);
    for len in 0..original.records[7].1 {
        let (records, _) = salvage(&original.bytes[..len], &[]);
        let complete = original.records.iter().filter(|record| record.1 <= len);
        assert_eq!(
            records,
            complete.copied().collect::<Vec<_>>(),
            "truncated to {len}"
        );
    }
}

#[test]
fn false_lengths_take_time_proportional_to_the_file() {
    // Each header claims half a gigabyte, in a sparse file of that length.
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
    let mut reader = SalvageReader::new(&file, &[], |_| false);
    let (mut records, mut bytes) = (0, 0);
    while let Some(segment) = reader.next_segment().unwrap() {
        match segment {
            Segment::Record(record) => {
                records += 1;
                bytes += record.frame.len() as u64;
            }
            Segment::Skipped(region) => bytes += region.end - region.begin,
        }
    }
    assert_eq!(bytes, 1 << 29);
    // The last of them is a record if nothing contradicts its length.
    assert!(records <= 1, "{records}");
    assert!(start.elapsed().as_secs() < 20, "{:?}", start.elapsed());
}
