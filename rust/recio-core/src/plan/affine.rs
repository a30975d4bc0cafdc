//! Rotation, shear, scale and aspect ratio in one step: MXNet's affine step.

use crate::ops::warp::{AffineParams, canvas};
use crate::plan::{InterpolationChoice, StepContext};
use crate::rng::Rng;

/// What an affine step draws from.
#[derive(Debug, Clone, PartialEq)]
pub struct Affine {
    /// Degrees, anticlockwise.
    pub angle: Angle,
    /// The largest shear, in either direction.
    pub shear: f64,
    /// Least and largest scale.
    pub scale: (f64, f64),
    /// Least and largest aspect ratio.
    pub aspect: (f64, f64),
    /// Least and largest side of the canvas, in pixels; the picture is not scaled to it, but centred.
    pub side: (f64, f64),
    /// The canvas's level.
    pub value: u8,
    /// How it is resampled.
    pub interpolation: InterpolationChoice,
}

/// How the angle of an affine step is drawn, in degrees.
#[derive(Debug, Clone, PartialEq)]
pub enum Angle {
    /// From −this to this, any.
    Within(f64),
    /// From −this to this, whole ones.
    Whole(u64),
    /// One of these.
    Of(Vec<f64>),
}

impl Angle {
    fn sample(&self, rng: &mut Rng) -> f64 {
        match self {
            Self::Within(most) => rng.uniform(-most, *most),
            Self::Whole(most) => rng.below(2 * most + 1) as f64 - *most as f64,
            Self::Of(angles) => angles[rng.below(angles.len() as u64) as usize],
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
        let drawn = AffineParams {
            angle: self.angle.sample(ctx.rng) as f32,
            shear,
            scale,
            aspect,
            min_size: self.side.0 as f32,
            max_size: self.side.1 as f32,
        };
        let (affine, size) = canvas(width, height, &drawn);
        let method = self.interpolation.choose((width, height), size, ctx.rng);
        let value = [self.value, self.value, self.value, 0];
        ctx.plan.warp(affine, size, method, value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn angles_are_drawn_from_where_they_should() {
        let mut rng = Rng::new(0, 0, 0);
        let mut draws =
            |angle: &Angle| -> Vec<f64> { (0..500).map(|_| angle.sample(&mut rng)).collect() };
        let whole = draws(&Angle::Whole(2));
        for angle in [-2.0, -1.0, 0.0, 1.0, 2.0] {
            let count = whole
                .iter()
                .filter(|&&drawn| (drawn - angle).abs() < 1e-9)
                .count();
            assert!((70..130).contains(&count), "{angle}: {count}");
        }
        let within = draws(&Angle::Within(2.5));
        assert!(
            within
                .iter()
                .all(|angle| angle.abs() <= 2.5 && angle.fract() != 0.0)
        );
        assert!(
            within.iter().any(|angle| *angle > 2.2) && within.iter().any(|angle| *angle < -2.2)
        );
        assert!(
            draws(&Angle::Of(vec![7.0, 9.0]))
                .iter()
                .all(|angle| [7.0, 9.0].contains(angle))
        );
    }
}
