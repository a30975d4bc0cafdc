//! [`properties::objects`](recio_fuzz::properties::objects), of any bytes.

#![no_main]

use libfuzzer_sys::fuzz_target;
use recio_fuzz::properties::objects;

fuzz_target!(|bytes: &[u8]| {
    objects::check(bytes);
});
