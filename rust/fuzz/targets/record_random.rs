//! Fuzz target for [`properties::record_random`](recio_fuzz::properties::record_random).

#![no_main]

use std::cell::RefCell;

use libfuzzer_sys::{fuzz_mutator, fuzz_target};
use recio_fuzz::properties::{InputFile, record_random};
use recio_fuzz::{memory_file, mutate};

thread_local! {
    static INPUT: RefCell<InputFile> = RefCell::new(memory_file::memory_file());
}

fuzz_target!(|bytes: &[u8]| {
    INPUT.with_borrow_mut(|input| record_random::check(bytes, input));
});

fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, seed: u32| {
    mutate::records::mutate(data, size, max_size, seed, record_random::CHOICE_BYTES)
});
