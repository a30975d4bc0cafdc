//! Damage is reported with its position; harmless oddities are not damage.

use super::{EOI, color_format, complete, decode, read, region};
use crate::unstuff::UnstuffedData;
use crate::{Decoder, Error, Header, OnDamage, Options, PixelFormat, Region, Result};

const SOS: u8 = 0xda;
const SOF0: u8 = 0xc0;
const DHT: u8 = 0xc4;
const DQT: u8 = 0xdb;

const EARLY_MARKER: &str = "a marker comes before the end of the scan's data";

fn decode_all(jpeg: &[u8]) -> Result<Vec<u8>> {
    decode(jpeg, &Options::default())
}

fn decode_filled(jpeg: &[u8]) -> Vec<u8> {
    let options = Options {
        on_damage: OnDamage::Fill,
        ..Options::default()
    };
    decode(jpeg, &options).unwrap()
}

/// Decode the first pixels of the first rows.
fn top(jpeg: &[u8], height: usize) -> Result<Vec<u8>> {
    let region = Some(Region {
        width: 5,
        height,
        ..Region::default()
    });
    decode(
        jpeg,
        &Options {
            region,
            ..Options::default()
        },
    )
}

/// Return the error of decoding a JPEG.
fn error(jpeg: &[u8]) -> Error {
    decode_all(jpeg).map(drop).unwrap_err()
}

fn damaged(jpeg: &[u8]) -> (usize, &'static str) {
    match error(jpeg) {
        Error::Damaged { offset, reason } => (offset, reason),
        other => panic!("{other}"),
    }
}

fn truncated_at(jpeg: &[u8]) -> usize {
    match error(jpeg) {
        Error::Truncated { offset } => offset,
        other => panic!("{other}"),
    }
}

/// Return the positions of all markers of a kind. Nothing else in these files looks like them.
fn marker_positions(jpeg: &[u8], code: u8) -> Vec<usize> {
    let pairs = jpeg.windows(2).enumerate();
    let matches = pairs.filter(|(_, pair)| *pair == [0xff, code]);
    matches.map(|(position, _)| position).collect()
}

/// Return the position of the content of the only segment of a kind, after marker and length.
fn content_position(jpeg: &[u8], code: u8) -> usize {
    let [at] = marker_positions(jpeg, code)[..] else {
        panic!("not one of {code:x}");
    };
    at + 4
}

/// Remove all segments of a kind.
fn without(jpeg: &[u8], code: u8) -> Vec<u8> {
    let mut jpeg = jpeg.to_vec();
    for at in marker_positions(&jpeg, code).into_iter().rev() {
        let length = usize::from(u16::from_be_bytes([jpeg[at + 2], jpeg[at + 3]]));
        jpeg.drain(at..at + 2 + length);
    }
    jpeg
}

/// Return a uniform gray JPEG in which each block takes two zero bits: each of the two tables has
/// one code.
fn uniform_jpeg(width: u16, height: u16) -> Vec<u8> {
    let [h, w] = [height, width].map(u16::to_be_bytes);
    let table = |head: u8| [&[0xff, DHT, 0, 20, head, 1], &[0; 16][..]].concat();
    let blocks = usize::from(width.div_ceil(8)) * usize::from(height.div_ceil(8));
    [
        &[0xff, 0xd8, 0xff, DQT, 0, 67, 0][..],
        &[1; 64],
        &[0xff, SOF0, 0, 11, 8, h[0], h[1], w[0], w[1], 1, 1, 0x11, 0],
        &table(0),
        &table(0x10),
        &[0xff, SOS, 0, 8, 1, 1, 0, 0, 63, 0],
        &vec![0; (2 * blocks).div_ceil(8)],
        EOI,
    ]
    .concat()
}

#[test]
fn a_truncated_scan_is_an_error_with_and_without_an_end_marker() {
    let jpeg = read("odd-images/plain.jpg");
    let scan = content_position(&jpeg, SOS) + 10;
    // The last bytes may be bits that no block needs.
    for length in (scan..jpeg.len() - 12).step_by(1499) {
        let cut = &jpeg[..length];
        let with_eoi = [cut, EOI].concat();
        assert_eq!(truncated_at(cut), length);
        assert_eq!(damaged(&with_eoi), (length, EARLY_MARKER));
    }
}

