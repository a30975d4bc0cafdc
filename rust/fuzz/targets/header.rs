//! [`properties::header`](recio_fuzz::properties::header), of any bytes.

#![no_main]

use std::cell::RefCell;

use libfuzzer_sys::fuzz_target;
use recio_fuzz::memory_file;
use recio_fuzz::properties::{Desk, header};

thread_local! {
    static DESK: RefCell<Desk> = RefCell::new(memory_file::desk());
}

fuzz_target!(|bytes: &[u8]| {
    DESK.with_borrow_mut(|desk| header::check(bytes, desk));
});
