//! Nothing is allocated for an image after the first ones: a thread that decodes millions asks the allocator for nothing,
//! and waits for no other thread's.
//!
//! A process of its own, for it counts calls of the allocator.
#![allow(clippy::unwrap_used)]

mod counting_allocator;

use std::path::Path;

use recio_jpeg::{Decoder, Header, Options, PixelFormat, Region, Scale};

use counting_allocator::calls;

/// Baseline 4:2:0, 4:2:2, 4:4:4 and gray; restarts; progressive, with tables made for the file; samples repeated; a scan for
/// each component.
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

/// The whole, its middle, and the whole at half the size and in gray.
fn ways(header: &Header) -> [Options; 4] {
    let (width, height) = header.size();
    let middle = Region {
        x: width / 4,
        y: height / 4,
        width: width / 2,
        height: height / 2,
    };
    let whole = Options::default();
    [
        whole,
        Options {
            region: Some(middle),
            ..whole
        },
        Options {
            scale: Scale::Half,
            ..whole
        },
        Options {
            pixel_format: PixelFormat::Gray,
            ..whole
        },
    ]
}

/// Decodes all rows, one after another into the same memory.
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
fn images_after_the_first_ones_allocate_nothing() {
    let images = images();
    let mut decoder = Decoder::new();
    let mut row = vec![0; 1000 * 3];
    // How often each image makes the decoder allocate.
    let mut round = || {
        images.each_ref().map(|jpeg| {
            let before = calls();
            for options in ways(&Header::read(jpeg).unwrap()) {
                decode(&mut decoder, jpeg, &options, &mut row);
            }
            calls() - before
        })
    };
    assert!(round()[0] > 0);
    assert_eq!(round(), [0; NAMES.len()]);
}