#[test]
fn a_region_above_missing_data_is_an_error_if_the_scan_ends_without_a_marker() {
    let jpeg = read("odd-images/plain.jpg");
    let cut = &jpeg[..20_000];
    assert!(top(cut, 10) == Err(Error::Truncated { offset: 20_000 }));
    // Only reading all rows would reveal that the marker comes too early.
    let with_eoi = [cut, EOI].concat();
    assert!(top(&with_eoi, 10).unwrap() == top(&jpeg, 10).unwrap());
}

#[test]
fn data_beside_a_region_is_not_read_if_rows_start_with_restarts() {
    let jpeg = read("odd-images/plain.jpg");
    let jpeg = crate::make_seekable(&jpeg, &Header::read(&jpeg).unwrap()).unwrap();
    let mut damaged = jpeg.clone();
    for restart in (0..8).flat_map(|number| marker_positions(&jpeg, 0xd0 + number)) {
        damaged[restart - 9..restart].fill(0);
    }
    assert!(decode_all(&damaged).is_err());
    assert!(top(&damaged, 50) == top(&jpeg, 50));
}

#[test]
fn the_last_of_several_scans_is_read_to_its_end_if_no_marker_follows() {
    let jpeg = read("jpeg/apart-420.jpg");
    let length = jpeg.len() - 40;
    let error = Err(Error::Truncated { offset: length });
    assert!(top(&jpeg[..length], 10) == error);
}

#[test]
fn a_progressive_image_may_lack_its_end_marker_only_if_all_scans_are_complete() {
    let jpeg = read("odd-images/progressive.jpg");
    let full = decode_all(&jpeg).unwrap();
    let cut = |missing| &jpeg[..jpeg.len() - missing];
    for missing in [1, 2] {
        assert!(decode_all(cut(missing)).unwrap() == full);
    }
    for missing in [100, 10_000] {
        assert_eq!(truncated_at(cut(missing)), jpeg.len() - missing);
    }
    for scan in marker_positions(&jpeg, SOS) {
        assert_eq!(truncated_at(&jpeg[..scan]), scan);
    }
}

#[test]
fn harmless_oddities_change_no_pixel() {
    let jpeg = read("odd-images/plain.jpg");
    let body = jpeg.strip_suffix(EOI).unwrap();
    let full = decode_all(&jpeg).unwrap();
    let (start, rest) = jpeg.split_at(20);
    for variant in [
        body.to_vec(),
        [&jpeg, &[0; 1000][..]].concat(),
        [&jpeg[..], &jpeg].concat(),
        [body, &[1, 2, 3], EOI].concat(),
        [body, &[0xff, 0xfe, 0, 4, 1, 2], EOI].concat(),
        [start, &[1; 9], rest].concat(),
        [start, &[0xff; 9], rest].concat(),
    ] {
        assert!(decode_all(&variant).unwrap() == full);
    }
}

/// Return the number of extraneous bytes after all rows were read.
fn extraneous_bytes(jpeg: &[u8]) -> usize {
    let header = Header::read(jpeg).unwrap();
    let options = Options {
        pixel_format: color_format(jpeg),
        ..Options::default()
    };
    let (width, height) = header.size();
    let mut row = vec![0; width * options.pixel_format.channels()];
    let mut decoder = Decoder::new();
    let mut rows = decoder.start(jpeg, &header, &options).unwrap();
    for y in 0..height {
        rows.read_row(y, &mut row).unwrap();
    }
    rows.extraneous_bytes()
}

#[test]
fn extraneous_bytes_of_any_scan_are_counted() {
    for (name, jpeg) in complete() {
        assert_eq!(extraneous_bytes(&jpeg), 0, "{name}");
        let extended = [&jpeg[..jpeg.len() - 2], &[0x55, 0xff, 0, 0x55], EOI].concat();
        assert_eq!(extraneous_bytes(&extended), 3, "{name}");
        let first = marker_positions(&jpeg, SOS)[0] + 2;
        let length = usize::from(u16::from_be_bytes([jpeg[first], jpeg[first + 1]]));
        let end = UnstuffedData::default().read(&jpeg, first + length, true);
        let extended = [&jpeg[..end], &[0x55; 7], &jpeg[end..]].concat();
        assert_eq!(extraneous_bytes(&extended), 7, "{name}");
    }
}

