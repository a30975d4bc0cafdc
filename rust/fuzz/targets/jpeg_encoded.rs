//! Fuzz target for valid JPEGs, which an encoder makes of any bytes: recio-jpeg decodes them to the
//! pixels of libjpeg-turbo.
//!
//! If the variable JPEG has a path, the JPEG is written there, to inspect a finding.

#![no_main]

use libfuzzer_sys::fuzz_target;
use recio_fuzz::compare::{Verdict, compare};
use recio_fuzz::encoder::encode;
use recio_fuzz::fuzz_rng::FuzzRng;
use recio_fuzz::turbojpeg::TurboJpeg;

fuzz_target!(|bytes: &[u8]| {
    let jpeg = encode(&mut FuzzRng::new(bytes));
    if let Some(path) = std::env::var_os("JPEG") {
        std::fs::write(&path, &jpeg).expect("the variable JPEG names a file that can be written");
    }
    let expected = TurboJpeg::shared().map_or(Verdict::Alone, |_| Verdict::Same);
    assert_eq!(
        compare(&jpeg),
        expected,
        "a valid JPEG of {} bytes",
        jpeg.len()
    );
});
