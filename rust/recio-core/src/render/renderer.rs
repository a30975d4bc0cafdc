//! One image through its steps: draws a plan, decodes, carries the plan out, and calls the caller's functions in between.
//!
//! Without such a function an image has one plan, and its rows go straight where the caller wants them. Where there is
//! one, the plan so far is carried out on a [`Canvas`], the function has that, and a new plan begins with what it gives.
//!
//! A [`Studio`] is a thread's own: what it needs for an image is used again for the next.

use crate::boxes::Boxes;
use crate::decode::{self, Pixels, Source};
use crate::error::{Error, Result};
use crate::image::Canvas;
use crate::image::{Image, View};
use crate::limits::Limits;
use crate::plan::{Draw, Operation, Plan, Step, walk};
use crate::render::{self, Rows, apply, apply_floats};
use crate::rng::Rng;

/// Where an image comes from.
#[derive(Debug)]
pub enum Origin<'a> {
    /// An image file, not decoded yet.
    Coded(Source<'a>, Pixels),
    /// Whole levels.
    Levels(View<'a>),
    /// Floats.
    Floats(View<'a, f32>),
}

impl Origin<'_> {
    /// Width and height.
    #[must_use]
    pub fn size(&self) -> (usize, usize) {
        match self {
            Self::Coded(source, pixels) => source.size(*pixels),
            Self::Levels(view) => (view.width, view.height),
            Self::Floats(view) => (view.width, view.height),
        }
    }

    fn channels(&self) -> usize {
        match self {
            Self::Coded(_, pixels) => pixels.channels(),
            Self::Levels(view) => view.channels,
            Self::Floats(view) => view.channels,
        }
    }
}

/// The steps, the numbers that they draw, and the objects that they move.
#[derive(Debug)]
pub struct Program<'a> {
    /// The steps.
    pub steps: &'a [Step],
    /// The image's random numbers.
    pub random: &'a mut Rng,
    /// Its objects, if it has any.
    pub boxes: Option<&'a mut Boxes>,
    /// How large a picture may become on the way.
    pub limits: &'a Limits,
    /// Whether a JPEG is decoded at 1/2, 1/4 or 1/8 of its size if the first step shrinks it by as much: not the pixels
    /// that shrinking all of it gives, but faster and with fewer jagged edges.
    pub decode_scale: bool,
}

/// What one thread works with.
#[derive(Debug, Default)]
pub struct Studio {
    plan: Plan,
    augment: render::Scratch,
    decoded: Image,
    decode: decode::Scratch,
    /// What a function of the caller's was given or gave, and where the next one's picture is put together.
    canvas: Canvas,
    next: Canvas,
    decode_scale: bool,
}

impl Studio {
    /// Carries out the steps on an image. When all are drawn, `end` is shown the last plan and the channels, and says
    /// where the rows go; a flip that the plan has put off is `end`'s to carry out.
    ///
    /// # Errors
    /// The image's, when it is decoded; the caller's functions'; a picture over the limits; what `end` refuses.
    pub fn draw<R: Rows>(
        &mut self,
        origin: Origin<'_>,
        program: Program<'_>,
        end: impl FnOnce(&mut Plan, usize) -> Result<R>,
    ) -> Result<R> {
        let Program {
            steps,
            random,
            mut boxes,
            limits,
            decode_scale,
        } = program;
        self.decode_scale = decode_scale;
        let (width, height) = origin.size();
        self.plan.restart(width, height);
        // None as soon as a function has been called: then the picture is on the canvas.
        let mut origin = Some(origin);
        walk(steps, random, &mut |step, random| {
            let Step::Call(call) = step else {
                step.draw(&mut Draw {
                    plan: &mut self.plan,
                    random,
                    boxes: boxes.as_deref_mut(),
                });
                return Ok(());
            };
            self.put_on_canvas(origin.take(), limits)?;
            call.call(&mut self.canvas, boxes.as_deref_mut())?;
            let (width, height) = self.canvas.size();
            self.plan.restart(width, height);
            let bytes = self.canvas.channels() * depth(self.canvas.is_float());
            limits.check(width, height, bytes)
        })?;
        let (channels, _) = self.kind(origin.as_ref());
        let mut rows = end(&mut self.plan, channels)?;
        self.carry_out(origin, limits, &mut rows)?;
        Ok(rows)
    }

    /// What was done to the image that was drawn last, since the last of the caller's functions.
    #[must_use]
    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// Gives back the memory of pictures of more than `most` bytes.
    pub fn trim(&mut self, most: usize) {
        self.augment.trim(most);
        self.decoded.trim(most);
        self.decode.trim(most);
        self.canvas.trim(most);
        self.next.trim(most);
    }

    /// The channels of the picture that the plan is for, and whether it is made of floats.
    fn kind(&self, origin: Option<&Origin<'_>>) -> (usize, bool) {
        match origin {
            None => (self.canvas.channels(), self.canvas.is_float()),
            Some(origin) => (origin.channels(), matches!(origin, Origin::Floats(_))),
        }
    }

    /// Makes what the plan says a picture, for a function of the caller's.
    fn put_on_canvas(&mut self, origin: Option<Origin<'_>>, limits: &Limits) -> Result<()> {
        self.plan.settle();
        let (width, height) = self.plan.size();
        let (channels, is_float) = self.kind(origin.as_ref());
        let is_float = is_float || self.plan.is_float();
        limits.check(width, height, channels * depth(is_float))?;
        let is_untouched = self.plan.stages().is_empty() && self.plan.size() == self.canvas.size();
        if origin.is_none() && is_untouched {
            return Ok(());
        }
        let mut next = std::mem::take(&mut self.next);
        next.clear((width, height), channels, is_float);
        let outcome = self.carry_out(origin, limits, &mut next);
        self.next = std::mem::replace(&mut self.canvas, next);
        outcome
    }