/// A missing end marker must not be taken for missing data if the last rows fit the bit reservoir.
#[test]
fn a_uniform_image_without_end_marker_is_complete() {
    let jpeg = uniform_jpeg(16, 400);
    let body = jpeg.strip_suffix(EOI).unwrap();
    let gray = vec![128; 16 * 400 * 3];
    assert_eq!(decode_all(&jpeg).unwrap(), gray);
    assert_eq!(decode_all(body).unwrap(), gray);
    for missing in 1..25 {
        assert_eq!(
            truncated_at(&body[..body.len() - missing]),
            body.len() - missing,
            "{missing}"
        );
    }
}

#[test]
fn an_invalid_huffman_code_is_damage_at_its_position() {
    let mut jpeg = uniform_jpeg(16, 400);
    let scan = content_position(&jpeg, SOS) + 6;
    jpeg[scan + 20] = 0x7f;
    let (offset, reason) = damaged(&jpeg);
    assert_eq!(reason, "the scan has an invalid Huffman code");
    // The code takes 17 bits, as the longest code is shorter.
    assert!((scan + 20..=scan + 23).contains(&offset), "{offset}");
}

#[test]
fn a_restart_out_of_order_is_damage() {
    let mut jpeg = read("jpeg/grey-1x3-restarts.jpg");
    let third = marker_positions(&jpeg, 0xd2)[0];
    jpeg[third + 1] = 0xd5;
    let reason = "a restart marker is missing or misplaced";
    assert_eq!(damaged(&jpeg), (third, reason));
    assert_eq!(top(&jpeg, 24).unwrap().len(), 24 * 5 * 3);
}

#[test]
fn a_scan_with_undefined_tables_is_damage() {
    let jpeg = read("odd-images/progressive.jpg");
    let without_tables = without(&jpeg, DHT);
    let reason = "a scan uses an undefined Huffman table";
    let scan = marker_positions(&without_tables, SOS)[0];
    assert_eq!(damaged(&without_tables), (scan + 4, reason));
    let jpeg = uniform_jpeg(8, 8);
    let without_tables = without(&jpeg, DQT);
    let reason = "a scan uses an undefined quantization table";
    assert_eq!(
        damaged(&without_tables),
        (content_position(&without_tables, SOS), reason)
    );
}

#[test]
fn a_header_without_frame_or_scan_is_damage() {
    let jpeg = uniform_jpeg(8, 8);
    let reason = "there is no frame header before the first scan";
    assert_eq!(damaged(&without(&jpeg, SOF0)), (0, reason));
    let scan = marker_positions(&jpeg, SOS)[0];
    let ended = [&jpeg[..scan], EOI].concat();
    let reason = "it ends before the first scan";
    assert_eq!(damaged(&ended), (scan + 2, reason));
}

#[test]
fn a_second_frame_is_damage() {
    let jpeg = read("odd-images/plain.jpg");
    let frame = marker_positions(&jpeg, SOF0)[0];
    let (before, rest) = jpeg.split_at(frame);
    let repeated = [before, &rest[..19], rest].concat();
    assert_eq!(
        damaged(&repeated),
        (frame + 19 + 4, "there is more than one frame header")
    );
}

#[test]
fn a_repeated_scan_is_damage() {
    let jpeg = read("jpeg/progressive-bits.jpg");
    let scan = marker_positions(&jpeg, SOS)[0];
    let length = jpeg[scan + 12..]
        .windows(2)
        .position(|pair| pair[0] == 0xff && pair[1] != 0)
        .unwrap();
    let (before, rest) = jpeg.split_at(scan);
    let copy = &rest[..12 + length];
    let repeated = [before, copy, rest].concat();
    let second = scan + copy.len() + 4;
    let reason = "a scan's coefficients are out of order";
    assert_eq!(damaged(&repeated), (second, reason));
}

