//! After the first images, decoding allocates no memory: a thread that decodes millions never waits
//! for the allocator.
//!
//! This is a process of its own, because it counts the allocator's calls.
#![allow(clippy::unwrap_used)]

mod counting_allocator;

use std::path::Path;

use recio_jpeg::{Decoder, Header, Options, PixelFormat, Region, Scale};

use counting_allocator::calls;

/// Baseline 4:2:0, 4:2:2, 4:4:4 and gray; restarts; progressive, with Huffman tables of its own;
/// repeated samples; a scan for each component.
const NAMES: [&str; 9] = [
    "odd-images/plain.jpg",
    "odd-images/s422.jpg",
    "odd-images/s444.jpg",
    "odd-images/gray.jpg",
    "odd-images/with-restarts.jpg",
    "odd-images/progressive.jpg",
    "jpeg/progressive-bits.jpg",
    "jpeg/sampling-4x1-1x1-1x1.jpg",
    "jpeg/apart-420-restarts.jpg",
];

fn images() -> [Vec<u8>; NAMES.len()] {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/data");
    let read = |name| std::fs::read(folder.join(name)).unwrap();
    NAMES.map(read)
}

/// Return options for the entire image, its middle, half the size, and gray.
fn option_list(header: &Header) -> [Options; 4] {
    let (width, height) = header.size();
    let middle = Region {
        x: width / 4,
        y: height / 4,
        width: width / 2,
        height: height / 2,
    };
    let full = Options::default();
    [
        full,
        Options {
            region: Some(middle),
            ..full
        },
        Options {
            scale: Scale::Half,
            ..full
        },
        Options {
            pixel_format: PixelFormat::Gray,
            ..full
        },
    ]
}

/// Decode all rows, one after another, into the same memory.
fn decode(decoder: &mut Decoder, jpeg: &[u8], options: &Options, row: &mut [u8]) {
    let header = Header::read(jpeg).unwrap();
    let (width, height) = options.scale.size(header.size());
    let (width, height) = match options.region {
        Some(region) => (region.width, region.height),
        None => (width, height),
    };
    let row = &mut row[..width * options.pixel_format.channels()];
    let mut rows = decoder.start(jpeg, &header, options).unwrap();
    for y in 0..height {
        rows.read_row(y, row).unwrap();
    }
    rows.finish().unwrap();
}

#[test]
fn decoding_allocates_nothing_after_the_first_images() {
    let images = images();
    let mut decoder = Decoder::new();
    let mut row = vec![0; 1000 * 3];
    // Count the allocations for each image.
    let mut allocations = || {
        images.each_ref().map(|jpeg| {
            let before = calls();
            for options in option_list(&Header::read(jpeg).unwrap()) {
                decode(&mut decoder, jpeg, &options, &mut row);
            }
            calls() - before
        })
    };
    assert!(allocations()[0] > 0);
    assert_eq!(allocations(), [0; NAMES.len()]);
}
