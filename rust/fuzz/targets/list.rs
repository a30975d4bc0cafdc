//! Fuzz target for [`properties::list`](recio_fuzz::properties::list).

#![no_main]

use std::cell::RefCell;

use libfuzzer_sys::fuzz_target;
use recio_fuzz::memory_file;
use recio_fuzz::properties::{InputFile, list};

thread_local! {
    static INPUT: RefCell<InputFile> = RefCell::new(memory_file::memory_file());
}

fuzz_target!(|bytes: &[u8]| {
    INPUT.with_borrow_mut(|input| list::check(bytes, input));
});