#[test]
fn missing_scans_are_damage_unless_filled() {
    for name in ["jpeg/unfinished-dc.jpg", "jpeg/unfinished-bits.jpg"] {
        let jpeg = read(name);
        assert_eq!(damaged(&jpeg), (jpeg.len(), "scans are missing"));
        assert_eq!(decode_filled(&jpeg).len(), 67 * 53 * 3);
    }
}

#[test]
fn too_many_scans_are_an_error() {
    let limited = |name| {
        let options = Options {
            max_scans: 2,
            ..Options::default()
        };
        decode(&read(name), &options)
    };
    let error = Error::TooManyScans { limit: 2 };
    assert!(limited("jpeg/apart-420.jpg") == Err(error));
    assert!(limited("jpeg/luma-apart-420-restarts.jpg").is_ok());
    assert!(limited("odd-images/plain.jpg").is_ok());
}

#[test]
fn a_false_size_of_four_gigapixels_allocates_nothing() {
    let mut jpeg = uniform_jpeg(8, 8);
    let frame = content_position(&jpeg, SOF0);
    jpeg[frame + 1..frame + 5].fill(0xff);
    let header = Header::read(&jpeg).unwrap();
    assert_eq!(header.size(), (65535, 65535));
    assert_eq!(header.coefficient_bytes(), 0);
    let options = Options {
        region: Some(Region {
            x: 65_000,
            y: 0,
            width: 5,
            height: 1,
        }),
        ..Options::default()
    };
    assert!(matches!(
        decode(&jpeg, &options),
        Err(Error::Damaged {
            reason: EARLY_MARKER,
            ..
        })
    ));
}

#[test]
fn inks_are_not_made_colours() {
    let cmyk = read("jpeg/ycck-420.jpg");
    let error = error(&cmyk);
    assert!(matches!(error, Error::Unsupported(_)), "{error}");
    let options = Options {
        pixel_format: PixelFormat::Cmyk,
        ..Options::default()
    };
    assert!(decode(&read("odd-images/plain.jpg"), &options).is_err());
}

#[test]
fn filled_damage_keeps_the_pixels_before_it() {
    let jpeg = read("odd-images/plain.jpg");
    let header = Header::read(&jpeg).unwrap();
    let Region { width, .. } = region(&header, &Options::default());
    let (full, filled) = (decode_all(&jpeg).unwrap(), decode_filled(&jpeg[..20_000]));
    let rows = full.chunks(width * 3).zip(filled.chunks(width * 3));
    let same = rows.take_while(|(a, b)| a == b).count();
    // This is half of the bytes, and the upper part of the image has less detail.
    assert!((100..200).contains(&same), "{same} rows");
    let last = filled.len() - width * 3;
    assert!(filled[last..] == vec![128; width * 3]);
}

#[test]
fn a_region_of_a_complete_progressive_image_needs_no_end_marker() {
    let jpeg = read("jpeg/progressive-bits.jpg");
    let without_eoi = jpeg.strip_suffix(EOI).unwrap();
    assert!(decode_all(without_eoi).is_ok());
    for height in 1..=53 {
        assert_eq!(top(without_eoi, height), top(&jpeg, height));
    }
}

/// Coefficients of the first scan that the second does not have must be known to the kernels as
/// nonzero.
#[test]
fn a_component_in_two_scans_is_filled_equally_in_every_region() {
    let jpeg = read("jpeg/apart-420.jpg");
    let [y, cb, cr] = marker_positions(&jpeg, SOS)[..] else {
        panic!("not three scans");
    };
    // The scan header of Y again, before the data of Cb.
    let repeated_scan = [&jpeg[y..y + 10], &jpeg[cb + 10..cr]].concat();
    let jpeg = [&jpeg[..cb], &repeated_scan, &jpeg[cb..]].concat();
    let full = decode_filled(&jpeg);
    let stride = full.len() / Header::read(&jpeg).unwrap().size().1;
    for x in [0, 8, 16] {
        let options = Options {
            region: Some(Region {
                x,
                width: 8,
                height: 16,
                y: 0,
            }),
            on_damage: OnDamage::Fill,
            ..Options::default()
        };
        let region = decode(&jpeg, &options).unwrap();
        for (row, full_row) in region.chunks(8 * 3).zip(full.chunks(stride)) {
            assert_eq!(row, &full_row[x * 3..][..8 * 3], "from {x}");
        }
    }
}
