//! Steps: the augmentations of an iterator, in the order of the caller's list.
//!
//! A list is made and checked ([`Step::check`]) once for an iterator. For every image,
//! [`visit_steps`] visits its steps in the order that applies to the image, and each samples its
//! random parameters and adds its stages to the image's plan ([`Step::sample`]).

use std::fmt::Debug;
use std::sync::Arc;

use crate::boxes::Boxes;
use crate::error::{Error, Result};
use crate::image::DynamicImage;
use crate::ops::color_f32::{ColorF32, Matrix};
use crate::plan::{
    Affine, CropPosition, Detect, InterpolationChoice, Jitter, Lighting, Plan, ResizedCrop,
};
use crate::plan::{crop, geometry, validate};
use crate::rng::Rng;

/// One augmentation step.
#[derive(Debug, Clone)]
pub enum Step {
    /// Resize of the shorter side to this many pixels; the ratio is kept.
    ShorterSide(usize, InterpolationChoice),
    /// Resize to this width and height.
    Resize((usize, usize), InterpolationChoice),
    /// Resize to fit within this width and height, the ratio kept. The flag: whether a smaller
    /// image is enlarged.
    Within((usize, usize), bool, InterpolationChoice),
    /// Rotation, shear and scale onto a canvas.
    Affine(Affine),
    /// Border on all four sides: thickness in pixels, and value.
    Pad(usize, u8),
    /// Crop of this width and height, after a smaller image is enlarged to cover it.
    Cover((usize, usize), CropPosition, InterpolationChoice),
    /// Crop of this width and height. Of a smaller image: the largest crop of that ratio, enlarged.
    Fit((usize, usize), CropPosition, InterpolationChoice),
    /// Square crop with a random side, resized to a width and height.
    Square {
        /// Minimum and maximum side.
        side: (usize, usize),
        /// Width and height of the result.
        size: (usize, usize),
        /// Position of the square.
        position: CropPosition,
        /// Interpolation method.
        interpolation: InterpolationChoice,
    },
    /// Crop of random area and aspect ratio, resized.
    ResizedCrop(ResizedCrop),
    /// A step that takes bounding boxes into account.
    Detect(Detect),
    /// Mirror, left to right, with this probability.
    Mirror(f64),
    /// Random colors on 8-bit values.
    Jitter(Jitter),
    /// Conversion to floats.
    Cast,
    /// Brightness by a factor from 1 − this to 1 + this. This and the following steps make floats.
    Brightness(f64),
    /// Contrast by a factor from 1 − this to 1 + this.
    Contrast(f64),
    /// Saturation by a factor from 1 − this to 1 + this.
    Saturation(f64),
    /// Hue by an angle from −this to this, as a fraction of a half turn.
    Hue(f64),
    /// PCA lighting.
    Lighting(Lighting),
    /// Conversion to gray with this probability.
    Gray(f64),
    /// Normalization: subtract the mean, divide by the standard deviation.
    Normalize([f64; 3], [f64; 3]),
    /// All steps of a list.
    Sequence(Vec<Step>),
    /// All steps of a list, in an order that is random for each image.
    RandomOrder(Vec<Step>),
    /// One random step of a list; none with the given probability.
    Either(Vec<Step>, f64),
    /// A user function.
    UserFunction(Arc<dyn UserFunction>),
}

/// A function of the caller's that changes an image.
pub trait UserFunction: Send + Sync + Debug {
    /// Changes the image, and its bounding boxes if it has any. Random numbers are sampled from
    /// `rng`.
    ///
    /// # Errors
    /// Any error of the function.
    fn call(
        &self,
        image: &mut DynamicImage,
        boxes: Option<&mut Boxes>,
        rng: &mut Rng,
    ) -> Result<()>;
}

/// The state that a step samples from and changes.
#[derive(Debug)]
pub struct StepContext<'a> {
    /// The image's plan so far.
    pub plan: &'a mut Plan,
    /// The image's random numbers.
    pub rng: &'a mut Rng,
    /// The image's bounding boxes, if it has any.
    pub boxes: Option<&'a mut Boxes>,
}

