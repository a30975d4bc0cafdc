//! What fuzzing found worth keeping (`rust/fuzz/seeds`: a folder for each target), once more
//! without a fuzzer: what the targets assert holds of each file, and of its beginnings.
#![allow(clippy::unwrap_used)]
// The modules are the fuzz crate's, which uses more of them, from more places.
#![allow(dead_code, unreachable_pub)]

#[path = "../../fuzz/src/fuzz_rng.rs"]
mod fuzz_rng;
#[path = "../../fuzz/src/properties/mod.rs"]
mod properties;

use std::path::Path;

use properties::{InputFile, decode_augment, detection_label, header, index, list};
use properties::{record_random, record_stream, salvage};

/// Beginnings of a file that are looked at too, at most.
const CUTS: usize = 20;

/// Calls `check` with each seed of a target, and with what is left of it when it is cut.
fn each(target: &str, mut check: impl FnMut(&[u8])) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../fuzz/seeds")
        .join(target);
    let files: Vec<_> = std::fs::read_dir(folder).unwrap().collect();
    assert!(files.len() >= 10, "{target} has {} seeds", files.len());
    for file in files {
        let bytes = std::fs::read(file.unwrap().path()).unwrap();
        check(&bytes);
        let step = bytes.len().div_ceil(CUTS).max(1);
        (0..bytes.len())
            .step_by(step)
            .for_each(|end| check(&bytes[..end]));
    }
}

/// The same, for what is read from a file.
fn each_in_file(target: &str, check: impl Fn(&[u8], &mut InputFile)) {
    let file = tempfile::NamedTempFile::new().unwrap();
    let mut input = InputFile::new(file.reopen().unwrap(), file.path().to_path_buf());
    each(target, |bytes| check(bytes, &mut input));
}

#[test]
fn files_are_read_from_the_beginning() {
    each_in_file("record_stream", record_stream::check);
}

#[test]
fn files_are_read_anywhere() {
    each_in_file("record_random", record_random::check);
}

#[test]
fn damaged_files_are_salvaged() {
    each_in_file("salvage", salvage::check);
}

#[test]
fn indexes_are_read() {
    each_in_file("index", index::check);
}

#[test]
fn lists_are_read() {
    each_in_file("list", list::check);
}

#[test]
fn headers_are_read() {
    each_in_file("header", header::check);
}

#[test]
fn labels_of_objects_are_read() {
    each("detection_label", detection_label::check);
}

#[test]
fn images_become_pictures_or_are_refused() {
    let mut pictures = 0;
    each("decode_augment", |bytes| {
        pictures += usize::from(decode_augment::check(bytes));
    });
    // Were they all refused, nothing would have been tried.
    assert!(pictures >= 20, "{pictures}");
}
