//! Decoding of every format, on the images in `tests/data`.

use super::*;
use crate::encode::{ColorOrder, encode_png, encode_png_16};
use crate::error::ErrorKind;

macro_rules! odd {
    ($name:literal) => {
        include_bytes!(concat!("../../../../tests/data/odd-images/", $name)).as_slice()
    };
}

macro_rules! reference {
    ($name:literal) => {
        include_bytes!(concat!("../../../../tests/data/decoded/", $name)).as_slice()
    };
}

fn decode(payload: &[u8], pixels: Pixels) -> Result<Image> {
    let (mut into, mut scratch) = Default::default();
    let source = Source::open(payload, &Limits::default())?;
    let size = source.size(pixels);
    source.decode(pixels, &mut into, &mut scratch)?;
    assert_eq!((into.width, into.height), size);
    Ok(into)
}

fn shape_of(payload: &[u8], pixels: Pixels) -> (usize, usize, usize) {
    let image = decode(payload, pixels).unwrap();
    assert_eq!(
        image.data.len(),
        image.width * image.height * image.channels
    );
    (image.width, image.height, image.channels)
}

fn png(width: usize, height: usize, channels: usize, data: Vec<u8>) -> Vec<u8> {
    let image = Image {
        width,
        height,
        channels,
        data,
    };
    let mut out = Vec::new();
    encode_png(&image.view(), ColorOrder::Rgb, 1, &mut out).unwrap();
    out
}

/// Return the mean and the maximum difference of samples.
fn difference(a: &[u8], b: &[u8]) -> (f64, u8) {
    assert_eq!(a.len(), b.len());
    let differences = || a.iter().zip(b).map(|(a, b)| a.abs_diff(*b));
    let sum: f64 = differences().map(f64::from).sum();
    (sum / a.len() as f64, differences().max().unwrap())
}

#[test]
fn every_odd_image_has_its_shape() {
    let photos = [
        odd!("alpha.png"),
        odd!("cmyk.jpg"),
        odd!("gray.jpg"),
        odd!("gray16.png"),
        odd!("palette.png"),
        odd!("photo.webp"),
        odd!("plain.jpg"),
        odd!("progressive.jpg"),
        odd!("s422.jpg"),
        odd!("s444.jpg"),
        odd!("with-restarts.jpg"),
    ];
    for photo in photos {
        assert_eq!(shape_of(photo, Pixels::Rgb), (451, 300, 3));
        assert_eq!(shape_of(photo, Pixels::Gray), (451, 300, 1));
    }
    assert_eq!(shape_of(odd!("photo.bmp"), Pixels::Rgb), (90, 60, 3));
    assert_eq!(shape_of(odd!("tiny.jpg"), Pixels::Rgb), (37, 23, 3));
    assert_eq!(shape_of(odd!("one-pixel.jpg"), Pixels::Rgb), (1, 1, 3));
    assert_eq!(
        shape_of(odd!("exif-rotate6.jpg"), Pixels::Rgb),
        (300, 451, 3)
    );
    assert_eq!(shape_of(odd!("alpha.png"), Pixels::Rgba), (451, 300, 4));
}

/// The references are MXNet 1.9.1's pixels (libjpeg-turbo).
#[test]
fn jpegs_decode_as_mxnet_decodes_them() {
    let cases = [
        (odd!("s444.jpg"), reference!("s444.png")),
        (odd!("gray.jpg"), reference!("gray.png")),
        (odd!("s422.jpg"), reference!("s422.png")),
        (odd!("progressive.jpg"), reference!("progressive.png")),
        (odd!("with-restarts.jpg"), reference!("with-restarts.png")),
        (odd!("tiny.jpg"), reference!("tiny.png")),
    ];
    for (payload, reference) in cases {
        let image = decode(payload, Pixels::Rgb).unwrap();
        let reference = decode(reference, Pixels::Rgb).unwrap();
        let is_full = image.width == reference.width;
        let (x, y) = if is_full { (0, 0) } else { (190, 100) };
        let crop = image.view().crop(Rect {
            x,
            y,
            width: reference.width,
            height: reference.height,
        });
        let rows = (0..crop.height).flat_map(|y| crop.row(y)).copied();
        assert!(rows.eq(reference.data));
    }
}

/// `cmyk.jpg` and `plain.jpg` are the same photograph, saved by Pillow.
#[test]
fn cmyk_becomes_rgb() {
    let cmyk = decode(odd!("cmyk.jpg"), Pixels::Rgb).unwrap();
    let rgb = decode(odd!("s444.jpg"), Pixels::Rgb).unwrap();
    assert!(difference(&cmyk.data, &rgb.data).0 < 3.0);
    let gray = decode(odd!("cmyk.jpg"), Pixels::Gray).unwrap();
    let luma = decode(odd!("s444.jpg"), Pixels::Gray).unwrap();
    assert!(difference(&gray.data, &luma.data).0 < 3.0);
}

