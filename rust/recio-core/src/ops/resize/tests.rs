//! Resized pixels, compared with OpenCV's.

use std::str::FromStr;

use proptest::prelude::*;

use super::*;
use crate::ops::test_images::{TopDown, fnv1a, invert_outside, noise};

const METHODS: [Interpolation; 7] = [
    Interpolation::Nearest,
    Interpolation::Linear,
    Interpolation::Cubic,
    Interpolation::Area,
    Interpolation::Lanczos4,
    Interpolation::NearestExact,
    Interpolation::Antialias,
];

/// Test vectors from OpenCV 4.8.1, computed by `make_resize_vectors.py`.
const VECTORS: &str = include_str!("../../../../../tests/data/resize_vectors.txt");
const FLOAT_VECTORS: &str = include_str!("../../../../../tests/data/resize_float_vectors.txt");

#[derive(Debug)]
struct Vector {
    method: Interpolation,
    source: Image,
    target: (usize, usize),
    /// In hexadecimal: a digest, for cubic the pixels, for floats the bits of all samples.
    expected: &'static str,
}

impl Vector {
    fn resized(&self) -> Vec<u8> {
        let (width, height) = self.target;
        resize(self.source.view(), width, height, self.method).data
    }

    fn resized_float(&self) -> Vec<f32> {
        let (width, height) = self.target;
        let source = floats(&self.source);
        resize_f32(source.view(), width, height, self.method).data
    }

    fn expected_floats(&self) -> impl Iterator<Item = f32> {
        let digits = self.expected.as_bytes().as_chunks::<8>().0;
        digits.iter().map(|digits| {
            let bits = u32::from_str_radix(str::from_utf8(digits).unwrap(), 16);
            f32::from_bits(bits.unwrap())
        })
    }

    /// Return the parameters, for messages.
    fn case(&self) -> impl std::fmt::Debug {
        let Image {
            width,
            height,
            channels,
            ..
        } = self.source;
        (self.method, width, height, channels, self.target)
    }
}

/// Return the [`VECTORS`] of selected methods.
fn vectors(is_selected: impl Fn(Interpolation) -> bool) -> impl Iterator<Item = Vector> {
    parse(VECTORS).filter(move |vector| is_selected(vector.method))
}

fn parse(vectors: &'static str) -> impl Iterator<Item = Vector> {
    vectors.lines().map(|line| {
        let (numbers, expected) = line.rsplit_once(' ').unwrap();
        let numbers: Vec<_> = numbers
            .split(' ')
            .map(|number| usize::from_str(number).unwrap())
            .collect();
        let [method, width, height, channels, to_width, to_height] = numbers[..] else {
            panic!("{line}");
        };
        Vector {
            method: METHODS.into_iter().find(|&m| m as usize == method).unwrap(),
            source: noise(width, height, channels),
            target: (to_width, to_height),
            expected,
        }
    })
}

/// Convert an image to floats, some outside 0–255.
fn floats(image: &Image) -> Image<f32> {
    let data = image.data.iter();
    Image {
        width: image.width,
        height: image.height,
        channels: image.channels,
        data: data
            .map(|&sample| 2.0 * f32::from(sample) - 100.0)
            .collect(),
    }
}

#[test]
fn all_methods_but_cubic_return_opencvs_pixels() {
    let mut count = 0;
    for vector in vectors(|method| method != Interpolation::Cubic) {
        let digest = format!("{:016x}", fnv1a(&vector.resized()));
        assert_eq!(digest, vector.expected, "{:?}", vector.case());
        count += 1;
    }
    assert!(count >= 500);
}

#[test]
fn cubic_is_within_one_of_opencv() {
    for vector in vectors(|method| method == Interpolation::Cubic) {
        for (at, &got) in vector.resized().iter().enumerate() {
            let expected = u8::from_str_radix(&vector.expected[2 * at..][..2], 16).unwrap();
            assert!(got.abs_diff(expected) <= 1, "{at}: {got}, {expected}");
        }
    }
}

