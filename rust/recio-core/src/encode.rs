//! JPEG and PNG encoding, with the defaults of OpenCV.
//!
//! The encoders append to a buffer, so that a record header can precede the image. On an error the
//! buffer is unchanged.

use png::{BitDepth, ColorType, Compression, DeflateCompression, Filter};
use recio_jpeg::{ChannelOrder, Encoder, ImageRows};

pub use recio_jpeg::{EncodeOptions as JpegOptions, Subsampling};

use crate::error::{Error, Result};
use crate::image::View;

/// Highest compression level of zlib.
const BEST_COMPRESSION: u8 = 9;

/// Compression level of PNGs where none is given.
const DEFAULT_COMPRESSION: u8 = 3;

/// Order of the three colors of a pixel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ColorOrder {
    /// R, G, B.
    Rgb,
    /// B, G, R, as in OpenCV.
    Bgr,
}

/// Append a baseline JPEG: gray for one channel, YCbCr for three. The bytes are those of OpenCV.
///
/// # Errors
/// [`ErrorKind::Argument`](crate::error::ErrorKind::Argument) for another number of channels, and
/// for a side of 0 or more than 65,535 pixels.
pub fn encode_jpeg(
    view: &View<'_>,
    order: ColorOrder,
    options: &JpegOptions,
    out: &mut Vec<u8>,
) -> Result<()> {
    let order = match (view.channels, order) {
        (1, _) => ChannelOrder::Gray,
        (3, ColorOrder::Rgb) => ChannelOrder::Rgb,
        (3, ColorOrder::Bgr) => ChannelOrder::Bgr,
        (channels, _) => return Err(unsupported_channels("JPEG", channels)),
    };
    let (pixels, stride) = view.data_and_stride();
    let rows = ImageRows::new(pixels, stride, (view.width, view.height), order)
        .map_err(|error| Error::argument(error.to_string()))?;
    Encoder::new().encode(&rows, options, out);
    Ok(())
}

/// Append a PNG: gray for one channel, RGB for three, RGBA for four. `compression` is zlib's level,
/// 0 (none) to 9.
///
/// # Errors
/// [`ErrorKind::Argument`](crate::error::ErrorKind::Argument) for another number of channels, and
/// for a side of 0.
pub fn encode_png(
    view: &View<'_>,
    order: ColorOrder,
    compression: u8,
    out: &mut Vec<u8>,
) -> Result<()> {
    let color = png_color(view.channels)?;
    let mut pixels = Vec::with_capacity(view.width * view.height * view.channels);
    (0..view.height).for_each(|y| pixels.extend_from_slice(view.row(y)));
    if order == ColorOrder::Bgr {
        swap_red_and_blue(&mut pixels, view.channels);
    }
    let size = (view.width, view.height);
    write_png(&pixels, size, (color, BitDepth::Eight), compression, out)
}

/// Append a PNG with 16 bits per sample; `samples` are rows without padding. Otherwise as
/// [`encode_png`].
///
/// # Errors
/// Those of [`encode_png`], and [`ErrorKind::Argument`](crate::error::ErrorKind::Argument) if the
/// number of `samples` is not `width × height × channels`.
pub fn encode_png_16(
    samples: &[u16],
    (width, height, channels): (usize, usize, usize),
    order: ColorOrder,
    compression: u8,
    out: &mut Vec<u8>,
) -> Result<()> {
    let color = png_color(channels)?;
    let expected = width.saturating_mul(height).saturating_mul(channels);
    if samples.len() != expected {
        return Err(Error::argument(format!(
            "{} samples do not make {width}x{height} pixels of {channels}",
            samples.len()
        )));
    }
    let mut samples: Vec<[u8; 2]> = samples.iter().map(|sample| sample.to_be_bytes()).collect();
    if order == ColorOrder::Bgr {
        swap_red_and_blue(&mut samples, channels);
    }
    let format = (color, BitDepth::Sixteen);
    write_png(
        samples.as_flattened(),
        (width, height),
        format,
        compression,
        out,
    )
}

fn swap_red_and_blue<T>(samples: &mut [T], channels: usize) {
    if channels >= 3 {
        samples
            .chunks_exact_mut(channels)
            .for_each(|pixel| pixel.swap(0, 2));
    }
}

/// Return the compression level of a PNG for a quality, which JPEGs have: 0 to 9 are levels, larger
/// values stand for the default.
#[must_use]
pub fn png_level(quality: u8) -> u8 {
    if quality > BEST_COMPRESSION {
        return DEFAULT_COMPRESSION;
    }
    quality
}

fn png_color(channels: usize) -> Result<ColorType> {
    match channels {
        1 => Ok(ColorType::Grayscale),
        3 => Ok(ColorType::Rgb),
        4 => Ok(ColorType::Rgba),
        channels => Err(unsupported_channels("PNG", channels)),
    }
}