/// Visits the steps in the order that applies to one image. Lists of steps are resolved: `visit`
/// receives only single steps.
///
/// # Errors
/// The first error of `visit`.
pub fn visit_steps(
    steps: &[Step],
    rng: &mut Rng,
    visit: &mut dyn FnMut(&Step, &mut Rng) -> Result<()>,
) -> Result<()> {
    steps.iter().try_for_each(|step| match step {
        Step::Sequence(steps) => visit_steps(steps, rng, visit),
        Step::RandomOrder(steps) => {
            let order = rng.permutation(steps.len() as u32);
            order.iter().try_for_each(|&i| {
                visit_steps(std::slice::from_ref(&steps[i as usize]), rng, visit)
            })
        }
        Step::Either(steps, skip) => {
            if steps.is_empty() || rng.chance(*skip) {
                return Ok(());
            }
            let one = &steps[rng.below(steps.len() as u64) as usize];
            visit_steps(std::slice::from_ref(one), rng, visit)
        }
        step => visit(step, rng),
    })
}

impl Step {
    /// Samples the step's random parameters and adds its stages to the plan.
    ///
    /// # Panics
    /// If the step is a list of steps or a user function: [`visit_steps`] resolves lists, and a
    /// renderer calls functions.
    pub fn sample(&self, ctx: &mut StepContext<'_>) {
        match self {
            Self::ShorterSide(side, how) => geometry::shorter_side(ctx, *side, *how),
            Self::Resize(size, how) => geometry::resize(ctx, *size, *how),
            Self::Within(size, grow, how) => geometry::within(ctx, *size, *grow, *how),
            Self::Affine(affine) => affine.sample(ctx),
            Self::Pad(thickness, value) => geometry::pad(ctx, *thickness, *value),
            Self::Cover(size, position, how) => crop::cover(ctx, *size, *position, *how),
            Self::Fit(size, position, how) => crop::fit(ctx, *size, *position, *how),
            Self::Square {
                side,
                size,
                position,
                interpolation,
            } => crop::square(ctx, *side, *size, *position, *interpolation),
            Self::ResizedCrop(resized) => resized.sample(ctx),
            Self::Detect(detect) => detect.sample(ctx),
            Self::Mirror(probability) => geometry::mirror(ctx, *probability),
            Self::Jitter(jitter) => jitter.sample(ctx),
            Self::Lighting(lighting) => lighting.sample(ctx),
            Self::Sequence(_) | Self::RandomOrder(_) | Self::Either(..) | Self::UserFunction(_) => {
                unreachable!("lists of steps are resolved, and user functions called, before")
            }
            color => {
                if let Some(color) = color.sample_color(ctx.rng) {
                    ctx.plan.color_f32(color);
                }
            }
        }
    }

    /// Samples the steps that are a single color map.
    fn sample_color(&self, rng: &mut Rng) -> Option<ColorF32> {
        let mut around_one = |range: f64| 1.0 + rng.uniform(-range, range);
        Some(match self {
            Self::Contrast(range) => ColorF32::Contrast(around_one(*range)),
            Self::Brightness(range) => ColorF32::Linear(Matrix::brightness(around_one(*range))),
            Self::Saturation(range) => ColorF32::Linear(Matrix::saturation(around_one(*range))),
            Self::Hue(range) => ColorF32::Linear(Matrix::hue(rng.uniform(-range, *range))),
            Self::Gray(probability) if rng.chance(*probability) => ColorF32::Linear(Matrix::gray()),
            Self::Gray(_) => return None,
            Self::Normalize(mean, std) => ColorF32::Linear(Matrix::normalize(*mean, *std)),
            _ => ColorF32::Linear(Matrix::identity()),
        })
    }

    /// Return the step with antialiased resampling, if it resizes bilinearly. Warps do not change.
    #[must_use]
    pub fn antialiased(mut self) -> Self {
        if let Some(how) = self.interpolation_mut() {
            *how = how.antialiased();
        }
        self
    }

    /// The step's interpolation method, if it resizes.
    fn interpolation_mut(&mut self) -> Option<&mut InterpolationChoice> {
        match self {
            Self::ShorterSide(_, how)
            | Self::Resize(_, how)
            | Self::Within(_, _, how)
            | Self::Cover(_, _, how)
            | Self::Fit(_, _, how) => Some(how),
            Self::Square { interpolation, .. } => Some(interpolation),
            Self::ResizedCrop(crop) => Some(&mut crop.interpolation),
            _ => None,
        }
    }

    /// Checks the values of the step.
    ///
    /// # Errors
    /// [`ErrorKind::Argument`](crate::error::ErrorKind::Argument), with the value.
    pub fn check(&self) -> Result<()> {
        validate::step(self)
    }

