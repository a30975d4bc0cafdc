//! What will be done to an image, decided before a pixel of it is decoded.
//!
//! An image's size stands in its first bytes. That is all that the random choices depend on, so they are made here: the
//! result is a [`Plan`], a list of rectangles and sizes. Decoding and resampling then touch only the pixels that reach
//! the batch, and the batch is bit for bit what doing every step on the whole image would give.
//!
//! The steps and their order are MXNet's (`DefaultImageAugmenter` of 1.9.1): shorter side to `resize`; border; random
//! resized crop; else enlarge to cover the output, and crop.

pub mod options;
mod random;
mod steps;

pub use options::{Crop, Interpolations, Mirror, Options};
pub use random::Stream;
pub use steps::plan;

use crate::augment::resize::Interpolation;
use crate::picture::Rect;

/// What will be done to one image.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Plan {
    /// The part of the decoded image that is used.
    pub source: Rect,
    /// What happens to it; the last one's window is the output.
    stages: [Option<Stage>; Plan::MAX_STAGES],
    /// Whether the output is flipped left to right.
    pub mirror: bool,
}

/// One step of a plan: an operation, and the part of its result that goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stage {
    /// What is done.
    pub operation: Operation,
    /// The part of the result that is needed, and so the only one that is computed.
    pub window: Rect,
}

/// What can be done to a whole picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
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
    /// A border on all four sides.
    Border {
        /// Its thickness, in pixels.
        thickness: usize,
        /// The value of all its samples; on 4-channel data the alpha is 0.
        value: u8,
    },
}

impl Plan {
    /// Resize; border; and two enlargements (one for each side) or a crop's.
    const MAX_STAGES: usize = 4;

    /// Uses the whole of an image as it is.
    #[must_use]
    pub fn whole(width: usize, height: usize) -> Self {
        Self {
            source: Rect::whole(width, height),
            stages: [None; Self::MAX_STAGES],
            mirror: false,
        }
    }

    /// The stages, in order.
    #[must_use]
    pub fn stages(&self) -> impl DoubleEndedIterator<Item = &Stage> {
        self.stages.iter().flatten()
    }

    /// The size of what the plan gives so far: width, height.
    #[must_use]
    pub fn size(&self) -> (usize, usize) {
        let area = self
            .stages()
            .next_back()
            .map_or(self.source, |stage| stage.window);
        (area.width, area.height)
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
        let last = self.stages.iter_mut().flatten().next_back();
        let area = last.map_or(&mut self.source, |stage| &mut stage.window);
        *area = Rect {
            x: area.x + rect.x,
            y: area.y + rect.y,
            ..rect
        };
    }

    /// Resamples what there is so far; nothing if it has that size already.
    pub fn resize(&mut self, width: usize, height: usize, method: Interpolation) {
        if self.size() != (width, height) {
            self.push(
                Operation::Resize {
                    width,
                    height,
                    method,
                },
                width,
                height,
            );
        }
    }

    /// Adds a border to what there is so far.
    pub fn border(&mut self, thickness: usize, value: u8) {
        let (width, height) = self.size();
        self.push(
            Operation::Border { thickness, value },
            width + 2 * thickness,
            height + 2 * thickness,
        );
    }

    fn push(&mut self, operation: Operation, width: usize, height: usize) {
        let free = self.stages.iter_mut().find(|stage| stage.is_none());
        *free.expect("the steps of a plan are four at most") = Some(Stage {
            operation,
            window: Rect::whole(width, height),
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_crop_narrows_the_last_window() {
        let mut plan = Plan::whole(100, 80);
        plan.crop(Rect {
            x: 10,
            y: 20,
            width: 50,
            height: 50,
        });
        plan.resize(25, 25, Interpolation::Linear);
        plan.crop(Rect {
            x: 5,
            y: 5,
            width: 20,
            height: 20,
        });
        plan.crop(Rect {
            x: 1,
            y: 2,
            width: 10,
            height: 12,
        });
        assert_eq!(
            plan.source,
            Rect {
                x: 10,
                y: 20,
                width: 50,
                height: 50
            }
        );
        assert_eq!(
            plan.stages().next().unwrap().window,
            Rect {
                x: 6,
                y: 7,
                width: 10,
                height: 12
            }
        );
        assert_eq!(plan.size(), (10, 12));
    }

    #[test]
    fn a_resize_to_the_same_size_is_no_step() {
        let mut plan = Plan::whole(10, 10);
        plan.resize(10, 10, Interpolation::Cubic);
        assert_eq!(plan, Plan::whole(10, 10));
    }
}