fn write_png(
    bytes: &[u8],
    (width, height): (usize, usize),
    (color, depth): (ColorType, BitDepth),
    compression: u8,
    out: &mut Vec<u8>,
) -> Result<()> {
    let too_large = |_| Error::argument(format!("{width}x{height} pixels are too many for a PNG"));
    let width = u32::try_from(width).map_err(too_large)?;
    let height = u32::try_from(height).map_err(too_large)?;
    append(out, |out| {
        let mut encoder = png::Encoder::new(out, width, height);
        encoder.set_color(color);
        encoder.set_depth(depth);
        match compression {
            0 => encoder.set_compression(Compression::NoCompression),
            level => encoder
                .set_deflate_compression(DeflateCompression::Level(level.min(BEST_COMPRESSION))),
        }
        encoder.set_filter(Filter::Adaptive);
        let writer = encoder.write_header();
        writer
            .and_then(|mut writer| writer.write_image_data(bytes))
            .map_err(|error| error.to_string())
    })
}

/// Run an encoder that appends to `out`; if it fails, truncate `out` to its previous length.
fn append(
    out: &mut Vec<u8>,
    encode: impl FnOnce(&mut Vec<u8>) -> Result<(), String>,
) -> Result<()> {
    let length = out.len();
    encode(out).map_err(|message| {
        out.truncate(length);
        Error::argument(format!("cannot encode the image: {message}"))
    })
}

