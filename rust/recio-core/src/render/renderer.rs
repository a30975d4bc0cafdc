//! Renderer: one image through its steps, from encoded bytes to the rows of a sink.
//!
//! Rendering takes two calls. [`Renderer::plan`] samples the random parameters of all steps and
//! returns the image's plan, before a pixel is decoded; [`PlannedRender::render`] decodes the
//! region that the plan needs, carries the plan out and passes the rows to a sink. Between the two
//! the caller may still change the plan.
//!
//! A user function among the steps needs pixels. So the steps before it are carried out into a
//! [`DynamicImage`], the function changes that, and a new plan begins with its result.
//!
//! A renderer belongs to one thread, and its buffers are reused from image to image.

use crate::boxes::Boxes;
use crate::decode::{self, Pixels, Source};
use crate::error::{Error, Result};
use crate::image::{DynamicImage, Image, RowSink, View};
use crate::limits::Limits;
use crate::plan::{Operation, Plan, Step, StepContext, UserFunction, visit_steps};
use crate::render::stage_runner::StageRunner;
use crate::rng::Rng;

/// An image to be rendered.
#[derive(Debug)]
pub enum Input<'a> {
    /// An encoded image, and the pixel format to decode it to.
    Encoded(Source<'a>, Pixels),
    /// 8-bit values.
    U8(View<'a>),
    /// Floats.
    F32(View<'a, f32>),
}

impl Input<'_> {
    /// Width and height.
    #[must_use]
    pub fn size(&self) -> (usize, usize) {
        match self {
            Self::Encoded(source, pixels) => source.size(*pixels),
            Self::U8(view) => (view.width, view.height),
            Self::F32(view) => (view.width, view.height),
        }
    }

    fn channels(&self) -> usize {
        match self {
            Self::Encoded(_, pixels) => pixels.channels(),
            Self::U8(view) => view.channels,
            Self::F32(view) => view.channels,
        }
    }

    fn is_float(&self) -> bool {
        matches!(self, Self::F32(_))
    }
}

/// The steps of an image, and the state that they use.
#[derive(Debug)]
pub struct Job<'a> {
    /// The steps.
    pub steps: &'a [Step],
    /// The image's random numbers.
    pub rng: &'a mut Rng,
    /// The image's bounding boxes, if it has any; the steps move them along.
    pub boxes: Option<&'a mut Boxes>,
    /// Limits on the size of intermediate images.
    pub limits: &'a Limits,
    /// Whether a JPEG is decoded at 1/2, 1/4 or 1/8 of its size if the first step shrinks it by at
    /// least as much. That is faster and has fewer aliases, but the pixels are not those of
    /// shrinking the image decoded in full.
    pub decode_scale: bool,
}

/// Renders images, one after another, and reuses its buffers.
#[derive(Debug, Default)]
pub struct Renderer {
    plan: Plan,
    stages: StageRunner,
    decoded: Image,
    decode: decode::Scratch,
    /// The image that the last user function returned, and the one that the next is called with.
    current: DynamicImage,
    next: DynamicImage,
}

impl Renderer {
    /// Samples the random parameters of all steps, and calls the user functions among them.
    ///
    /// # Errors
    /// Those of the user functions, and of decoding and rendering the image for them; an
    /// intermediate image over the limits.
    pub fn plan<'a>(&'a mut self, input: Input<'a>, job: Job<'a>) -> Result<PlannedRender<'a>> {
        let Job {
            steps,
            rng,
            mut boxes,
            limits,
            decode_scale,
        } = job;
        let (width, height) = input.size();
        self.plan.reset(width, height);
        let mut image = PlannedRender {
            renderer: self,
            input: Some(input),
            limits,
            decode_scale,
        };
        visit_steps(steps, rng, &mut |step, rng| {
            let mut boxes = boxes.as_deref_mut();
            match step {
                Step::UserFunction(function) => image.call(function.as_ref(), boxes, rng),
                step => {
                    let plan = image.plan_mut();
                    step.sample(&mut StepContext {
                        plan,
                        rng,
                        boxes: boxes.take(),
                    });
                    Ok(())
                }
            }
        })?;
        Ok(image)
    }

    /// Return the plan of the last image, since the last user function.
    #[must_use]
    pub fn last_plan(&self) -> &Plan {
        &self.plan
    }

    /// Frees the buffers of more than `max_bytes` bytes.
    pub fn trim(&mut self, max_bytes: usize) {
        self.stages.trim(max_bytes);
        self.decoded.trim(max_bytes);
        self.decode.trim(max_bytes);
        self.current.trim(max_bytes);
        self.next.trim(max_bytes);
    }
}

