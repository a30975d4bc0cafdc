//! What is damaged is an error that says where; what is merely odd is not damage.

use super::{EOI, colorful, complete, decode, read, region};
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

fn fill(jpeg: &[u8]) -> Vec<u8> {
    let options = Options {
        on_damage: OnDamage::Fill,
        ..Options::default()
    };
    decode(jpeg, &options).unwrap()
}

/// The first pixels of the first rows.
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

/// What is wrong with a JPEG.
fn problem(jpeg: &[u8]) -> Error {
    decode_all(jpeg).map(drop).unwrap_err()
}

fn damaged(jpeg: &[u8]) -> (usize, &'static str) {
    match problem(jpeg) {
        Error::Damaged { offset, reason } => (offset, reason),
        other => panic!("{other}"),
    }
}

fn cut_at(jpeg: &[u8]) -> usize {
    match problem(jpeg) {
        Error::Truncated { offset } => offset,
        other => panic!("{other}"),
    }
}

/// Where the markers of a kind stand. (In the files here nothing else looks like them.)
fn markers(jpeg: &[u8], code: u8) -> Vec<usize> {
    let pairs = jpeg.windows(2).enumerate();
    let found = pairs.filter(|(_, pair)| *pair == [0xff, code]);
    found.map(|(at, _)| at).collect()
}

/// Where a segment's content is, behind marker and length, if it is the only one of its kind.
fn content(jpeg: &[u8], code: u8) -> usize {
    let [at] = markers(jpeg, code)[..] else {
        panic!("not one of {code:x}");
    };
    at + 4
}

/// A file without its segments of a kind.
fn without(jpeg: &[u8], code: u8) -> Vec<u8> {
    let mut jpeg = jpeg.to_vec();
    for at in markers(&jpeg, code).into_iter().rev() {
        let length = usize::from(u16::from_be_bytes([jpeg[at + 2], jpeg[at + 3]]));
        jpeg.drain(at..at + 2 + length);
    }
    jpeg
}

/// A gray image of one level, of which each block takes two bits, zeros: of its two tables, each has one code.
fn flat(width: u16, height: u16) -> Vec<u8> {
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
    let scan = content(&jpeg, SOS) + 10;
    // The last bytes may be bits that nothing needs.
    for length in (scan..jpeg.len() - 12).step_by(1499) {
        let cut = &jpeg[..length];
        let closed = [cut, EOI].concat();
        assert_eq!(cut_at(cut), length);
        assert_eq!(damaged(&closed), (length, EARLY_MARKER));
    }
}

#[test]
fn where_a_scan_ends_without_a_marker_no_region_is_above_what_is_missing() {
    let jpeg = read("odd-images/plain.jpg");
    let cut = &jpeg[..20_000];
    assert!(top(cut, 10) == Err(Error::Truncated { offset: 20_000 }));
    // That the marker comes too early, only the rows would tell.
    let closed = [cut, EOI].concat();
    assert!(top(&closed, 10).unwrap() == top(&jpeg, 10).unwrap());
}

#[test]
fn of_several_scans_the_last_one_is_read_to_its_end_where_no_marker_stands() {
    let jpeg = read("jpeg/apart-420.jpg");
    let length = jpeg.len() - 40;
    let error = Err(Error::Truncated { offset: length });
    assert!(top(&jpeg[..length], 10) == error);
}

#[test]
fn a_progressive_image_must_have_its_end_marker_unless_all_scans_have_come() {
    let jpeg = read("odd-images/progressive.jpg");
    let whole = decode_all(&jpeg).unwrap();
    let cut = |missing| &jpeg[..jpeg.len() - missing];
    for missing in [1, 2] {
        assert!(decode_all(cut(missing)).unwrap() == whole);
    }
    for missing in [100, 10_000] {
        assert_eq!(cut_at(cut(missing)), jpeg.len() - missing);
    }
    for scan in markers(&jpeg, SOS) {
        assert_eq!(cut_at(&jpeg[..scan]), scan);
    }
}

