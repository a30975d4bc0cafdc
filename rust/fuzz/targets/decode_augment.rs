//! [`properties::picture`](recio_fuzz::properties::picture), of any bytes.

#![no_main]

use cpu_time::ThreadTime;
use libfuzzer_sys::{fuzz_mutator, fuzz_target};
use recio_fuzz::mutate;
use recio_fuzz::panics;
use recio_fuzz::properties::picture;

fuzz_target!(|bytes: &[u8]| {
    panics::expect_others();
    let start = ThreadTime::now();
    picture::check(bytes);
    let taken = start.elapsed();
    assert!(
        taken < picture::MOST_TIME,
        "{taken:?} for {} bytes",
        bytes.len()
    );
});

// Behind the bytes that are drawn from, the segments of a JPEG are split as those of a whole file: of other formats, they are one.
fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, seed: u32| {
    if seed.is_multiple_of(4) {
        return mutate::jpeg::mutate(data, size, max_size, seed);
    }
    libfuzzer_sys::fuzzer_mutate(data, size, max_size)
});
