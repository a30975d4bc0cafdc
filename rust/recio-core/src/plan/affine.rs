//! Affine step: rotation, shear, scale and aspect ratio, as in MXNet's C++ iterator.

use crate::ops::warp::{AffineParams, canvas};
use crate::plan::{InterpolationChoice, StepContext};
use crate::rng::Rng;

/// The ranges of an affine step.
#[derive(Debug, Clone, PartialEq)]
pub struct Affine {
    /// Angle, in degrees counterclockwise.
    pub angle: Angle,
    /// Maximum shear, in either direction.
    pub shear: f64,
    /// Minimum and maximum scale.
    pub scale: (f64, f64),
    /// Minimum and maximum aspect ratio.
    pub aspect: (f64, f64),
    /// Minimum and maximum side of the canvas, in pixels. The image is centered on it, not scaled
    /// to it.
    pub side: (f64, f64),
    /// Value of the canvas.
    pub value: u8,
    /// Interpolation method.
    pub interpolation: InterpolationChoice,
}

/// The distribution of the angle of an affine step, in degrees.
#[derive(Debug, Clone, PartialEq)]
pub enum Angle {
    /// Uniform from −this to this.
    Uniform(f64),
    /// Integers from −this to this.
    Integers(u64),
    /// One of a list.
    OneOf(Vec<f64>),
}

impl Angle {
    fn sample(&self, rng: &mut Rng) -> f64 {
        match self {
            Self::Uniform(most) => rng.uniform(-most, *most),
            Self::Integers(most) => rng.below(2 * most + 1) as f64 - *most as f64,
            Self::OneOf(angles) => angles[rng.below(angles.len() as u64) as usize],
        }
    }
}

impl Affine {
    pub(super) fn sample(&self, ctx: &mut StepContext<'_>) {
        let (width, height) = ctx.plan.size();
        let mut within = |(low, high)| ctx.rng.uniform(low, high) as f32;
        let shear = within((-self.shear, self.shear));
        let scale = within(self.scale);
        let aspect = within(self.aspect);
        let params = AffineParams {
            angle: self.angle.sample(ctx.rng) as f32,
            shear,
            scale,
            aspect,
            min_size: self.side.0 as f32,
            max_size: self.side.1 as f32,
        };
        let (affine, size) = canvas(width, height, &params);
        let method = self.interpolation.choose((width, height), size, ctx.rng);
        let value = [self.value, self.value, self.value, 0];
        ctx.plan.warp(affine, size, method, value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn angles_follow_their_distribution() {
        let mut rng = Rng::new(0, 0, 0);
        let mut draws =
            |angle: &Angle| -> Vec<f64> { (0..500).map(|_| angle.sample(&mut rng)).collect() };
        let whole = draws(&Angle::Integers(2));
        for angle in [-2.0, -1.0, 0.0, 1.0, 2.0] {
            let count = whole
                .iter()
                .filter(|&&drawn| (drawn - angle).abs() < 1e-9)
                .count();
            assert!((70..130).contains(&count), "{angle}: {count}");
        }
        let within = draws(&Angle::Uniform(2.5));
        assert!(
            within
                .iter()
                .all(|angle| angle.abs() <= 2.5 && angle.fract() != 0.0)
        );
        assert!(
            within.iter().any(|angle| *angle > 2.2) && within.iter().any(|angle| *angle < -2.2)
        );
        assert!(
            draws(&Angle::OneOf(vec![7.0, 9.0]))
                .iter()
                .all(|angle| [7.0, 9.0].contains(angle))
        );
    }
}
