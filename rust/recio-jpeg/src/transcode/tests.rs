//! Tests of transcoding entire files: test images, and damaged ones.

use std::fs;
use std::path::{Path, PathBuf};

use super::{make_baseline, make_seekable};
use crate::error::{Error, Result};
use crate::marker::{
    APP1, DQT, DRI, RST0, RST7, SOF1, SOS, Segment, Segments, is_app_or_comment, is_frame_header,
};
use crate::{ColorSpace, Decoder, Header, Options, PixelFormat, Region};

/// Files that are incomplete, not JPEG, or cannot be coded in one scan.
const REFUSED: [&str; 7] = [
    "unfinished-bits",
    "unfinished-dc",
    "cut",
    "empty",
    "garbage",
    "apart-444-of-2x2",
    "apart-more-than-10-blocks",
];

fn data(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../tests/data")
        .join(path)
}

/// Return the JPEGs in some folders of the test data.
fn jpegs(folders: &[&str]) -> Vec<(PathBuf, Vec<u8>)> {
    let entries = folders
        .iter()
        .flat_map(|folder| fs::read_dir(data(folder)).unwrap());
    let paths = entries.map(|entry| entry.unwrap().path());
    paths
        .filter(|path| path.extension().is_some_and(|suffix| suffix == "jpg"))
        .map(|path| (path.clone(), fs::read(path).unwrap()))
        .collect()
}

fn transcoded(jpeg: &[u8]) -> Result<Vec<u8>> {
    make_seekable(jpeg, &Header::read(jpeg)?)
}

fn decode(jpeg: &[u8], region: Option<Region>) -> Result<Vec<u8>> {
    let header = Header::read(jpeg)?;
    let pixel_format = match header.color_space() {
        ColorSpace::Gray => PixelFormat::Gray,
        ColorSpace::Cmyk | ColorSpace::Ycck => PixelFormat::Cmyk,
        ColorSpace::YCbCr | ColorSpace::Rgb => PixelFormat::Rgb,
    };
    let options = Options {
        pixel_format,
        region,
        ..Options::default()
    };
    let (mut decoder, (width, height)) = (Decoder::new(), header.size());
    let (width, height) = region.map_or((width, height), |region| (region.width, region.height));
    let mut rows = decoder.start(jpeg, &header, &options)?;
    let mut pixels = vec![0; width * height * pixel_format.channels()];
    for (y, row) in pixels
        .chunks_exact_mut(width * pixel_format.channels())
        .enumerate()
    {
        rows.read_row(y, row)?;
    }
    rows.finish()?;
    Ok(pixels)
}

/// Return the segments up to the first scan header.
fn segments(jpeg: &[u8]) -> Vec<Segment<'_>> {
    let mut segments = Segments::new(jpeg, 0);
    let mut list = Vec::new();
    while list
        .last()
        .is_none_or(|last: &Segment<'_>| last.marker != SOS)
    {
        list.push(segments.next().unwrap());
    }
    list
}

/// Return the restart interval and the restart markers of the scan.
fn restarts(jpeg: &[u8]) -> (usize, Vec<u8>) {
    let segments = segments(jpeg);
    let interval = segments.iter().find(|s| s.marker == DRI);
    let interval: [u8; 2] = interval.unwrap().content.try_into().unwrap();
    let scan = &jpeg[segments.last().unwrap().end()..];
    let pairs = scan.windows(2).filter(|pair| pair[0] == 0xff);
    let markers = pairs
        .map(|pair| pair[1])
        .filter(|marker| (RST0..=RST7).contains(marker));
    (u16::from_be_bytes(interval).into(), markers.collect())
}

#[test]
fn pixels_are_unchanged_and_each_mcu_row_starts_with_a_restart() {
    let mut count = 0;
    for (path, jpeg) in jpegs(&["jpeg", "odd-images", "photos/cat", "photos/space"]) {
        let output = match transcoded(&jpeg) {
            Ok(output) => output,
            Err(error) => {
                let name = path.file_stem().unwrap().to_str().unwrap();
                assert!(REFUSED.contains(&name), "{name}: {error}");
                continue;
            }
        };
        assert!(
            decode(&output, None).unwrap() == decode(&jpeg, None).unwrap(),
            "{path:?}"
        );
        let (columns, rows) = Header::read(&output).unwrap().frame.mcus();
        let (interval, markers) = restarts(&output);
        assert_eq!(interval, columns, "{path:?}");
        let expected = (0..rows - 1).map(|row| RST0 + (row % 8) as u8);
        assert!(markers.into_iter().eq(expected), "{path:?}");
        count += 1;
    }
    assert!(count > 60, "{count}");
}

#[test]
fn a_baseline_jpeg_has_the_same_pixels_in_one_scan_without_restarts() {
    let mut count = 0;
    for (path, jpeg) in jpegs(&["jpeg", "odd-images", "photos/cat"]) {
        let Ok(seekable) = transcoded(&jpeg) else {
            continue;
        };
        let header = Header::read(&jpeg).unwrap();
        let output = make_baseline(&jpeg, &header).unwrap();
        let pixels = decode(&jpeg, None).unwrap();
        assert!(decode(&output, None).unwrap() == pixels, "{path:?}");
        assert!(!Header::read(&output).unwrap().is_progressive());
        assert!(segments(&output).iter().all(|s| s.marker != DRI));
        assert!(transcoded(&output).unwrap() == seekable, "{path:?}");
        count += usize::from(header.is_progressive());
    }
    assert!(count >= 5, "{count} progressive ones");
}

