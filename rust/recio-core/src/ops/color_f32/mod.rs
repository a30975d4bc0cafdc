//! Color operations in float32: a chain of MXNet's Python augmenters as one affine map of colors.
//!
//! Brightness, contrast, saturation, hue, lighting, gray and normalization each have the form `x ↦
//! M·x + b`, and so has any chain of them: [`compose`] reduces it to one [`Matrix`], and [`Map`]
//! applies that, however long the chain. Contrast needs the mean of the image that it is applied
//! to. A linear map transforms a mean like a color, so the mean of the first image is sufficient.
//! As in MXNet, nothing is clamped or rounded in between; in exact arithmetic the results are
//! equal, in float32 they differ in the last digits.

#[cfg(target_arch = "x86_64")]
mod avx2;
mod map;
mod sample;

use std::cell::LazyCell;
use std::f64::consts::PI;

use crate::image::View;
pub use map::Map;
pub use sample::ColorSample;

/// Weights of red, green and blue in the gray of contrast and saturation.
const GRAY_WEIGHTS: [f64; 3] = [0.299, 0.587, 0.114];

/// Affine map of colors (R, G, B).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Matrix {
    /// For each channel of the result, the factors of R, G and B and the offset.
    pub rows: [[f64; 4]; 3],
}

impl Matrix {
    /// Return the identity.
    #[must_use]
    pub const fn identity() -> Self {
        Self::brightness(1.0)
    }

    /// Return the map that multiplies colors by `alpha`.
    #[must_use]
    pub const fn brightness(alpha: f64) -> Self {
        Self {
            rows: [
                [alpha, 0.0, 0.0, 0.0],
                [0.0, alpha, 0.0, 0.0],
                [0.0, 0.0, alpha, 0.0],
            ],
        }
    }

    /// Return the map that scales the difference of a color from its gray by `alpha`.
    #[must_use]
    pub fn saturation(alpha: f64) -> Self {
        let mut saturated = Self::gray_of(GRAY_WEIGHTS.map(|weight| weight * (1.0 - alpha)));
        (0..3).for_each(|i| saturated.rows[i][i] += alpha);
        saturated
    }

    /// Return the rotation by `alpha` half turns about the gray axis of YIQ, with MXNet's rounded
    /// matrices.
    #[must_use]
    pub fn hue(alpha: f64) -> Self {
        const TO_YIQ: [[f64; 3]; 3] = [
            [0.299, 0.587, 0.114],
            [0.596, -0.274, -0.321],
            [0.211, -0.523, 0.311],
        ];
        const FROM_YIQ: [[f64; 3]; 3] = [
            [1.0, 0.956, 0.621],
            [1.0, -0.272, -0.647],
            [1.0, -1.107, 1.705],
        ];
        let (sin, cos) = (alpha * PI).sin_cos();
        let rotation = [[1.0, 0.0, 0.0], [0.0, cos, -sin], [0.0, sin, cos]];
        let [to, rotation, from] = [TO_YIQ, rotation, FROM_YIQ].map(Self::linear);
        to.then(rotation).then(from)
    }

    /// Return the map that adds an offset.
    #[must_use]
    pub fn shift(offset: [f64; 3]) -> Self {
        let mut shift = Self::identity();
        (0..3).for_each(|i| shift.rows[i][3] = offset[i]);
        shift
    }

    /// Return the conversion to gray, with the weights of MXNet's `RandomGrayAug`.
    #[must_use]
    pub fn gray() -> Self {
        Self::gray_of([0.21, 0.72, 0.07])
    }

    /// Return the map that subtracts `mean` and divides by `std`.
    #[must_use]
    pub fn normalize(mean: [f64; 3], std: [f64; 3]) -> Self {
        let mut normalized = Self::shift(mean.map(|mean| -mean));
        for (row, std) in normalized.rows.iter_mut().zip(std) {
            *row = row.map(|factor| factor / std);
        }
        normalized
    }

    /// Return the composition: this map, then `next`.
    #[must_use]
    pub fn then(self, next: Self) -> Self {
        let [r, g, b] = self.rows;
        let row = |[x, y, z, offset]: [f64; 4]| {
            let mut row: [f64; 4] = std::array::from_fn(|i| x * r[i] + y * g[i] + z * b[i]);
            row[3] += offset;
            row
        };
        Self {
            rows: next.rows.map(row),
        }
    }

