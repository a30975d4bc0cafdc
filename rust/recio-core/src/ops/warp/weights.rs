//! Weights of the pixels around a point, for each of 32×32 positions of the point within its pixel.

use std::array::from_fn;

/// Fraction bits of a position.
pub(super) const POSITION_BITS: u32 = 5;
const POSITIONS: usize = 1 << POSITION_BITS;

/// Fraction bits of a weight.
pub(super) const BITS: u32 = 15;
const ONE: i32 = 1 << BITS;

/// Weights of the `N`×`N` pixels around a point, by rows, for each position; empty until the first
/// use.
#[derive(Debug, Default)]
pub(super) struct Table<const N: usize>(Vec<[[i16; N]; N]>);

impl<const N: usize> Table<N> {
    /// Return the table, filled with the weights of a method along one axis.
    pub(super) fn filled(&mut self, along: fn(f32) -> [f32; N]) -> &Self {
        if self.0.is_empty() {
            let axis: [_; POSITIONS] = from_fn(|step| along(step as f32 / POSITIONS as f32));
            let positions = axis
                .iter()
                .flat_map(|y| axis.iter().map(move |x| fixed(x, y)));
            self.0.extend(positions);
        }
        self
    }

    /// Return the weights at a position, in horizontal and vertical steps.
    pub(super) fn at(&self, [x, y]: [usize; 2]) -> &[[i16; N]; N] {
        &self.0[y * POSITIONS + x]
    }
}

/// Convert weights to fixed point. A weight of one does not fit: the point's pixel gets 32767 and
/// another one 1, which changes no 8-bit value.
fn fixed<const N: usize>(x: &[f32; N], y: &[f32; N]) -> [[i16; N]; N] {
    let fixed = |weight: f32| (weight * ONE as f32).round_ties_even() as i16;
    let mut weights = y.map(|y| x.map(|x| fixed(y * x)));
    correct(&mut weights);
    weights
}

/// Correct the sum of the weights to one. Of the four weights from the middle to the right and
/// down, a deficit is added to the largest and an excess is subtracted from the smallest; for
/// linear weights there is only one.
fn correct<const N: usize>(weights: &mut [[i16; N]; N]) {
    let sum: i32 = weights.as_flattened().iter().copied().map(i32::from).sum();
    let middle = || N / 2..(N / 2 + 2).min(N);
    let cells = middle().flat_map(|y| middle().map(move |x| (y, x)));
    let weight = |&(y, x): &(usize, usize)| i32::from(weights[y][x]);
    // Both return the first of equals.
    let corrected = if sum < ONE {
        cells.min_by_key(|cell| -weight(cell))
    } else {
        cells.min_by_key(weight)
    };
    let (y, x) = corrected.expect("there is a middle");
    weights[y][x] += (ONE - sum) as i16;
}

/// Return the linear weights of two pixels for a point at distance `x` from the first.
pub(super) fn linear(x: f32) -> [f32; 2] {
    [1.0 - x, x]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ops::resize::kernel::{cubic, lanczos4};

    fn sums<const N: usize>(along: fn(f32) -> [f32; N]) -> Vec<i32> {
        let mut table = Table::default();
        let weights = table.filled(along).0.iter();
        weights
            .map(|weights| weights.as_flattened().iter().copied().map(i32::from).sum())
            .collect()
    }

    #[test]
    fn the_weights_of_every_position_sum_to_one() {
        let all = vec![ONE; POSITIONS * POSITIONS];
        assert_eq!(sums(linear), all);
        assert_eq!(sums(cubic), all);
        assert_eq!(sums(lanczos4), all);
    }

    #[test]
    fn the_first_of_equals_is_corrected() {
        let mut weights = [[0, 8192, 8192, 0]; 4];
        weights[0] = [0; 4];
        weights[3] = [0; 4];
        weights[1][1] -= 3;
        correct(&mut weights);
        assert_eq!((weights[2][2], weights[2][3]), (8195, 0));
        weights[1][1] += 5;
        correct(&mut weights);
        assert_eq!((weights[2][2], weights[2][3]), (8195, -5));
    }

    #[test]
    fn weights_mirror() {
        for x in [0.125, 0.25, 0.46875] {
            assert!((cubic(x)[0] - cubic(1.0 - x)[3]).abs() < 1e-6);
            assert!((lanczos4(x)[1] - lanczos4(1.0 - x)[6]).abs() < 1e-6);
        }
    }

    #[test]
    fn tables_are_in_row_major_order() {
        let mut table = Table::default();
        let weights = table.filled(linear).at([8, 0]);
        assert_eq!(*weights, [[24576, 8192], [0, 0]]);
    }
}
