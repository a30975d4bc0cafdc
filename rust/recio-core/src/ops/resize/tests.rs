//! The pixels, against OpenCV's.

use std::str::FromStr;

use proptest::prelude::*;

use super::*;
use crate::ops::vectors::{Downward, fnv1a, noise, poisoned};

const METHODS: [Interpolation; 7] = [
    Interpolation::Nearest,
    Interpolation::Linear,
    Interpolation::Cubic,
    Interpolation::Area,
    Interpolation::Lanczos4,
    Interpolation::NearestExact,
    Interpolation::Antialias,
];

/// What `make_resize_vectors.py`, which says how, computed with OpenCV 4.8.1.
const VECTORS: &str = include_str!("../../../../../tests/data/resize_vectors.txt");
const FLOAT_VECTORS: &str = include_str!("../../../../../tests/data/resize_float_vectors.txt");

#[derive(Debug)]
struct Vector {
    method: Interpolation,
    source: Image,
    target: (usize, usize),
    /// In hexadecimal a digest; for cubic the pixels; of floats the bits of all samples.
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

    /// Its place in the file, for messages.
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

/// Those of [`VECTORS`] of some methods.
fn vectors(chosen: impl Fn(Interpolation) -> bool) -> impl Iterator<Item = Vector> {
    parse(VECTORS).filter(move |vector| chosen(vector.method))
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

/// A picture of floats, some outside the levels, of which `noise` stays noise.
fn floats(picture: &Image) -> Image<f32> {
    let data = picture.data.iter();
    Image {
        width: picture.width,
        height: picture.height,
        channels: picture.channels,
        data: data
            .map(|&sample| 2.0 * f32::from(sample) - 100.0)
            .collect(),
    }
}

#[test]
fn all_methods_but_cubic_give_the_pixels_of_opencv() {
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

/// Rounding of sums in another order: 255 levels have an error of 2⁻¹⁷, and at most 64 are summed.
#[test]
fn floats_are_opencvs_but_for_rounding() {
    let mut count = 0;
    for vector in parse(FLOAT_VECTORS) {
        let resized = vector.resized_float();
        assert_eq!(resized.len() * 8, vector.expected.len());
        for (&got, expected) in resized.iter().zip(vector.expected_floats()) {
            let apart = (got - expected).abs();
            assert!(apart < 1e-3, "{:?}: {got}, {expected}", vector.case());
        }
        count += 1;
    }
    assert!(count >= 60);
}

/// Those of levels are rounded twice.
#[test]
fn antialiased_floats_are_the_levels_but_for_rounding() {
    let source = noise(50, 40, 3);
    let levels = source.data.iter().map(|&level| f32::from(level)).collect();
    let floats = View::new(&levels as &Vec<f32>, 50, 40, 3);
    for (width, height) in [(20, 13), (70, 17), (90, 60)] {
        let expected = resize(source.view(), width, height, Interpolation::Antialias).data;
        let found = resize_f32(floats, width, height, Interpolation::Antialias).data;
        for (found, expected) in found.into_iter().zip(expected) {
            assert!((found - f32::from(expected)).abs() < 1.0 + 1e-3);
        }
    }
}

#[test]
fn nearest_floats_are_copies() {
    use Interpolation::{Nearest, NearestExact};
    let chosen = |vector: &Vector| matches!(vector.method, Nearest | NearestExact);
    for vector in parse(FLOAT_VECTORS).filter(chosen) {
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
fn a_window_beyond_the_result_is_refused() {
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
    fn a_window_is_a_crop_of_the_whole(
        (width, height) in (1..60usize, 1..40usize),
        full in (1..60usize, 1..40usize),
        corners in (0.0..1.0, 0.0..1.0, 0.0..1.0, 0.0..1.0),
        channels in prop::sample::select(&[1, 3, 4][..]),
    ) {
        let levels = noise(width, height, channels);
        let floats = floats(&levels);
        let window = within(full, corners);
        let (mut scratch, mut float_scratch) = Default::default();
        for method in METHODS {
            let whole = resize(levels.view(), full.0, full.1, method);
            is_crop(&whole, window, |row| {
                resize_rows(&mut levels.view(), full, window, method, &mut scratch, row);
            });
            let whole = resize_f32(floats.view(), full.0, full.1, method);
            is_crop(&whole, window, |row| {
                resize_rows_f32(floats.view(), full, window, method, &mut float_scratch, row);
            });
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn only_needed_pixels_are_looked_at_from_the_top_down(
        (width, height) in (1..60usize, 1..60usize),
        full in (1..60usize, 1..60usize),
        // A whole ratio now and then.
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
            let whole = resize(source.view(), full.0, full.1, method);
            let needed = needed((width, height), full, window, method);
            let poisoned = poisoned(&source, needed);
            let mut rows = Downward::new(poisoned.view());
            is_crop(&whole, window, |row| {
                resize_rows(&mut rows, full, window, method, &mut scratch, row);
            });
            // What is needed is not much more than what is asked for: slivers of a cell.
            let spare = usize::from(method == Interpolation::Area);
            let needed = needed.y..needed.y + needed.height;
            prop_assert!(needed.start <= rows.asked.start && rows.asked.end <= needed.end);
            prop_assert!(needed.start + spare >= rows.asked.start, "{method:?}");
            prop_assert!(rows.asked.end + spare >= needed.end, "{method:?}");
        }
    }

    #[test]
    fn linear_needs_little_beyond_the_pixels_under_the_window(
        source in 1..3000usize,
        full in 1..3000usize,
        corners in (0.0..1.0, 0.0..1.0, 0.0..1.0, 0.0..1.0),
    ) {
        prop_assume!(source != full);
        let window = within((full, full), corners);
        let needed = needed((source, source), (full, full), window, Interpolation::Linear);
        let centre = |x: usize| {
            let centre = (x as f64 + 0.5) * source as f64 / full as f64 - 0.5;
            centre.clamp(0.0, (source - 1) as f64)
        };
        let first = centre(window.x).floor() as usize;
        let last = centre(window.x + window.width - 1).ceil() as usize;
        prop_assert!(needed.x <= first && first <= needed.x + 1);
        prop_assert!((last + 1..=last + 2).contains(&(needed.x + needed.width)));
    }
}

#[test]
fn nothing_is_needed_for_an_empty_window() {
    let window = Rect::default();
    assert_eq!(
        needed((4, 4), (8, 8), window, Interpolation::Linear),
        window
    );
}

/// Checks that `make` hands over the rows of the window.
fn is_crop<T>(whole: &Image<T>, window: Rect, make: impl FnOnce(Sink<'_, T>))
where
    T: Subpixel + PartialEq + std::fmt::Debug,
{
    let expected = whole.view().crop(window);
    let mut rows = 0;
    make(&mut |y, row| {
        assert_eq!(y, rows);
        assert_eq!(row, expected.row(y), "row {y}");
        rows += 1;
    });
    assert_eq!(rows, window.height);
}

/// A rectangle that is not empty, from fractions of the area.
fn within((width, height): (usize, usize), corners: (f64, f64, f64, f64)) -> Rect {
    let part = |whole: usize, fraction: f64| (whole as f64 * fraction) as usize;
    let (x, y) = (part(width, corners.0), part(height, corners.1));
    Rect {
        x,
        y,
        width: 1 + part(width - x - 1, corners.2),
        height: 1 + part(height - y - 1, corners.3),
    }
}
