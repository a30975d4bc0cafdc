//! Tests of merge, split and shuffle against each other.

use std::fs;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::slice::from_ref;

use super::CopyReport;
use crate::error::Result;
use crate::format::frame::MAGIC;
use crate::progress::{OnProgress, Progress};
use crate::read::sidecar::{load_checksums, load_index};
use crate::storage::location::Location;
use crate::write::file_system::tests::file_names;
use crate::write::record_output::{RecordOutput, commit};

const CONTINUE: ControlFlow<()> = ControlFlow::Continue(());

fn locations(paths: &[PathBuf]) -> Vec<Location> {
    paths.iter().map(Location::from).collect()
}

fn merge(
    files: &[PathBuf],
    out: &Path,
    checksum: bool,
    on_progress: &mut OnProgress<'_>,
) -> Result<Option<CopyReport>> {
    super::merge(&locations(files), &out.into(), checksum, on_progress)
}

fn split(
    rec: &Path,
    outs: &[PathBuf],
    checksum: bool,
    on_progress: &mut OnProgress<'_>,
) -> Result<Option<Vec<CopyReport>>> {
    let manifest = rec.with_extension("recset.json").into();
    super::split(
        &rec.into(),
        &locations(outs),
        &manifest,
        checksum,
        on_progress,
    )
}

fn shuffle(
    rec: &Path,
    out: &Path,
    seed: u64,
    checksum: bool,
    on_progress: &mut OnProgress<'_>,
) -> Result<Option<CopyReport>> {
    super::shuffle(&rec.into(), &out.into(), seed, checksum, on_progress)
}

/// Writes `a.rec`: 10 records of all paddings, some of them split, under the keys 100, 101 …
fn ten(folder: &Path, checksum: bool) -> PathBuf {
    let rec = folder.join("a.rec");
    let mut output = RecordOutput::create(&rec, checksum).unwrap();
    for key in 100u64..110 {
        let record = [
            &key.to_le_bytes()[..],
            &MAGIC.to_le_bytes(),
            &vec![7; key as usize % 7],
        ];
        output
            .append(key, &record[..=key as usize % 3].concat())
            .unwrap();
    }
    commit(vec![output.prepare().unwrap()]).unwrap();
    rec
}

/// Each key and its record's bytes, in the order of the file.
fn records(rec: &Path) -> Vec<(u64, Vec<u8>)> {
    let bytes = fs::read(rec).unwrap();
    let entries = load_index(rec.with_extension("idx"), None)
        .unwrap()
        .into_file_order();
    let ends = entries.iter().skip(1).map(|entry| entry.offset as usize);
    let spans = entries.iter().zip(ends.chain([bytes.len()]));
    spans
        .map(|(entry, end)| (entry.key, bytes[entry.offset as usize..end].to_vec()))
        .collect()
}

fn shards(folder: &Path, count: usize) -> Vec<PathBuf> {
    (0..count)
        .map(|n| folder.join(format!("shard{n}.rec")))
        .collect()
}

#[test]
fn merging_all_shards_restores_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let rec = ten(folder.path(), true);
    for count in [1, 3, 10] {
        let shards = shards(folder.path(), count);
        let written = split(&rec, &shards, false, &mut |_| CONTINUE)
            .unwrap()
            .unwrap();
        let counts = written.iter().map(|shard| shard.records);
        assert!(counts.clone().max().unwrap() - counts.min().unwrap() <= 1);
        let out = folder.path().join("all.rec");
        let merged = merge(&shards, &out, true, &mut |_| CONTINUE)
            .unwrap()
            .unwrap();
        assert_eq!((merged.records, merged.renumbered), (10, false));
        for extension in ["rec", "idx", "rsum"] {
            let read = |path: &Path| fs::read(path.with_extension(extension)).unwrap();
            assert!(read(&rec) == read(&out), "{extension}");
        }
    }
}

#[test]
fn records_are_renumbered_if_keys_repeat() {
    let folder = tempfile::tempdir().unwrap();
    let rec = ten(folder.path(), false);
    let out = folder.path().join("twice.rec");
    let merged = merge(&[rec.clone(), rec.clone()], &out, false, &mut |_| CONTINUE)
        .unwrap()
        .unwrap();
    assert!(merged.renumbered);
    let twice: Vec<Vec<u8>> = records(&rec)
        .iter()
        .chain(&records(&rec))
        .map(|(_, bytes)| bytes.clone())
        .collect();
    let expected: Vec<_> = (0..).zip(twice).collect();
    assert_eq!(records(&out), expected);
}

#[test]
fn order_depends_on_the_seed_and_records_keep_their_keys() {
    let folder = tempfile::tempdir().unwrap();
    let rec = ten(folder.path(), false);
    let shuffled = |name: &str, seed| {
        let out = folder.path().join(name);
        let written = shuffle(&rec, &out, seed, true, &mut |_| CONTINUE)
            .unwrap()
            .unwrap();
        assert_eq!(written.records, 10);
        assert_eq!(load_checksums(&out).unwrap().unwrap().len(), 10);
        records(&out)
    };
    let one = shuffled("one.rec", 1);
    assert_eq!(one, shuffled("again.rec", 1));
    assert_ne!(one, shuffled("two.rec", 2));
    let mut sorted = one;
    sorted.sort_unstable();
    assert_eq!(sorted, records(&rec));
}