    /// Apply the map to a color.
    #[must_use]
    pub fn apply(self, [r, g, b]: [f64; 3]) -> [f64; 3] {
        self.rows
            .map(|[x, y, z, offset]| x * r + y * g + z * b + offset)
    }

    fn linear(rows: [[f64; 3]; 3]) -> Self {
        Self {
            rows: rows.map(|[x, y, z]| [x, y, z, 0.0]),
        }
    }

    /// Return the map to gray with these weights of R, G and B.
    fn gray_of(weights: [f64; 3]) -> Self {
        Self::linear([weights; 3])
    }
}

/// Color operation.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum ColorF32 {
    /// Map independent of the image.
    Linear(Matrix),
    /// Scale the difference from the image's mean gray by a factor.
    Contrast(f64),
}

/// Compose a chain of operations into one map. `mean` returns the mean color of the image, and is
/// called only if there is a contrast.
pub fn compose(chain: impl Iterator<Item = ColorF32>, mean: impl FnOnce() -> [f64; 3]) -> Matrix {
    let mean = LazyCell::new(mean);
    chain.fold(Matrix::identity(), |before, step| {
        before.then(match step {
            ColorF32::Linear(matrix) => matrix,
            ColorF32::Contrast(alpha) => contrast(alpha, before.apply(*mean)),
        })
    })
}

fn contrast(alpha: f64, mean: [f64; 3]) -> Matrix {
    let [gray, ..] = Matrix::gray_of(GRAY_WEIGHTS).apply(mean);
    Matrix::brightness(alpha).then(Matrix::shift([(1.0 - alpha) * gray; 3]))
}