    /// Carries out the plan: on the image as it came or, if that is gone, on the canvas.
    fn carry_out(
        &mut self,
        origin: Option<Origin<'_>>,
        limits: &Limits,
        rows: &mut impl Rows,
    ) -> Result<()> {
        check_stages(&self.plan, self.kind(origin.as_ref()), limits)?;
        let Self {
            plan,
            augment,
            decoded,
            decode,
            canvas,
            decode_scale,
            ..
        } = self;
        let part = plan.source;
        match (origin, canvas) {
            (Some(Origin::Coded(mut source, pixels)), _) => {
                if *decode_scale {
                    let divisor = source.shrink(shrinks_by(plan));
                    plan.source = part.shrunk(divisor, source.size(pixels));
                }
                let parts = (plan.source, plan.needed());
                let outcome = source.stream(pixels, parts, decoded, decode, |lines| {
                    apply(lines, plan, augment, rows);
                });
                plan.source = part;
                outcome?;
            }
            (Some(Origin::Levels(view)), _) => apply(&mut view.crop(part), plan, augment, rows),
            (Some(Origin::Floats(view)), _) => apply_floats(view.crop(part), plan, augment, rows),
            (None, Canvas::Levels(picture)) => {
                apply(&mut picture.view().crop(part), plan, augment, rows);
            }
            (None, Canvas::Floats(picture)) => {
                apply_floats(picture.view().crop(part), plan, augment, rows);
            }
        }
        Ok(())
    }
}

/// How many times smaller the first stage makes the image, rounded down.
fn shrinks_by(plan: &Plan) -> usize {
    match plan.stages().first().map(|stage| stage.operation) {
        Some(Operation::Resize { width, height, .. }) => {
            (plan.source.width / width).min(plan.source.height / height)
        }
        _ => 1,
    }
}

/// Bytes a sample.
fn depth(is_float: bool) -> usize {
    if is_float { size_of::<f32>() } else { 1 }
}

/// Refuses pictures on the way that are over the limits, colors that there are not, and steps on whole levels where
/// there are floats.
fn check_stages(
    plan: &Plan,
    (channels, mut is_float): (usize, bool),
    limits: &Limits,
) -> Result<()> {
    if channels != 3 && plan.has_rgb_stage() {
        return Err(Error::argument(format!(
            "colors are changed in images of three channels, and this one has {channels}"
        )));
    }
    for (left, stage) in (0..plan.stages().len()).rev().zip(plan.stages()) {
        match stage.operation {
            Operation::Levels(_) | Operation::Warp { .. } if is_float => {
                return Err(Error::argument(
                    "a step on whole levels follows one that makes floats",
                ));
            }
            Operation::Colors { .. } => is_float = true,
            _ => {}
        }
        // The last one's rows go where they are wanted.
        if left > 0 {
            let bytes = channels * depth(is_float);
            limits.check(stage.window.width, stage.window.height, bytes)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::{Interpolations, Place};
    use std::sync::Arc;

    /// Doubles the width, each pixel twice.
    #[derive(Debug)]
    struct Widen;

    impl crate::plan::Call for Widen {
        fn call(&self, canvas: &mut Canvas, boxes: Option<&mut Boxes>) -> Result<()> {
            assert!(boxes.is_none());
            let Canvas::Levels(picture) = canvas else {
                return Err(Error::argument("floats"));
            };
            let pixels = picture.data.chunks_exact(picture.channels);
            picture.data = pixels.flat_map(|pixel| [pixel, pixel].concat()).collect();
            picture.width *= 2;
            Ok(())
        }
    }

    fn run(steps: &[Step]) -> Result<Canvas> {
        let picture = Image {
            width: 3,
            height: 1,
            channels: 1,
            data: vec![10, 20, 30],
        };
        let mut studio = Studio::default();
        let program = Program {
            steps,
            random: &mut Rng::new(0, 0, 0),
            boxes: None,
            limits: &Limits::default(),
            decode_scale: false,
        };
        studio.draw(Origin::Levels(picture.view()), program, |plan, channels| {
            plan.settle();
            let mut canvas = Canvas::default();
            canvas.clear(plan.size(), channels, plan.is_float());
            Ok(canvas)
        })
    }

    fn levels(canvas: Canvas) -> Vec<u8> {
        match canvas {
            Canvas::Levels(picture) => picture.data,
            Canvas::Floats(_) => panic!("floats"),
        }
    }

    #[test]
    fn steps_before_between_and_after_calls_are_done_in_order() {
        let center = |w| Step::Cover((w, 1), Place::Center, Interpolations::Auto);
        let call = || Step::Call(Arc::new(Widen));
        let steps = [
            Step::Mirror(1.0),
            call(),
            center(4),
            call(),
            call(),
            center(8),
            Step::Mirror(1.0),
        ];
        // 30 20 10 → 30 30 20 20 10 10 → 30 20 20 10 → each four times → the middle eight → reversed
        assert_eq!(levels(run(&steps).unwrap()), [20; 8]);
        let steps = [Step::Mirror(1.0), call(), center(4)];
        assert_eq!(levels(run(&steps).unwrap()), [30, 20, 20, 10]);
    }

    #[test]
    fn an_error_of_a_call_is_the_images() {
        let call = Step::Call(Arc::new(Widen));
        let gray = run(&[Step::Cast, call]).unwrap_err();
        assert_eq!(gray.to_string(), "floats");
    }
}
