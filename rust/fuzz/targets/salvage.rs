//! Fuzz target for [`properties::salvage`](recio_fuzz::properties::salvage).

#![no_main]

use std::cell::RefCell;

use libfuzzer_sys::{fuzz_mutator, fuzz_target};
use recio_fuzz::properties::{InputFile, salvage};
use recio_fuzz::{memory_file, mutate};

thread_local! {
    static INPUT: RefCell<InputFile> = RefCell::new(memory_file::memory_file());
}

fuzz_target!(|bytes: &[u8]| {
    INPUT.with_borrow_mut(|input| salvage::check(bytes, input));
});

fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, seed: u32| {
    mutate::records::mutate(data, size, max_size, seed, 0)
});
