//! Whatever the bytes are, the outcome is pixels or an error. These tests can only fail by a panic, an overflow that is
//! checked for in them, or by taking long.

use super::{decode_by, fixtures, numbers, read, region};
use crate::{Decoder, Header, OnDamage, Options, PixelFormat, Scale};

/// More than any fixture has; a caller has a limit, too.
const MOST_PIXELS: usize = 1 << 16;

/// All ways to decode; each attempt takes the next one.
fn ways() -> impl Iterator<Item = Options> {
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

/// Decodes all of a JPEG, then its last quarter.
fn attempt(decoder: &mut Decoder, jpeg: &[u8], options: Options) {
    let Ok(header) = Header::read(jpeg) else {
        return;
    };
    let mut part = region(&header, &options);
    if part.width * part.height > MOST_PIXELS || header.coefficient_bytes() > 256 * MOST_PIXELS {
        return;
    }
    let _ = decode_by(decoder, jpeg, &options);
    (part.x, part.y) = (part.width / 2, part.height / 2);
    (part.width, part.height) = (part.width - part.x, part.height - part.y);
    let region = Some(part);
    let _ = decode_by(decoder, jpeg, &Options { region, ..options });
}

#[test]
fn any_beginning_of_a_file_is_pixels_or_an_error() {
    let (mut decoder, mut ways) = (Decoder::new(), ways());
    for (name, jpeg) in fixtures() {
        let is_thorough = name.contains("tiny") || name.contains("luma-apart");
        let step = if is_thorough { 1 } else { 7 };
        for length in (0..jpeg.len()).step_by(step) {
            attempt(&mut decoder, &jpeg[..length], ways.next().unwrap());
        }
    }
}

#[test]
fn any_change_of_a_byte_is_pixels_or_an_error() {
    let (mut decoder, mut ways, mut next) = (Decoder::new(), ways(), numbers(3));
    for (_, jpeg) in fixtures() {
        for _ in 0..200 {
            let mut changed = jpeg.clone();
            changed[next(jpeg.len())] ^= 1 << next(8);
            attempt(&mut decoder, &changed, ways.next().unwrap());
        }
    }
}

#[test]
fn any_change_of_a_header_is_pixels_or_an_error() {
    let (mut decoder, mut ways) = (Decoder::new(), ways());
    let jpeg = read("odd-images/one-pixel.jpg");
    for at in 0..jpeg.len() {
        for byte in [0, 1, 0x7f, 0x80, 0xd8, 0xff] {
            let mut changed = jpeg.clone();
            changed[at] = byte;
            attempt(&mut decoder, &changed, ways.next().unwrap());
        }
    }
}

#[test]
fn noise_is_an_error() {
    let mut next = numbers(4);
    for length in 0..200 {
        let noise: Vec<u8> = (0..length).map(|_| next(256) as u8).collect();
        assert!(Header::read(&noise).is_err());
    }
}
