//! Warped pixels, compared with OpenCV's.

use proptest::prelude::*;

use super::*;
use crate::image::Image;
use crate::ops::test_images::{fnv1a, noise};

const METHODS: [Interpolation; 5] = [
    Interpolation::Nearest,
    Interpolation::Linear,
    Interpolation::Cubic,
    Interpolation::Area,
    Interpolation::Lanczos4,
];

/// Test vectors from OpenCV 4.8.1, computed by `make_warp_vectors.py`.
const VECTORS: &str = include_str!("../../../../../tests/data/warp_vectors.txt");
const BORDER: [u8; 4] = [7, 99, 180, 250];

fn warp(
    source: &Image,
    affine: Affine,
    full: (usize, usize),
    window: Rect,
    method: Interpolation,
    scratch: &mut Scratch,
) -> Image {
    let mut data = Vec::new();
    let row = |y: usize, row: &[u8]| {
        assert_eq!(y * row.len(), data.len());
        data.extend_from_slice(row);
    };
    warp_rows(
        source.view(),
        affine,
        full,
        window,
        method,
        BORDER,
        scratch,
        row,
    );
    Image {
        width: window.width,
        height: window.height,
        channels: source.channels,
        data,
    }
}

/// Warp the image of a line of [`VECTORS`]; return the digests of the result and of the expected
/// pixels.
fn replay(line: &'static str, scratch: &mut Scratch) -> (String, &'static str) {
    let words: Vec<_> = line.split(' ').collect();
    let (sizes, rest) = words.split_at(6);
    let sizes: Vec<usize> = sizes.iter().map(|word| word.parse().unwrap()).collect();
    let number = |k: usize| f32::from_bits(u32::from_str_radix(rest[k], 16).unwrap());
    let affine = Affine([0, 3].map(|row| [row, row + 1, row + 2].map(number)));
    let [method, width, height, channels, to_width, to_height] = sizes[..] else {
        panic!("{line}");
    };
    let source = noise(width, height, channels);
    let (full, window) = ((to_width, to_height), Rect::of_size(to_width, to_height));
    let result = warp(&source, affine, full, window, METHODS[method], scratch);
    (format!("{:016x}", fnv1a(&result.data)), rest[6])
}

#[test]
fn all_methods_return_opencvs_pixels() {
    let mut scratch = Scratch::default();
    for line in VECTORS.lines() {
        let (got, expected) = replay(line, &mut scratch);
        assert_eq!(got, expected, "{line}");
    }
    assert_eq!(VECTORS.lines().count(), 300);
}

#[test]
fn exact_and_plain_nearest_are_the_same() {
    let (source, affine) = (noise(9, 7, 3), Affine([[0.8, 0.3, 0.5], [-0.4, 1.1, 1.5]]));
    let [plain, exact] = [Interpolation::Nearest, Interpolation::NearestExact].map(|method| {
        let scratch = &mut Scratch::default();
        warp(
            &source,
            affine,
            (11, 8),
            Rect::of_size(11, 8),
            method,
            scratch,
        )
    });
    assert_eq!(plain, exact);
}

#[test]
fn a_source_without_pixels_is_all_border() {
    let (affine, window) = (
        Affine([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]]),
        Rect::of_size(2, 1),
    );
    for method in METHODS {
        let source = Image::filled(0, 0, 1, 0);
        let result = warp(
            &source,
            affine,
            (2, 1),
            window,
            method,
            &mut Scratch::default(),
        );
        assert_eq!(result.data, [BORDER[0]; 2]);
    }
}

#[test]
#[should_panic(expected = "leaves the canvas")]
fn a_window_outside_the_canvas_panics() {
    let (source, affine) = (noise(4, 4, 3), Affine([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]]));
    let scratch = &mut Scratch::default();
    warp(
        &source,
        affine,
        (8, 8),
        Rect::of_size(9, 8),
        Interpolation::Linear,
        scratch,
    );
}

proptest! {
    #[test]
    fn a_window_is_a_crop_of_the_full_canvas(
        (width, height) in (1..40usize, 1..30usize),
        full in (1..40usize, 1..30usize),
        corners in (0.0..1.0, 0.0..1.0, 0.0..1.0, 0.0..1.0),
        matrix in prop::array::uniform2((-2.0..2.0f32, -2.0..2.0f32, -20.0..40.0f32)),
        channels in prop::sample::select(&[1, 3, 4][..]),
    ) {
        let source = noise(width, height, channels);
        let affine = Affine(matrix.map(|(x, y, shift)| [x, y, shift]));
        let (all, window) = (Rect::of_size(full.0, full.1), within(full, corners));
        let mut scratch = Scratch::default();
        for method in METHODS {
            let canvas = warp(&source, affine, full, all, method, &mut scratch);
            let cropped = warp(&source, affine, full, window, method, &mut scratch);
            let expected = canvas.view().crop(window);
            for y in 0..window.height {
                prop_assert_eq!(cropped.view().row(y), expected.row(y), "{:?}, row {}", method, y);
            }
        }
    }

    #[test]
    fn any_matrix_is_accepted(bits in prop::array::uniform6(any::<u32>())) {
        let [a, b, c, d, e, f] = bits.map(f32::from_bits);
        let (affine, full) = (Affine([[a, b, c], [d, e, f]]), (40, 30));
        for method in METHODS {
            let scratch = &mut Scratch::default();
            let result = warp(&noise(5, 4, 3), affine, full, Rect::of_size(40, 30), method, scratch);
            prop_assert_eq!(result.data.len(), 40 * 30 * 3);
        }
    }
}

/// Return a rectangle that is not empty, from fractions of the area.
fn within((width, height): (usize, usize), corners: (f64, f64, f64, f64)) -> Rect {
    let scaled = |side: usize, fraction: f64| (side as f64 * fraction) as usize;
    let (x, y) = (scaled(width, corners.0), scaled(height, corners.1));
    Rect {
        x,
        y,
        width: 1 + scaled(width - x - 1, corners.2),
        height: 1 + scaled(height - y - 1, corners.3),
    }
}
