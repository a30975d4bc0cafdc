//! Any bytes result in pixels or an error. These tests can only fail by a panic, by an overflow
//! (which is checked in tests), or by taking too long.

use super::{decode_by, fixtures, numbers, read, region};
use crate::{Decoder, Header, OnDamage, Options, PixelFormat, Scale};

/// Limit of the image size, larger than any fixture.
const MAX_PIXELS: usize = 1 << 16;

/// Return all combinations of options, in a cycle.
fn option_cycle() -> impl Iterator<Item = Options> {
    let all = [OnDamage::Error, OnDamage::Fill].map(|on_damage| {
        [PixelFormat::Rgb, PixelFormat::Gray, PixelFormat::Cmyk].map(|pixel_format| {
            [Scale::Full, Scale::Half, Scale::Quarter, Scale::Eighth].map(|scale| Options {
                on_damage,
                pixel_format,
                scale,
                max_scans: 100,
                region: None,
            })
        })
    });
    let all = all.as_flattened().as_flattened().to_vec();
    all.into_iter().cycle()
}

/// Decode the entire image, then its last quarter.
fn try_decode(decoder: &mut Decoder, jpeg: &[u8], options: Options) {
    let Ok(header) = Header::read(jpeg) else {
        return;
    };
    let mut region = region(&header, &options);
    if region.width * region.height > MAX_PIXELS || header.coefficient_bytes() > 256 * MAX_PIXELS {
        return;
    }
    let _ = decode_by(decoder, jpeg, &options);
    (region.x, region.y) = (region.width / 2, region.height / 2);
    (region.width, region.height) = (region.width - region.x, region.height - region.y);
    let region = Some(region);
    let _ = decode_by(decoder, jpeg, &Options { region, ..options });
}

#[test]
fn truncated_files_are_pixels_or_an_error() {
    let (mut decoder, mut options) = (Decoder::new(), option_cycle());
    for (name, jpeg) in fixtures() {
        let is_thorough = name.contains("tiny") || name.contains("luma-apart");
        let step = if is_thorough { 1 } else { 7 };
        for length in (0..jpeg.len()).step_by(step) {
            try_decode(&mut decoder, &jpeg[..length], options.next().unwrap());
        }
    }
}

#[test]
fn files_with_a_changed_byte_are_pixels_or_an_error() {
    let (mut decoder, mut options, mut next) = (Decoder::new(), option_cycle(), numbers(3));
    for (_, jpeg) in fixtures() {
        for _ in 0..200 {
            let mut changed = jpeg.clone();
            changed[next(jpeg.len())] ^= 1 << next(8);
            try_decode(&mut decoder, &changed, options.next().unwrap());
        }
    }
}

#[test]
fn files_with_a_changed_header_are_pixels_or_an_error() {
    let (mut decoder, mut options) = (Decoder::new(), option_cycle());
    let jpeg = read("odd-images/one-pixel.jpg");
    for index in 0..jpeg.len() {
        for byte in [0, 1, 0x7f, 0x80, 0xd8, 0xff] {
            let mut changed = jpeg.clone();
            changed[index] = byte;
            try_decode(&mut decoder, &changed, options.next().unwrap());
        }
    }
}

#[test]
fn random_bytes_are_an_error() {
    let mut next = numbers(4);
    for length in 0..200 {
        let bytes: Vec<u8> = (0..length).map(|_| next(256) as u8).collect();
        assert!(Header::read(&bytes).is_err());
    }
}
