//! Matrix and canvas size of MXNet's affine augmentation.
//!
//! The order of the operations is that of MXNet 1.9.1, in floats except for the rotation: the last
//! bit of the matrix can move a point by 1/1024 pixel, which can change a sample.

use std::f64::consts::PI;

use super::Affine;

/// Random parameters of an affine step, sampled for one image.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct AffineParams {
    /// Counterclockwise rotation, in degrees.
    pub angle: f32,
    /// Horizontal shear: a point moves to the right by this times its distance from the top.
    pub shear: f32,
    /// Scale factor of the image and of the canvas.
    pub scale: f32,
    /// Ratio of the vertical to the horizontal scale factor; their mean is `scale`.
    pub aspect: f32,
    /// Minimum side of the canvas, in pixels; it takes precedence over the maximum.
    pub min_size: f32,
    /// Maximum side of the canvas, in pixels.
    pub max_size: f32,
}

/// Return the matrix that transforms an image of `width`×`height` pixels and moves its center to
/// that of the canvas, and the canvas's width and height.
///
/// The canvas has the size of the scaled image, for any angle, clamped to `min_size` and
/// `max_size`; clamping crops or borders the image and does not scale it. A side is at least one
/// pixel; only `max_size` bounds it.
#[must_use]
pub fn canvas(width: usize, height: usize, params: &AffineParams) -> (Affine, (usize, usize)) {
    let source = [width as f32, height as f32];
    let sides = source.map(|side| {
        (params.scale * side)
            .min(params.max_size)
            .max(params.min_size)
    });
    let [x, y] = linear(params);
    let affine = Affine([centered(x, source, sides[0]), centered(y, source, sides[1])]);
    let [width, height] = sides.map(|side| (side as usize).max(1));
    (affine, (width, height))
}

/// Return the first two columns of the matrix, row by row.
fn linear(params: &AffineParams) -> [[f32; 2]; 2] {
    let angle = f64::from(params.angle) / 180.0 * PI;
    let (cosine, sine) = (angle.cos() as f32, angle.sin() as f32);
    let horizontal = 2.0 * params.scale / (1.0 + params.aspect);
    let vertical = params.aspect * horizontal;
    [
        [
            horizontal * cosine - params.shear * sine * vertical,
            horizontal * sine + params.shear * cosine * vertical,
        ],
        [-sine * vertical, cosine * vertical],
    ]
}

/// Append to a row of the matrix the shift that moves the source's center to the middle of `side`.
fn centered([x, y]: [f32; 2], source: [f32; 2], side: f32) -> [f32; 3] {
    [x, y, (side - (x * source[0] + y * source[1])) / 2.0]
}

#[cfg(test)]
mod tests {
    use super::*;

    const IDENTITY: AffineParams = AffineParams {
        angle: 0.0,
        shear: 0.0,
        scale: 1.0,
        aspect: 1.0,
        min_size: 0.0,
        max_size: 1e10,
    };

    #[test]
    fn identity_parameters_leave_the_image_unchanged() {
        let (affine, size) = canvas(7, 5, &IDENTITY);
        assert_eq!(affine, Affine([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]]));
        assert_eq!(size, (7, 5));
    }

    /// Matrix of MXNet 1.9.1 for the batch `rotate` of `tests/data/golden`.
    #[test]
    fn a_rotation_is_about_the_center() {
        let params = AffineParams {
            angle: 30.0,
            ..IDENTITY
        };
        let matrix = [
            [0.866_025_4, 0.5, -9.641_014],
            [-0.5, 0.866_025_4, 24.019_238],
        ];
        assert_eq!(canvas(80, 60, &params), (Affine(matrix), (80, 60)));
    }

    /// Computed by MXNet's formula with NumPy's floats.
    #[test]
    fn combined_parameters_are_multiplied_as_in_mxnet() {
        let params = AffineParams {
            angle: -17.0,
            shear: 0.25,
            scale: 1.3,
            aspect: 0.8,
            ..IDENTITY
        };
        let matrix = [
            [1.465_792, -0.146_048_81, -3.479_858_4],
            [0.337_851_73, 1.105_063_3, -10.531_136],
        ];
        assert_eq!(canvas(101, 67, &params), (Affine(matrix), (131, 87)));
    }

    #[test]
    fn size_limits_crop_the_canvas_and_keep_the_scale() {
        let params = AffineParams {
            scale: 10.0,
            min_size: 350.0,
            max_size: 390.5,
            ..IDENTITY
        };
        let (Affine([x, y]), size) = canvas(40, 30, &params);
        assert_eq!((x, y), ([10.0, 0.0, -4.75], [0.0, 10.0, 25.0]));
        assert_eq!(size, (390, 350));
    }

    #[test]
    fn a_canvas_has_at_least_one_pixel() {
        let params = AffineParams {
            scale: 0.01,
            ..IDENTITY
        };
        assert_eq!(canvas(10, 10, &params).1, (1, 1));
    }
}