#[test]
fn what_is_merely_odd_changes_no_pixel() {
    let jpeg = read("odd-images/plain.jpg");
    let body = jpeg.strip_suffix(EOI).unwrap();
    let whole = decode_all(&jpeg).unwrap();
    let (start, rest) = jpeg.split_at(20);
    for odd in [
        body.to_vec(),
        [&jpeg, &[0; 1000][..]].concat(),
        [&jpeg[..], &jpeg].concat(),
        [body, &[1, 2, 3], EOI].concat(),
        [body, &[0xff, 0xfe, 0, 4, 1, 2], EOI].concat(),
        [start, &[1; 9], rest].concat(),
        [start, &[0xff; 9], rest].concat(),
    ] {
        assert!(decode_all(&odd).unwrap() == whole);
    }
}

/// The bytes of data that are left over when all rows have been asked for.
fn extraneous_bytes(jpeg: &[u8]) -> usize {
    let header = Header::read(jpeg).unwrap();
    let options = Options {
        pixel_format: colorful(jpeg),
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
fn data_that_is_left_over_is_told_whichever_scan_it_is_in() {
    for (name, jpeg) in complete() {
        assert_eq!(extraneous_bytes(&jpeg), 0, "{name}");
        let longer = [&jpeg[..jpeg.len() - 2], &[0x55, 0xff, 0, 0x55], EOI].concat();
        assert_eq!(extraneous_bytes(&longer), 3, "{name}");
        let first = markers(&jpeg, SOS)[0] + 2;
        let length = usize::from(u16::from_be_bytes([jpeg[first], jpeg[first + 1]]));
        let end = UnstuffedData::default().read(&jpeg, first + length);
        let longer = [&jpeg[..end], &[0x55; 7], &jpeg[end..]].concat();
        assert_eq!(extraneous_bytes(&longer), 7, "{name}");
    }
}

/// Where the last rows fit into what is read ahead, a missing end marker must not pass for missing data.
#[test]
fn a_flat_image_without_end_marker_is_whole() {
    let jpeg = flat(16, 400);
    let body = jpeg.strip_suffix(EOI).unwrap();
    let gray = vec![128; 16 * 400 * 3];
    assert_eq!(decode_all(&jpeg).unwrap(), gray);
    assert_eq!(decode_all(body).unwrap(), gray);
    for missing in 1..25 {
        assert_eq!(
            cut_at(&body[..body.len() - missing]),
            body.len() - missing,
            "{missing}"
        );
    }
}

#[test]
fn a_code_that_no_table_has_is_damage_where_it_stands() {
    let mut jpeg = flat(16, 400);
    let scan = content(&jpeg, SOS) + 6;
    jpeg[scan + 20] = 0x7f;
    let (offset, reason) = damaged(&jpeg);
    assert_eq!(reason, "the scan has an invalid Huffman code");
    // The code takes 17 bits, as long as none is.
    assert!((scan + 20..=scan + 23).contains(&offset), "{offset}");
}

#[test]
fn a_restart_out_of_turn_is_damage() {
    let mut jpeg = read("jpeg/grey-1x3-restarts.jpg");
    let third = markers(&jpeg, 0xd2)[0];
    jpeg[third + 1] = 0xd5;
    let reason = "a restart marker is missing or misplaced";
    assert_eq!(damaged(&jpeg), (third, reason));
    assert_eq!(top(&jpeg, 24).unwrap().len(), 24 * 5 * 3);
}

#[test]
fn a_scan_needs_its_tables() {
    let jpeg = read("odd-images/progressive.jpg");
    let lacking = without(&jpeg, DHT);
    let reason = "a scan uses an undefined Huffman table";
    let scan = markers(&lacking, SOS)[0];
    assert_eq!(damaged(&lacking), (scan + 4, reason));
    let jpeg = flat(8, 8);
    let lacking = without(&jpeg, DQT);
    let reason = "a scan uses an undefined quantization table";
    assert_eq!(damaged(&lacking), (content(&lacking, SOS), reason));
}

#[test]
fn a_header_without_frame_or_scan_is_damage() {
    let jpeg = flat(8, 8);
    let reason = "there is no frame header before the first scan";
    assert_eq!(damaged(&without(&jpeg, SOF0)), (0, reason));
    let scan = markers(&jpeg, SOS)[0];
    let ended = [&jpeg[..scan], EOI].concat();
    let reason = "it ends before the first scan";
    assert_eq!(damaged(&ended), (scan + 2, reason));
}

#[test]
fn a_second_frame_is_damage() {
    let jpeg = read("odd-images/plain.jpg");
    let frame = markers(&jpeg, SOF0)[0];
    let (before, rest) = jpeg.split_at(frame);
    let twice = [before, &rest[..19], rest].concat();
    assert_eq!(
        damaged(&twice),
        (frame + 19 + 4, "there is more than one frame header")
    );
}

#[test]
fn a_scan_that_comes_twice_is_damage() {
    let jpeg = read("jpeg/progressive-bits.jpg");
    let scan = markers(&jpeg, SOS)[0];
    let length = jpeg[scan + 12..]
        .windows(2)
        .position(|pair| pair[0] == 0xff && pair[1] != 0)
        .unwrap();
    let (before, rest) = jpeg.split_at(scan);
    let copy = &rest[..12 + length];
    let twice = [before, copy, rest].concat();
    let second = scan + copy.len() + 4;
    let reason = "a scan's coefficients are out of order";
    assert_eq!(damaged(&twice), (second, reason));
}

#[test]
fn scans_that_were_never_written_are_missing_unless_they_are_filled_in() {
    for name in ["jpeg/unfinished-dc.jpg", "jpeg/unfinished-bits.jpg"] {
        let jpeg = read(name);
        assert_eq!(damaged(&jpeg), (jpeg.len(), "scans are missing"));
        assert_eq!(fill(&jpeg).len(), 67 * 53 * 3);
    }
}

#[test]
fn too_many_scans_are_over_the_limit() {
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
fn a_size_of_four_gigapixels_costs_nothing_until_it_is_believed() {
    let mut jpeg = flat(8, 8);
    let frame = content(&jpeg, SOF0);
    jpeg[frame + 1..frame + 5].fill(0xff);
    let header = Header::read(&jpeg).unwrap();
    assert_eq!(header.size(), (65535, 65535));
    assert_eq!(header.coefficient_bytes(), 0);
    assert!(matches!(
        top(&jpeg, 1),
        Err(Error::Damaged {
            reason: EARLY_MARKER,
            ..
        })
    ));
}

#[test]
fn inks_are_not_made_colours() {
    let inks = read("jpeg/ycck-420.jpg");
    let error = problem(&inks);
    assert!(matches!(error, Error::Unsupported(_)), "{error}");
    let options = Options {
        pixel_format: PixelFormat::Cmyk,
        ..Options::default()
    };
    assert!(decode(&read("odd-images/plain.jpg"), &options).is_err());
}

#[test]
fn what_is_filled_in_leaves_what_was_there() {
    let jpeg = read("odd-images/plain.jpg");
    let header = Header::read(&jpeg).unwrap();
    let Region { width, .. } = region(&header, &Options::default());
    let (whole, filled) = (decode_all(&jpeg).unwrap(), fill(&jpeg[..20_000]));
    let rows = whole.chunks(width * 3).zip(filled.chunks(width * 3));
    let same = rows.take_while(|(a, b)| a == b).count();
    // Half of the bytes, and the picture's upper part is the plainer one.
    assert!((100..200).contains(&same), "{same} rows");
    let last = filled.len() - width * 3;
    assert!(filled[last..] == vec![128; width * 3]);
}

#[test]
fn a_part_of_a_progressive_image_needs_no_end_of_image() {
    let jpeg = read("jpeg/progressive-bits.jpg");
    let open = jpeg.strip_suffix(EOI).unwrap();
    assert!(decode_all(open).is_ok());
    for height in 1..=53 {
        assert_eq!(top(open, height), top(&jpeg, height));
    }
}

/// What the first of both scans left in a block, the second does not say; kernels must not take that for zeros.
#[test]
fn a_component_in_two_scans_is_filled_in_alike_in_every_region() {
    let jpeg = read("jpeg/apart-420.jpg");
    let [y, cb, cr] = markers(&jpeg, SOS)[..] else {
        panic!("not three scans");
    };
    // Y's header once more, before the data of Cb.
    let again = [&jpeg[y..y + 10], &jpeg[cb + 10..cr]].concat();
    let jpeg = [&jpeg[..cb], &again, &jpeg[cb..]].concat();
    let whole = fill(&jpeg);
    let stride = whole.len() / Header::read(&jpeg).unwrap().size().1;
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
        let part = decode(&jpeg, &options).unwrap();
        for (row, of_whole) in part.chunks(8 * 3).zip(whole.chunks(stride)) {
            assert_eq!(row, &of_whole[x * 3..][..8 * 3], "from {x}");
        }
    }
}
