//! Pixels → the pixels of the batch: carries out a [`Plan`].
//!
//! The last step of a plan hands over its rows one by one, so that they are normalised and laid out
//! ([`finish`]) while they are still in the nearest cache, and no picture of the output's size is ever made. Only steps
//! before the last one, which are rare, fill a picture, and of that no more than the next step needs.

pub mod border;
pub mod finish;
pub mod resize;

use crate::picture::{Picture, Rect, View};
use crate::plan::{Operation, Plan, Stage};

/// What the steps need on the way. Reused, it makes later images free of allocation.
#[derive(Debug, Default)]
pub struct Scratch {
    resize: resize::Scratch,
    row: Vec<u8>,
    pictures: [Picture; 2],
}

impl Scratch {
    /// Gives back pictures of more than `most` bytes.
    pub fn trim(&mut self, most: usize) {
        self.pictures
            .iter_mut()
            .for_each(|picture| picture.trim(most));
    }
}

/// Carries out `plan` on a decoded image: `row` receives each row's number, from 0 at the top, and its samples.
///
/// The mirror is not carried out here; whoever writes the rows does it.
///
/// # Panics
/// If the plan is for an image of another size.
pub fn apply(image: View<'_>, plan: &Plan, scratch: &mut Scratch, row: impl FnMut(usize, &[u8])) {
    let Scratch {
        resize,
        row: line,
        pictures: [front, back],
    } = scratch;
    let mut steps = Steps { resize, line };
    let mut view = image.crop(plan.source);
    let (mut into, mut next) = (front, back);
    let mut stages = plan.stages().peekable();
    while let Some(stage) = stages.next() {
        if stages.peek().is_none() {
            return steps.run(view, stage, row);
        }
        steps.fill(view, stage, into);
        (into, next) = (next, into);
        view = next.view();
    }
    rows(view, row);
}

/// Runs single stages.
struct Steps<'a> {
    resize: &'a mut resize::Scratch,
    line: &'a mut Vec<u8>,
}

impl Steps<'_> {
    fn run(&mut self, view: View<'_>, stage: &Stage, row: impl FnMut(usize, &[u8])) {
        match stage.operation {
            Operation::Resize {
                width,
                height,
                method,
            } => {
                resize::resize_rows(
                    view,
                    (width, height),
                    stage.window,
                    method,
                    self.resize,
                    row,
                );
            }
            Operation::Border { thickness, value } => {
                border::border_rows(view, thickness, value, stage.window, self.line, row);
            }
        }
    }

    fn fill(&mut self, view: View<'_>, stage: &Stage, into: &mut Picture) {
        let Rect { width, height, .. } = stage.window;
        (into.width, into.height, into.channels) = (width, height, view.channels);
        into.data.clear();
        let data = &mut into.data;
        self.run(view, stage, |_, row| data.extend_from_slice(row));
    }
}

fn rows(view: View<'_>, mut row: impl FnMut(usize, &[u8])) {
    (0..view.height).for_each(|y| row(y, view.row(y)));
}

#[cfg(test)]
mod tests {
    use super::*;
    use resize::Interpolation;

    fn noise(width: usize, height: usize) -> Picture {
        let mut bits = crate::plan::Stream::new(0, 0, 0);
        let data = (0..width * height * 3).map(|_| bits.bits() as u8).collect();
        Picture {
            width,
            height,
            channels: 3,
            data,
        }
    }

    fn crop(picture: &Picture, rect: Rect) -> Picture {
        let mut data = Vec::new();
        rows(picture.view().crop(rect), |_, row| {
            data.extend_from_slice(row);
        });
        Picture {
            width: rect.width,
            height: rect.height,
            channels: 3,
            data,
        }
    }

    /// Resize, border, resize, crop: all at once, and each on the whole picture.
    #[test]
    fn a_plan_gives_what_its_steps_give_one_by_one() {
        let image = noise(60, 45);
        let (first, second) = (
            Rect {
                x: 3,
                y: 5,
                width: 50,
                height: 40,
            },
            Rect {
                x: 7,
                y: 1,
                width: 30,
                height: 60,
            },
        );
        let mut plan = Plan::whole(60, 45);
        plan.crop(first);
        plan.resize(40, 30, Interpolation::Linear);
        plan.border(6, 9);
        plan.crop(second.min(52, 42));
        plan.resize(44, 70, Interpolation::Area);
        plan.crop(Rect {
            x: 2,
            y: 3,
            width: 24,
            height: 24,
        });
        let mut output = Vec::new();
        apply(image.view(), &plan, &mut Scratch::default(), |_, row| {
            output.extend_from_slice(row);
        });

        let step = resize::resize(crop(&image, first).view(), 40, 30, Interpolation::Linear);
        let mut bordered = Picture {
            width: 52,
            height: 42,
            channels: 3,
            data: Vec::new(),
        };
        border::border_rows(
            step.view(),
            6,
            9,
            Rect::whole(52, 42),
            &mut Vec::new(),
            |_, row| {
                bordered.data.extend_from_slice(row);
            },
        );
        let step = resize::resize(
            crop(&bordered, second.min(52, 42)).view(),
            44,
            70,
            Interpolation::Area,
        );
        assert_eq!(
            output,
            crop(
                &step,
                Rect {
                    x: 2,
                    y: 3,
                    width: 24,
                    height: 24
                }
            )
            .data
        );
    }

    impl Rect {
        fn min(self, width: usize, height: usize) -> Self {
            Self {
                width: self.width.min(width - self.x),
                height: self.height.min(height - self.y),
                ..self
            }
        }
    }
}
