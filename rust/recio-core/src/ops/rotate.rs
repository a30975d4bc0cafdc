//! Rotation of float32 planes as MXNet's `imrotate`: bilinear, with zeros outside of the image.
//!
//! The order of the operations is that of the formulas on entire arrays that MXNet's operators
//! carry out, which decides the last bits.

use crate::ops::resize::vectorize;

/// Rotation by an angle about the center of a plane, with a scale.
#[derive(Debug, Clone, Copy)]
pub struct Rotation {
    /// Sine of the angle.
    pub sin: f32,
    /// Cosine of the angle.
    pub cos: f32,
    /// Factor of the distance from the center, from the result to the source.
    pub scale: f32,
}

/// The four pixels around a position in the source, and their weights.
#[derive(Debug, Clone, Copy, Default)]
struct Neighbors {
    /// Column and row of the first pixel; the others follow to the right and below.
    first: [isize; 2],
    weights: [f32; 4],
}

/// Rotate all planes of an image; `out` has the same length.
///
/// # Panics
/// If the lengths differ from each other, or are no multiple of a plane's pixels.
pub fn rotate(
    planes: &[f32],
    (width, height): (usize, usize),
    rotation: Rotation,
    out: &mut [f32],
) {
    assert_eq!(planes.len(), out.len(), "the result has another size");
    if planes.is_empty() {
        return;
    }
    let mut neighbors = vec![Neighbors::default(); width];
    for y in 0..height {
        rotation.locate_row((width, height), y, &mut neighbors);
        let pixels = width * height;
        let planes = planes
            .chunks_exact(pixels)
            .zip(out.chunks_exact_mut(pixels));
        for (plane, out) in planes {
            let row = &mut out[y * width..][..width];
            sample_row(plane, (width, height), &neighbors, row);
        }
    }
}

impl Rotation {
    /// Locate the pixels of row `y`.
    fn locate_row(&self, (width, height): (usize, usize), y: usize, row: &mut [Neighbors]) {
        let [center_x, center_y] = [width, height].map(|side| (side - 1) as f32 / 2.0);
        let y = y as f32 - center_y;
        let (x_of_y, y_of_y) = (y * self.sin, y * self.cos);
        vectorize(|| {
            for (x, neighbors) in row.iter_mut().enumerate() {
                let x = x as f32 - center_x;
                let source_x = (x * self.cos - x_of_y) * self.scale + center_x;
                let source_y = (x * self.sin + y_of_y) * self.scale + center_y;
                *neighbors = Neighbors::around(source_x, source_y);
            }
        });
    }
}

impl Neighbors {
    #[inline]
    fn around(x: f32, y: f32) -> Self {
        let (left, top) = (x.floor(), y.floor());
        let (right, lower) = (x - left, y - top);
        let weights = [(1.0 - right), right].map(|across| across * (1.0 - lower));
        let lower = [(1.0 - right), right].map(|across| across * lower);
        Self {
            first: [left as isize, top as isize],
            weights: [weights[0], weights[1], lower[0], lower[1]],
        }
    }
}

fn sample_row(
    plane: &[f32],
    (width, height): (usize, usize),
    neighbors: &[Neighbors],
    row: &mut [f32],
) {
    for (value, neighbors) in row.iter_mut().zip(neighbors) {
        // Negative numbers become huge ones.
        let [x, y] = neighbors.first.map(|at| at as usize);
        let pixels = if x < width - 1 && y < height - 1 {
            let first = y * width + x;
            let (upper, lower) = (&plane[first..first + 2], &plane[first + width..][..2]);
            [upper[0], upper[1], lower[0], lower[1]]
        } else {
            pixels_at_edge(plane, (width, height), neighbors.first)
        };
        let products = pixels.iter().zip(&neighbors.weights);
        *value = products.fold(0.0, |sum, (pixel, weight)| sum + pixel * weight);
    }
}

/// Return the four pixels, those outside of the image as zeros.
#[cold]
fn pixels_at_edge(
    plane: &[f32],
    (width, height): (usize, usize),
    [left, top]: [isize; 2],
) -> [f32; 4] {
    [(0, 0), (1, 0), (0, 1), (1, 1)].map(|(dx, dy)| {
        let (x, y) = (
            left.wrapping_add(dx) as usize,
            top.wrapping_add(dy) as usize,
        );
        if x < width && y < height {
            plane[y * width + x]
        } else {
            0.0
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rotated(sin: f32, cos: f32, planes: &[f32], size: (usize, usize)) -> Vec<f32> {
        let mut out = vec![f32::NAN; planes.len()];
        let rotation = Rotation {
            sin,
            cos,
            scale: 1.0,
        };
        rotate(planes, size, rotation, &mut out);
        out
    }

    #[test]
    fn a_quarter_turn_moves_pixels() {
        let planes = [1.0, 2.0, 3.0, 4.0, 10.0, 20.0, 30.0, 40.0];
        let turned = [2.0, 4.0, 1.0, 3.0, 20.0, 40.0, 10.0, 30.0];
        assert_eq!(rotated(1.0, 0.0, &planes, (2, 2)), turned);
        assert_eq!(rotated(0.0, 1.0, &planes, (2, 2)), planes);
    }

    #[test]
    fn pixels_outside_of_the_image_are_zeros() {
        assert_eq!(rotated(1.0, 0.0, &[1.0, 2.0, 3.0], (3, 1)), [0.0, 2.0, 0.0]);
        assert_eq!(
            rotated(0.0, 1e30, &[1.0, 2.0, 3.0], (3, 1)),
            [0.0, 2.0, 0.0]
        );
        assert!(
            rotated(f32::NAN, 1.0, &[1.0, 2.0], (2, 1))
                .iter()
                .all(|value| value.is_nan())
        );
    }

    #[test]
    fn an_image_without_pixels_stays_empty() {
        assert!(rotated(0.5, 0.5, &[], (0, 4)).is_empty());
    }
}
