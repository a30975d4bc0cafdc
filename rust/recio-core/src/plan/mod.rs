//! What will be done to an image, decided before a pixel of it is decoded.
//!
//! An image's size stands in its first bytes. That is all that the random choices depend on, so they are made here: a
//! list of [`Step`]s, drawn for an image of some size, becomes a [`Plan`], a list of rectangles, sizes and color maps.
//! Decoding and resampling then touch only the pixels that reach the batch, and the batch is bit for bit what doing every
//! step on the whole image would give.
//!
//! | file | the steps of |
//! |---|---|
//! | `geometry.rs` | sizes: resize, border, flip |
//! | `crop.rs` | crops, of both of MXNet's surfaces |
//! | `affine.rs` | rotation, shear, scale |
//! | `jitter.rs` | colors |
//! | `detect/` | detection: what looks at objects |
//!
//! `mask.rs` makes of an image's plan that of its mask.
//!
//! The one thing that a plan cannot see through is a function of the caller's ([`Call`]): there the plan so far is carried
//! out, and a new one begins with what the function gives.

mod affine;
mod crop;
mod detect;
mod geometry;
mod interpolation;
mod jitter;
mod mask;
mod step;
mod validate;

pub use affine::{Affine, Angle};
pub use crop::{CropPosition, ResizedCrop};
pub use detect::{AreaCrop, AreaPad, Detect, Keep, Sampler, Samplers};
pub use interpolation::InterpolationChoice;
pub use jitter::{Jitter, Lighting, Sometimes};
pub use step::{Step, StepContext, UserFunction, preview, visit_steps};

use crate::image::Rect;
use crate::ops::color_f32::{ColorF32, Matrix};
use crate::ops::color_u8::ColorU8;
use crate::ops::resize::{self, Interpolation};
use crate::ops::warp;

/// What will be done to one image.
#[derive(Debug, Default, Clone, PartialEq)]
pub struct Plan {
    /// The part of the decoded image that is used.
    pub source: Rect,
    /// What happens to it; the last one's window is the output.
    stages: Vec<Stage>,
    /// What happens to colors, in floats: all stages'.
    colors: Vec<ColorF32>,
    /// Whether the last stage is of colors, and nothing was cut off it: then it takes more.
    open: bool,
    /// Whether the output is flipped left to right, after all stages.
    pub mirror: bool,
}

/// One step of a plan: an operation, and the part of its result that goes on.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Stage {
    /// What is done.
    pub operation: Operation,
    /// The part of the result that is needed.
    pub window: Rect,
}

/// What can be done to a whole picture.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Operation {
    /// Resampling.
    Resize {
        /// Width of the full result, in pixels.
        width: usize,
        /// Height of the full result, in pixels.
        height: usize,
        /// How.
        method: Interpolation,
    },
    /// A canvas with the picture somewhere on it.
    Border {
        /// Columns to the left of the picture.
        left: usize,
        /// Rows above it.
        top: usize,
        /// Width of the canvas.
        width: usize,
        /// Height of the canvas.
        height: usize,
        /// The canvas's levels.
        value: [u8; 4],
    },
    /// An affine map onto a canvas.
    Warp {
        /// From the picture to the canvas.
        affine: warp::Affine,
        /// Width of the canvas.
        width: usize,
        /// Height of the canvas.
        height: usize,
        /// How.
        method: Interpolation,
        /// The canvas's levels.
        value: [u8; 4],
    },
    /// Left and right change places.
    Flip,
    /// Colors, in whole levels.
    ColorU8(ColorU8),
    /// Colors, in floats, which the picture is made of from then on: some of the plan's.
    ColorF32 {
        /// The first of them.
        first: usize,
        /// How many.
        count: usize,
    },
}

impl Plan {
    /// Uses the whole of an image as it is.
    #[must_use]
    pub fn new(width: usize, height: usize) -> Self {
        let mut plan = Self::default();
        plan.reset(width, height);
        plan
    }

