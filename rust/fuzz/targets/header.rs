//! Fuzz target for [`properties::header`](recio_fuzz::properties::header).

#![no_main]

use std::cell::RefCell;

use libfuzzer_sys::fuzz_target;
use recio_fuzz::memory_file;
use recio_fuzz::properties::{InputFile, header};

thread_local! {
    static INPUT: RefCell<InputFile> = RefCell::new(memory_file::memory_file());
}

fuzz_target!(|bytes: &[u8]| {
    INPUT.with_borrow_mut(|input| header::check(bytes, input));
});
