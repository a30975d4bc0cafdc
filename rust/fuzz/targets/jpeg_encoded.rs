//! Any bytes, which an encoder makes a JPEG of that is valid: recio-jpeg decodes it, to
//! libjpeg-turbo's pixels.
//!
//! If the variable JPEG names a file, the JPEG is written there: to look at what a finding is made
//! of.

#![no_main]

use libfuzzer_sys::fuzz_target;
use recio_fuzz::compare::{Verdict, compare};
use recio_fuzz::encoder::encode;
use recio_fuzz::fuzz_rng::Dice;
use recio_fuzz::turbojpeg::TurboJpeg;

fuzz_target!(|bytes: &[u8]| {
    let jpeg = encode(&mut Dice::new(bytes));
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