    /// Forgets all, and uses the whole of an image as it is.
    pub fn reset(&mut self, width: usize, height: usize) {
        self.source = Rect::of_size(width, height);
        self.stages.clear();
        self.colors.clear();
        self.open = false;
        self.mirror = false;
    }

    /// The stages, in order.
    #[must_use]
    pub fn stages(&self) -> &[Stage] {
        &self.stages
    }

    /// The size of what the plan gives so far: width, height.
    #[must_use]
    pub fn size(&self) -> (usize, usize) {
        let area = self.stages.last().map_or(self.source, |stage| stage.window);
        (area.width, area.height)
    }

    /// The part of [`source`](Self::source) that is looked at, seen from its corner. What lies outside may have any
    /// values: it need not be decoded.
    #[must_use]
    pub fn needed(&self) -> Rect {
        let size = (self.source.width, self.source.height);
        let whole = Rect::of_size(size.0, size.1);
        self.stages
            .first()
            .map_or(whole, |first| match first.operation {
                Operation::Resize {
                    width,
                    height,
                    method,
                } => resize::needed(size, (width, height), first.window, method),
                _ => whole,
            })
    }

    /// Whether what the plan gives so far is made of floats, if the image is made of whole levels.
    #[must_use]
    pub fn is_float(&self) -> bool {
        !self.colors.is_empty()
    }

    /// Whether it changes colors, which only pictures of three channels have.
    #[must_use]
    pub fn has_rgb_stage(&self) -> bool {
        let is_identity = |color: &ColorF32| *color == ColorF32::Linear(Matrix::identity());
        let has_levels = |stage: &Stage| matches!(stage.operation, Operation::ColorU8(_));
        !self.colors.iter().all(is_identity) || self.stages.iter().any(has_levels)
    }

    /// What a stage of [`Operation::ColorF32`] does; nothing for other stages.
    #[must_use]
    pub fn colors_of(&self, stage: &Stage) -> &[ColorF32] {
        match stage.operation {
            Operation::ColorF32 { first, count } => &self.colors[first..first + count],
            _ => &[],
        }
    }

    /// Takes a rectangle of what there is so far.
    ///
    /// # Panics
    /// If the rectangle does not lie within.
    pub fn crop(&mut self, rect: Rect) {
        let (width, height) = self.size();
        assert!(
            rect.x + rect.width <= width && rect.y + rect.height <= height,
            "{rect:?} leaves {width}x{height}"
        );
        let x = if self.mirror {
            width - rect.x - rect.width
        } else {
            rect.x
        };
        self.open = false;
        let last = self.stages.last_mut();
        let area = last.map_or(&mut self.source, |stage| &mut stage.window);
        *area = Rect {
            x: area.x + x,
            y: area.y + rect.y,
            ..rect
        };
    }

    /// Resamples what there is so far; nothing if it has that size already.
    pub fn resize(&mut self, width: usize, height: usize, method: Interpolation) {
        if self.size() != (width, height) {
            let resize = Operation::Resize {
                width,
                height,
                method,
            };
            self.push(resize, width, height);
        }
    }

    /// Puts what there is so far onto a canvas of the given size, its corner at `left`, `top`.
    ///
    /// # Panics
    /// If it does not lie within the canvas.
    pub fn border(
        &mut self,
        (left, top): (usize, usize),
        (width, height): (usize, usize),
        value: [u8; 4],
    ) {
        let (w, h) = self.size();
        assert!(
            left + w <= width && top + h <= height,
            "the picture leaves the canvas"
        );
        let border = Operation::Border {
            left,
            top,
            width,
            height,
            value,
        };
        self.push(border, width, height);
    }

    /// Maps what there is so far onto a canvas of the given size. It must be made of whole levels.
    pub fn warp(
        &mut self,
        affine: warp::Affine,
        (width, height): (usize, usize),
        method: Interpolation,
        value: [u8; 4],
    ) {
        let warp = Operation::Warp {
            affine,
            width,
            height,
            method,
            value,
        };
        self.push(warp, width, height);
    }

