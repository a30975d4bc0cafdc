//! Any bytes: no panic, no long time, and libjpeg-turbo's pixels wherever both decoders call the
//! image good.

#![no_main]

use libfuzzer_sys::{Corpus, fuzz_mutator, fuzz_target};
use recio_fuzz::compare::{Verdict, compare};
use recio_fuzz::mutate::jpeg as mutate;
use recio_fuzz::turbojpeg::TurboJpeg;

// The corpus holds what both call good, so that most of what is made of it differs in one thing
// from that. Damaged images that breed among themselves soon leave no others.
fuzz_target!(|jpeg: &[u8]| -> Corpus {
    match compare(jpeg) {
        Verdict::Same => Corpus::Keep,
        Verdict::Alone if TurboJpeg::shared().is_none() => Corpus::Keep,
        _ => Corpus::Reject,
    }
});

fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, seed: u32| {
    mutate::mutate(data, size, max_size, seed)
});
