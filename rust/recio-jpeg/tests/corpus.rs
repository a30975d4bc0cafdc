//! Replay of the fuzzing seeds (`rust/fuzz/seeds/jpeg`: small JPEGs, most of them of kinds that no
//! encoder makes). None of them causes a panic, nor do truncated or changed ones; a region is a
//! crop of the entire image; and valid images are the same whether or not damage would be filled.
#![allow(clippy::unwrap_used)]

use std::path::Path;

use recio_jpeg::{
    ColorSpace, Decoder, Error, Header, OnDamage, Options, PixelFormat, Region, Scale,
};

/// Limit of the image size: a damaged header may have four gigapixels.
const MAX_PIXELS: usize = 1 << 17;

fn seeds() -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz/seeds/jpeg");
    let files = std::fs::read_dir(folder).unwrap();
    let mut paths: Vec<_> = files.map(|file| file.unwrap().path()).collect();
    paths.sort();
    paths
        .iter()
        .map(|path| std::fs::read(path).unwrap())
        .collect()
}

fn decode(
    decoder: &mut Decoder,
    jpeg: &[u8],
    header: &Header,
    options: &Options,
) -> Result<Vec<u8>, Error> {
    let full = options.scale.size(header.size());
    let (width, height) = options
        .region
        .map_or(full, |region| (region.width, region.height));
    let stride = width * options.pixel_format.channels();
    let mut pixels = vec![0; stride * height];
    let mut rows = decoder.start(jpeg, header, options)?;
    for (y, row) in pixels.chunks_exact_mut(stride).enumerate() {
        rows.read_row(y, row)?;
    }
    rows.finish()?;
    Ok(pixels)
}

/// Return the middle of the upper half.
fn middle((width, height): (usize, usize)) -> Region {
    Region {
        x: width / 4,
        y: 0,
        width: width.div_ceil(2),
        height: height.div_ceil(2),
    }
}

/// Crop a region from the pixels of the entire image.
fn crop(full: &[u8], width: usize, region: Region, channels: usize) -> Vec<u8> {
    let rows = full.chunks_exact(width * channels).skip(region.y);
    rows.take(region.height)
        .flat_map(|row| &row[region.x * channels..][..region.width * channels])
        .copied()
        .collect()
}

/// Decode the entire image and its middle. Return the pixels of the entire image.
fn check_with_region(
    decoder: &mut Decoder,
    jpeg: &[u8],
    header: &Header,
    options: Options,
) -> Option<Vec<u8>> {
    let size = options.scale.size(header.size());
    let region = middle(size);
    let region_options = Options {
        region: Some(region),
        ..options
    };
    let full = decode(decoder, jpeg, header, &options).ok();
    let pixels = decode(decoder, jpeg, header, &region_options).ok();
    if let Some(full) = &full {
        let expected = crop(full, size.0, region, options.pixel_format.channels());
        assert!(pixels == Some(expected), "{options:?}");
    }
    full
}

/// Decode a JPEG if it has a header. Return whether it is valid.
fn check(decoder: &mut Decoder, jpeg: &[u8]) -> bool {
    let small = |header: &Header| header.size().0 * header.size().1 <= MAX_PIXELS;
    let Some(header) = Header::read(jpeg).ok().filter(small) else {
        return false;
    };
    let pixel_format = match header.color_space() {
        ColorSpace::Cmyk | ColorSpace::Ycck => PixelFormat::Cmyk,
        _ => PixelFormat::Rgb,
    };
    let is_valid = [Scale::Full, Scale::Half].map(|scale| {
        let [strict, lenient] = [OnDamage::Error, OnDamage::Fill].map(|on_damage| {
            let options = Options {
                pixel_format,
                scale,
                on_damage,
                ..Options::default()
            };
            check_with_region(decoder, jpeg, &header, options)
        });
        assert!(strict.is_none() || strict == lenient, "{scale:?}");
        strict.is_some()
    });
    assert_eq!(
        is_valid[0], is_valid[1],
        "the JPEG is valid at one scale only"
    );
    is_valid[0]
}

#[test]
fn seeds_are_decoded_or_rejected() {
    let seeds = seeds();
    let mut decoder = Decoder::new();
    let valid = seeds.iter().filter(|jpeg| check(&mut decoder, jpeg));
    // If all were rejected, the test would be meaningless.
    assert!(valid.count() * 2 > seeds.len() && seeds.len() >= 100);
}

#[test]
fn truncated_seeds_are_decoded_or_rejected() {
    let mut decoder = Decoder::new();
    for jpeg in seeds().iter().step_by(40) {
        for length in 0..jpeg.len() {
            check(&mut decoder, &jpeg[..length]);
        }
    }
}

#[test]
fn seeds_with_a_changed_byte_are_decoded_or_rejected() {
    let mut decoder = Decoder::new();
    for (nth, mut jpeg) in seeds().into_iter().step_by(40).enumerate() {
        for index in 0..jpeg.len() {
            let byte = jpeg[index];
            for changed in [
                byte ^ 1 << (index % 8),
                !byte,
                byte.wrapping_add(nth as u8 | 1),
            ] {
                jpeg[index] = changed;
                check(&mut decoder, &jpeg);
            }
            jpeg[index] = byte;
        }
    }
}
