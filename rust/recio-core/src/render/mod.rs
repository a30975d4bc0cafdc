//! Pixels → the pixels of the batch: carries out a [`Plan`].
//!
//! The last step of a plan hands over its rows one by one, so that they are normalized and laid out
//! (`normalize`) while they are still in the nearest cache, and no picture of the output's size is ever made. Only steps
//! before the last one, which are rare, fill a picture, and of that no more than the next step needs.
//!
//! A picture is made of whole levels, as decoded, until a step on colors in floats; from there on it is made of floats.
//! Neighbouring steps on colors are one map ([`compose`](crate::ops::color_f32::compose)). How a single step is carried out, `stages.rs` knows.

pub mod normalize;
pub mod renderer;
mod stages;

use crate::image::{Image, Scanlines, View};
use crate::plan::{Operation, Plan, Stage};
use stages::Easel;

/// Receives the rows of a result: each one's number, from 0 at the top, and its samples.
pub trait Rows {
    /// A row of whole levels.
    fn levels(&mut self, y: usize, row: &[u8]);
    /// A row of floats.
    fn floats(&mut self, y: usize, row: &[f32]);
}

/// What the steps need on the way. Reused, it makes later images free of allocation.
#[derive(Debug, Default)]
pub struct Scratch {
    levels: Easel<u8>,
    floats: Easel<f32>,
    /// The first picture of floats.
    start: Image<f32>,
}

impl Scratch {
    /// Gives back pictures of more than `most` bytes.
    pub fn trim(&mut self, most: usize) {
        self.levels.trim(most);
        self.floats.trim(most);
        self.start.trim(most);
    }
}

/// Carries out `plan` on the part of an image that it uses ([`Plan::source`]); of that it looks at [`Plan::needed`] only.
///
/// The mirror is not carried out here; whoever takes the rows does it.
///
/// # Panics
/// If the part is of another size.
pub fn apply(source: &mut dyn Scanlines, plan: &Plan, scratch: &mut Scratch, rows: &mut impl Rows) {
    check_size(source, plan);
    let Scratch {
        levels,
        floats,
        start,
    } = scratch;
    let is_colors = |stage: &Stage| matches!(stage.operation, Operation::Colors { .. });
    let Some(border) = plan.stages().iter().position(is_colors) else {
        return levels.run(source, plan, plan.stages(), &mut |y, row| {
            rows.levels(y, row);
        });
    };
    let (before, rest) = plan.stages().split_at(border);
    // A contrast looks at all pixels before it changes one, so they are put together first.
    let ready = levels.fill(source, plan, before);
    let to_floats = |line: &mut Vec<f32>, row: &mut dyn FnMut(usize, &[f32])| {
        stages::color_rows(ready, plan, &rest[0], line, row);
    };
    match &rest[1..] {
        [] => to_floats(floats.line(), &mut |y, row| rows.floats(y, row)),
        after => {
            stages::fill(start, rest[0].window, ready.channels, |row| {
                to_floats(floats.line(), row);
            });
            floats.run(&mut start.view(), plan, after, &mut |y, row| {
                rows.floats(y, row);
            });
        }
    }
}

/// As [`apply`], on a part of a picture that is made of floats already.
///
/// # Panics
/// Likewise.
pub fn apply_floats(
    mut source: View<'_, f32>,
    plan: &Plan,
    scratch: &mut Scratch,
    rows: &mut impl Rows,
) {
    check_size(&source, plan);
    let row = &mut |y: usize, row: &[f32]| rows.floats(y, row);
    let stages = plan.stages();
    scratch.floats.run(&mut source, plan, stages, row);
}

