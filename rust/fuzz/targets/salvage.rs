//! [`properties::salvage`](recio_fuzz::properties::salvage), of any bytes.

#![no_main]

use std::cell::RefCell;

use libfuzzer_sys::{fuzz_mutator, fuzz_target};
use recio_fuzz::properties::{Desk, salvage};
use recio_fuzz::{memory_file, mutate};

thread_local! {
    static DESK: RefCell<Desk> = RefCell::new(memory_file::desk());
}

fuzz_target!(|bytes: &[u8]| {
    DESK.with_borrow_mut(|desk| salvage::check(bytes, desk));
});

fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, seed: u32| {
    mutate::records::mutate(data, size, max_size, seed, 0)
});