/// An image with its plan, ready to be rendered.
#[derive(Debug)]
pub struct PlannedRender<'a> {
    renderer: &'a mut Renderer,
    /// None once a user function was called: then the image is `renderer.current`.
    input: Option<Input<'a>>,
    limits: &'a Limits,
    decode_scale: bool,
}

impl PlannedRender<'_> {
    /// The plan since the last user function.
    #[must_use]
    pub fn plan(&self) -> &Plan {
        &self.renderer.plan
    }

    /// The plan, to be changed before it is carried out.
    pub fn plan_mut(&mut self) -> &mut Plan {
        &mut self.renderer.plan
    }

    /// Channels of the result.
    #[must_use]
    pub fn channels(&self) -> usize {
        let current = || self.renderer.current.channels();
        self.input.as_ref().map_or_else(current, Input::channels)
    }

    /// Whether the result consists of floats; of 8-bit values otherwise.
    #[must_use]
    pub fn is_float(&self) -> bool {
        self.source_is_float() || self.plan().is_float()
    }

    fn source_is_float(&self) -> bool {
        let current = || self.renderer.current.is_float();
        self.input.as_ref().map_or_else(current, Input::is_float)
    }

    /// Carries out the plan and passes the result's rows to `sink`. A mirror that the plan still
    /// has at its end is left to the sink.
    ///
    /// # Errors
    /// Those of decoding; an intermediate image over the limits; a stage that the image's channels
    /// or type do not allow.
    pub fn render(mut self, sink: &mut impl RowSink) -> Result<()> {
        self.run_plan(sink)
    }

    /// Calls a user function with the image that the plan makes so far; a new plan begins with its
    /// result.
    fn call(
        &mut self,
        function: &dyn UserFunction,
        boxes: Option<&mut Boxes>,
        rng: &mut Rng,
    ) -> Result<()> {
        self.render_to_current()?;
        let Renderer { current, plan, .. } = &mut *self.renderer;
        function.call(current, boxes, rng)?;
        let (width, height) = current.size();
        plan.reset(width, height);
        let bytes = current.channels() * bytes_per_value(current.is_float());
        self.limits.check(width, height, bytes)
    }

    /// Renders the plan so far into `renderer.current`.
    fn render_to_current(&mut self) -> Result<()> {
        self.plan_mut().resolve_mirror();
        let size @ (width, height) = self.plan().size();
        let (channels, is_float) = (self.channels(), self.is_float());
        self.limits
            .check(width, height, channels * bytes_per_value(is_float))?;
        let is_unchanged = self.plan().stages().is_empty() && size == self.renderer.current.size();
        if self.input.is_none() && is_unchanged {
            return Ok(());
        }
        let mut next = std::mem::take(&mut self.renderer.next);
        next.reset(size, channels, is_float);
        let outcome = self.run_plan(&mut next);
        self.renderer.next = std::mem::replace(&mut self.renderer.current, next);
        outcome
    }

    fn run_plan(&mut self, sink: &mut impl RowSink) -> Result<()> {
        check_stages(
            self.plan(),
            (self.channels(), self.source_is_float()),
            self.limits,
        )?;
        let input = self.input.take();
        let Renderer {
            plan,
            stages,
            decoded,
            decode,
            current,
            ..
        } = &mut *self.renderer;
        let region = plan.source;
        match (input, current) {
            (Some(Input::Encoded(mut source, pixels)), _) => {
                if self.decode_scale {
                    let divisor = source.shrink(first_shrink(plan));
                    plan.source = region.scaled_down(divisor, source.size(pixels));
                }
                let regions = (plan.source, plan.needed());
                let outcome = source.stream(pixels, regions, decoded, decode, |rows| {
                    stages.run(rows, plan, sink);
                });
                plan.source = region;
                return outcome;
            }
            (Some(Input::U8(view)), _) => stages.run(&mut view.crop(region), plan, sink),
            (Some(Input::F32(view)), _) => stages.run_f32(view.crop(region), plan, sink),
            (None, DynamicImage::U8(image)) => {
                stages.run(&mut image.view().crop(region), plan, sink);
            }
            (None, DynamicImage::F32(image)) => {
                stages.run_f32(image.view().crop(region), plan, sink);
            }
        }
        Ok(())
    }
}

