//! Plans: what is done to an image, decided before a pixel of it is decoded.
//!
//! An image's size is in its first bytes, and the random parameters of all steps depend on nothing
//! else. So they are sampled first: a list of [`Step`]s becomes a [`Plan`], a list of rectangles,
//! sizes and color maps. Decoding and resampling then compute only the pixels that reach the batch,
//! and these equal, bit for bit, those of running every step on the entire image.
//!
//! | file | steps |
//! |---|---|
//! | `geometry.rs` | resize, border, mirror |
//! | `crop.rs` | crops of MXNet's C++ iterator and of its Python augmenters |
//! | `affine.rs` | rotation, shear, scale |
//! | `jitter.rs` | colors |
//! | `detect/` | crops and pads that take bounding boxes into account |
//!
//! `mask.rs` derives the plan of a mask from that of its image.
//!
//! A plan ends at a user function ([`UserFunction`]): its result may be any image. There the plan
//! is carried out, and a new one begins with the result.

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

/// Plan of one image: a region, then stages, then perhaps a mirror.
#[derive(Debug, Default, Clone, PartialEq)]
pub struct Plan {
    /// The region of the decoded image that is used.
    pub source: Rect,
    /// The stages. The window of the last one is the output.
    stages: Vec<Stage>,
    /// The color maps of all stages in floats.
    colors: Vec<ColorF32>,
    /// Whether the last stage is a color stage without a crop, so that it can take another color
    /// map.
    can_merge_color: bool,
    /// Whether the output is flipped left to right, after all stages.
    pub mirror: bool,
}

/// One stage of a plan: an operation and the window of its result that is passed on.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Stage {
    /// The operation.
    pub operation: Operation,
    /// The region of the result that is needed.
    pub window: Rect,
}

/// An operation on an image.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Operation {
    /// Resampling.
    Resize {
        /// Width of the full result, in pixels.
        width: usize,
        /// Height of the full result, in pixels.
        height: usize,
        /// Interpolation method.
        method: Interpolation,
    },
    /// A border: the image placed on a larger canvas.
    Border {
        /// Columns to the left of the image.
        left: usize,
        /// Rows above it.
        top: usize,
        /// Width of the canvas.
        width: usize,
        /// Height of the canvas.
        height: usize,
        /// Color of the canvas, channel by channel.
        value: [u8; 4],
    },
    /// An affine warp onto a canvas.
    Warp {
        /// Map from the image to the canvas.
        affine: warp::Affine,
        /// Width of the canvas.
        width: usize,
        /// Height of the canvas.
        height: usize,
        /// Interpolation method.
        method: Interpolation,
        /// Color of the canvas, channel by channel.
        value: [u8; 4],
    },
    /// Mirroring, left to right.
    Flip,
    /// A color change on 8-bit values.
    ColorU8(ColorU8),
    /// Color maps in floats: a range of those of the plan. The image consists of floats afterwards.
    ColorF32 {
        /// Index of the first map.
        first: usize,
        /// Number of maps.
        count: usize,
    },
}

impl Plan {
    /// Return the plan that leaves an image as it is.
    #[must_use]
    pub fn new(width: usize, height: usize) -> Self {
        let mut plan = Self::default();
        plan.reset(width, height);
        plan
    }

    /// Becomes the plan that leaves an image of this size as it is.
    pub fn reset(&mut self, width: usize, height: usize) {
        self.source = Rect::of_size(width, height);
        self.stages.clear();
        self.colors.clear();
        self.can_merge_color = false;
        self.mirror = false;
    }

    /// The stages, in order.
    #[must_use]
    pub fn stages(&self) -> &[Stage] {
        &self.stages
    }

    /// Width and height of the result so far.
    #[must_use]
    pub fn size(&self) -> (usize, usize) {
        let area = self.stages.last().map_or(self.source, |stage| stage.window);
        (area.width, area.height)
    }

