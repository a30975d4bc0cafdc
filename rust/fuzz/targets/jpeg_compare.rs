//! Fuzz target for any bytes as a JPEG: no panic, no excessive time, and the pixels of
//! libjpeg-turbo if both decoders accept the image.

#![no_main]

use libfuzzer_sys::{Corpus, fuzz_mutator, fuzz_target};
use recio_fuzz::compare::{Verdict, compare};
use recio_fuzz::mutate::jpeg as mutate;
use recio_fuzz::turbojpeg::TurboJpeg;

// The corpus has images that both accept, so that most mutations have one difference from such an
// image. Mutations of damaged images would soon displace them.
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
