//! A plan carried out at once against its steps carried out one by one.

use super::stage_runner::StageRunner;
use crate::image::{Image, Rect, RowSink, RowSource};
use crate::ops::resize::Interpolation;
use crate::ops::test_images::{TopDown, invert_outside};
use crate::ops::{border, color_f32, color_u8, resize, warp};
use crate::plan::Plan;

/// The values of all rows.
#[derive(Debug, Default, PartialEq)]
struct Collected {
    u8: Vec<u8>,
    f32: Vec<f32>,
}

impl RowSink for Collected {
    fn row_u8(&mut self, _: usize, row: &[u8]) {
        self.u8.extend_from_slice(row);
    }

    fn row_f32(&mut self, _: usize, row: &[f32]) {
        self.f32.extend_from_slice(row);
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

fn crop(image: &Image, rect: Rect) -> Image {
    let mut data = Vec::new();
    let view = image.view().crop(rect);
    (0..rect.height).for_each(|y| data.extend_from_slice(view.row(y)));
    Image {
        width: rect.width,
        height: rect.height,
        channels: 3,
        data,
    }
}

/// Resize, border, resize, crop: as one plan, and each on the entire image.
#[test]
fn a_plan_equals_its_steps_run_one_by_one() {
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
    let mut plan = Plan::new(60, 45);
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
    StageRunner::default().run(source, &plan, &mut output);

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
        Rect::of_size(52, 42),
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
        output.u8,
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

/// Plans that differ in their first stage and in the stages after it.
fn plans() -> Vec<Plan> {
    let firsts: [fn(&mut Plan); 7] = [
        |_| (),
        |plan| plan.resize(20, 15, Interpolation::Linear),
        |plan| plan.border((2, 3), (70, 60), [9; 4]),
        |plan| {
            plan.flip();
            plan.resolve_mirror();
        },
        |plan| plan.color_u8(color_u8::ColorU8::Brightness(1.5)),
        |plan| plan.color_f32(color_f32::ColorF32::Contrast(0.5)),
        |plan| {
            let turn = warp::Affine([[0.8, 0.6, 1.0], [-0.6, 0.8, 20.0]]);
            plan.warp(turn, (50, 40), Interpolation::Linear, [7; 4]);
        },
    ];
    let all = |first: fn(&mut Plan)| {
        let mut plan = Plan::new(60, 45);
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

fn run(source: &mut dyn RowSource, plan: &Plan, runner: &mut StageRunner) -> Collected {
    let mut output = Collected::default();
    runner.run(source, plan, &mut output);
    output
}

#[test]
fn rows_decoded_on_demand_give_the_same_as_an_image() {
    let image = noise(60, 45);
    let mut runner = StageRunner::default();
    for plan in plans() {
        let region = crop(&image, plan.source);
        let expected = run(&mut region.view(), &plan, &mut runner);
        let region = invert_outside(&region, plan.needed());
        let rows = &mut TopDown::new(region.view());
        assert_eq!(run(rows, &plan, &mut runner), expected, "{plan:?}");
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
