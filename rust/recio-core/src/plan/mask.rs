//! Plan of a mask, derived from the plan of its image.
//!
//! The pixels of a mask are class numbers, which must not be interpolated. Stages that move the
//! image's pixels move the mask's likewise, with nearest-neighbor resampling; color stages are
//! omitted.

use crate::ops::resize::Interpolation;
use crate::plan::{Operation, Plan, Stage};

impl Plan {
    /// Return the plan for the image's mask. `fill` is the value of pixels outside the image.
    #[must_use]
    pub fn for_mask(&self, fill: u8) -> Self {
        let mut mask = Self {
            source: self.source,
            ..Self::default()
        };
        for &Stage { operation, window } in &self.stages {
            match operation.for_mask(fill) {
                Some(operation) => mask.stages.push(Stage { operation, window }),
                // A color stage moves no pixels, so its window is a crop of the stage before it.
                None => mask.crop(window),
            }
        }
        mask.mirror = self.mirror;
        mask
    }
}

impl Operation {
    /// Return the operation for a mask; none if the operation does not change masks.
    fn for_mask(self, fill: u8) -> Option<Self> {
        let value = [fill; 4];
        match self {
            Self::Resize {
                width,
                height,
                method,
            } => Some(Self::Resize {
                width,
                height,
                method: nearest_for(method),
            }),
            Self::Border {
                left,
                top,
                width,
                height,
                ..
            } => Some(Self::Border {
                left,
                top,
                width,
                height,
                value,
            }),
            Self::Warp {
                affine,
                width,
                height,
                ..
            } => Some(Self::Warp {
                affine,
                width,
                height,
                method: Interpolation::Nearest,
                value,
            }),
            Self::Flip => Some(self),
            Self::ColorU8(_) | Self::ColorF32 { .. } => None,
        }
    }
}

/// Return the nearest-neighbor method that aligns a mask with an image resampled by `method`: all
/// methods but `Nearest` align the centers of pixels.
fn nearest_for(method: Interpolation) -> Interpolation {
    match method {
        Interpolation::Nearest => Interpolation::Nearest,
        _ => Interpolation::NearestExact,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::image::Rect;
    use crate::ops::color_f32::ColorF32;

    fn rect(x: usize, y: usize, width: usize, height: usize) -> Rect {
        Rect {
            x,
            y,
            width,
            height,
        }
    }

    #[test]
    fn a_crop_after_a_color_stage_crops_the_mask() {
        let mut plan = Plan::new(100, 80);
        plan.crop(rect(10, 0, 80, 80));
        plan.color_f32(ColorF32::Contrast(0.5));
        plan.crop(rect(1, 2, 70, 70));
        plan.resize(35, 35, Interpolation::Area);
        plan.color_f32(ColorF32::Contrast(0.5));
        plan.crop(rect(3, 4, 20, 20));
        let mask = plan.for_mask(255);
        assert_eq!(mask.source, rect(11, 2, 70, 70));
        assert_eq!(mask.stages().len(), 1);
        assert_eq!(mask.stages()[0].window, rect(3, 4, 20, 20));
        assert!(!mask.is_float() && !mask.has_rgb_stage());
    }

    #[test]
    fn a_crop_after_colors_is_not_flipped_twice() {
        let mut plan = Plan::new(100, 80);
        plan.flip();
        plan.color_f32(ColorF32::Contrast(0.5));
        plan.crop(rect(0, 0, 30, 80));
        let mask = plan.for_mask(255);
        assert_eq!((mask.source, mask.mirror), (rect(70, 0, 30, 80), true));
    }

    #[test]
    fn masks_use_nearest_neighbors_and_the_fill_value() {
        let mut plan = Plan::new(10, 10);
        plan.resize(20, 20, Interpolation::Cubic);
        plan.border((1, 2), (23, 24), [9, 9, 9, 0]);
        plan.resize(5, 5, Interpolation::Nearest);
        let operations: Vec<_> = plan
            .for_mask(255)
            .stages()
            .iter()
            .map(|stage| stage.operation)
            .collect();
        let resize = |side, method| Operation::Resize {
            width: side,
            height: side,
            method,
        };
        let border = Operation::Border {
            left: 1,
            top: 2,
            width: 23,
            height: 24,
            value: [255; 4],
        };
        assert_eq!(
            operations,
            [
                resize(20, Interpolation::NearestExact),
                border,
                resize(5, Interpolation::Nearest)
            ]
        );
    }
}