    /// Flips what there is so far. That is put off as long as it makes no difference, for it costs nothing at the end.
    pub fn flip(&mut self) {
        self.mirror = !self.mirror;
    }

    /// Changes colors, in whole levels.
    pub fn color_u8(&mut self, levels: ColorU8) {
        let (width, height) = self.size();
        self.push_flipped(Operation::ColorU8(levels), width, height);
    }

    /// Changes colors, in floats. Changes that follow one another directly are one stage.
    pub fn color_f32(&mut self, color: ColorF32) {
        let (width, height) = self.size();
        let first = self.colors.len();
        self.colors.push(color);
        match self.stages.last_mut() {
            Some(Stage {
                operation: Operation::ColorF32 { count, .. },
                ..
            }) if self.open => *count += 1,
            _ => self.push_flipped(Operation::ColorF32 { first, count: 1 }, width, height),
        }
        self.open = true;
    }

    /// Flips now, if that was put off.
    pub fn resolve_mirror(&mut self) {
        if std::mem::take(&mut self.mirror) {
            let (width, height) = self.size();
            self.push_flipped(Operation::Flip, width, height);
        }
    }

    fn push(&mut self, operation: Operation, width: usize, height: usize) {
        self.resolve_mirror();
        self.push_flipped(operation, width, height);
    }

    /// Adds an operation that does not tell left from right.
    fn push_flipped(&mut self, operation: Operation, width: usize, height: usize) {
        self.open = false;
        self.stages.push(Stage {
            operation,
            window: Rect::of_size(width, height),
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rect(x: usize, y: usize, width: usize, height: usize) -> Rect {
        Rect {
            x,
            y,
            width,
            height,
        }
    }

    #[test]
    fn a_crop_narrows_the_last_window() {
        let mut plan = Plan::new(100, 80);
        plan.crop(rect(10, 20, 50, 50));
        plan.resize(25, 25, Interpolation::Linear);
        plan.crop(rect(5, 5, 20, 20));
        plan.crop(rect(1, 2, 10, 12));
        assert_eq!(plan.source, rect(10, 20, 50, 50));
        assert_eq!(plan.stages()[0].window, rect(6, 7, 10, 12));
        assert_eq!(plan.size(), (10, 12));
    }

    #[test]
    fn a_resize_to_the_same_size_is_no_step() {
        let mut plan = Plan::new(10, 10);
        plan.resize(10, 10, Interpolation::Cubic);
        assert_eq!(plan, Plan::new(10, 10));
    }

    #[test]
    fn colors_are_one_stage_until_something_is_cut_off() {
        let mut plan = Plan::new(100, 80);
        plan.color_f32(ColorF32::Contrast(0.5));
        plan.color_f32(ColorF32::Contrast(0.6));
        plan.crop(rect(0, 0, 50, 50));
        plan.color_f32(ColorF32::Contrast(0.7));
        let colors: Vec<_> = plan
            .stages()
            .iter()
            .map(|stage| plan.colors_of(stage))
            .collect();
        assert_eq!(
            colors[0],
            [ColorF32::Contrast(0.5), ColorF32::Contrast(0.6)]
        );
        assert_eq!(colors[1..], [&[ColorF32::Contrast(0.7)][..]]);
    }

    #[test]
    fn a_flip_is_put_off_past_crops_but_not_past_a_resize() {
        let mut plan = Plan::new(100, 80);
        plan.flip();
        plan.crop(rect(10, 0, 30, 80));
        assert_eq!(plan.source, rect(60, 0, 30, 80));
        assert!(plan.mirror && plan.stages().is_empty());
        plan.resize(15, 40, Interpolation::Linear);
        assert_eq!(plan.stages()[0].operation, Operation::Flip);
        assert!(!plan.mirror);
    }
}
