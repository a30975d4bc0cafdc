//! Tests of the decoder: libjpeg-turbo's pixels ([`pixels`]), regions ([`regions`]), errors for
//! damaged files ([`damage`]) and no panics for malicious ones ([`hostile`]).

mod damage;
mod hostile;
mod pixels;
mod regions;

use std::path::{Path, PathBuf};

use super::{Decoder, Options, Region};
use crate::{ColorSpace, Header, PixelFormat, Result};

const EOI: &[u8] = &[0xff, 0xd9];

fn path(name: &str) -> PathBuf {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/data")).join(name)
}

fn read(name: &str) -> Vec<u8> {
    std::fs::read(path(name)).unwrap()
}

/// Return the names and contents of the small test files.
fn fixtures() -> Vec<(String, Vec<u8>)> {
    let files = std::fs::read_dir(path("jpeg")).unwrap();
    let mut names: Vec<String> = files
        .map(|file| format!("jpeg/{}", file.unwrap().file_name().display()))
        .collect();
    names.extend(["tiny", "one-pixel"].map(|name| format!("odd-images/{name}.jpg")));
    names.sort();
    names
        .into_iter()
        .map(|name| {
            let jpeg = read(&name);
            (name, jpeg)
        })
        .collect()
}

/// Return those of them that have all their scans.
fn complete() -> impl Iterator<Item = (String, Vec<u8>)> {
    let fixtures = fixtures().into_iter();
    fixtures.filter(|(name, _)| !name.contains("unfinished"))
}

/// Return the pixel format for the colors of a JPEG.
fn color_format(jpeg: &[u8]) -> PixelFormat {
    match Header::read(jpeg).unwrap().color_space() {
        ColorSpace::Cmyk | ColorSpace::Ycck => PixelFormat::Cmyk,
        _ => PixelFormat::Rgb,
    }
}

/// Return the region of the options, or the entire image.
fn region(header: &Header, options: &Options) -> Region {
    let (width, height) = options.scale.size(header.size());
    options.region.unwrap_or(Region {
        width,
        height,
        ..Region::default()
    })
}

fn decode_by(decoder: &mut Decoder, jpeg: &[u8], options: &Options) -> Result<Vec<u8>> {
    let header = Header::read(jpeg)?;
    let region = region(&header, options);
    let stride = region.width * options.pixel_format.channels();
    let mut pixels = vec![0; region.height * stride];
    let mut rows = decoder.start(jpeg, &header, options)?;
    for (y, row) in pixels.chunks_exact_mut(stride).enumerate() {
        rows.read_row(y, row)?;
    }
    rows.finish()?;
    Ok(pixels)
}

fn decode(jpeg: &[u8], options: &Options) -> Result<Vec<u8>> {
    decode_by(&mut Decoder::new(), jpeg, options)
}

/// Return a pseudo-random generator of numbers below a limit.
fn numbers(mut seed: u64) -> impl FnMut(usize) -> usize {
    move |limit| {
        seed = seed
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (seed >> 33) as usize % limit
    }
}
