//! Fuzz target for [`properties::decode_augment`](recio_fuzz::properties::decode_augment).

#![no_main]

use cpu_time::ThreadTime;
use libfuzzer_sys::{fuzz_mutator, fuzz_target};
use recio_fuzz::mutate;
use recio_fuzz::panic_hook;
use recio_fuzz::properties::decode_augment;

fuzz_target!(|bytes: &[u8]| {
    panic_hook::install();
    let start = ThreadTime::now();
    decode_augment::check(bytes);
    let taken = start.elapsed();
    assert!(
        taken < decode_augment::MAX_TIME,
        "{taken:?} for {} bytes",
        bytes.len()
    );
});

// After the bytes for choices, a JPEG is split into segments; any other format is one piece.
fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, seed: u32| {
    if seed.is_multiple_of(4) {
        return mutate::jpeg::mutate(data, size, max_size, seed);
    }
    libfuzzer_sys::fuzzer_mutate(data, size, max_size)
});
