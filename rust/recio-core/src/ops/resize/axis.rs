//! Source positions and weights of a target pixel along one axis, independent of channels and pixel
//! values.
//!
//! The order of the operations and their widths (double, then float) are OpenCV's; both decide the
//! last bit.

/// A weight of 1 in fixed point, with 11 fraction bits.
const ONE: f32 = 2048.0;

/// Resize of `source` pixels to `target` pixels.
#[derive(Debug, Clone, Copy)]
pub(super) struct Axis {
    pub(super) source: usize,
    target: usize,
    /// Target pixels per source pixel.
    inverse: f64,
    /// Source pixels per target pixel: the reciprocal of `inverse`, not the quotient, which may
    /// differ in the last bit.
    pub(super) scale: f64,
}

/// Source positions of one target pixel, clamped into the source, and their weights.
#[derive(Debug, Clone, Copy)]
pub(super) struct Taps<const N: usize> {
    pub(super) at: [usize; N],
    pub(super) weight: [i16; N],
}

/// As [`Taps`], with weights in floats.
#[derive(Debug, Clone, Copy)]
pub(super) struct FloatTaps<const N: usize> {
    pub(super) at: [usize; N],
    pub(super) weight: [f32; N],
}

impl Axis {
    pub(super) fn new(source: usize, target: usize) -> Self {
        let inverse = target as f64 / source as f64;
        Self {
            source,
            target,
            inverse,
            scale: 1.0 / inverse,
        }
    }

    /// Return the number of source pixels per target pixel, rounded once.
    pub(super) fn exact_scale(self) -> f64 {
        self.source as f64 / self.target as f64
    }

    /// Return the scale if it is an integer. A few integer ratios are no longer integers after two
    /// roundings (49 is the first); OpenCV does not treat them as integers either.
    pub(super) fn integer_ratio(self) -> Option<usize> {
        let rounded = self.scale.round();
        ((self.scale - rounded).abs() < f64::EPSILON).then_some(rounded as usize)
    }

    /// Return the pixel at the same fraction of the axis.
    pub(super) fn nearest(self, target: usize) -> usize {
        ((target as f64 * self.scale) as usize).min(self.source - 1)
    }

    /// Return the pixel under the center of a target pixel, by OpenCV's formula: in fixed point
    /// with 16 fraction bits, the last of which is subtracted if the source is odd.
    pub(super) fn nearest_exact(self, target: usize) -> usize {
        let (source, full) = (self.source as i64, self.target as i64);
        let step = ((source << 16) + full / 2) / full;
        let first = step / 2 - source % 2;
        let at = (first + step * target as i64) >> 16;
        at.clamp(0, source - 1) as usize
    }

    /// Return the source pixel at or before the center of a target pixel, and the distance to that
    /// center, in [0, 1).
    pub(super) fn center(self, target: usize) -> (isize, f32) {
        let position = ((target as f64 + 0.5) * self.scale - 0.5) as f32;
        let floor = position.floor();
        (floor as isize, position - floor)
    }

    /// Return the source pixel under the first edge of a target pixel, and the fraction of the
    /// target pixel that the next source pixel covers: area interpolation when enlarging.
    pub(super) fn edge(self, target: usize) -> (isize, f32) {
        let floor = (target as f64 * self.scale) as isize;
        let fraction = ((target + 1) as f64 - (floor + 1) as f64 * self.inverse) as f32;
        (floor, fraction.max(0.0).fract())
    }

    /// Return `N` adjacent positions, `position` being the last of the first half; positions
    /// outside the source repeat its border.
    pub(super) fn neighbors<const N: usize>(self, position: isize) -> [usize; N] {
        let last = self.source as isize - 1;
        let first = position + 1 - (N / 2) as isize;
        std::array::from_fn(|k| (first + k as isize).clamp(0, last) as usize)
    }

    /// Return the neighbors of a position, with weights in fixed point.
    pub(super) fn taps<const N: usize>(self, position: isize, weight: [f32; N]) -> Taps<N> {
        Taps {
            at: self.neighbors(position),
            weight: weight.map(|weight| rint(weight * ONE) as i16),
        }
    }

    /// Return the neighbors of a position, with the weights of its fraction.
    pub(super) fn float_taps<const N: usize>(
        self,
        (position, fraction): (isize, f32),
        weights: fn(f32) -> [f32; N],
    ) -> FloatTaps<N> {
        FloatTaps {
            at: self.neighbors(position),
            weight: weights(fraction),
        }
    }
}

/// Round a number within ±2²² to the nearest integer, ties to even, by adding a float that leaves
/// no fraction bits. Unlike `round_ties_even`, this is not a call into libm on baseline x86-64.
#[inline]
pub(super) fn rint(value: f32) -> i32 {
    const INTEGERS_ONLY: f32 = 12_582_912.0;
    (value + INTEGERS_ONLY).to_bits() as i32 - INTEGERS_ONLY.to_bits() as i32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rint_breaks_ties_to_even() {
        let values = [0.0, 0.5, 1.5, 2.5, 2.501, 254.5, 255.5, -0.5, -1.5, -383.7];
        assert_eq!(values.map(rint), [0, 0, 2, 2, 3, 254, 256, 0, -2, -384]);
    }

    #[test]
    fn integer_ratios_must_survive_two_roundings() {
        assert_eq!(Axis::new(600, 200).integer_ratio(), Some(3));
        assert_eq!(Axis::new(601, 200).integer_ratio(), None);
        assert_eq!(Axis::new(49, 1).integer_ratio(), None);
    }

    #[test]
    fn nearest_exact_is_under_the_center() {
        let all = |source, target| -> Vec<_> {
            let axis = Axis::new(source, target);
            (0..target).map(|x| axis.nearest_exact(x)).collect()
        };
        assert_eq!(all(6, 2), [1, 4]);
        assert_eq!(all(4, 2), [1, 3]);
        assert_eq!(all(3, 5), [0, 0, 1, 2, 2]);
        // Above 2¹⁶ target pixels per source pixel a step rounds to 0.
        assert!(all(1, 1 << 18).iter().all(|&at| at == 0));
    }

    #[test]
    fn nearest_exact_stays_inside_if_the_step_is_rounded_up() {
        for (source, target) in [(1, 257), (2, 50_001), (3, 65_535)] {
            let axis = Axis::new(source, target);
            assert_eq!(axis.nearest_exact(0), 0);
            assert_eq!(axis.nearest_exact(target - 1), source - 1);
        }
    }

    #[test]
    fn taps_outside_the_source_repeat_its_border() {
        let taps = Axis::new(3, 9).taps(0, [-0.25, 0.5, 0.5, 0.25]);
        assert_eq!(taps.at, [0, 0, 1, 2]);
        assert_eq!(taps.weight, [-512, 1024, 1024, 512]);
    }

    #[test]
    fn centers_and_edges_follow_opencv() {
        let axis = Axis::new(2, 4);
        assert_eq!(
            [0, 1, 2, 3].map(|x| axis.center(x)),
            [(-1, 0.75), (0, 0.25), (0, 0.75), (1, 0.25)]
        );
        let axis = Axis::new(2, 3);
        assert_eq!(axis.edge(1), (0, 0.5));
    }
}
