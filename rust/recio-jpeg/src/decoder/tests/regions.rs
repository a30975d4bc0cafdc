//! Regions are equal to crops of the entire image, whatever was decoded before and whichever rows
//! are read.

use super::{color_format, complete, decode, decode_by, fixtures, numbers, read};
use crate::{Decoder, Header, OnDamage, Options, PixelFormat, Region, Scale};

const SCALES: [Scale; 4] = [Scale::Full, Scale::Half, Scale::Quarter, Scale::Eighth];

/// Entire decoded image.
struct DecodedImage {
    pixels: Vec<u8>,
    /// Samples per row.
    stride: usize,
    channels: usize,
}

impl DecodedImage {
    fn new(jpeg: &[u8], options: &Options) -> Self {
        let (width, _) = options.scale.size(Header::read(jpeg).unwrap().size());
        Self {
            pixels: decode(jpeg, options).unwrap(),
            stride: width * options.pixel_format.channels(),
            channels: options.pixel_format.channels(),
        }
    }

    fn row(&self, region: Region, y: usize) -> &[u8] {
        let start = (region.y + y) * self.stride + region.x * self.channels;
        &self.pixels[start..][..region.width * self.channels]
    }

    fn crop(&self, region: Region) -> Vec<u8> {
        let rows = (0..region.height).map(|y| self.row(region, y));
        rows.collect::<Vec<_>>().concat()
    }
}

/// Choose a random region; every fourth ends at the lower right corner.
fn random_region((width, height): (usize, usize), next: &mut impl FnMut(usize) -> usize) -> Region {
    let (x, y) = (next(width), next(height));
    let (right, lower) = (width - x, height - y);
    let is_corner = next(4) == 0;
    Region {
        x,
        y,
        width: if is_corner { right } else { next(right) + 1 },
        height: if is_corner { lower } else { next(lower) + 1 },
    }
}

/// Return the options to test with a file: all scales, and gray.
fn option_list(jpeg: &[u8]) -> Vec<Options> {
    let options = |pixel_format, scale| Options {
        pixel_format,
        scale,
        ..Options::default()
    };
    let pixel_format = color_format(jpeg);
    let mut option_list = SCALES.map(|scale| options(pixel_format, scale)).to_vec();
    if pixel_format == PixelFormat::Rgb {
        option_list.push(options(PixelFormat::Gray, Scale::Full));
    }
    option_list
}

#[test]
fn a_region_is_a_crop_of_the_entire_image() {
    let mut next = numbers(1);
    // One decoder for all files: no data of one image may appear in the next.
    let mut decoder = Decoder::new();
    for (name, jpeg) in complete() {
        for options in option_list(&jpeg) {
            let full = DecodedImage::new(&jpeg, &options);
            let size = options.scale.size(Header::read(&jpeg).unwrap().size());
            for _ in 0..8 {
                let region = random_region(size, &mut next);
                let options = Options {
                    region: Some(region),
                    ..options
                };
                let pixels = decode_by(&mut decoder, &jpeg, &options).unwrap();
                assert!(pixels == full.crop(region), "{name}: {options:?}");
            }
        }
    }
}

#[test]
fn skipped_and_repeated_rows_change_nothing() {
    let mut next = numbers(2);
    let mut decoder = Decoder::new();
    for (name, jpeg) in complete() {
        let header = Header::read(&jpeg).unwrap();
        for options in option_list(&jpeg) {
            let full = DecodedImage::new(&jpeg, &options);
            let region = random_region(options.scale.size(header.size()), &mut next);
            let options = Options {
                region: Some(region),
                ..options
            };
            let mut rows = decoder.start(&jpeg, &header, &options).unwrap();
            let mut row = vec![0; region.width * options.pixel_format.channels()];
            for y in 0..region.height {
                for _ in 0..[0, 0, 1, 2][next(4)] {
                    rows.read_row(y, &mut row).unwrap();
                    assert!(row == full.row(region, y), "{name}: row {y}, {options:?}");
                }
            }
            rows.finish().unwrap();
        }
    }
}

#[test]
fn a_trimmed_decoder_decodes_again() {
    let mut decoder = Decoder::new();
    for name in ["jpeg/progressive-bits.jpg", "odd-images/tiny.jpg"] {
        let jpeg = read(name);
        let options = Options::default();
        let first = decode_by(&mut decoder, &jpeg, &options).unwrap();
        decoder.trim(0);
        assert!(decode_by(&mut decoder, &jpeg, &options).unwrap() == first);
    }
}

#[test]
#[should_panic(expected = "is outside the image of 37x23 pixels")]
fn a_region_outside_the_image_panics() {
    let region = Some(Region {
        x: 30,
        y: 0,
        width: 8,
        height: 1,
    });
    let options = Options {
        region,
        ..Options::default()
    };
    let _ = decode(&read("odd-images/tiny.jpg"), &options);
}

/// Restart markers, smoothing and the end of the data must not depend on which rows are decoded.
#[test]
fn a_region_of_a_filled_image_is_a_crop_of_it() {
    let mut next = numbers(6);
    let mut decoder = Decoder::new();
    for (_, jpeg) in fixtures() {
        for _ in 0..12 {
            let mut damaged = jpeg.clone();
            let (at, length) = (next(jpeg.len()), next(100));
            match next(3) {
                0 => damaged.truncate(at),
                1 => drop(damaged.drain(at..jpeg.len().min(at + length))),
                _ => damaged[at] ^= 1 << next(8),
            }
            let options = Options {
                pixel_format: color_format(&jpeg),
                scale: SCALES[next(4)],
                on_damage: OnDamage::Fill,
                ..Options::default()
            };
            let size = Header::read(&jpeg).unwrap().size();
            let header = Header::read(&damaged);
            if !header.is_ok_and(|header| header.size() == size)
                || decode(&damaged, &options).is_err()
            {
                continue;
            }
            let full = DecodedImage::new(&damaged, &options);
            let region = random_region(options.scale.size(size), &mut next);
            let options = Options {
                region: Some(region),
                ..options
            };
            let cropped = decode_by(&mut decoder, &damaged, &options).unwrap();
            assert!(cropped == full.crop(region), "{options:?}");
        }
    }
}