    /// The region of [`source`](Self::source) that is read, relative to its corner. Pixels outside
    /// of it need not be decoded and may have any value.
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
                } => resize::required_region(size, (width, height), first.window, method),
                _ => whole,
            })
    }

    /// Whether an image of 8-bit values consists of floats after the plan so far.
    #[must_use]
    pub fn is_float(&self) -> bool {
        !self.colors.is_empty()
    }

    /// Whether the plan has a stage that needs an image of three channels.
    #[must_use]
    pub fn has_rgb_stage(&self) -> bool {
        let is_identity = |color: &ColorF32| *color == ColorF32::Linear(Matrix::identity());
        let has_levels = |stage: &Stage| matches!(stage.operation, Operation::ColorU8(_));
        !self.colors.iter().all(is_identity) || self.stages.iter().any(has_levels)
    }

    /// The color maps of a stage of [`Operation::ColorF32`]; none for other stages.
    #[must_use]
    pub fn colors_of(&self, stage: &Stage) -> &[ColorF32] {
        match stage.operation {
            Operation::ColorF32 { first, count } => &self.colors[first..first + count],
            _ => &[],
        }
    }

    /// Adds a crop to a rectangle of the result so far.
    ///
    /// # Panics
    /// If the rectangle is not within the result.
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
        self.can_merge_color = false;
        let last = self.stages.last_mut();
        let area = last.map_or(&mut self.source, |stage| &mut stage.window);
        *area = Rect {
            x: area.x + x,
            y: area.y + rect.y,
            ..rect
        };
    }

    /// Adds a resize, unless the result so far has that size already.
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

    /// Adds a border: places the result so far on a canvas of the given size, its corner at `left`,
    /// `top`.
    ///
    /// # Panics
    /// If the result is not within the canvas.
    pub fn border(
        &mut self,
        (left, top): (usize, usize),
        (width, height): (usize, usize),
        value: [u8; 4],
    ) {
        let (w, h) = self.size();
        assert!(
            left + w <= width && top + h <= height,
            "the image leaves the canvas"
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

    /// Adds an affine warp onto a canvas of the given size. The result so far must consist of 8-bit
    /// values.
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

    /// Mirrors the result so far. The mirror is deferred as long as the order makes no difference:
    /// at the end it costs nothing.
    pub fn flip(&mut self) {
        self.mirror = !self.mirror;
    }

    /// Adds a color change on 8-bit values.
    pub fn color_u8(&mut self, levels: ColorU8) {
        let (width, height) = self.size();
        self.push_unordered(Operation::ColorU8(levels), width, height);
    }

    /// Adds a color map in floats. Adjacent maps share one stage.
    pub fn color_f32(&mut self, color: ColorF32) {
        let (width, height) = self.size();
        let first = self.colors.len();
        self.colors.push(color);
        match self.stages.last_mut() {
            Some(Stage {
                operation: Operation::ColorF32 { count, .. },
                ..
            }) if self.can_merge_color => *count += 1,
            _ => self.push_unordered(Operation::ColorF32 { first, count: 1 }, width, height),
        }
        self.can_merge_color = true;
    }

    /// Adds the deferred mirror, if there is one, as a stage.
    pub fn resolve_mirror(&mut self) {
        if std::mem::take(&mut self.mirror) {
            let (width, height) = self.size();
            self.push_unordered(Operation::Flip, width, height);
        }
    }

    fn push(&mut self, operation: Operation, width: usize, height: usize) {
        self.resolve_mirror();
        self.push_unordered(operation, width, height);
    }

    /// Adds an operation whose result a deferred mirror does not change.
    fn push_unordered(&mut self, operation: Operation, width: usize, height: usize) {
        self.can_merge_color = false;
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
    fn a_resize_to_the_same_size_adds_no_stage() {
        let mut plan = Plan::new(10, 10);
        plan.resize(10, 10, Interpolation::Cubic);
        assert_eq!(plan, Plan::new(10, 10));
    }

    #[test]
    fn adjacent_color_maps_share_a_stage_until_a_crop() {
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
    fn a_mirror_is_deferred_past_crops_but_not_past_a_resize() {
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