#[test]
fn gray_of_a_png_is_exact_and_of_a_jpeg_its_y_channel() {
    let colors: Vec<u8> = (0..=255_u8)
        .flat_map(|i| [i, i.wrapping_mul(7), i.wrapping_mul(31)])
        .collect();
    let expected: Vec<u8> = colors
        .chunks(3)
        .map(|c| (9797 * u32::from(c[0]) + 19234 * u32::from(c[1]) + 3737 * u32::from(c[2])) >> 15)
        .map(|gray| gray as u8)
        .collect();
    let gray = decode(&png(16, 16, 3, colors), Pixels::Gray).unwrap();
    assert_eq!(gray.data, expected);
    let y = decode(odd!("plain.jpg"), Pixels::Gray).unwrap();
    let lossless = decode(odd!("gray.jpg"), Pixels::Gray).unwrap();
    assert!(difference(&y.data, &lossless.data).0 < 0.5);
}

/// 9797·0x1280 + 19234·0x3480 + 3737·0xff80 + 16384 = 549,349,632; >> 15 = 0x417c.
#[test]
fn sixteen_bits_become_their_high_byte_and_gray_is_computed_before() {
    let mut payload = Vec::new();
    encode_png_16(
        &[0x1280, 0x3480, 0xff80],
        (1, 1, 3),
        ColorOrder::Rgb,
        1,
        &mut payload,
    )
    .unwrap();
    assert_eq!(
        decode(&payload, Pixels::Rgb).unwrap().data,
        [0x12, 0x34, 0xff]
    );
    assert_eq!(decode(&payload, Pixels::Gray).unwrap().data, [0x41]);
    let stored = decode_stored(&payload, &Limits::default()).unwrap();
    let Stored::Bits16 { channels, data, .. } = stored else {
        panic!("{stored:?}");
    };
    assert_eq!((channels, data), (3, vec![0x1280, 0x3480, 0xff80]));
}

#[test]
fn alpha_is_kept_for_rgba_dropped_for_rgb_and_never_invented() {
    let payload = png(1, 1, 4, vec![200, 100, 50, 128]);
    assert_eq!(
        decode(&payload, Pixels::Rgba).unwrap().data,
        [200, 100, 50, 128]
    );
    assert_eq!(decode(&payload, Pixels::Rgb).unwrap().data, [200, 100, 50]);
    assert_eq!(decode(&payload, Pixels::Gray).unwrap().data, [124]);
    for (payload, channels) in [
        (odd!("plain.jpg"), 3),
        (odd!("cmyk.jpg"), 3),
        (odd!("gray.jpg"), 1),
        (odd!("photo.bmp"), 3),
        (odd!("gray16.png"), 1),
        (odd!("palette.png"), 3),
    ] {
        assert_eq!(
            decode(payload, Pixels::Rgba).unwrap_err().to_string(),
            format!("expected 4 channels, got {channels}")
        );
    }
}

#[test]
fn decode_stored_keeps_channels_depth_and_orientation() {
    let shape_of = |payload| match decode_stored(payload, &Limits::default()).unwrap() {
        Stored::Bits8(image) => (8, image.width, image.height, image.channels),
        Stored::Bits16 {
            width,
            height,
            channels,
            data,
        } => {
            assert_eq!(data.len(), width * height * channels);
            (16, width, height, channels)
        }
    };
    assert_eq!(shape_of(odd!("gray.jpg")), (8, 451, 300, 1));
    assert_eq!(shape_of(odd!("plain.jpg")), (8, 451, 300, 3));
    assert_eq!(shape_of(odd!("cmyk.jpg")), (8, 451, 300, 3));
    assert_eq!(shape_of(odd!("exif-rotate6.jpg")), (8, 451, 300, 3));
    assert_eq!(shape_of(odd!("alpha.png")), (8, 451, 300, 4));
    assert_eq!(shape_of(odd!("palette.png")), (8, 451, 300, 3));
    assert_eq!(shape_of(odd!("gray16.png")), (16, 451, 300, 1));
}

/// `exif-rotate6.jpg` is `plain.jpg` with an EXIF segment that holds nothing but the orientation.
#[test]
fn all_eight_orientations_are_applied_to_gray_and_rgb() {
    const ORIENTATION: usize = 49;
    let mut payload = odd!("exif-rotate6.jpg").to_vec();
    assert_eq!(payload[ORIENTATION], 6);
    for pixels in [Pixels::Gray, Pixels::Rgb] {
        let plain = decode(odd!("plain.jpg"), pixels).unwrap();
        for exif in 1..=8 {
            payload[ORIENTATION] = exif;
            let mut oriented = Image::default();
            let orientation = Orientation::from_exif(exif);
            orient::apply(orientation, &plain, &mut oriented);
            assert!(decode(&payload, pixels).unwrap() == oriented, "{exif}");
        }
        payload[ORIENTATION] = 9;
        assert!(decode(&payload, pixels).unwrap() == plain);
    }
}

