//! What is made of whole files: the tests' images, and damaged ones.

use std::fs;
use std::path::{Path, PathBuf};

use super::make_seekable;
use crate::error::{Error, Result};
use crate::marker::{
    APP1, DQT, DRI, RST0, RST7, SOF1, SOS, Segment, Segments, is_app_or_comment, is_frame_header,
};
use crate::{ColorSpace, Decoder, Header, Options, PixelFormat, Region};

/// The files that lack something, are no JPEG, or cannot be coded in one scan.
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

/// The JPEGs in some folders of the tests' data.
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
    let mut picture = vec![0; width * height * pixel_format.channels()];
    for (y, row) in picture
        .chunks_exact_mut(width * pixel_format.channels())
        .enumerate()
    {
        rows.read_row(y, row)?;
    }
    rows.finish()?;
    Ok(picture)
}

/// The segments up to the scan's, that one included.
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

/// The restart interval, and the restart markers in the scan.
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
fn the_pixels_stay_the_same_and_each_row_of_mcus_begins_with_a_restart() {
    let mut count = 0;
    for (path, jpeg) in jpegs(&["jpeg", "odd-images", "photos/cat", "photos/space"]) {
        let made = match transcoded(&jpeg) {
            Ok(made) => made,
            Err(error) => {
                let name = path.file_stem().unwrap().to_str().unwrap();
                assert!(REFUSED.contains(&name), "{name}: {error}");
                continue;
            }
        };
        assert!(
            decode(&made, None).unwrap() == decode(&jpeg, None).unwrap(),
            "{path:?}"
        );
        let (columns, rows) = Header::read(&made).unwrap().frame.mcus();
        let (interval, markers) = restarts(&made);
        assert_eq!(interval, columns, "{path:?}");
        let expected = (0..rows - 1).map(|row| RST0 + (row % 8) as u8);
        assert!(markers.into_iter().eq(expected), "{path:?}");
        count += 1;
    }
    assert!(count > 60, "{count}");
}

#[test]
fn it_is_the_same_if_done_again() {
    for (path, jpeg) in jpegs(&["jpeg", "odd-images"]) {
        if let Ok(once) = transcoded(&jpeg) {
            assert!(transcoded(&once).unwrap() == once, "{path:?}");
        }
    }
}

#[test]
fn a_region_is_that_of_the_original() {
    for (path, jpeg) in jpegs(&["photos/cat"]) {
        let (width, height) = Header::read(&jpeg).unwrap().size();
        let made = transcoded(&jpeg).unwrap();
        for part in 1..5 {
            let region = Some(Region {
                x: width * part / 7,
                y: height * part / 6,
                width: width / 5,
                height: height / 6,
            });
            assert!(
                decode(&made, region).unwrap() == decode(&jpeg, region).unwrap(),
                "{path:?}"
            );
        }
    }
}

#[test]
fn photographs_get_smaller_unless_they_were_progressive() {
    for (path, jpeg) in jpegs(&["photos/cat", "photos/coffee", "photos/texture"]) {
        if Header::read(&jpeg).unwrap().frame.is_progressive {
            continue;
        }
        let length = transcoded(&jpeg).unwrap().len();
        assert!(length < jpeg.len(), "{path:?}: {length} of {}", jpeg.len());
    }
}

/// With segments put behind SOI.
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
fn segments_of_applications_and_comments_stay_in_order() {
    let jpeg = fs::read(data("odd-images/exif-rotate6.jpg")).unwrap();
    let jpeg = with_segments(
        &jpeg,
        &[(0xfe, b"first"), (0xe2, b"ICC_PROFILE"), (0xfe, b"")],
    );
    let made = transcoded(&jpeg).unwrap();
    let asides = |jpeg: &[u8]| -> Vec<(u8, Vec<u8>)> {
        let all = segments(jpeg).into_iter();
        let asides = all.filter(|segment| is_app_or_comment(segment.marker));
        asides
            .map(|segment| (segment.marker, segment.content.to_vec()))
            .collect()
    };
    assert_eq!(asides(&made), asides(&jpeg));
    assert!(asides(&made).iter().any(|&(marker, _)| marker == APP1));
    assert_eq!(Header::read(&made).unwrap().orientation(), 6);
}

#[test]
fn what_stands_behind_the_scan_stays_there() {
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
fn wide_quantization_steps_make_it_extended() {
    let jpeg = fs::read(data("odd-images/gray.jpg")).unwrap();
    let tables = segments(&jpeg)
        .into_iter()
        .find(|segment| segment.marker == DQT)
        .unwrap();
    let mut wide: Vec<u8> = vec![0x10];
    wide.extend(tables.content[1..65].iter().flat_map(|&step| [1, step]));
    let start = &jpeg[..tables.offset - 4];
    let jpeg = [start, &[0xff, 0xdb, 0, 131], &wide, &jpeg[tables.end()..]].concat();
    let made = transcoded(&jpeg).unwrap();
    assert_eq!(decode(&made, None), decode(&jpeg, None));
    let frame = segments(&made)
        .into_iter()
        .find(|segment| is_frame_header(segment.marker));
    assert_eq!(frame.unwrap().marker, SOF1);
}

#[test]
fn what_is_damaged_is_an_error() {
    let jpeg = fs::read(data("odd-images/plain.jpg")).unwrap();
    for length in (0..jpeg.len() - 2).step_by(97) {
        assert!(transcoded(&jpeg[..length]).is_err(), "{length}");
    }
    let jpeg = fs::read(data("jpeg/apart-more-than-10-blocks.jpg")).unwrap();
    assert!(matches!(transcoded(&jpeg), Err(Error::Unsupported(_))));
}

#[test]
fn no_byte_makes_it_panic_or_change_pixels() {
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
                let at = random(jpeg.len());
                jpeg[at] = random(256) as u8;
            }
            // Sizes that take long are of no interest here.
            let is_small = |header: &Header| header.size().0 * header.size().1 < 1 << 16;
            if !Header::read(&jpeg).is_ok_and(|header| is_small(&header)) {
                continue;
            }
            match transcoded(&jpeg) {
                Ok(made) => {
                    assert!(decode(&made, None) == decode(&jpeg, None), "{path:?}");
                    good += 1;
                }
                Err(_) => bad += 1,
            }
        }
    }
    assert!(good > 100 && bad > 100, "{good} good, {bad} bad");
}