    /// Whether the step needs an image of three channels.
    #[must_use]
    pub fn needs_rgb(&self) -> bool {
        let makes_floats = |step: &Self| {
            !matches!(step, Self::Cast | Self::UserFunction(_)) && step.makes_floats()
        };
        self.any(&|step| matches!(step, Self::Jitter(_)) || makes_floats(step))
    }

    /// Whether an image of 8-bit values may consist of floats after this step.
    #[must_use]
    pub fn makes_floats(&self) -> bool {
        matches!(
            self,
            Self::Cast
                | Self::Brightness(_)
                | Self::Contrast(_)
                | Self::Saturation(_)
                | Self::Hue(_)
                | Self::Lighting(_)
                | Self::Gray(_)
                | Self::Normalize(..)
                | Self::UserFunction(_)
        )
    }

    /// Whether the step is, or contains, one for which `kind` is true.
    pub fn any(&self, kind: &impl Fn(&Self) -> bool) -> bool {
        match self {
            Self::Sequence(steps) | Self::RandomOrder(steps) | Self::Either(steps, _) => {
                steps.iter().any(|step| step.any(kind))
            }
            step => kind(step),
        }
    }
}

/// Return the plan for an image of this size up to the first user function, and whether that is the
/// complete plan.
#[must_use]
pub fn preview(
    steps: &[Step],
    (width, height): (usize, usize),
    rng: &mut Rng,
    mut boxes: Option<&mut Boxes>,
) -> (Plan, bool) {
    let mut plan = Plan::new(width, height);
    let outcome = visit_steps(steps, rng, &mut |step, rng| {
        if matches!(step, Step::UserFunction(_)) {
            return Err(Error::argument("a user function"));
        }
        step.sample(&mut StepContext {
            plan: &mut plan,
            rng,
            boxes: boxes.as_deref_mut(),
        });
        Ok(())
    });
    (plan, outcome.is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ops::resize::Interpolation;

    fn visited(steps: &[Step], seed: u64) -> Vec<usize> {
        let mut sides = Vec::new();
        let visit = &mut |step: &Step, _: &mut Rng| {
            if let Step::ShorterSide(side, _) = step {
                sides.push(*side);
            }
            Ok(())
        };
        visit_steps(steps, &mut Rng::new(seed, 0, 0), visit).unwrap();
        sides
    }

    fn sides(range: std::ops::Range<usize>) -> Vec<Step> {
        range
            .map(|side| Step::ShorterSide(side, InterpolationChoice::Auto))
            .collect()
    }

    #[test]
    fn a_random_order_has_every_step_once_and_differs_between_images() {
        let steps = [Step::RandomOrder(sides(0..5)), Step::Sequence(sides(5..7))];
        let orders: Vec<_> = (0..20).map(|seed| visited(&steps, seed)).collect();
        for order in &orders {
            let mut sorted = order.clone();
            sorted.sort_unstable();
            assert_eq!(sorted, [0, 1, 2, 3, 4, 5, 6]);
            assert_eq!(order[5..], [5, 6]);
        }
        assert!(orders.iter().any(|order| *order != orders[0]));
    }

    #[test]
    fn only_linear_resizing_is_antialiased() {
        let how = |method| match Step::ShorterSide(9, method).antialiased() {
            Step::ShorterSide(9, how) => how,
            other => panic!("{other:?}"),
        };
        let fixed = InterpolationChoice::Fixed;
        assert_eq!(
            how(fixed(Interpolation::Linear)),
            fixed(Interpolation::Antialias)
        );
        for method in [
            InterpolationChoice::Auto,
            InterpolationChoice::Random,
            fixed(Interpolation::Area),
        ] {
            assert_eq!(how(method), method);
        }
    }

    #[test]
    fn either_takes_one_step_or_none() {
        let steps = [Step::Either(sides(0..3), 0.25)];
        let taken: Vec<_> = (0..4_000).map(|seed| visited(&steps, seed)).collect();
        let none = taken.iter().filter(|taken| taken.is_empty()).count();
        assert!((900..1_100).contains(&none), "{none}");
        for side in 0..3 {
            let count = taken.iter().filter(|taken| ***taken == [side]).count();
            assert!((900..1_100).contains(&count), "{count}");
        }
    }
}
