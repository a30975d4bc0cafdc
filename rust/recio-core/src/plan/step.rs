//! The steps that an image goes through, as the caller lists them.
//!
//! A list is made once for an iterator, and checked ([`Step::check`]) before it is used. It is then drawn for every image: [`walk`] takes the steps in the order that they are due in, and each
//! adds to the image's plan what it decides ([`Step::draw`]).

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

/// One step.
#[derive(Debug, Clone)]
pub enum Step {
    /// The shorter side to this many pixels, up or down.
    ShorterSide(usize, InterpolationChoice),
    /// To this width and height.
    Resize((usize, usize), InterpolationChoice),
    /// Within this width and height, keeping the ratio; a smaller image is enlarged or not.
    Within((usize, usize), bool, InterpolationChoice),
    /// Rotation, shear, scale, onto a canvas.
    Affine(Affine),
    /// A border on all four sides: its thickness, and its level.
    Pad(usize, u8),
    /// Enlarged to cover this width and height, if smaller; then a part of that size.
    Cover((usize, usize), CropPosition, InterpolationChoice),
    /// A part of this width and height or, of a smaller image, the largest of that ratio, enlarged.
    Fit((usize, usize), CropPosition, InterpolationChoice),
    /// A square whose side is drawn from a range, resampled to a width and height.
    Square {
        /// The least and the largest side.
        side: (usize, usize),
        /// Width and height of the result.
        size: (usize, usize),
        /// Where.
        position: CropPosition,
        /// How.
        interpolation: InterpolationChoice,
    },
    /// A region of random area and aspect ratio.
    ResizedCrop(ResizedCrop),
    /// What looks at objects.
    Detect(Detect),
    /// Flipped left to right with this probability.
    Mirror(f64),
    /// Colors in whole levels.
    Jitter(Jitter),
    /// To floats.
    Cast,
    /// Brightness, by 1 − this to 1 + this; in floats, as all that follow.
    Brightness(f64),
    /// Contrast, likewise.
    Contrast(f64),
    /// Saturation, likewise.
    Saturation(f64),
    /// Hue, by as much of a half turn in either direction.
    Hue(f64),
    /// The light's color.
    Lighting(Lighting),
    /// Gray with this probability.
    Gray(f64),
    /// A mean subtracted, and divided by a deviation.
    Normalize([f64; 3], [f64; 3]),
    /// All of these.
    Sequence(Vec<Step>),
    /// All of these, in an order drawn for each image.
    RandomOrder(Vec<Step>),
    /// One of these, or with the given probability none.
    Either(Vec<Step>, f64),
    /// A function of the caller's.
    UserFunction(Arc<dyn UserFunction>),
}

/// A function of the caller's that makes a picture of a picture.
pub trait UserFunction: Send + Sync + Debug {
    /// Changes the picture, and the objects on it if there are any.
    ///
    /// # Errors
    /// The caller's own.
    fn call(&self, canvas: &mut DynamicImage, boxes: Option<&mut Boxes>) -> Result<()>;
}

/// What a step draws with, and on.
#[derive(Debug)]
pub struct StepContext<'a> {
    /// What will be done so far.
    pub plan: &'a mut Plan,
    /// The image's random numbers.
    pub rng: &'a mut Rng,
    /// Its objects, if it has any.
    pub boxes: Option<&'a mut Boxes>,
}

/// Visits the steps in the order that they are due in for one image; `visit` never sees a list of steps.
///
/// # Errors
/// The first that `visit` gives.
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
    /// Decides what this step does to an image, and adds it to its plan.
    ///
    /// # Panics
    /// If the step is a list of steps or a call, which [`walk`] takes apart and the pipeline carries out.
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
                unreachable!("a list of steps, or a call, is not drawn itself")
            }
            color => {
                if let Some(color) = color.sample_color(ctx.rng) {
                    ctx.plan.color_f32(color);
                }
            }
        }
    }

    /// What the steps that are one color map decide.
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

    /// The same step, without aliases if it resizes linearly. A warp stays as it is.
    #[must_use]
    pub fn antialiased(mut self) -> Self {
        if let Some(how) = self.resizing() {
            *how = how.antialiased();
        }
        self
    }

    /// How it resizes, if it does.
    fn resizing(&mut self) -> Option<&mut InterpolationChoice> {
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

    /// Refuses what makes no sense.
    ///
    /// # Errors
    /// [`ErrorKind::Argument`](crate::error::ErrorKind::Argument), with the value.
    pub fn check(&self) -> Result<()> {
        validate::step(self)
    }

    /// Whether it changes colors, which only pictures of three channels have.
    #[must_use]
    pub fn needs_rgb(&self) -> bool {
        let makes_floats = |step: &Self| {
            !matches!(step, Self::Cast | Self::UserFunction(_)) && step.makes_floats()
        };
        self.any(&|step| matches!(step, Self::Jitter(_)) || makes_floats(step))
    }

    /// Whether a picture of whole levels may be one of floats after this step.
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

    /// Whether this is, or has within it, a step of this kind.
    pub fn any(&self, kind: &impl Fn(&Self) -> bool) -> bool {
        match self {
            Self::Sequence(steps) | Self::RandomOrder(steps) | Self::Either(steps, _) => {
                steps.iter().any(|step| step.any(kind))
            }
            step => kind(step),
        }
    }
}

/// The plan for an image of this size, as far as it can be known before pixels are: up to the first call, and whether
/// that is all of it.
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
            return Err(Error::argument("a call"));
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
