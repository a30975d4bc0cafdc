//! Fuzz target for [`properties::detection_label`](recio_fuzz::properties::detection_label).

#![no_main]

use libfuzzer_sys::fuzz_target;
use recio_fuzz::properties::detection_label;

fuzz_target!(|bytes: &[u8]| {
    detection_label::check(bytes);
});
