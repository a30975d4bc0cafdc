//! Any bytes, of which the last say what is asked for. A region is a part of the whole, whatever
//! rows are left out and whatever the decoder did before; what is good is the same whether or not
//! damage would be an error.

#![no_main]

use libfuzzer_sys::{Corpus, fuzz_mutator, fuzz_target};
use recio_fuzz::compare::pixel_formats;
use recio_fuzz::decode::{decode, decode_rows, header, size};
use recio_fuzz::fuzz_rng::Dice;
use recio_fuzz::mutate::jpeg as mutate;
use recio_jpeg::{Decoder, Header, OnDamage, Options, Region, Scale};

/// Bytes at the end that are drawn from. A decoder takes no notice of them: they are behind the
/// image, or should be.
const DRAWN: usize = 16;

// The corpus holds what is decoded, damaged or not: see `jpeg_compare.rs`.
fuzz_target!(|jpeg: &[u8]| -> Corpus {
    let Some(header) = header(jpeg) else {
        return Corpus::Reject;
    };
    let drawn = &jpeg[jpeg.len().saturating_sub(DRAWN)..];
    if check(jpeg, &header, &mut Dice::new(drawn)) {
        Corpus::Keep
    } else {
        Corpus::Reject
    }
});

fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, seed: u32| {
    mutate::mutate(data, size, max_size, seed)
});

/// Gives whether the image is decoded, at least with its damage filled.
fn check(jpeg: &[u8], header: &Header, dice: &mut Dice<'_>) -> bool {
    let options = Options {
        pixel_format: dice.pick(pixel_formats(header.color_space())),
        scale: dice.pick(&[Scale::Full, Scale::Half, Scale::Quarter, Scale::Eighth]),
        ..Options::default()
    };
    let region = Some(region(size(header, &options), dice));
    let wanted = rows(region.map_or(0, |region| region.height), dice);
    let mut used = used_decoder(jpeg, dice);
    let [strict, lenient] = [OnDamage::Error, OnDamage::Fill].map(|on_damage| {
        let whole_options = Options {
            on_damage,
            ..options
        };
        let options = Options {
            region,
            ..whole_options
        };
        let whole = decode(&mut Decoder::new(), jpeg, header, &whole_options);
        let part = decode_rows(&mut Decoder::new(), jpeg, header, &options, wanted.clone());
        let again = decode_rows(&mut used, jpeg, header, &options, wanted.clone());
        assert_eq!(
            part, again,
            "a decoder that was used before gives something else: {options:?}"
        );
        if let Ok(whole) = &whole {
            let part = part.unwrap_or_else(|error| {
                panic!("the whole is good, a part is not: {error}; {options:?}")
            });
            assert_is_part(&part, whole, header, &options, &wanted);
        }
        whole
    });
    if strict.is_ok() {
        assert_eq!(
            strict, lenient,
            "what is good is not the same where damage would be filled: {options:?}"
        );
    }
    lenient.is_ok()
}

fn region((width, height): (usize, usize), dice: &mut Dice<'_>) -> Region {
    let (x, y) = (dice.below(width), dice.below(height));
    Region {
        x,
        y,
        width: dice.between(1, width - x),
        height: dice.between(1, height - y),
    }
}

/// Row numbers: some left out, some twice.
fn rows(height: usize, dice: &mut Dice<'_>) -> Vec<usize> {
    let mut dice = dice.fork();
    let is_sparse = dice.one_in(2);
    let times = if is_sparse {
        [0, 0, 0, 1]
    } else {
        [1, 1, 2, 0]
    };
    (0..height)
        .flat_map(|y| std::iter::repeat_n(y, dice.pick(&times)))
        .collect()
}

/// A decoder that has met the same image before, cut off or with a byte that is another.
fn used_decoder(jpeg: &[u8], dice: &mut Dice<'_>) -> Decoder {
    let mut decoder = Decoder::new();
    let mut damaged = jpeg.to_vec();
    let at = dice.below(jpeg.len().min(1 << 16));
    if dice.one_in(2) {
        damaged.truncate(at);
    } else {
        damaged[at] ^= 1 << dice.below(8);
    }
    if let Some(header) = header(&damaged) {
        let options = Options {
            pixel_format: dice.pick(pixel_formats(header.color_space())),
            on_damage: dice.pick(&[OnDamage::Error, OnDamage::Fill]),
            ..Options::default()
        };
        // Whatever comes of it: this is not the image that is looked at.
        let _ = decode(&mut decoder, &damaged, &header, &options);
    }
    decoder
}

fn assert_is_part(part: &[u8], whole: &[u8], header: &Header, options: &Options, wanted: &[usize]) {
    let region = options.region.unwrap_or_default();
    let channels = options.pixel_format.channels();
    let (whole_width, _) = options.scale.size(header.size());
    let length = region.width * channels;
    for &y in wanted {
        let expected = &whole[((region.y + y) * whole_width + region.x) * channels..][..length];
        let row = &part[y * length..][..length];
        assert!(
            row == expected,
            "row {y} of {options:?} is not that of the whole: {row:?}, {expected:?}"
        );
    }
}
