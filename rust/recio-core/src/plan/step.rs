//! The steps that an image goes through, as the caller lists them.
//!
//! A list is made once for an iterator, and checked ([`Step::check`]) before it is used. It is then drawn for every image: [`walk`] takes the steps in the order that they are due in, and each
//! adds to the image's plan what it decides ([`Step::draw`]).

use std::fmt::Debug;
use std::sync::Arc;

use crate::boxes::Boxes;
use crate::error::{Error, Result};
use crate::image::Canvas;
use crate::ops::color_f32::{Color, Matrix};
use crate::plan::{Affine, Detect, Interpolations, Jitter, Lighting, Place, Plan, ResizedCrop};
use crate::plan::{crop, geometry, validate};
use crate::rng::Rng;

/// One step.
#[derive(Debug, Clone)]
pub enum Step {
    /// The shorter side to this many pixels, up or down.
    ShorterSide(usize, Interpolations),
    /// To this width and height.
    Resize((usize, usize), Interpolations),
    /// Within this width and height, keeping the ratio; a smaller image is enlarged or not.
    Within((usize, usize), bool, Interpolations),
    /// Rotation, shear, scale, onto a canvas.
    Affine(Affine),
    /// A border on all four sides: its thickness, and its level.
    Pad(usize, u8),
    /// Enlarged to cover this width and height, if smaller; then a part of that size.
    Cover((usize, usize), Place, Interpolations),
    /// A part of this width and height or, of a smaller image, the largest of that ratio, enlarged.
    Fit((usize, usize), Place, Interpolations),
    /// A square whose side is drawn from a range, resampled to a width and height.
    Square {
        /// The least and the largest side.
        side: (usize, usize),
        /// Width and height of the result.
        size: (usize, usize),
        /// Where.
        place: Place,
        /// How.
        interpolation: Interpolations,
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
    Call(Arc<dyn Call>),
}

/// A function of the caller's that makes a picture of a picture.
pub trait Call: Send + Sync + Debug {
    /// Changes the picture, and the objects on it if there are any.
    ///
    /// # Errors
    /// The caller's own.
    fn call(&self, canvas: &mut Canvas, boxes: Option<&mut Boxes>) -> Result<()>;
}

/// What a step draws with, and on.
#[derive(Debug)]
pub struct Draw<'a> {
    /// What will be done so far.
    pub plan: &'a mut Plan,
    /// The image's random numbers.
    pub random: &'a mut Rng,
    /// Its objects, if it has any.
    pub boxes: Option<&'a mut Boxes>,
}

/// Visits the steps in the order that they are due in for one image; `visit` never sees a list of steps.
///
/// # Errors
/// The first that `visit` gives.
pub fn walk(
    steps: &[Step],
    random: &mut Rng,
    visit: &mut dyn FnMut(&Step, &mut Rng) -> Result<()>,
) -> Result<()> {
    steps.iter().try_for_each(|step| match step {
        Step::Sequence(steps) => walk(steps, random, visit),
        Step::RandomOrder(steps) => {
            let order = random.permutation(steps.len() as u32);
            order
                .iter()
                .try_for_each(|&i| walk(std::slice::from_ref(&steps[i as usize]), random, visit))
        }
        Step::Either(steps, skip) => {
            if steps.is_empty() || random.chance(*skip) {
                return Ok(());
            }
            let one = &steps[random.below(steps.len() as u64) as usize];
            walk(std::slice::from_ref(one), random, visit)
        }
        step => visit(step, random),
    })
}

impl Step {
    /// Decides what this step does to an image, and adds it to its plan.
    ///
    /// # Panics
    /// If the step is a list of steps or a call, which [`walk`] takes apart and the pipeline carries out.
    pub fn draw(&self, on: &mut Draw<'_>) {
        match self {
            Self::ShorterSide(side, how) => geometry::shorter_side(on, *side, *how),
            Self::Resize(size, how) => geometry::resize(on, *size, *how),
            Self::Within(size, grow, how) => geometry::within(on, *size, *grow, *how),
            Self::Affine(affine) => affine.draw(on),
            Self::Pad(thickness, value) => geometry::pad(on, *thickness, *value),
            Self::Cover(size, place, how) => crop::cover(on, *size, *place, *how),
            Self::Fit(size, place, how) => crop::fit(on, *size, *place, *how),
            Self::Square {
                side,
                size,
                place,
                interpolation,
            } => crop::square(on, *side, *size, *place, *interpolation),
            Self::ResizedCrop(resized) => resized.draw(on),
            Self::Detect(detect) => detect.draw(on),
            Self::Mirror(probability) => geometry::mirror(on, *probability),
            Self::Jitter(jitter) => jitter.draw(on),
            Self::Lighting(lighting) => lighting.draw(on),
            Self::Sequence(_) | Self::RandomOrder(_) | Self::Either(..) | Self::Call(_) => {
                unreachable!("a list of steps, or a call, is not drawn itself")
            }
            color => {
                if let Some(color) = color.draw_color(on.random) {
                    on.plan.color(color);
                }
            }
        }
    }

    /// What the steps that are one color map decide.
    fn draw_color(&self, random: &mut Rng) -> Option<Color> {
        let mut around_one = |range: f64| 1.0 + random.uniform(-range, range);
        Some(match self {
            Self::Contrast(range) => Color::Contrast(around_one(*range)),
            Self::Brightness(range) => Color::Linear(Matrix::brightness(around_one(*range))),
            Self::Saturation(range) => Color::Linear(Matrix::saturation(around_one(*range))),
            Self::Hue(range) => Color::Linear(Matrix::hue(random.uniform(-range, *range))),
            Self::Gray(probability) if random.chance(*probability) => Color::Linear(Matrix::gray()),
            Self::Gray(_) => return None,
            Self::Normalize(mean, std) => Color::Linear(Matrix::normalize(*mean, *std)),
            _ => Color::Linear(Matrix::identity()),
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
    fn resizing(&mut self) -> Option<&mut Interpolations> {
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
        let makes_floats =
            |step: &Self| !matches!(step, Self::Cast | Self::Call(_)) && step.makes_floats();
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
                | Self::Call(_)
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
pub fn sketch(
    steps: &[Step],
    (width, height): (usize, usize),
    random: &mut Rng,
    mut boxes: Option<&mut Boxes>,
) -> (Plan, bool) {
    let mut plan = Plan::whole(width, height);
    let outcome = walk(steps, random, &mut |step, random| {
        if matches!(step, Step::Call(_)) {
            return Err(Error::argument("a call"));
        }
        step.draw(&mut Draw {
            plan: &mut plan,
            random,
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
        walk(steps, &mut Rng::new(seed, 0, 0), visit).unwrap();
        sides
    }

    fn sides(range: std::ops::Range<usize>) -> Vec<Step> {
        range
            .map(|side| Step::ShorterSide(side, Interpolations::Auto))
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
        let fixed = Interpolations::Fixed;
        assert_eq!(
            how(fixed(Interpolation::Linear)),
            fixed(Interpolation::Antialias)
        );
        for method in [
            Interpolations::Auto,
            Interpolations::Random,
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