#[test]
fn transcoding_twice_changes_nothing() {
    for (path, jpeg) in jpegs(&["jpeg", "odd-images"]) {
        if let Ok(output) = transcoded(&jpeg) {
            assert!(transcoded(&output).unwrap() == output, "{path:?}");
        }
    }
}

#[test]
fn regions_are_those_of_the_original() {
    for (path, jpeg) in jpegs(&["photos/cat"]) {
        let (width, height) = Header::read(&jpeg).unwrap().size();
        let output = transcoded(&jpeg).unwrap();
        for step in 1..5 {
            let region = Some(Region {
                x: width * step / 7,
                y: height * step / 6,
                width: width / 5,
                height: height / 6,
            });
            assert!(
                decode(&output, region).unwrap() == decode(&jpeg, region).unwrap(),
                "{path:?}"
            );
        }
    }
}

#[test]
fn sequential_photographs_become_smaller() {
    for (path, jpeg) in jpegs(&["photos/cat", "photos/coffee", "photos/texture"]) {
        if Header::read(&jpeg).unwrap().frame.is_progressive {
            continue;
        }
        let length = transcoded(&jpeg).unwrap().len();
        assert!(length < jpeg.len(), "{path:?}: {length} of {}", jpeg.len());
    }
}

/// Insert segments after SOI.
fn with_segments(jpeg: &[u8], segments: &[(u8, &[u8])]) -> Vec<u8> {
    let bytes = segments.iter().flat_map(|(marker, content)| {
        let length = (content.len() as u16 + 2).to_be_bytes();
        [&[0xff, *marker], &length[..], content].concat()
    });
    let start = jpeg[..2].iter().copied();
    start
        .chain(bytes)
        .chain(jpeg[2..].iter().copied())
        .collect()
}

#[test]
fn app_segments_and_comments_keep_their_order() {
    let jpeg = fs::read(data("odd-images/exif-rotate6.jpg")).unwrap();
    let jpeg = with_segments(
        &jpeg,
        &[(0xfe, b"first"), (0xe2, b"ICC_PROFILE"), (0xfe, b"")],
    );
    let output = transcoded(&jpeg).unwrap();
    let copied_segments = |jpeg: &[u8]| -> Vec<(u8, Vec<u8>)> {
        let all = segments(jpeg).into_iter();
        let copied_segments = all.filter(|segment| is_app_or_comment(segment.marker));
        copied_segments
            .map(|segment| (segment.marker, segment.content.to_vec()))
            .collect()
    };
    assert_eq!(copied_segments(&output), copied_segments(&jpeg));
    assert!(
        copied_segments(&output)
            .iter()
            .any(|&(marker, _)| marker == APP1)
    );
    assert_eq!(Header::read(&output).unwrap().orientation(), 6);
}

#[test]
fn segments_after_the_scan_are_kept() {
    let mut jpeg = fs::read(data("odd-images/exif-rotate6.jpg")).unwrap();
    let end = jpeg.len() - 2;
    assert_eq!(jpeg[end..], [0xff, 0xd9]);
    jpeg.splice(end..end, [0xff, 0xfe, 0, 4, b'h', b'i']);
    jpeg.extend(b"and more");
    assert!(
        transcoded(&jpeg)
            .unwrap()
            .ends_with(&[0xff, 0xfe, 0, 4, b'h', b'i', 0xff, 0xd9])
    );
}

#[test]
fn a_16_bit_quantization_table_makes_it_extended_sequential() {
    let jpeg = fs::read(data("odd-images/gray.jpg")).unwrap();
    let tables = segments(&jpeg)
        .into_iter()
        .find(|segment| segment.marker == DQT)
        .unwrap();
    let mut wide: Vec<u8> = vec![0x10];
    wide.extend(tables.content[1..65].iter().flat_map(|&step| [1, step]));
    let start = &jpeg[..tables.offset - 4];
    let jpeg = [start, &[0xff, 0xdb, 0, 131], &wide, &jpeg[tables.end()..]].concat();
    let output = transcoded(&jpeg).unwrap();
    assert_eq!(decode(&output, None), decode(&jpeg, None));
    let frame = segments(&output)
        .into_iter()
        .find(|segment| is_frame_header(segment.marker));
    assert_eq!(frame.unwrap().marker, SOF1);
}

#[test]
fn damage_is_an_error() {
    let jpeg = fs::read(data("odd-images/plain.jpg")).unwrap();
    for length in (0..jpeg.len() - 2).step_by(97) {
        assert!(transcoded(&jpeg[..length]).is_err(), "{length}");
    }
    let jpeg = fs::read(data("jpeg/apart-more-than-10-blocks.jpg")).unwrap();
    assert!(matches!(transcoded(&jpeg), Err(Error::Unsupported(_))));
}

#[test]
fn changed_bytes_cause_no_panic_and_no_other_pixels() {
    let mut state = 1_u32;
    let mut random = |below: usize| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 8) as usize % below
    };
    let (mut good, mut bad) = (0, 0);
    for (path, jpeg) in jpegs(&["jpeg"]) {
        for _ in 0..20 {
            let mut jpeg = jpeg.clone();
            for _ in 0..=random(3) {
                let index = random(jpeg.len());
                jpeg[index] = random(256) as u8;
            }
            // Skip sizes that take long.
            let is_small = |header: &Header| header.size().0 * header.size().1 < 1 << 16;
            if !Header::read(&jpeg).is_ok_and(|header| is_small(&header)) {
                continue;
            }
            match transcoded(&jpeg) {
                Ok(output) => {
                    assert!(decode(&output, None) == decode(&jpeg, None), "{path:?}");
                    good += 1;
                }
                Err(_) => bad += 1,
            }
        }
    }
    assert!(good > 100 && bad > 100, "{good} good, {bad} bad");
}
