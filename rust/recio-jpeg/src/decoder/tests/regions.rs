//! A part of the pixels is what it is in the whole picture, whatever was decoded before and whichever rows are asked for.

use super::{colorful, complete, decode, decode_by, numbers, read};
use crate::{Decoder, Header, Options, PixelFormat, Region, Scale};

const SCALES: [Scale; 4] = [Scale::Full, Scale::Half, Scale::Quarter, Scale::Eighth];

/// A picture that was decoded in full.
struct Whole {
    pixels: Vec<u8>,
    /// Samples in a row.
    stride: usize,
    channels: usize,
}

impl Whole {
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

/// A region of a picture; every fourth ends where the picture ends.
fn choose((width, height): (usize, usize), next: &mut impl FnMut(usize) -> usize) -> Region {
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

/// What pictures are decoded to in turn: of each file, all scales and gray.
fn settings(jpeg: &[u8]) -> Vec<Options> {
    let of = |pixel_format, scale| Options {
        pixel_format,
        scale,
        ..Options::default()
    };
    let pixel_format = colorful(jpeg);
    let mut settings = SCALES.map(|scale| of(pixel_format, scale)).to_vec();
    if pixel_format == PixelFormat::Rgb {
        settings.push(of(PixelFormat::Gray, Scale::Full));
    }
    settings
}

#[test]
fn a_region_is_a_crop_of_the_whole() {
    let mut next = numbers(1);
    // One for all: what is left of one picture must not show in the next.
    let mut decoder = Decoder::new();
    for (name, jpeg) in complete() {
        for options in settings(&jpeg) {
            let whole = Whole::new(&jpeg, &options);
            let size = options.scale.size(Header::read(&jpeg).unwrap().size());
            for _ in 0..8 {
                let region = choose(size, &mut next);
                let options = Options {
                    region: Some(region),
                    ..options
                };
                let part = decode_by(&mut decoder, &jpeg, &options).unwrap();
                assert!(part == whole.crop(region), "{name}: {options:?}");
            }
        }
    }
}

#[test]
fn rows_left_out_or_asked_for_again_change_nothing() {
    let mut next = numbers(2);
    let mut decoder = Decoder::new();
    for (name, jpeg) in complete() {
        let header = Header::read(&jpeg).unwrap();
        for options in settings(&jpeg) {
            let whole = Whole::new(&jpeg, &options);
            let region = choose(options.scale.size(header.size()), &mut next);
            let options = Options {
                region: Some(region),
                ..options
            };
            let mut rows = decoder.start(&jpeg, &header, &options).unwrap();
            let mut row = vec![0; region.width * options.pixel_format.channels()];
            for y in 0..region.height {
                for _ in 0..[0, 0, 1, 2][next(4)] {
                    rows.read_row(y, &mut row).unwrap();
                    assert!(row == whole.row(region, y), "{name}: row {y}, {options:?}");
                }
            }
            rows.finish().unwrap();
        }
    }
}

#[test]
fn memory_given_back_is_taken_again() {
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
fn a_region_beyond_the_picture_is_a_mistake() {
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