/// Return the mean color of an image. For 8-bit values it is exact except for the division.
///
/// # Panics
/// If there are other than 3 channels.
#[must_use]
pub fn mean<T: ColorSample>(view: View<'_, T>) -> [f64; 3] {
    assert_eq!(view.channels, 3, "the colors are not R, G, B");
    let pixels = (view.width * view.height) as f64;
    T::sums(view).map(|sum| sum / pixels)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::image::{Image, Rect};

    const VALUES: [u8; 12] = [17, 106, 195, 28, 117, 206, 39, 128, 217, 50, 139, 228];

    fn after(chain: &[ColorF32]) -> Vec<f32> {
        let view = View::new(&VALUES, 2, 2, 3);
        let map = Map::from(compose(chain.iter().copied(), || mean(view)));
        let mut out = vec![0.0; VALUES.len()];
        map.row(&VALUES, &mut out);
        out
    }

    #[track_caller]
    fn assert_near(actual: &[f32], expected: &[f32], tolerance: f32) {
        assert_eq!(actual.len(), expected.len());
        for (a, b) in actual.iter().zip(expected) {
            assert!((a - b).abs() < tolerance, "{actual:?} is not {expected:?}");
        }
    }

    /// Computed by MXNet 1.9.1: `ContrastJitterAug(0.4)`, `SaturationJitterAug(0.4)`,
    /// `HueJitterAug(0.5)` after `random.seed` of 0, 1 and 2; the factors are those they sample.
    #[test]
    fn single_operations_equal_mxnet() {
        let expected = [
            (
                ColorF32::Contrast(1.275_537_481_220_038_4),
                [
                    -7.5325, 105.9903, 219.5132, 6.4984, 120.0213, 233.5441, 20.5293, 134.0522,
                    247.575, 34.5603, 148.0831, 261.6059,
                ],
            ),
            (
                ColorF32::Linear(Matrix::saturation(0.707_491_395_289_920_9)),
                [
                    38.2171, 101.1838, 164.1506, 49.2171, 112.1839, 175.1506, 60.2171, 123.1838,
                    186.1506, 71.2171, 134.1838, 197.1506,
                ],
            ),
            (
                ColorF32::Linear(Matrix::hue(0.456_034_271_889_249_4)),
                [
                    21.0977, 146.406, -23.9813, 32.1154, 157.3966, -12.9791, 43.1331, 168.3871,
                    -1.9768, 54.1508, 179.3777, 9.0254,
                ],
            ),
        ];
        for (step, expected) in expected {
            assert_near(&after(&[step]), &expected, 1e-3);
        }
    }

    /// Computed by MXNet 1.9.1, step by step in float32.
    #[test]
    fn chains_equal_mxnet() {
        let chain = [
            ColorF32::Linear(Matrix::brightness(1.275_537_481_220_038_4)),
            ColorF32::Contrast(0.707_491_395_289_920_9),
            ColorF32::Linear(Matrix::saturation(1.364_827_417_511_399_7)),
            ColorF32::Linear(Matrix::hue(-0.262_035_372_908_108_63)),
            ColorF32::Linear(Matrix::shift([-0.097_785_65, -0.212_636_42, -1.134_692_16])),
            ColorF32::Linear(Matrix::normalize(
                [123.68, 116.28, 103.53],
                [58.395, 57.12, 57.375],
            )),
        ];
        let expected = [
            -0.18479, -0.56221, 3.84331, -0.01496, -0.38826, 4.01592, 0.15488, -0.21431, 4.18853,
            0.32471, -0.04036, 4.36114,
        ];
        assert_near(&after(&chain), &expected, 2e-5);
    }

    /// Computed by MXNet 1.9.1.
    #[test]
    fn gray_inside_a_chain_equals_mxnet() {
        let chain = [
            ColorF32::Contrast(1.275_537_481_220_038_4),
            ColorF32::Linear(Matrix::gray()),
            ColorF32::Linear(Matrix::saturation(1.364_827_417_511_399_7)),
        ];
        let expected = [90.0972, 104.128, 118.159, 132.19].map(|gray| [gray; 3]);
        assert_near(&after(&chain), expected.as_flattened(), 1e-3);
    }

    #[test]
    fn a_contrast_uses_the_mean_after_the_operations_before_it() {
        let chain = [
            ColorF32::Linear(Matrix::shift([0.0, 50.0, -20.0])),
            ColorF32::Contrast(0.5),
            ColorF32::Linear(Matrix::brightness(2.0)),
            ColorF32::Contrast(0.0),
        ];
        let mean = [100.0, 20.0, 60.0];
        let [gray, ..] = Matrix::gray_of(GRAY_WEIGHTS).apply([100.0, 70.0, 40.0]);
        let result = compose(chain.into_iter(), || mean).apply([7.0, 8.0, 9.0]);
        result
            .iter()
            .for_each(|value| assert!((value - 2.0 * gray).abs() < 1e-9, "{result:?}"));
    }

    #[test]
    fn without_a_contrast_the_mean_is_not_computed() {
        let chain = [Matrix::hue(0.3), Matrix::saturation(0.5)];
        let map = compose(chain.map(ColorF32::Linear).into_iter(), || unreachable!());
        assert_eq!(map, Matrix::identity().then(chain[0]).then(chain[1]));
    }

    #[test]
    fn a_composition_equals_both_maps_in_turn() {
        let [first, second] = [
            Matrix::hue(0.3),
            Matrix::normalize([1.0, 2.0, 3.0], [4.0, 5.0, 6.0]),
        ];
        let [both, turns] = [
            first.then(second).apply([9.0, 80.0, 200.0]),
            second.apply(first.apply([9.0, 80.0, 200.0])),
        ];
        both.iter()
            .zip(turns)
            .for_each(|(both, turns)| assert!((both - turns).abs() < 1e-12));
    }

    #[test]
    fn the_mean_of_a_crop_ignores_pixels_outside_it() {
        let mut image = Image::filled(9, 4, 3, 255u8);
        let crop = Rect {
            x: 1,
            y: 1,
            width: 7,
            height: 2,
        };
        for (y, x) in (1..3).flat_map(|y| (1..8).map(move |x| (y, x))) {
            let pixel = [x as u8, 10 * y as u8, (x * y) as u8];
            image.data[(y * 9 + x) * 3..][..3].copy_from_slice(&pixel);
        }
        let mean = mean(image.view().crop(crop)).map(|value| value as f32);
        assert_near(&mean, &[4.0, 15.0, 6.0], f32::MIN_POSITIVE);
    }

    #[test]
    fn floats_are_mapped_like_8_bit_values() {
        let map = Map::from(Matrix::hue(0.2).then(Matrix::shift([1.0, 2.0, 3.0])));
        let [mut from_bytes, mut from_floats] = [[0.0; 12]; 2];
        map.row(&VALUES, &mut from_bytes);
        map.row(&VALUES.map(f32::from), &mut from_floats);
        assert_near(&from_bytes, &from_floats, f32::MIN_POSITIVE);
    }
}