#[test]
fn output_that_would_overwrite_an_input_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let rec = ten(folder.path(), false);
    let before = fs::read(&rec).unwrap();
    let inside = folder.path().join("inside");
    fs::create_dir(&inside).unwrap();
    let other = inside.join("..").join("a.rec");
    let refused = |outcome: Result<Option<()>>| {
        let error = outcome.unwrap_err().to_string();
        assert!(error.contains("would overwrite an input"), "{error}");
    };
    for out in [&rec, &other] {
        refused(merge(from_ref(&rec), out, false, &mut |_| CONTINUE).map(|all| all.map(drop)));
        refused(split(&rec, from_ref(out), false, &mut |_| CONTINUE).map(|all| all.map(drop)));
        refused(shuffle(&rec, out, 0, false, &mut |_| CONTINUE).map(|all| all.map(drop)));
    }
    assert_eq!(fs::read(&rec).unwrap(), before);
}

#[test]
fn damaged_record_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let rec = ten(folder.path(), true);
    let mut bytes = fs::read(&rec).unwrap();
    bytes[8] ^= 1;
    fs::write(&rec, bytes).unwrap();
    let out = folder.path().join("b.rec");
    let error = shuffle(&rec, &out, 0, false, &mut |_| CONTINUE)
        .unwrap_err()
        .to_string();
    assert!(
        error.contains(
            "a.rec: record 0 at byte 0: the bytes of this record do not match their checksum"
        ),
        "{error}"
    );
    assert_eq!(file_names(folder.path()), ["a.idx", "a.rec", "a.rsum"]);
}

#[test]
fn index_must_list_all_records_if_it_exists() {
    let folder = tempfile::tempdir().unwrap();
    let rec = ten(folder.path(), false);
    let idx = rec.with_extension("idx");
    let out = folder.path().join("b.rec");
    fs::write(&idx, "100\t0\n").unwrap();
    let error = merge(from_ref(&rec), &out, false, &mut |_| CONTINUE)
        .unwrap_err()
        .to_string();
    assert!(error.contains("a.idx: lists 1 records, but"), "{error}");
    fs::remove_file(&idx).unwrap();
    merge(from_ref(&rec), &out, false, &mut |_| CONTINUE)
        .unwrap()
        .unwrap();
    let keys: Vec<u64> = records(&out).iter().map(|(key, _)| *key).collect();
    assert_eq!(keys, (0..10).collect::<Vec<_>>());
}

#[test]
fn an_index_without_any_one_record_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let rec = ten(folder.path(), false);
    let idx = rec.with_extension("idx");
    let lines = fs::read_to_string(&idx).unwrap();
    let outs = shards(folder.path(), 2);
    for missing in 0..10 {
        let listed = lines.lines().enumerate().filter(|&(i, _)| i != missing);
        let listed: Vec<_> = listed.map(|(_, line)| format!("{line}\n")).collect();
        fs::write(&idx, listed.concat()).unwrap();
        let errors = [
            merge(from_ref(&rec), &outs[0], false, &mut |_| CONTINUE).map(drop),
            shuffle(&rec, &outs[0], 0, false, &mut |_| CONTINUE).map(drop),
            split(&rec, &outs, false, &mut |_| CONTINUE).map(drop),
        ];
        for error in errors.map(|outcome| outcome.unwrap_err().to_string()) {
            assert!(error.contains("a.idx: lists 9 records, but"), "{error}");
            assert!(error.contains("has 10"), "{error}");
        }
    }
    assert_eq!(file_names(folder.path()), ["a.idx", "a.rec"]);
}

#[test]
fn files_of_many_blocks_and_a_large_record_are_copied() {
    let folder = tempfile::tempdir().unwrap();
    let rec = folder.path().join("a.rec");
    let mut output = RecordOutput::create(&rec, true).unwrap();
    for key in 0..20_000u64 {
        let len = if key == 7000 { 3 << 20 } else { 150 };
        output.append(key, &vec![key as u8; len]).unwrap();
    }
    commit(vec![output.prepare().unwrap()]).unwrap();
    let before = records(&rec);
    let outs = shards(folder.path(), 2);
    merge(from_ref(&rec), &outs[0], true, &mut |_| CONTINUE).unwrap();
    assert!(records(&outs[0]) == before);
    shuffle(&outs[0], &outs[1], 1, true, &mut |_| CONTINUE).unwrap();
    let mut shuffled = records(&outs[1]);
    assert!(shuffled != before);
    shuffled.sort_unstable_by_key(|&(key, _)| key);
    assert!(shuffled == before);
}

#[test]
fn stopping_leaves_no_file() {
    let folder = tempfile::tempdir().unwrap();
    let rec = ten(folder.path(), false);
    let outs = shards(folder.path(), 2);
    let mut stop = |at: Progress| {
        assert_eq!((at.done, at.total), (10, 10));
        ControlFlow::Break(())
    };
    assert_eq!(split(&rec, &outs, false, &mut stop).unwrap(), None);
    assert_eq!(
        merge(from_ref(&rec), &outs[0], false, &mut stop).unwrap(),
        None
    );
    assert_eq!(shuffle(&rec, &outs[0], 0, false, &mut stop).unwrap(), None);
    assert_eq!(file_names(folder.path()), ["a.idx", "a.rec"]);
}

#[test]
fn number_of_shards_is_checked() {
    let folder = tempfile::tempdir().unwrap();
    let rec = ten(folder.path(), false);
    for count in [0, 11] {
        let error = split(&rec, &shards(folder.path(), count), false, &mut |_| {
            CONTINUE
        })
        .unwrap_err();
        let expected = format!("10 records cannot be split into {count} shards");
        assert!(error.to_string().contains(&expected), "{error}");
    }
}
