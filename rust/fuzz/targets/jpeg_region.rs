//! Fuzz target for regions of a JPEG, chosen by the last bytes. A region is a crop of the entire
//! image, whichever rows are skipped and whatever the decoder decoded before. A valid image is the
//! same whether or not damage would be filled.

#![no_main]

use libfuzzer_sys::{Corpus, fuzz_mutator, fuzz_target};
use recio_fuzz::compare::pixel_formats;
use recio_fuzz::decode::{decode, decode_rows, header, size};
use recio_fuzz::fuzz_rng::FuzzRng;
use recio_fuzz::mutate::jpeg as mutate;
use recio_jpeg::{Decoder, Header, OnDamage, Options, Region, Scale};

/// Number of trailing bytes for choices. Decoders ignore them after the end of the image.
const CHOICE_BYTES: usize = 16;

// The corpus has images that can be decoded, damaged or not: see `jpeg_compare.rs`.
fuzz_target!(|jpeg: &[u8]| -> Corpus {
    let Some(header) = header(jpeg) else {
        return Corpus::Reject;
    };
    let choices = &jpeg[jpeg.len().saturating_sub(CHOICE_BYTES)..];
    if check(jpeg, &header, &mut FuzzRng::new(choices)) {
        Corpus::Keep
    } else {
        Corpus::Reject
    }
});

fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, seed: u32| {
    mutate::mutate(data, size, max_size, seed)
});

/// Check the property. Return whether the image can be decoded, at least with filled damage.
fn check(jpeg: &[u8], header: &Header, rng: &mut FuzzRng<'_>) -> bool {
    let options = Options {
        pixel_format: rng.pick(pixel_formats(header.color_space())),
        scale: rng.pick(&[Scale::Full, Scale::Half, Scale::Quarter, Scale::Eighth]),
        ..Options::default()
    };
    let region = Some(region(size(header, &options), rng));
    let wanted = rows(region.map_or(0, |region| region.height), rng);
    let mut used = used_decoder(jpeg, rng);
    let [strict, lenient] = [OnDamage::Error, OnDamage::Fill].map(|on_damage| {
        let full_options = Options {
            on_damage,
            ..options
        };
        let options = Options {
            region,
            ..full_options
        };
        let full = decode(&mut Decoder::new(), jpeg, header, &full_options);
        let cropped = decode_rows(&mut Decoder::new(), jpeg, header, &options, wanted.clone());
        let repeated = decode_rows(&mut used, jpeg, header, &options, wanted.clone());
        assert_eq!(
            cropped, repeated,
            "a reused decoder produced other pixels: {options:?}"
        );
        if let Ok(full) = &full {
            let cropped = cropped.unwrap_or_else(|error| {
                panic!("the entire image is valid, a region is not: {error}; {options:?}")
            });
            assert_is_crop(&cropped, full, header, &options, &wanted);
        }
        full
    });
    if strict.is_ok() {
        assert_eq!(
            strict, lenient,
            "a valid image is not the same with filled damage: {options:?}"
        );
    }
    lenient.is_ok()
}

fn region((width, height): (usize, usize), rng: &mut FuzzRng<'_>) -> Region {
    let (x, y) = (rng.below(width), rng.below(height));
    Region {
        x,
        y,
        width: rng.between(1, width - x),
        height: rng.between(1, height - y),
    }
}

/// Return row numbers; some are skipped, some repeated.
fn rows(height: usize, rng: &mut FuzzRng<'_>) -> Vec<usize> {
    let mut rng = rng.fork();
    let is_sparse = rng.one_in(2);
    let times = if is_sparse {
        [0, 0, 0, 1]
    } else {
        [1, 1, 2, 0]
    };
    (0..height)
        .flat_map(|y| std::iter::repeat_n(y, rng.pick(&times)))
        .collect()
}

/// Return a decoder that decoded the same image before, truncated or with a changed byte.
fn used_decoder(jpeg: &[u8], rng: &mut FuzzRng<'_>) -> Decoder {
    let mut decoder = Decoder::new();
    let mut damaged = jpeg.to_vec();
    let at = rng.below(jpeg.len().min(1 << 16));
    if rng.one_in(2) {
        damaged.truncate(at);
    } else {
        damaged[at] ^= 1 << rng.below(8);
    }
    if let Some(header) = header(&damaged) {
        let options = Options {
            pixel_format: rng.pick(pixel_formats(header.color_space())),
            on_damage: rng.pick(&[OnDamage::Error, OnDamage::Fill]),
            ..Options::default()
        };
        // The result does not matter: this is not the image under test.
        let _ = decode(&mut decoder, &damaged, &header, &options);
    }
    decoder
}

fn assert_is_crop(
    cropped: &[u8],
    full: &[u8],
    header: &Header,
    options: &Options,
    wanted: &[usize],
) {
    let region = options.region.unwrap_or_default();
    let channels = options.pixel_format.channels();
    let (full_width, _) = options.scale.size(header.size());
    let length = region.width * channels;
    for &y in wanted {
        let expected = &full[((region.y + y) * full_width + region.x) * channels..][..length];
        let row = &cropped[y * length..][..length];
        assert!(
            row == expected,
            "row {y} of {options:?} differs from the entire image: {row:?}, {expected:?}"
        );
    }
}
