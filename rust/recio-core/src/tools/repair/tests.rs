//! Tests of repair on files with one kind of damage each.

use std::fs;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use super::{RepairKeys, RepairReport};
use crate::error::Result;
use crate::format::checksum::Checksums;
use crate::format::frame;
use crate::format::image_header;
use crate::format::index::Entry;
use crate::progress::OnProgress;
use crate::read::sidecar::{load_checksums, load_index};
use crate::storage::location::Location;
use crate::write::sidecar::{prepare_checksums, save_index};

fn repair(
    rec: &Path,
    index: Option<&Path>,
    out: &Path,
    on_progress: &mut OnProgress<'_>,
) -> Result<Option<RepairReport>> {
    let index = index.map(Location::from);
    super::repair(&rec.into(), index.as_ref(), &out.into(), on_progress)
}

/// A folder with `a.rec` of ten records with these ids, and where they begin.
struct Fixture {
    folder: tempfile::TempDir,
    offsets: Vec<u64>,
}

impl Fixture {
    fn new(id: impl Fn(u64) -> u64) -> Self {
        let (mut bytes, mut offsets) = (Vec::new(), Vec::new());
        for n in 0..10 {
            let mut record = Vec::new();
            image_header::encode(&[n as f32], id(n), &mut record);
            record.resize(record.len() + 50 + 3 * n as usize, n as u8 + 1);
            offsets.push(bytes.len() as u64);
            frame::encode(&record, &mut bytes).unwrap();
        }
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("a.rec"), bytes).unwrap();
        Self { folder, offsets }
    }

    fn at(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn bytes(&self) -> Vec<u8> {
        fs::read(self.at("a.rec")).unwrap()
    }

    /// Writes the checksums of the file as it is.
    fn with_checksums(self) -> Self {
        let (bytes, mut checksums) = (self.bytes(), Checksums::default());
        for (i, &offset) in self.offsets.iter().enumerate() {
            let end = self
                .offsets
                .get(i + 1)
                .map_or(bytes.len(), |&end| end as usize);
            checksums.push(offset, &bytes[offset as usize..end]);
        }
        let file = prepare_checksums(&checksums, &self.at("a.rsum").into()).unwrap();
        file.persist().unwrap();
        self
    }

    /// Writes an index in which the keys of the records are 100 times their numbers.
    fn with_index(self) -> Self {
        let entry = |(n, &offset): (usize, &u64)| Entry {
            key: 100 * n as u64,
            offset,
        };
        let entries: Vec<_> = self.offsets.iter().enumerate().map(entry).collect();
        save_index(&entries, self.at("a.idx")).unwrap();
        self
    }

    fn damage(self, change: impl Fn(&mut Vec<u8>, &[u64])) -> Self {
        let mut bytes = self.bytes();
        change(&mut bytes, &self.offsets);
        fs::write(self.at("a.rec"), bytes).unwrap();
        self
    }

    fn repair(&self) -> RepairReport {
        let index = Some(self.at("a.idx")).filter(|path| path.exists());
        let on_progress = &mut |_| ControlFlow::Continue(());
        let repaired = repair(
            &self.at("a.rec"),
            index.as_deref(),
            &self.at("b.rec"),
            on_progress,
        )
        .unwrap()
        .unwrap();
        let skipped: u64 = repaired
            .skipped
            .iter()
            .map(|region| region.end - region.begin)
            .sum();
        assert_eq!(repaired.bytes + skipped, self.bytes().len() as u64);
        repaired
    }

    fn keys(&self) -> Vec<u64> {
        let index = load_index(self.at("b.idx"), None).unwrap();
        index
            .in_file_order()
            .iter()
            .map(|entry| entry.key)
            .collect()
    }
}

#[test]
fn undamaged_file_is_copied_byte_for_byte() {
    let fixture = Fixture::new(|n| n + 5);
    let repaired = fixture.repair();
    assert_eq!((repaired.records, repaired.keys), (10, RepairKeys::Ids));
    assert_eq!(fs::read(fixture.at("b.rec")).unwrap(), fixture.bytes());
    assert_eq!(fixture.keys(), (5..15).collect::<Vec<_>>());
    assert!(!fixture.at("b.rsum").exists());
}