/// Return the factor by which the first stage shrinks the image, rounded down.
fn first_shrink(plan: &Plan) -> usize {
    match plan.stages().first().map(|stage| stage.operation) {
        Some(Operation::Resize { width, height, .. }) => {
            (plan.source.width / width).min(plan.source.height / height)
        }
        _ => 1,
    }
}

fn bytes_per_value(is_float: bool) -> usize {
    if is_float { size_of::<f32>() } else { 1 }
}

/// Checks that intermediate images are within the limits, and that the image's channels and type
/// fit the stages.
fn check_stages(
    plan: &Plan,
    (channels, mut is_float): (usize, bool),
    limits: &Limits,
) -> Result<()> {
    if channels != 3 && plan.has_rgb_stage() {
        return Err(Error::argument(format!(
            "color steps need an image of 3 channels, got {channels}"
        )));
    }
    let last = plan.stages().len().saturating_sub(1);
    for (i, stage) in plan.stages().iter().enumerate() {
        match stage.operation {
            Operation::ColorU8(_) | Operation::Warp { .. } if is_float => {
                return Err(Error::argument(
                    "a step on 8-bit values follows one that makes floats",
                ));
            }
            Operation::ColorF32 { .. } => is_float = true,
            _ => {}
        }
        // The rows of the last stage go to the sink.
        if i < last {
            let bytes = channels * bytes_per_value(is_float);
            limits.check(stage.window.width, stage.window.height, bytes)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::{CropPosition, InterpolationChoice};
    use std::sync::Arc;

    /// Doubles the width, each pixel twice.
    #[derive(Debug)]
    struct Widen;

    impl UserFunction for Widen {
        fn call(
            &self,
            image: &mut DynamicImage,
            boxes: Option<&mut Boxes>,
            _: &mut Rng,
        ) -> Result<()> {
            assert!(boxes.is_none());
            let DynamicImage::U8(image) = image else {
                return Err(Error::argument("floats"));
            };
            let pixels = image.data.chunks_exact(image.channels);
            image.data = pixels.flat_map(|pixel| [pixel, pixel].concat()).collect();
            image.width *= 2;
            Ok(())
        }
    }

    fn render(steps: &[Step]) -> Result<DynamicImage> {
        let image = Image {
            width: 3,
            height: 1,
            channels: 1,
            data: vec![10, 20, 30],
        };
        let mut renderer = Renderer::default();
        let job = Job {
            steps,
            rng: &mut Rng::new(0, 0, 0),
            boxes: None,
            limits: &Limits::default(),
            decode_scale: false,
        };
        let mut planned = renderer.plan(Input::U8(image.view()), job)?;
        planned.plan_mut().resolve_mirror();
        let mut rendered = DynamicImage::default();
        rendered.reset(
            planned.plan().size(),
            planned.channels(),
            planned.is_float(),
        );
        planned.render(&mut rendered)?;
        Ok(rendered)
    }

    fn values(image: DynamicImage) -> Vec<u8> {
        match image {
            DynamicImage::U8(image) => image.data,
            DynamicImage::F32(_) => panic!("floats"),
        }
    }

    #[test]
    fn steps_before_between_and_after_user_functions_run_in_order() {
        let center = |w| Step::Cover((w, 1), CropPosition::Center, InterpolationChoice::Auto);
        let call = || Step::UserFunction(Arc::new(Widen));
        let steps = [
            Step::Mirror(1.0),
            call(),
            center(4),
            call(),
            call(),
            center(8),
            Step::Mirror(1.0),
        ];
        // 30 20 10 → 30 30 20 20 10 10 → 30 20 20 10 → each four times → the middle eight →
        // reversed
        assert_eq!(values(render(&steps).unwrap()), [20; 8]);
        let steps = [Step::Mirror(1.0), call(), center(4)];
        assert_eq!(values(render(&steps).unwrap()), [30, 20, 20, 10]);
    }

    #[test]
    fn an_error_of_a_user_function_is_the_images() {
        let call = Step::UserFunction(Arc::new(Widen));
        let error = render(&[Step::Cast, call]).unwrap_err();
        assert_eq!(error.to_string(), "floats");
    }
}