fn check_size<T>(source: &dyn Scanlines<T>, plan: &Plan) {
    let size = (source.width(), source.height());
    assert_eq!(
        size,
        (plan.source.width, plan.source.height),
        "the plan is for another size"
    );
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::image::Rect;
    use crate::ops::resize::Interpolation;
    use crate::ops::vectors::{Downward, poisoned};
    use crate::ops::{border, color_f32, color_u8, resize, warp};

    /// All rows, one after another.
    #[derive(Debug, Default, PartialEq)]
    struct Collected {
        levels: Vec<u8>,
        floats: Vec<f32>,
    }

    impl Rows for Collected {
        fn levels(&mut self, _: usize, row: &[u8]) {
            self.levels.extend_from_slice(row);
        }

        fn floats(&mut self, _: usize, row: &[f32]) {
            self.floats.extend_from_slice(row);
        }
    }

    fn noise(width: usize, height: usize) -> Image {
        let mut bits = crate::rng::Rng::new(0, 0, 0);
        let data = (0..width * height * 3).map(|_| bits.bits() as u8).collect();
        Image {
            width,
            height,
            channels: 3,
            data,
        }
    }

    fn crop(picture: &Image, rect: Rect) -> Image {
        let mut data = Vec::new();
        let view = picture.view().crop(rect);
        (0..rect.height).for_each(|y| data.extend_from_slice(view.row(y)));
        Image {
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
        plan.border((6, 6), (52, 42), [9; 4]);
        plan.crop(second.min(52, 42));
        plan.resize(44, 70, Interpolation::Area);
        plan.crop(Rect {
            x: 2,
            y: 3,
            width: 24,
            height: 24,
        });
        let mut output = Collected::default();
        let source = &mut image.view().crop(plan.source);
        apply(source, &plan, &mut Scratch::default(), &mut output);

        let step = resize::resize(crop(&image, first).view(), 40, 30, Interpolation::Linear);
        let mut bordered = Image {
            width: 52,
            height: 42,
            channels: 3,
            data: Vec::new(),
        };
        border::border_rows(
            step.view(),
            (6, 6),
            [9; 4],
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
            output.levels,
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

    /// Plans that differ in what the first stage does, and in what follows it.
    fn plans() -> Vec<Plan> {
        let firsts: [fn(&mut Plan); 7] = [
            |_| (),
            |plan| plan.resize(20, 15, Interpolation::Linear),
            |plan| plan.border((2, 3), (70, 60), [9; 4]),
            |plan| {
                plan.flip();
                plan.settle();
            },
            |plan| plan.levels(color_u8::Levels::Brightness(1.5)),
            |plan| plan.color(color_f32::Color::Contrast(0.5)),
            |plan| {
                let turn = warp::Affine([[0.8, 0.6, 1.0], [-0.6, 0.8, 20.0]]);
                plan.warp(turn, (50, 40), Interpolation::Linear, [7; 4]);
            },
        ];
        let all = |first: fn(&mut Plan)| {
            let mut plan = Plan::whole(60, 45);
            plan.crop(Rect {
                x: 1,
                y: 2,
                width: 50,
                height: 40,
            });
            first(&mut plan);
            let (width, height) = plan.size();
            plan.crop(Rect {
                x: 3,
                y: 4,
                width: width - 8,
                height: height - 6,
            });
            let mut longer = plan.clone();
            longer.resize(9, 8, Interpolation::Area);
            [plan, longer]
        };
        firsts.into_iter().flat_map(all).collect()
    }

    fn carried_out(source: &mut dyn Scanlines, plan: &Plan, scratch: &mut Scratch) -> Collected {
        let mut output = Collected::default();
        apply(source, plan, scratch, &mut output);
        output
    }

    #[test]
    fn rows_made_as_they_are_asked_for_do_as_well_as_a_picture() {
        let image = noise(60, 45);
        let mut scratch = Scratch::default();
        for plan in plans() {
            let part = crop(&image, plan.source);
            let expected = carried_out(&mut part.view(), &plan, &mut scratch);
            let part = poisoned(&part, plan.needed());
            let rows = &mut Downward::new(part.view());
            assert_eq!(carried_out(rows, &plan, &mut scratch), expected, "{plan:?}");
        }
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