#[test]
fn buffers_are_reused_with_any_contents() {
    let mut into = Image::filled(500, 500, 3, 9);
    let mut scratch = Scratch::default();
    let memory = into.data.as_ptr();
    for payload in [
        odd!("plain.jpg"),
        odd!("cut.jpg"),
        odd!("tiny.jpg"),
        odd!("progressive.jpg"),
    ] {
        let source = Source::open(payload, &Limits::default()).unwrap();
        let result = source.decode(Pixels::Rgb, &mut into, &mut scratch);
        assert!(result.is_err() || into == decode(payload, Pixels::Rgb).unwrap());
    }
    assert_eq!(into.data.as_ptr(), memory);
}

/// A region, decoded into an image and streamed with only some rows required.
#[test]
fn a_region_is_a_crop_of_the_image() {
    let (region, required) = (
        Rect {
            x: 11,
            y: 7,
            width: 20,
            height: 9,
        },
        Rect {
            x: 3,
            y: 2,
            width: 10,
            height: 5,
        },
    );
    for payload in [
        odd!("plain.jpg"),
        odd!("exif-rotate6.jpg"),
        odd!("photo.bmp"),
    ] {
        let full = decode(payload, Pixels::Rgb).unwrap();
        let expected = full.view().crop(region);
        let (mut into, mut scratch) = Default::default();
        let open = || Source::open(payload, &Limits::default()).unwrap();
        open()
            .decode_region(Pixels::Rgb, region, &mut into, &mut scratch)
            .unwrap();
        assert!((0..9).all(|y| into.view().row(y) == expected.row(y)));
        let check = |rows: &mut dyn RowSource| {
            for y in 2..7 {
                assert_eq!(rows.row(y)[9..39], expected.row(y)[9..39]);
            }
        };
        let regions = (region, required);
        open()
            .stream(Pixels::Rgb, regions, &mut into, &mut scratch, check)
            .unwrap();
    }
}

#[test]
fn damage_in_a_stream_is_an_error_unless_it_is_filled() {
    let regions = (Rect::of_size(100, 100), Rect::of_size(100, 100));
    let stream = |payload, fill| {
        let (mut into, mut scratch) = Default::default();
        let source = Source::open(payload, &Limits::default()).unwrap();
        let source = source.fill_damage(fill);
        source.stream(Pixels::Rgb, regions, &mut into, &mut scratch, |rows| {
            (0..100).for_each(|y| assert_eq!(rows.row(y).len(), 300));
        })
    };
    // The missing data is below the region, but the image is still truncated.
    let error = stream(odd!("cut.jpg"), false).unwrap_err();
    assert!(error.to_string().contains("at byte"), "{error}");
    stream(odd!("cut.jpg"), true).unwrap();
    stream(odd!("plain.jpg"), false).unwrap();
}

#[test]
fn other_bytes_are_an_image_error() {
    for payload in [
        odd!("empty.jpg"),
        odd!("garbage.jpg"),
        odd!("not-an-image.txt"),
    ] {
        let error = decode(payload, Pixels::Rgb).unwrap_err();
        assert!(matches!(error.kind(), ErrorKind::Image(_)), "{error}");
    }
}

#[test]
fn a_truncated_image_of_any_format_is_an_image_error() {
    for payload in [
        odd!("alpha.png"),
        odd!("palette.png"),
        odd!("photo.webp"),
        odd!("photo.bmp"),
        odd!("progressive.jpg"),
    ] {
        let error = decode(&payload[..payload.len() / 2], Pixels::Rgb).unwrap_err();
        assert!(matches!(error.kind(), ErrorKind::Image(_)), "{error}");
    }
}

/// The size in the header of a small PNG is raised to 60,000 × 60,000 (and the chunk's CRC
/// adjusted).
#[test]
fn a_png_with_a_huge_size_is_rejected_at_its_header() {
    let mut bomb = png(1, 1, 3, vec![1, 2, 3]);
    bomb[16..24].copy_from_slice(&[0, 0, 0xea, 0x60, 0, 0, 0xea, 0x60]);
    bomb[29..33].copy_from_slice(&0x0fb0_e215_u32.to_be_bytes());
    let error = Source::open(&bomb, &Limits::default()).unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Limit(_)), "{error}");
    assert!(error.to_string().contains("60000x60000"), "{error}");
}

#[test]
fn a_panic_becomes_an_error_with_its_message() {
    let formatted = guarded::<()>(|| panic!("block {}", 7)).unwrap_err();
    assert_eq!(formatted.to_string(), "the decoder panicked: block 7");
    let fixed = guarded::<()>(|| panic!("no block")).unwrap_err();
    assert_eq!(fixed.to_string(), "the decoder panicked: no block");
}
