//! Fuzz target for [`properties::index`](recio_fuzz::properties::index).

#![no_main]

use std::cell::RefCell;

use libfuzzer_sys::fuzz_target;
use recio_fuzz::memory_file;
use recio_fuzz::properties::{InputFile, index};

thread_local! {
    static INPUT: RefCell<InputFile> = RefCell::new(memory_file::memory_file());
}

fuzz_target!(|bytes: &[u8]| {
    INPUT.with_borrow_mut(|input| index::check(bytes, input));
});
