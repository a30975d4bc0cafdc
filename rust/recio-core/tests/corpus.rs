//! Properties of the fuzz targets, checked without a fuzzer for the seeds of each target
//! (`rust/fuzz/seeds`) and for truncated seeds.
#![allow(clippy::unwrap_used)]
// The modules belong to the fuzz crate, which uses more of them.
#![allow(dead_code, unreachable_pub)]

#[path = "../../fuzz/src/fuzz_rng.rs"]
mod fuzz_rng;
#[path = "../../fuzz/src/properties/mod.rs"]
mod properties;

use std::path::Path;

use properties::{InputFile, decode_augment, detection_label, header, index, list};
use properties::{record_random, record_stream, salvage};

/// Maximum number of truncations of a seed.
const TRUNCATIONS: usize = 20;

/// Calls `check` with each seed of a target, complete and truncated.
fn for_each_seed(target: &str, mut check: impl FnMut(&[u8])) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../fuzz/seeds")
        .join(target);
    let files: Vec<_> = std::fs::read_dir(folder).unwrap().collect();
    assert!(files.len() >= 10, "{target} has {} seeds", files.len());
    for file in files {
        let bytes = std::fs::read(file.unwrap().path()).unwrap();
        check(&bytes);
        let step = bytes.len().div_ceil(TRUNCATIONS).max(1);
        (0..bytes.len())
            .step_by(step)
            .for_each(|end| check(&bytes[..end]));
    }
}

/// Calls `check` with each seed of a target and a file to write it to.
fn for_each_file(target: &str, check: impl Fn(&[u8], &mut InputFile)) {
    let file = tempfile::NamedTempFile::new().unwrap();
    let mut input = InputFile::new(file.reopen().unwrap(), file.path().to_path_buf());
    for_each_seed(target, |bytes| check(bytes, &mut input));
}

#[test]
fn record_files_are_read_in_sequence() {
    for_each_file("record_stream", record_stream::check);
}

#[test]
fn record_files_are_read_at_any_offset() {
    for_each_file("record_random", record_random::check);
}

#[test]
fn damaged_files_are_salvaged() {
    for_each_file("salvage", salvage::check);
}

#[test]
fn indexes_are_read() {
    for_each_file("index", index::check);
}

#[test]
fn lists_are_read() {
    for_each_file("list", list::check);
}

#[test]
fn headers_are_read() {
    for_each_file("header", header::check);
}

#[test]
fn detection_labels_are_read() {
    for_each_seed("detection_label", detection_label::check);
}

#[test]
fn images_are_decoded_or_are_errors() {
    let mut decoded = 0;
    for_each_seed("decode_augment", |bytes| {
        decoded += usize::from(decode_augment::check(bytes));
    });
    // If all were errors, nothing would have been tested.
    assert!(decoded >= 20, "{decoded}");
}