/// The sums are rounded in another order: values up to 255 have an error of 2⁻¹⁷, and at most 64
/// are summed.
#[test]
fn floats_are_opencvs_except_for_rounding() {
    let mut count = 0;
    for vector in parse(FLOAT_VECTORS) {
        let resized = vector.resized_float();
        assert_eq!(resized.len() * 8, vector.expected.len());
        for (&got, expected) in resized.iter().zip(vector.expected_floats()) {
            let difference = (got - expected).abs();
            assert!(difference < 1e-3, "{:?}: {got}, {expected}", vector.case());
        }
        count += 1;
    }
    assert!(count >= 60);
}

/// 8-bit values are rounded twice.
#[test]
fn antialiased_floats_are_the_8_bit_values_except_for_rounding() {
    let source = noise(50, 40, 3);
    let values = source.data.iter().map(|&value| f32::from(value)).collect();
    let floats = View::new(&values as &Vec<f32>, 50, 40, 3);
    for (width, height) in [(20, 13), (70, 17), (90, 60)] {
        let expected = resize(source.view(), width, height, Interpolation::Antialias).data;
        let resized = resize_f32(floats, width, height, Interpolation::Antialias).data;
        for (got, expected) in resized.into_iter().zip(expected) {
            assert!((got - f32::from(expected)).abs() < 1.0 + 1e-3);
        }
    }
}

#[test]
fn nearest_floats_are_copies() {
    use Interpolation::{Nearest, NearestExact};
    let is_nearest = |vector: &Vector| matches!(vector.method, Nearest | NearestExact);
    for vector in parse(FLOAT_VECTORS).filter(is_nearest) {
        assert!(
            vector
                .resized_float()
                .into_iter()
                .eq(vector.expected_floats())
        );
    }
}

#[test]
fn auto_enlarges_cubically_and_shrinks_by_area() {
    let auto = |width, height| Interpolation::auto((4, 4), (width, height));
    assert_eq!(auto(5, 5), Interpolation::Cubic);
    assert_eq!(auto(3, 3), Interpolation::Area);
    for (width, height) in [(5, 3), (3, 5), (4, 5), (3, 4), (4, 4)] {
        assert_eq!(auto(width, height), Interpolation::Linear);
    }
}

#[test]
fn an_empty_window_has_no_rows() {
    let source = noise(4, 4, 3);
    let no_row = |_, _: &[u8]| panic!("a row");
    let method = Interpolation::Linear;
    resize_rows(
        &mut source.view(),
        (8, 8),
        Rect::default(),
        method,
        &mut Scratch::default(),
        no_row,
    );
}

#[test]
#[should_panic(expected = "leaves the result")]
fn a_window_outside_the_result_panics() {
    let method = Interpolation::Linear;
    resize_rows(
        &mut noise(4, 4, 3).view(),
        (8, 8),
        Rect::of_size(9, 8),
        method,
        &mut Scratch::default(),
        |_, _| (),
    );
}

