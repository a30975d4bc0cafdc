//! Affine map of colors in float32, applied to rows of pixels.

use super::{ColorSample, Matrix};

/// Samples that the vector kernels compute at once: 8 pixels.
pub(super) const SAMPLES: usize = 24;

/// Factors of R, of G and of B for each channel of the result, and the offset.
pub(super) type Columns = [[f32; 3]; 4];

/// A [`Matrix`] in float32, for pixels.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Map {
    pub(super) columns: Columns,
    /// Factor and offset of each channel, if they depend on no other channel.
    pub(super) scale_offset: Option<[[f32; 3]; 2]>,
}

impl From<Matrix> for Map {
    fn from(Matrix { rows }: Matrix) -> Self {
        let column = |i: usize| rows.map(|row| row[i] as f32);
        let columns = std::array::from_fn(column);
        Self {
            columns,
            scale_offset: scale_offset(columns),
        }
    }
}

/// Return the factor and the offset of each channel, if adding the other channels' products changes
/// no bit of finite numbers: they are zeros, and the sign of a zero comes from the offset.
fn scale_offset([red, green, blue, offset]: Columns) -> Option<[[f32; 3]; 2]> {
    let others = [red[1], red[2], green[0], green[2], blue[0], blue[1]];
    let is_exact = others.iter().all(|&factor| factor == 0.0)
        && offset
            .iter()
            .all(|offset| offset.to_bits() != (-0.0_f32).to_bits());
    is_exact.then_some([[red[0], green[1], blue[2]], offset])
}

impl Map {
    /// Apply the map to a row of interleaved R, G, B; `out` has the same length.
    ///
    /// All versions add the products in the same order, and fuse none, so they return the same
    /// bits.
    pub fn row<T: ColorSample>(&self, row: &[T], out: &mut [f32]) {
        debug_assert_eq!(row.len(), out.len());
        let done = T::map_blocks(self, row.as_chunks().0, out.as_chunks_mut().0);
        self.scalar(&row[done..], &mut out[done..]);
    }

    fn scalar<T: Into<f32> + Copy>(&self, row: &[T], out: &mut [f32]) {
        let [red, green, blue, offset] = self.columns;
        let pixels = row.as_chunks::<3>().0;
        for (out, pixel) in out.as_chunks_mut::<3>().0.iter_mut().zip(pixels) {
            let [r, g, b] = pixel.map(Into::into);
            *out = std::array::from_fn(|c| red[c] * r + green[c] * g + blue[c] * b + offset[c]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bits(values: &[f32]) -> Vec<u32> {
        values.iter().map(|value| value.to_bits()).collect()
    }

    fn equals_the_scalar_loop<T: ColorSample>(row: &[T]) {
        let hue = Matrix::hue(0.3).then(Matrix::shift([1.0, -2.0, 3.0]));
        let normalize = Matrix::normalize([0.0, 7.5, 1e-3], [3.0, -4.0, 1.0]);
        let brightness = Matrix::brightness(-0.7);
        for matrix in [hue, normalize, brightness, Matrix::shift([-0.0; 3])] {
            let map = Map::from(matrix);
            for count in [0, 1, 7, 8, 9, 40] {
                let mut rows = [(); 2].map(|()| vec![0.0; 3 * count]);
                map.row(&row[..3 * count], &mut rows[0]);
                map.scalar(&row[..3 * count], &mut rows[1]);
                assert_eq!(bits(&rows[0]), bits(&rows[1]), "{matrix:?}");
            }
        }
    }

    #[test]
    fn the_vector_kernels_equal_the_scalar_loop() {
        let bytes: Vec<u8> = (0..120_u8).map(|at| at.wrapping_mul(37) & !1).collect();
        equals_the_scalar_loop(&bytes);
        let mut floats: Vec<f32> = bytes.iter().map(|&byte| f32::from(byte) - 99.5).collect();
        equals_the_scalar_loop(&floats);
        // The product of infinity and zero is not a number.
        (floats[4], floats[30], floats[50]) = (f32::INFINITY, -0.0, f32::MIN_POSITIVE);
        equals_the_scalar_loop(&floats);
    }
}