#[test]
fn damaged_record_is_skipped_and_reported() {
    let fixture = Fixture::new(|n| n).damage(|bytes, at| bytes[at[3] as usize] ^= 1);
    let repaired = fixture.repair();
    let [region] = &repaired.skipped[..] else {
        panic!("{:?}", repaired.skipped);
    };
    assert_eq!(
        (region.begin, region.end),
        (fixture.offsets[3], fixture.offsets[4])
    );
    assert!(
        region.reason.contains("magic 0xced7230b"),
        "{}",
        region.reason
    );
    assert_eq!(fixture.keys(), [0, 1, 2, 4, 5, 6, 7, 8, 9]);
}

#[test]
fn keys_come_from_the_index_or_are_ordinals_if_ids_repeat() {
    let cut = |bytes: &mut Vec<u8>, at: &[u64]| bytes[at[3] as usize] ^= 1;
    let fixture = Fixture::new(|_| 7).with_index().damage(cut);
    assert_eq!(fixture.repair().keys, RepairKeys::Index);
    assert_eq!(fixture.keys(), [0, 100, 200, 400, 500, 600, 700, 800, 900]);
    let fixture = Fixture::new(|_| 7).damage(cut);
    assert_eq!(fixture.repair().keys, RepairKeys::Ordinals);
    assert_eq!(fixture.keys(), (0..9).collect::<Vec<_>>());
}

#[test]
fn records_that_match_no_checksum_are_skipped() {
    let flip = |bytes: &mut Vec<u8>, at: &[u64]| bytes[at[3] as usize + 40] ^= 1;
    let fixture = Fixture::new(|n| n).with_checksums().damage(flip);
    let repaired = fixture.repair();
    assert_eq!((repaired.records, repaired.skipped.len()), (9, 1));
    assert_eq!(repaired.skipped[0].begin, fixture.offsets[3]);
    let checksums = load_checksums(fixture.at("b.rec")).unwrap().unwrap();
    assert_eq!(checksums.len(), 9);
}

#[test]
fn moved_records_match_their_checksums() {
    let shift = |bytes: &mut Vec<u8>, at: &[u64]| {
        let begin = at[1] as usize + 40;
        bytes.drain(begin..begin + 3);
    };
    let fixture = Fixture::new(|n| n).with_checksums().damage(shift);
    let repaired = fixture.repair();
    assert_eq!(
        fixture.keys(),
        [0, 2, 3, 4, 5, 6, 7, 8, 9],
        "{:?}",
        repaired.skipped
    );
}

#[test]
fn damaged_index_is_reported_and_not_used() {
    let fixture = Fixture::new(|n| n);
    fs::write(fixture.at("a.idx"), "0\tx\n").unwrap();
    let repaired = fixture.repair();
    assert_eq!(repaired.records, 10);
    assert!(
        repaired.unused[0].contains("a.idx: line 1"),
        "{:?}",
        repaired.unused
    );
}

#[test]
fn output_that_would_overwrite_an_input_is_refused() {
    let fixture = Fixture::new(|n| n).with_index();
    let bytes = fixture.bytes();
    #[cfg(unix)]
    std::os::unix::fs::symlink(fixture.at("a.rec"), fixture.at("link.rec")).unwrap();
    for out in ["a.rec", "link.rec"].map(|name| fixture.at(name)) {
        if !out.exists() {
            continue;
        }
        let error = repair(&fixture.at("a.rec"), None, &out, &mut |_| {
            ControlFlow::Continue(())
        });
        let text = error.unwrap_err().to_string();
        assert!(text.contains("would overwrite an input"), "{text}");
    }
    fs::copy(fixture.at("a.rec"), fixture.at("c.rec")).unwrap();
    let idx = fixture.at("a.idx");
    let error = repair(
        &fixture.at("c.rec"),
        Some(&idx),
        &fixture.at("a.rec"),
        &mut |_| ControlFlow::Continue(()),
    );
    assert!(
        error
            .unwrap_err()
            .to_string()
            .contains("a.idx: the output would overwrite an input")
    );
    assert_eq!(fixture.bytes(), bytes);
}

#[test]
fn stopping_or_copying_nothing_leaves_no_file() {
    let fixture = Fixture::new(|n| n);
    let out = fixture.at("b.rec");
    let broken = repair(&fixture.at("a.rec"), None, &out, &mut |_| {
        ControlFlow::Break(())
    });
    assert_eq!(broken.unwrap(), None);
    fs::write(fixture.at("a.rec"), [7; 100]).unwrap();
    let fixture = Fixture {
        offsets: Vec::new(),
        ..fixture
    };
    assert_eq!(fixture.repair().records, 0);
    assert_eq!(fs::read_dir(fixture.folder.path()).unwrap().count(), 1);
}
