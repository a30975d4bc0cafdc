//! JPEGs of libjpeg-turbo, written with OpenCV by `tests/data/make_encoder_vectors.py`.
//! `tests/image/test_jpeg_encoder.py` compares more, and photographs.

use super::*;
use crate::{Decoder, Header, Options, PixelFormat};

fn subsampling(name: &str) -> Subsampling {
    match name {
        "4:2:0" => Subsampling::S420,
        "4:2:2" => Subsampling::S422,
        _ => Subsampling::S444,
    }
}

/// Return the noise of the script: pseudo-random values around a slope.
fn noise(row: usize, height: usize, contrast: u32) -> Vec<u8> {
    let mut state = 1_u32;
    let values = (0..row * height).map(|index| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        ((state >> 24) * contrast / 255 + (index / row) as u32).min(255) as u8
    });
    values.collect()
}

/// FNV-1a with 64 bits.
fn digest(bytes: &[u8]) -> String {
    let hash = |digest: u64, &byte: &u8| (digest ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    format!("{:016x}", bytes.iter().fold(0xcbf2_9ce4_8422_2325, hash))
}

fn encode(level: SimdLevel, image: &ImageRows<'_>, options: EncodeOptions) -> Vec<u8> {
    let mut out = Vec::new();
    Encoder::with_level(level).encode(image, &options, &mut out);
    out
}

#[test]
fn bytes_are_libjpegs_at_every_simd_level() {
    let path = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../tests/data/encoder_vectors.txt"
    );
    let lines = std::fs::read_to_string(path).unwrap();
    for line in lines.lines() {
        let fields: Vec<&str> = line.split(' ').collect();
        let number = |field: usize| fields[field].parse::<usize>().unwrap();
        let (width, height, channels) = (number(0), number(1), number(2));
        let pixels = noise(width * channels, height, number(5) as u32);
        let order = [ChannelOrder::Gray, ChannelOrder::Bgr][channels / 3];
        let image = ImageRows::new(&pixels, width * channels, (width, height), order).unwrap();
        let options = EncodeOptions {
            quality: number(4) as u8,
            subsampling: subsampling(fields[3]),
        };
        for level in SimdLevel::available() {
            let jpeg = encode(level, &image, options);
            assert_eq!(jpeg.len(), number(6), "{line}");
            assert_eq!(digest(&jpeg), fields[7], "{line}");
        }
    }
    assert!(lines.lines().count() > 100);
}

#[test]
fn rows_may_be_apart_and_colors_in_either_order() {
    let (width, height, stride) = (37, 21, 150);
    let pixels = noise(stride, height, 200);
    let dense: Vec<u8> = pixels
        .chunks(stride)
        .flat_map(|row| &row[..3 * width])
        .copied()
        .collect();
    let swapped: Vec<u8> = dense.chunks(3).flat_map(|p| [p[2], p[1], p[0]]).collect();
    let encoded = |pixels: &[u8], stride, order| {
        let image = ImageRows::new(pixels, stride, (width, height), order).unwrap();
        encode(SimdLevel::best(), &image, EncodeOptions::default())
    };
    let expected = encoded(&dense, 3 * width, ChannelOrder::Rgb);
    assert_eq!(encoded(&pixels, stride, ChannelOrder::Rgb), expected);
    assert_eq!(encoded(&swapped, 3 * width, ChannelOrder::Bgr), expected);
    // The last row may end with its pixels.
    let end = stride * (height - 1) + 3 * width;
    assert_eq!(encoded(&pixels[..end], stride, ChannelOrder::Rgb), expected);
}

#[test]
fn an_encoder_encodes_images_of_any_size_in_turn() {
    let mut encoder = Encoder::new();
    for (width, height) in [(100, 100), (3, 200), (1, 1), (64, 64)] {
        for order in [ChannelOrder::Rgb, ChannelOrder::Gray] {
            let row = width * order.channels();
            let pixels = noise(row, height, 255);
            let image = ImageRows::new(&pixels, row, (width, height), order).unwrap();
            let mut out = b"before".to_vec();
            encoder.encode(&image, &EncodeOptions::default(), &mut out);
            let expected = encode(SimdLevel::best(), &image, EncodeOptions::default());
            assert_eq!(out, [b"before", &expected[..]].concat());
        }
    }
}

#[test]
fn decoded_pixels_are_close_to_the_encoded_ones() {
    let pixels: Vec<u8> = (0..48 * 48)
        .flat_map(|i| [i / 24, i % 48 * 4, 90])
        .map(|v| v as u8)
        .collect();
    let image = ImageRows::new(&pixels, 48 * 3, (48, 48), ChannelOrder::Rgb).unwrap();
    let jpeg = encode(SimdLevel::best(), &image, EncodeOptions::default());
    let options = Options {
        pixel_format: PixelFormat::Rgb,
        ..Options::default()
    };
    let mut decoder = Decoder::new();
    let mut rows = decoder
        .start(&jpeg, &Header::read(&jpeg).unwrap(), &options)
        .unwrap();
    let mut decoded = vec![0; pixels.len()];
    for (y, row) in decoded.chunks_exact_mut(48 * 3).enumerate() {
        rows.read_row(y, row).unwrap();
    }
    rows.finish().unwrap();
    assert!(
        decoded
            .iter()
            .zip(&pixels)
            .all(|(a, b)| a.abs_diff(*b) < 10)
    );
}

#[test]
fn sizes_without_a_jpeg_and_pixels_without_rows_are_errors() {
    let pixels = [0; 100];
    let rows = |stride, size| ImageRows::new(&pixels, stride, size, ChannelOrder::Rgb).map(|_| ());
    let size = |width, height| Err(EncodeError::Size { width, height });
    assert_eq!(rows(0, (0, 5)), size(0, 5));
    assert_eq!(rows(3, (1, 0)), size(1, 0));
    assert_eq!(rows(0, (65_536, 1)), size(65_536, 1));
    assert_eq!(rows(usize::MAX, (1, usize::MAX)), size(1, usize::MAX));
    for (stride, size) in [(29, (10, 3)), (30, (10, 4)), (usize::MAX, (10, 3))] {
        let error = rows(stride, size).unwrap_err();
        assert!(matches!(error, EncodeError::Rows { .. }), "{error}");
    }
    assert_eq!(rows(usize::MAX, (10, 1)), Ok(()));
    assert_eq!(rows(35, (10, 3)), Ok(()));
}
