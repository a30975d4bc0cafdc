//! Steps that look at the objects of an image: crops that keep some of them, and canvases around all.
//!
//! Those of MXNet's C++ iterator and those of its Python augmenters do the same things by different rules. Both move boxes
//! by the whole pixels that the image is moved by, so a box stays on its object to a fraction of a pixel; MXNet's C++
//! moves them by the numbers before they were rounded, which is up to a pixel of the source away.
//!
//! | file | the steps of |
//! |---|---|
//! | `sample.rs` | C++: crops, by one of several samplers |
//! | `area.rs` | Python: crops and canvases of an area and an aspect ratio |
//!
//! An image without boxes is one without objects.

mod area;
mod sample;

pub use area::{AreaCrop, AreaPad};
pub use sample::{Keep, Sampler, Samplers};

use crate::boxes::RelativeRect;
use crate::image::Rect;
use crate::plan::StepContext;

/// Scales of a canvas below this are not worth it.
const LEAST_SCALE: f64 = 1.05;

/// A step that looks at objects.
#[derive(Debug, Clone, PartialEq)]
pub enum Detect {
    /// With a probability, a canvas as much larger than the image, up to `most` times; the image is anywhere on it.
    ScalePad {
        /// The probability.
        probability: f64,
        /// The largest scale.
        most: f64,
        /// The canvas's level.
        value: u8,
    },
    /// A crop by samplers.
    Sample(Samplers),
    /// A crop of an area and an aspect ratio.
    AreaCrop(AreaCrop),
    /// A canvas of an area and an aspect ratio.
    AreaPad(AreaPad),
}

impl Detect {
    pub(super) fn sample(&self, ctx: &mut StepContext<'_>) {
        match self {
            Self::ScalePad {
                probability,
                most,
                value,
            } => {
                if ctx.rng.chance(*probability) {
                    scale_pad(ctx, *most, *value);
                }
            }
            Self::Sample(samplers) => samplers.sample(ctx),
            Self::AreaCrop(crop) => crop.sample(ctx),
            Self::AreaPad(pad) => pad.sample(ctx),
        }
    }
}

fn scale_pad(ctx: &mut StepContext<'_>, most: f64, value: u8) {
    let scale = ctx.rng.uniform(1.0, most);
    if scale < LEAST_SCALE {
        return;
    }
    let (w, h) = ctx.plan.size();
    let scaled = |side: usize| (side as f64 * scale).round() as usize;
    pad(ctx, (scaled(w), scaled(h)), [value, value, value, 0]);
}

/// Puts the image anywhere on a canvas of this width and height, which is not smaller.
fn pad(ctx: &mut StepContext<'_>, (width, height): (usize, usize), value: [u8; 4]) {
    let (w, h) = ctx.plan.size();
    let mut place = |over: usize| ctx.rng.below(over as u64 + 1) as usize;
    let canvas = Rect {
        x: place(width - w),
        y: place(height - h),
        width,
        height,
    };
    ctx.plan
        .border((canvas.x, canvas.y), (width, height), value);
    if let Some(boxes) = ctx.boxes.as_deref_mut() {
        boxes.project(RelativeRect::of_canvas(canvas, (w, h)));
    }
}

/// Takes a part of the image; of its objects, those that are to be kept.
fn crop(ctx: &mut StepContext<'_>, part: Rect, keep: impl Fn(RelativeRect) -> bool) {
    let frame = RelativeRect::of_part(part, ctx.plan.size());
    ctx.plan.crop(part);
    if let Some(boxes) = ctx.boxes.as_deref_mut() {
        boxes.retain(keep);
        boxes.project(frame);
    }
}

/// A rectangle of this size, which must fit, anywhere in an image.
fn anywhere(
    (width, height): (usize, usize),
    (w, h): (usize, usize),
    rng: &mut crate::rng::Rng,
) -> Rect {
    Rect {
        x: rng.below((w - width) as u64 + 1) as usize,
        y: rng.below((h - height) as u64 + 1) as usize,
        width,
        height,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::boxes::Boxes;
    use crate::plan::{Operation, Plan};
    use crate::rng::Rng;

    /// What a step makes of an image and its objects.
    pub(super) fn drawn(
        step: &Detect,
        (width, height): (usize, usize),
        objects: &[[f32; 5]],
        sample: u64,
    ) -> (Plan, Boxes) {
        let mut plan = Plan::new(width, height);
        let mut boxes = Boxes {
            width: 5,
            values: objects.concat(),
        };
        step.sample(&mut StepContext {
            plan: &mut plan,
            rng: &mut Rng::new(0, 0, sample),
            boxes: Some(&mut boxes),
        });
        (plan, boxes)
    }

    #[test]
    fn an_object_stays_on_its_pixels_on_a_canvas() {
        let step = Detect::ScalePad {
            probability: 0.5,
            most: 3.0,
            value: 7,
        };
        let mut padded = 0;
        for sample in 0..500 {
            let (plan, boxes) = drawn(&step, (40, 30), &[[0.0, 0.25, 0.5, 0.5, 1.0]], sample);
            let (w, h) = plan.size();
            let Some(stage) = plan.stages().first() else {
                assert_eq!(boxes.values, [0.0, 0.25, 0.5, 0.5, 1.0]);
                continue;
            };
            let Operation::Border {
                left, top, value, ..
            } = stage.operation
            else {
                panic!("{stage:?}");
            };
            padded += 1;
            assert_eq!(value, [7, 7, 7, 0]);
            assert!((42..=120).contains(&w) && (31..=90).contains(&h), "{w}x{h}");
            let left_side = boxes.values[1] * w as f32;
            let bottom = boxes.values[4] * h as f32;
            assert!((left_side - (left as f32 + 10.0)).abs() < 1e-3);
            assert!((bottom - (top as f32 + 30.0)).abs() < 1e-3);
        }
        assert!((200..280).contains(&padded), "{padded}");
    }

    #[test]
    fn a_little_canvas_is_none() {
        let step = Detect::ScalePad {
            probability: 1.0,
            most: 1.04,
            value: 7,
        };
        assert!(
            (0..50).all(|sample| drawn(&step, (100, 100), &[], sample).0 == Plan::new(100, 100))
        );
    }
}
