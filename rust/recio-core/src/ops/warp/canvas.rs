//! MXNet's affine step → the matrix and the canvas that it warps with. Nothing here draws, and nothing reads pixels.
//!
//! The order of the operations is that of MXNet 1.9.1, in floats but for the turn: the last bit of the matrix moves points
//! by the 1/1024 pixel that decides a sample.

use std::f64::consts::PI;

use super::Affine;

/// What an image has drawn for its affine step.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct AffineParams {
    /// How far the picture turns anticlockwise, in degrees.
    pub angle: f32,
    /// How far it leans: a point moves to the right by this times its distance from the top.
    pub shear: f32,
    /// What its size, and the canvas's, is multiplied by.
    pub scale: f32,
    /// How much higher it gets than it gets wide: the sum of both stays the same.
    pub aspect: f32,
    /// The shortest side of the canvas, in pixels; it wins over the longest.
    pub min_size: f32,
    /// The longest side of the canvas, in pixels.
    pub max_size: f32,
}

/// The matrix that carries out `draw` on a picture of `width`×`height` pixels and puts its centre in that of the canvas,
/// and the canvas's width and height.
///
/// The canvas is as large as the scaled picture, whatever the angle, within the draw's limits; those cut or border the
/// picture and do not scale it. A side is at least one pixel, and nothing but `max_size` bounds it.
#[must_use]
pub fn canvas(width: usize, height: usize, draw: &AffineParams) -> (Affine, (usize, usize)) {
    let source = [width as f32, height as f32];
    let sides = source.map(|side| (draw.scale * side).min(draw.max_size).max(draw.min_size));
    let [x, y] = linear(draw);
    let affine = Affine([centred(x, source, sides[0]), centred(y, source, sides[1])]);
    let [width, height] = sides.map(|side| (side as usize).max(1));
    (affine, (width, height))
}

/// The first two columns of the matrix, by rows.
fn linear(draw: &AffineParams) -> [[f32; 2]; 2] {
    let turn = f64::from(draw.angle) / 180.0 * PI;
    let (cosine, sine) = (turn.cos() as f32, turn.sin() as f32);
    let across = 2.0 * draw.scale / (1.0 + draw.aspect);
    let down = draw.aspect * across;
    [
        [
            across * cosine - draw.shear * sine * down,
            across * sine + draw.shear * cosine * down,
        ],
        [-sine * down, cosine * down],
    ]
}

/// A row of the matrix with the shift that takes the source's centre to the middle of `side`.
fn centred([x, y]: [f32; 2], source: [f32; 2], side: f32) -> [f32; 3] {
    [x, y, (side - (x * source[0] + y * source[1])) / 2.0]
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOTHING: AffineParams = AffineParams {
        angle: 0.0,
        shear: 0.0,
        scale: 1.0,
        aspect: 1.0,
        min_size: 0.0,
        max_size: 1e10,
    };

    #[test]
    fn without_a_change_the_picture_stays() {
        let (affine, size) = canvas(7, 5, &NOTHING);
        assert_eq!(affine, Affine([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]]));
        assert_eq!(size, (7, 5));
    }

    /// As MXNet 1.9.1 warps in the batch `rotate` of `tests/data/golden`.
    #[test]
    fn a_turn_is_about_the_centre() {
        let draw = AffineParams {
            angle: 30.0,
            ..NOTHING
        };
        let matrix = [
            [0.866_025_4, 0.5, -9.641_014],
            [-0.5, 0.866_025_4, 24.019_238],
        ];
        assert_eq!(canvas(80, 60, &draw), (Affine(matrix), (80, 60)));
    }

    /// By MXNet's formula, computed with NumPy's floats.
    #[test]
    fn all_at_once_are_as_mxnet_multiplies_them() {
        let draw = AffineParams {
            angle: -17.0,
            shear: 0.25,
            scale: 1.3,
            aspect: 0.8,
            ..NOTHING
        };
        let matrix = [
            [1.465_792, -0.146_048_81, -3.479_858_4],
            [0.337_851_73, 1.105_063_3, -10.531_136],
        ];
        assert_eq!(canvas(101, 67, &draw), (Affine(matrix), (131, 87)));
    }

    #[test]
    fn limits_cut_the_canvas_and_leave_the_scale() {
        let draw = AffineParams {
            scale: 10.0,
            min_size: 350.0,
            max_size: 390.5,
            ..NOTHING
        };
        let (Affine([x, y]), size) = canvas(40, 30, &draw);
        assert_eq!((x, y), ([10.0, 0.0, -4.75], [0.0, 10.0, 25.0]));
        assert_eq!(size, (390, 350));
    }

    #[test]
    fn a_canvas_has_a_pixel() {
        let draw = AffineParams {
            scale: 0.01,
            ..NOTHING
        };
        assert_eq!(canvas(10, 10, &draw).1, (1, 1));
    }
}
