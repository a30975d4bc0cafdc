//! What fuzzing found worth keeping (`rust/fuzz/seeds/jpeg`: small JPEGs, most of them of kinds that no encoder makes), once more
//! without a fuzzer. None of them panics, nor do the same ones cut or with bytes that are others; a part is a part of the
//! whole; and what is good is the same whether or not damage would be filled.
#![allow(clippy::unwrap_used)]

use std::path::Path;

use recio_jpeg::{
    ColorSpace, Decoder, Error, Header, OnDamage, Options, PixelFormat, Region, Scale,
};

/// Pixels of the largest image that is decoded: a damaged header may tell of four gigapixels.
const MOST_PIXELS: usize = 1 << 17;

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
    let whole = options.scale.size(header.size());
    let (width, height) = options
        .region
        .map_or(whole, |region| (region.width, region.height));
    let stride = width * options.pixel_format.channels();
    let mut pixels = vec![0; stride * height];
    let mut rows = decoder.start(jpeg, header, options)?;
    for (y, row) in pixels.chunks_exact_mut(stride).enumerate() {
        rows.read_row(y, row)?;
    }
    rows.finish()?;
    Ok(pixels)
}

/// The middle of the upper half.
fn middle((width, height): (usize, usize)) -> Region {
    Region {
        x: width / 4,
        y: 0,
        width: width.div_ceil(2),
        height: height.div_ceil(2),
    }
}

/// The pixels of a region, out of those of the whole.
fn cut_out(whole: &[u8], width: usize, region: Region, channels: usize) -> Vec<u8> {
    let rows = whole.chunks_exact(width * channels).skip(region.y);
    rows.take(region.height)
        .flat_map(|row| &row[region.x * channels..][..region.width * channels])
        .copied()
        .collect()
}

/// Decodes the whole and the middle of it. Gives the pixels of the whole.
fn check_parts(
    decoder: &mut Decoder,
    jpeg: &[u8],
    header: &Header,
    options: Options,
) -> Option<Vec<u8>> {
    let size = options.scale.size(header.size());
    let region = middle(size);
    let part = Options {
        region: Some(region),
        ..options
    };
    let whole = decode(decoder, jpeg, header, &options).ok();
    let part = decode(decoder, jpeg, header, &part).ok();
    if let Some(whole) = &whole {
        let expected = cut_out(whole, size.0, region, options.pixel_format.channels());
        assert!(part == Some(expected), "{options:?}");
    }
    whole
}

/// Decodes a JPEG, if it has a header. Gives whether it is good.
fn check(decoder: &mut Decoder, jpeg: &[u8]) -> bool {
    let small = |header: &Header| header.size().0 * header.size().1 <= MOST_PIXELS;
    let Some(header) = Header::read(jpeg).ok().filter(small) else {
        return false;
    };
    let pixel_format = match header.color_space() {
        ColorSpace::Cmyk | ColorSpace::Ycck => PixelFormat::Cmyk,
        _ => PixelFormat::Rgb,
    };
    let goods = [Scale::Full, Scale::Half].map(|scale| {
        let [strict, lenient] = [OnDamage::Error, OnDamage::Fill].map(|on_damage| {
            let options = Options {
                pixel_format,
                scale,
                on_damage,
                ..Options::default()
            };
            check_parts(decoder, jpeg, &header, options)
        });
        assert!(strict.is_none() || strict == lenient, "{scale:?}");
        strict.is_some()
    });
    assert_eq!(goods[0], goods[1], "it is good at one scale only");
    goods[0]
}

#[test]
fn seeds_are_decoded_or_refused() {
    let seeds = seeds();
    let mut decoder = Decoder::new();
    let good = seeds.iter().filter(|jpeg| check(&mut decoder, jpeg));
    // Were they all refused, nothing would have been tried.
    assert!(good.count() * 2 > seeds.len() && seeds.len() >= 100);
}

#[test]
fn seeds_cut_anywhere_are_decoded_or_refused() {
    let mut decoder = Decoder::new();
    for jpeg in seeds().iter().step_by(40) {
        for length in 0..jpeg.len() {
            check(&mut decoder, &jpeg[..length]);
        }
    }
}

#[test]
fn seeds_with_a_byte_that_is_another_are_decoded_or_refused() {
    let mut decoder = Decoder::new();
    for (nth, mut jpeg) in seeds().into_iter().step_by(40).enumerate() {
        for at in 0..jpeg.len() {
            let byte = jpeg[at];
            for other in [
                byte ^ 1 << (at % 8),
                !byte,
                byte.wrapping_add(nth as u8 | 1),
            ] {
                jpeg[at] = other;
                check(&mut decoder, &jpeg);
            }
            jpeg[at] = byte;
        }
    }
}