proptest! {
    #[test]
    fn a_window_is_a_crop_of_the_full_result(
        (width, height) in (1..60usize, 1..40usize),
        full in (1..60usize, 1..40usize),
        corners in (0.0..1.0, 0.0..1.0, 0.0..1.0, 0.0..1.0),
        channels in prop::sample::select(&[1, 3, 4][..]),
    ) {
        let bytes = noise(width, height, channels);
        let floats = floats(&bytes);
        let window = within(full, corners);
        let (mut scratch, mut float_scratch) = Default::default();
        for method in METHODS {
            let full_result = resize(bytes.view(), full.0, full.1, method);
            is_crop(&full_result, window, |row| {
                resize_rows(&mut bytes.view(), full, window, method, &mut scratch, row);
            });
            let full_result = resize_f32(floats.view(), full.0, full.1, method);
            is_crop(&full_result, window, |row| {
                resize_rows_f32(&mut floats.view(), full, window, method, &mut float_scratch, row);
            });
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn only_the_required_region_is_read_from_the_top_down(
        (width, height) in (1..60usize, 1..60usize),
        full in (1..60usize, 1..60usize),
        // Sometimes an integer ratio.
        ratio in prop::option::weighted(0.2, 1..5usize),
        corners in (0.0..1.0, 0.0..1.0, 0.0..1.0, 0.0..1.0),
        channels in prop::sample::select(&[1, 3, 4][..]),
    ) {
        let full = ratio.map_or(full, |ratio| (width.div_ceil(ratio), height.div_ceil(ratio)));
        let (width, height) = ratio.map_or((width, height), |ratio| (full.0 * ratio, full.1 * ratio));
        let source = noise(width, height, channels);
        let window = within(full, corners);
        let mut scratch = Scratch::default();
        for method in METHODS {
            let full_result = resize(source.view(), full.0, full.1, method);
            let required = required_region((width, height), full, window, method);
            let inverted = invert_outside(&source, required);
            let mut rows = TopDown::new(inverted.view());
            is_crop(&full_result, window, |row| {
                resize_rows(&mut rows, full, window, method, &mut scratch, row);
            });
            // The region is hardly larger than the rows that are read: by the slivers of a cell.
            let slivers = usize::from(method == Interpolation::Area);
            let required = required.y..required.y + required.height;
            prop_assert!(required.start <= rows.requested.start && rows.requested.end <= required.end);
            prop_assert!(required.start + slivers >= rows.requested.start, "{method:?}");
            prop_assert!(rows.requested.end + slivers >= required.end, "{method:?}");
        }
    }

    #[test]
    fn the_required_region_of_linear_is_hardly_larger_than_the_window(
        source in 1..3000usize,
        full in 1..3000usize,
        corners in (0.0..1.0, 0.0..1.0, 0.0..1.0, 0.0..1.0),
    ) {
        prop_assume!(source != full);
        let window = within((full, full), corners);
        let required = required_region((source, source), (full, full), window, Interpolation::Linear);
        let center = |x: usize| {
            let center = (x as f64 + 0.5) * source as f64 / full as f64 - 0.5;
            center.clamp(0.0, (source - 1) as f64)
        };
        let first = center(window.x).floor() as usize;
        let last = center(window.x + window.width - 1).ceil() as usize;
        prop_assert!(required.x <= first && first <= required.x + 1);
        prop_assert!((last + 1..=last + 2).contains(&(required.x + required.width)));
    }
}

#[test]
fn an_empty_window_requires_no_pixels() {
    let window = Rect::default();
    assert_eq!(
        required_region((4, 4), (8, 8), window, Interpolation::Linear),
        window
    );
}

/// Check that `emit_rows` emits the rows of the window.
fn is_crop<T>(full_result: &Image<T>, window: Rect, emit_rows: impl FnOnce(EmitRow<'_, T>))
where
    T: Subpixel + PartialEq + std::fmt::Debug,
{
    let expected = full_result.view().crop(window);
    let mut rows = 0;
    emit_rows(&mut |y, row| {
        assert_eq!(y, rows);
        assert_eq!(row, expected.row(y), "row {y}");
        rows += 1;
    });
    assert_eq!(rows, window.height);
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

#[test]
fn reused_memory_changes_no_pixel() {
    let source = noise(9, 7, 3);
    let (mut bytes, mut values) = (Image::default(), Image::default());
    for (method, size) in METHODS
        .into_iter()
        .flat_map(|method| [(30, 20), (1, 5), (9, 7), (3, 40)].map(|size| (method, size)))
    {
        bytes.data.fill(7);
        resize_into(source.view(), size, method, &mut bytes);
        assert_eq!(
            bytes,
            resize(source.view(), size.0, size.1, method),
            "{method:?}"
        );
        values.data.fill(f32::NAN);
        let source = floats(&source);
        resize_f32_into(source.view(), size, method, &mut values);
        let expected = resize_f32(source.view(), size.0, size.1, method);
        assert_eq!(values, expected, "{method:?}");
    }
}