fn unsupported_channels(format: &str, channels: usize) -> Error {
    Error::argument(format!(
        "cannot write an image of {channels} channels as {format}"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decode::{Pixels, Source, Stored, decode_stored};
    use crate::image::{Image, Rect};
    use crate::limits::Limits;

    fn photo() -> Image {
        let file = include_bytes!("../../../tests/data/photos/cat/00.jpg");
        decoded(file)
    }

    fn decoded(payload: &[u8]) -> Image {
        let (mut image, mut scratch) = Default::default();
        let source = Source::open(payload, &Limits::default()).unwrap();
        source
            .decode(Pixels::Rgb, &mut image, &mut scratch)
            .unwrap();
        image
    }

    fn with_quality(quality: u8) -> JpegOptions {
        JpegOptions {
            quality,
            ..JpegOptions::default()
        }
    }

    fn mean_difference(a: &[u8], b: &[u8]) -> f64 {
        assert_eq!(a.len(), b.len());
        let sum: u64 = a
            .iter()
            .zip(b)
            .map(|(a, b)| u64::from(a.abs_diff(*b)))
            .sum();
        sum as f64 / a.len() as f64
    }

    #[test]
    fn the_quality_of_a_jpeg_affects_its_error_and_size() {
        let photo = photo();
        let (mut good, mut poor) = (Vec::new(), Vec::new());
        encode_jpeg(&photo.view(), ColorOrder::Rgb, &with_quality(95), &mut good).unwrap();
        encode_jpeg(&photo.view(), ColorOrder::Rgb, &with_quality(20), &mut poor).unwrap();
        assert!(mean_difference(&decoded(&good).data, &photo.data) < 2.0);
        assert!(mean_difference(&decoded(&poor).data, &photo.data) < 10.0);
        assert!(poor.len() * 3 < good.len());
    }

    #[test]
    fn a_quality_out_of_range_is_clamped() {
        let photo = photo();
        let encoded = |quality| {
            let mut out = Vec::new();
            encode_jpeg(
                &photo.view(),
                ColorOrder::Rgb,
                &with_quality(quality),
                &mut out,
            )
            .unwrap();
            out
        };
        assert_eq!(encoded(0), encoded(1));
        assert_eq!(encoded(255), encoded(100));
    }

    #[test]
    fn a_color_jpeg_is_420_at_every_quality() {
        for quality in [50, 95, 100] {
            let mut out = Vec::new();
            encode_jpeg(
                &photo().view(),
                ColorOrder::Rgb,
                &with_quality(quality),
                &mut out,
            )
            .unwrap();
            let frame = out
                .windows(2)
                .position(|bytes| bytes == [0xff, 0xc0])
                .unwrap();
            let factors = [out[frame + 11], out[frame + 14], out[frame + 17]];
            assert_eq!(factors, [0x22, 0x11, 0x11]);
        }
    }

    #[test]
    fn a_png_is_lossless_at_every_level() {
        let photo = photo();
        let crop = photo.view().crop(Rect {
            x: 3,
            y: 5,
            width: 31,
            height: 17,
        });
        let rows: Vec<u8> = (0..17).flat_map(|y| crop.row(y)).copied().collect();
        let mut sizes = Vec::new();
        for level in [0, 1, 9, 95] {
            let mut out = b"header".to_vec();
            encode_png(&crop, ColorOrder::Rgb, level, &mut out).unwrap();
            assert_eq!(decoded(out.strip_prefix(b"header").unwrap()).data, rows);
            sizes.push(out.len());
        }
        assert!(sizes[0] > sizes[1] && sizes[1] >= sizes[2] && sizes[2] == sizes[3]);
    }

    #[test]
    fn a_quality_that_is_no_level_is_the_default_level() {
        assert_eq!([0, 1, 9, 10, 95, 100].map(png_level), [0, 1, 9, 3, 3, 3]);
    }

    #[test]
    fn gray_and_alpha_keep_their_channels() {
        for channels in [1, 4] {
            let image = Image {
                width: 2,
                height: 1,
                channels,
                data: (0..2 * channels as u8).collect(),
            };
            let mut out = Vec::new();
            encode_png(&image.view(), ColorOrder::Rgb, 3, &mut out).unwrap();
            let stored = decode_stored(&out, &Limits::default()).unwrap();
            assert_eq!(stored, Stored::Bits8(image));
        }
        let mut out = Vec::new();
        encode_jpeg(
            &Image::filled(9, 9, 1, 77).view(),
            ColorOrder::Rgb,
            &with_quality(95),
            &mut out,
        )
        .unwrap();
        let stored = decode_stored(&out, &Limits::default()).unwrap();
        assert_eq!(stored, Stored::Bits8(Image::filled(9, 9, 1, 77)));
    }

    #[test]
    fn blue_first_is_red_first_with_channels_swapped() {
        let image = |data: Vec<u8>, channels| Image {
            width: 1,
            height: 2,
            channels,
            data,
        };
        for (rgb, bgr, channels) in [
            (vec![1, 2, 3, 4, 5, 6], vec![3, 2, 1, 6, 5, 4], 3),
            (
                vec![1, 2, 3, 4, 5, 6, 7, 8],
                vec![3, 2, 1, 4, 7, 6, 5, 8],
                4,
            ),
            (vec![1, 2], vec![1, 2], 1),
        ] {
            let encoded = |data: &[u8], order| {
                let image = image(data.to_vec(), channels);
                let [mut jpeg, mut png, mut png_16] = [const { Vec::new() }; 3];
                if channels < 4 {
                    encode_jpeg(&image.view(), order, &with_quality(95), &mut jpeg).unwrap();
                }
                encode_png(&image.view(), order, 3, &mut png).unwrap();
                let samples: Vec<u16> = data.iter().map(|&value| 1000 + u16::from(value)).collect();
                encode_png_16(&samples, (1, 2, channels), order, 3, &mut png_16).unwrap();
                [jpeg, png, png_16]
            };
            assert_eq!(
                encoded(&rgb, ColorOrder::Rgb),
                encoded(&bgr, ColorOrder::Bgr)
            );
        }
    }

    #[test]
    fn sixteen_bits_are_kept() {
        let data = vec![0x1234, 0xfffe, 1, 2, 3, 4];
        let mut out = Vec::new();
        encode_png_16(&data, (2, 1, 3), ColorOrder::Rgb, 3, &mut out).unwrap();
        assert_eq!(
            decode_stored(&out, &Limits::default()).unwrap(),
            Stored::Bits16 {
                width: 2,
                height: 1,
                channels: 3,
                data
            }
        );
    }

    #[test]
    fn unsupported_images_are_argument_errors_and_write_nothing() {
        let mut out = b"header".to_vec();
        let two_channels = Image::filled(1, 1, 2, 0);
        let errors = [
            encode_jpeg(
                &two_channels.view(),
                ColorOrder::Rgb,
                &with_quality(95),
                &mut out,
            ),
            encode_jpeg(
                &Image::filled(1, 1, 4, 0).view(),
                ColorOrder::Rgb,
                &with_quality(95),
                &mut out,
            ),
            encode_jpeg(
                &Image::filled(65_536, 1, 1, 0).view(),
                ColorOrder::Rgb,
                &with_quality(95),
                &mut out,
            ),
            encode_jpeg(
                &Image::filled(0, 1, 3, 0).view(),
                ColorOrder::Rgb,
                &with_quality(95),
                &mut out,
            ),
            encode_png(&two_channels.view(), ColorOrder::Rgb, 3, &mut out),
            encode_png(
                &Image::filled(0, 1, 3, 0).view(),
                ColorOrder::Rgb,
                3,
                &mut out,
            ),
            encode_png_16(&[0; 5], (2, 1, 3), ColorOrder::Rgb, 3, &mut out),
        ];
        for error in errors {
            let error = error.unwrap_err();
            assert!(
                matches!(error.kind(), crate::ErrorKind::Argument(_)),
                "{error}"
            );
        }
        assert_eq!(out, b"header");
    }
}
