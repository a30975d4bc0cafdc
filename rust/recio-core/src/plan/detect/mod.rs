//! Detection steps: crops and pads that take the image's bounding boxes into account.
//!
//! MXNet's C++ iterator and its Python augmenters have different rules. Here both move boxes by the
//! integer number of pixels by which the image moves, so a box stays on its object to a fraction of
//! a pixel; MXNet's C++ moves them by the numbers before rounding, up to a source pixel away.
//!
//! | file | steps |
//! |---|---|
//! | `crop_samplers.rs` | C++: crops by one of several samplers |
//! | `area.rs` | Python: crops and pads of random area and aspect ratio |
//!
//! An image without boxes is treated as an image without objects.

mod area;
mod crop_samplers;

pub use area::{AreaCrop, AreaPad};
pub use crop_samplers::{Keep, Sampler, Samplers};

use crate::boxes::RelativeRect;
use crate::image::Rect;
use crate::plan::StepContext;

/// Scales of a canvas below this are skipped.
const MIN_SCALE: f64 = 1.05;

/// A step that takes bounding boxes into account.
#[derive(Debug, Clone, PartialEq)]
pub enum Detect {
    /// Pad, with a probability: the image at a random position on a canvas up to `max` times as
    /// large.
    ScalePad {
        /// The probability.
        probability: f64,
        /// Maximum scale.
        max: f64,
        /// Value of the canvas.
        value: u8,
    },
    /// Crop by samplers.
    Sample(Samplers),
    /// Crop of random area and aspect ratio.
    AreaCrop(AreaCrop),
    /// Pad of random area and aspect ratio.
    AreaPad(AreaPad),
}

impl Detect {
    pub(super) fn sample(&self, ctx: &mut StepContext<'_>) {
        match self {
            Self::ScalePad {
                probability,
                max,
                value,
            } => {
                if ctx.rng.chance(*probability) {
                    scale_pad(ctx, *max, *value);
                }
            }
            Self::Sample(samplers) => samplers.sample(ctx),
            Self::AreaCrop(crop) => crop.sample(ctx),
            Self::AreaPad(pad) => pad.sample(ctx),
        }
    }
}

fn scale_pad(ctx: &mut StepContext<'_>, max: f64, value: u8) {
    let scale = ctx.rng.uniform(1.0, max);
    if scale < MIN_SCALE {
        return;
    }
    let (w, h) = ctx.plan.size();
    let scaled = |side: usize| (side as f64 * scale).round() as usize;
    pad(ctx, (scaled(w), scaled(h)), [value, value, value, 0]);
}

/// Places the image at a random position on a canvas of this width and height, which must not be
/// smaller.
fn pad(ctx: &mut StepContext<'_>, (width, height): (usize, usize), value: [u8; 4]) {
    let (w, h) = ctx.plan.size();
    let mut offset = |over: usize| ctx.rng.below(over as u64 + 1) as usize;
    let canvas = Rect {
        x: offset(width - w),
        y: offset(height - h),
        width,
        height,
    };
    ctx.plan
        .border((canvas.x, canvas.y), (width, height), value);
    if let Some(boxes) = ctx.boxes.as_deref_mut() {
        boxes.project(RelativeRect::of_canvas(canvas, (w, h)));
    }
}

/// Crops the image to a region, and keeps those of its boxes for which `keep` is true.
fn crop(ctx: &mut StepContext<'_>, region: Rect, keep: impl Fn(RelativeRect) -> bool) {
    let frame = RelativeRect::of_region(region, ctx.plan.size());
    ctx.plan.crop(region);
    if let Some(boxes) = ctx.boxes.as_deref_mut() {
        boxes.retain(keep);
        boxes.project(frame);
    }
}

/// Return a rectangle of this size, which must fit, at a random position in an image.
fn random_rect(
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

    /// Return the plan and the boxes of an image after a step.
    pub(super) fn sampled(
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
    fn a_padded_object_keeps_its_pixels() {
        let step = Detect::ScalePad {
            probability: 0.5,
            max: 3.0,
            value: 7,
        };
        let mut padded = 0;
        for sample in 0..500 {
            let (plan, boxes) = sampled(&step, (40, 30), &[[0.0, 0.25, 0.5, 0.5, 1.0]], sample);
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
    fn a_small_pad_is_skipped() {
        let step = Detect::ScalePad {
            probability: 1.0,
            max: 1.04,
            value: 7,
        };
        assert!(
            (0..50).all(|sample| sampled(&step, (100, 100), &[], sample).0 == Plan::new(100, 100))
        );
    }
}
