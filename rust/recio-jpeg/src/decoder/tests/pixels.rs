//! libjpeg-turbo's pixels: `make_jpeg_vectors.py`, beside the files, wrote them by Pillow.

use super::{decode, path, read};
use crate::{ColorSpace, Header, OnDamage, Options, PixelFormat, Scale};

fn scale(denominator: &str) -> Scale {
    let scales = [Scale::Full, Scale::Half, Scale::Quarter, Scale::Eighth];
    let is_meant = |scale: &Scale| scale.divisor().to_string() == denominator;
    scales.into_iter().find(is_meant).unwrap()
}

/// 64-bit FNV-1a.
fn digest(bytes: &[u8]) -> String {
    let digest = bytes
        .iter()
        .fold(0xcbf2_9ce4_8422_2325_u64, |digest, &byte| {
            (digest ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        });
    format!("{digest:016x}")
}

#[test]
fn pixels_are_libjpegs_at_every_scale_and_where_the_rest_is_filled_in() {
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

/// No digests here: if something is wrong, this says where.
#[test]
fn each_level_of_one_file_is_libjpegs() {
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

/// A file in YCbCr, without the JFIF segment that says so, and with other clues.
fn with_clues(jpeg: &[u8], adobe: Option<u8>, names: [u8; 3]) -> Vec<u8> {
    // The JFIF segment is the first, and 18 bytes long.
    let mut jpeg = [&jpeg[..2], &jpeg[20..]].concat();
    let frame = jpeg.windows(2).position(|pair| pair == [0xff, 0xc0]);
    let scan = jpeg.windows(2).position(|pair| pair == [0xff, 0xda]);
    for (i, name) in names.into_iter().enumerate() {
        jpeg[frame.unwrap() + 10 + 3 * i] = name;
        jpeg[scan.unwrap() + 5 + 2 * i] = name;
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
    let colors = |adobe, names| {
        let header = Header::read(&with_clues(&jpeg, adobe, names));
        header.unwrap().color_space()
    };
    assert_eq!(colors(None, [1, 2, 3]), ColorSpace::YCbCr);
    assert_eq!(colors(None, *b"RGB"), ColorSpace::Rgb);
    assert_eq!(colors(Some(0), [1, 2, 3]), ColorSpace::Rgb);
    assert_eq!(colors(Some(1), *b"RGB"), ColorSpace::YCbCr);
}

#[test]
fn red_green_and_blue_are_the_components_as_they_are() {
    let jpeg = read("odd-images/s444.jpg");
    let gray = Options {
        pixel_format: PixelFormat::Gray,
        ..Options::default()
    };
    let luma = decode(&jpeg, &gray).unwrap();
    let pixels = decode(&with_clues(&jpeg, None, *b"RGB"), &Options::default()).unwrap();
    assert!(pixels.iter().step_by(3).eq(&luma));
}

#[test]
fn the_way_up_is_exifs() {
    let way = |name| Header::read(&read(name)).unwrap().orientation();
    assert_eq!(way("odd-images/exif-rotate6.jpg"), 6);
    assert_eq!(way("odd-images/plain.jpg"), 1);
}
