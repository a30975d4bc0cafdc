//! Pixels of libjpeg-turbo, written with Pillow by `make_jpeg_vectors.py` beside the files.

use super::{decode, path, read};
use crate::{ColorSpace, Header, OnDamage, Options, PixelFormat, Scale};

fn scale(denominator: &str) -> Scale {
    let scales = [Scale::Full, Scale::Half, Scale::Quarter, Scale::Eighth];
    let is_match = |scale: &Scale| scale.divisor().to_string() == denominator;
    scales.into_iter().find(is_match).unwrap()
}

/// FNV-1a with 64 bits.
fn digest(bytes: &[u8]) -> String {
    let digest = bytes
        .iter()
        .fold(0xcbf2_9ce4_8422_2325_u64, |digest, &byte| {
            (digest ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        });
    format!("{digest:016x}")
}

#[test]
fn pixels_are_libjpegs_at_every_scale_and_with_filled_damage() {
    let lines = std::fs::read_to_string(path("jpeg_vectors.txt")).unwrap();
    for line in lines.lines() {
        let [name, length, denominator, channels, _, _, expected] =
            line.split(' ').collect::<Vec<_>>()[..]
        else {
            panic!("{line}");
        };
        let jpeg = read(name);
        let length: usize = length.parse().unwrap();
        let options = Options {
            pixel_format: match channels {
                "1" => PixelFormat::Gray,
                "3" => PixelFormat::Rgb,
                _ => PixelFormat::Cmyk,
            },
            scale: scale(denominator),
            on_damage: if length < jpeg.len() {
                OnDamage::Fill
            } else {
                OnDamage::Error
            },
            ..Options::default()
        };
        let pixels = decode(&jpeg[..length], &options).unwrap();
        assert_eq!(digest(&pixels), expected, "{line}");
    }
    assert!(lines.lines().count() > 300);
}

/// Compare without digests, to show where pixels differ.
#[test]
fn each_pixel_of_one_file_is_libjpegs() {
    let jpeg = read("odd-images/tiny.jpg");
    for denominator in ["1", "2", "4", "8"] {
        let ppm = read(&format!("jpeg-pixels/tiny-{denominator}.ppm"));
        let options = Options {
            scale: scale(denominator),
            ..Options::default()
        };
        let pixels = decode(&jpeg, &options).unwrap();
        assert_eq!(ppm[ppm.len() - pixels.len()..], pixels, "1/{denominator}");
    }
}

/// Return a YCbCr file without the JFIF segment, with other indications of the color space.
fn with_color_indications(jpeg: &[u8], adobe: Option<u8>, ids: [u8; 3]) -> Vec<u8> {
    // The JFIF segment is the first, and has 18 bytes.
    let mut jpeg = [&jpeg[..2], &jpeg[20..]].concat();
    let frame = jpeg.windows(2).position(|pair| pair == [0xff, 0xc0]);
    let scan = jpeg.windows(2).position(|pair| pair == [0xff, 0xda]);
    for (i, id) in ids.into_iter().enumerate() {
        jpeg[frame.unwrap() + 10 + 3 * i] = id;
        jpeg[scan.unwrap() + 5 + 2 * i] = id;
    }
    let adobe = adobe.map(|transform| {
        let content = [0, 100, 0, 0, 0, 0, transform];
        [&[0xff, 0xee, 0, 14], &b"Adobe"[..], &content].concat()
    });
    [&jpeg[..2], &adobe.unwrap_or_default(), &jpeg[2..]].concat()
}

#[test]
fn without_jfif_adobes_segment_or_the_names_tell_colours() {
    let jpeg = read("odd-images/s444.jpg");
    let color_space = |adobe, ids| {
        let header = Header::read(&with_color_indications(&jpeg, adobe, ids));
        header.unwrap().color_space()
    };
    assert_eq!(color_space(None, [1, 2, 3]), ColorSpace::YCbCr);
    assert_eq!(color_space(None, *b"RGB"), ColorSpace::Rgb);
    assert_eq!(color_space(Some(0), [1, 2, 3]), ColorSpace::Rgb);
    assert_eq!(color_space(Some(1), *b"RGB"), ColorSpace::YCbCr);
}

#[test]
fn rgb_components_are_not_converted() {
    let jpeg = read("odd-images/s444.jpg");
    let gray = Options {
        pixel_format: PixelFormat::Gray,
        ..Options::default()
    };
    let luma = decode(&jpeg, &gray).unwrap();
    let pixels = decode(
        &with_color_indications(&jpeg, None, *b"RGB"),
        &Options::default(),
    )
    .unwrap();
    assert!(pixels.iter().step_by(3).eq(&luma));
}

#[test]
fn orientation_is_that_of_exif() {
    let orientation = |name| Header::read(&read(name)).unwrap().orientation();
    assert_eq!(orientation("odd-images/exif-rotate6.jpg"), 6);
    assert_eq!(orientation("odd-images/plain.jpg"), 1);
}
