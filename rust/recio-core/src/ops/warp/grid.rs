//! Source coordinates of the canvas's points, in OpenCV's fixed point.
//!
//! A point is the sum of its row's start and its column's offset, each rounded to 1/1024 pixel
//! separately. The order of the operations is OpenCV's. Both decide which pixels are read.

use std::ops::Add;

use super::Affine;

/// Fraction bits of a point.
const BITS: u32 = 10;

/// Map from the canvas to the source, one row per axis.
pub(super) struct Grid([[f64; 3]; 2]);

/// A point of the source or an offset between two: x and y, in fixed point.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Point([i32; 2]);

impl Grid {
    /// Invert `affine`; all zeros if it has no inverse.
    pub(super) fn new(Affine(matrix): Affine) -> Self {
        let [[a, b, right], [c, d, down]] = matrix.map(|row| row.map(f64::from));
        let determinant = a * d - b * c;
        let reciprocal = if determinant == 0.0 {
            0.0
        } else {
            1.0 / determinant
        };
        let (a, b, c, d) = (
            d * reciprocal,
            b * -reciprocal,
            c * -reciprocal,
            a * reciprocal,
        );
        Self([[a, b, -a * right - b * down], [c, d, -c * right - d * down]])
    }

    /// Return the offset of column `x` of the canvas from column 0.
    pub(super) fn column(&self, x: usize) -> Point {
        Point(self.0.map(|[along, ..]| fixed(along * x as f64)))
    }

    /// Return the source point of the first pixel of row `y` of the canvas.
    pub(super) fn row(&self, y: usize) -> Point {
        Point(
            self.0
                .map(|[_, along, start]| fixed(along * y as f64 + start)),
        )
    }
}

impl Point {
    /// Return the pixel of this point, and the nearest position within the pixel in steps of `1 /
    /// 2^bits`.
    pub(super) fn split(self, bits: u32) -> ([i32; 2], [usize; 2]) {
        let half = 1 << (BITS - bits - 1);
        let steps = self.0.map(|at| at.wrapping_add(half) >> (BITS - bits));
        let within = |step: i32| (step & ((1 << bits) - 1)) as usize;
        (steps.map(|step| step >> bits), steps.map(within))
    }
}

/// Sums that overflow 32 bits wrap, as in OpenCV.
impl Add for Point {
    type Output = Self;

    fn add(self, Self([x, y]): Self) -> Self {
        Self([self.0[0].wrapping_add(x), self.0[1].wrapping_add(y)])
    }
}

/// Round to fixed point, half to even. A number above 32 bits keeps its low bits, as in OpenCV.
fn fixed(value: f64) -> i32 {
    (value * f64::from(1 << BITS)).round_ties_even() as i64 as i32
}

#[cfg(test)]
mod tests {
    use super::*;

    fn split(grid: &Grid, x: usize, y: usize) -> ([i32; 2], [usize; 2]) {
        (grid.row(y) + grid.column(x)).split(5)
    }

    #[test]
    fn the_map_is_the_inverse() {
        let grid = Grid::new(Affine([[0.0, 2.0, 1.0], [-4.0, 0.0, 80.0]]));
        // (x, y) comes from ((80 - y) / 4, (x - 1) / 2).
        assert_eq!(split(&grid, 7, 72), ([2, 3], [0, 0]));
        assert_eq!(split(&grid, 0, 73), ([1, -1], [24, 16]));
    }

    #[test]
    fn a_matrix_without_an_inverse_maps_to_the_first_pixel() {
        let grid = Grid::new(Affine([[1.0, 2.0, 3.0], [2.0, 4.0, 6.0]]));
        assert_eq!(split(&grid, 50, 60), ([0, 0], [0, 0]));
    }

    #[test]
    fn points_round_to_the_nearest_position_and_ties_up() {
        assert_eq!(Point([15, 16]).split(5), ([0, 0], [0, 1]));
        assert_eq!(Point([-17, -16]).split(5), ([-1, 0], [31, 0]));
        assert_eq!(Point([511, 512]).split(0), ([0, 1], [0, 0]));
    }

    #[test]
    fn fixed_point_rounds_half_to_even_and_keeps_the_low_bits() {
        let last = 1.0 / 1024.0;
        let values = [0.5, 1.5, -0.5, -1.5, 4_294_967_299.0];
        assert_eq!(values.map(|value| fixed(value * last)), [0, 2, 0, -2, 3]);
        for nonsense in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            assert!(fixed(nonsense).abs() <= 1);
        }
    }
}
