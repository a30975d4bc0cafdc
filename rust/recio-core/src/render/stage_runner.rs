//! Stage runner: carries out the stages of a plan, from a source of rows to a sink of rows.
//!
//! An image consists of 8-bit values, as decoded, until a color stage in floats; from there on it
//! consists of floats. Adjacent color steps are one map
//! ([`compose`](crate::ops::color_f32::compose)).

use std::mem::take;

use crate::image::{Image, RowSink, RowSource, View, view_of};
use crate::ops::color_f32::ColorF32;
use crate::ops::flip::FlippedRows;
use crate::plan::{Operation, Plan, Stage};
use crate::render::stage::{ColorRows, Depth, EmitRow, StageBuffers, emit_all, fill};

/// Runs the stages of plans, one plan after another, and reuses its buffers.
#[derive(Debug, Default)]
pub struct StageRunner {
    u8: Chain<u8>,
    f32: Chain<f32>,
    /// Memory of the rows of the first color stage in floats.
    color_line: Vec<f32>,
}

impl StageRunner {
    /// Carries out `plan` on the region of an image that it uses ([`Plan::source`]). Only
    /// [`Plan::needed`] of that is looked at. A mirror at the plan's end is left to the sink.
    ///
    /// # Panics
    /// If the source has another size than the region.
    pub fn run(&mut self, source: &mut dyn RowSource, plan: &Plan, sink: &mut impl RowSink) {
        check_size(source, plan);
        let is_color_f32 = |stage: &Stage| matches!(stage.operation, Operation::ColorF32 { .. });
        let Some(first) = plan.stages().iter().position(is_color_f32) else {
            return self.u8.run(source, plan, plan.stages(), &mut |y, row| {
                sink.row_u8(y, row);
            });
        };
        let (before, rest) = plan.stages().split_at(first);
        let (color, after) = (&rest[0], &rest[1..]);
        let emit = &mut |y: usize, row: &[f32]| sink.row_f32(y, row);
        if before.is_empty() && !needs_mean(plan, color) {
            let mut rows = ColorRows::new(source, plan, color, take(&mut self.color_line));
            self.f32.run(&mut rows, plan, after, emit);
            self.color_line = rows.into_line();
            return;
        }
        let line = take(&mut self.color_line);
        let image = &mut self.u8.run_to_image(source, plan, before);
        let mut rows = ColorRows::of_image(image, plan, color, line);
        self.f32.run(&mut rows, plan, after, emit);
        self.color_line = rows.into_line();
    }

    /// Carries out `plan` on a region of an image that consists of floats already.
    ///
    /// # Panics
    /// If the source has another size than the region.
    pub fn run_f32(&mut self, mut source: View<'_, f32>, plan: &Plan, sink: &mut impl RowSink) {
        check_size(&source, plan);
        let emit = &mut |y: usize, row: &[f32]| sink.row_f32(y, row);
        self.f32.run(&mut source, plan, plan.stages(), emit);
    }

    /// Frees the images of more than `max_bytes` bytes.
    pub fn trim(&mut self, max_bytes: usize) {
        self.u8.trim(max_bytes);
        self.f32.trim(max_bytes);
    }
}

/// Whether a color stage depends on the mean of all pixels, as contrast does.
fn needs_mean(plan: &Plan, stage: &Stage) -> bool {
    let mut colors = plan.colors_of(stage).iter();
    colors.any(|color| matches!(color, ColorF32::Contrast(_)))
}

fn check_size<T>(source: &dyn RowSource<T>, plan: &Plan) {
    assert_eq!(
        (source.width(), source.height()),
        (plan.source.width, plan.source.height),
        "the plan is for another size"
    );
}

/// Consecutive stages on images of one depth, and their buffers.
#[derive(Debug, Default)]
struct Chain<T: Depth> {
    /// The result of a stage, and that of the stage before it.
    images: [Image<T>; 2],
    stage: StageBuffers<T>,
    /// Memory of flipped rows that another stage takes.
    flipped_line: Vec<T>,
}

impl<T: Depth> Chain<T> {
    /// Runs the stages. Rows of `source` are collected only if the first stage needs all of them.
    fn run(
        &mut self,
        source: &mut dyn RowSource<T>,
        plan: &Plan,
        stages: &[Stage],
        emit: EmitRow<'_, T>,
    ) {
        match stages {
            [] => emit_all(source, emit),
            [only] => self.stage.run(source, plan, only, emit),
            // Flipped row by row, no image is made of it.
            [
                Stage {
                    operation: Operation::Flip,
                    window,
                },
                after @ ..,
            ] => {
                let line = take(&mut self.flipped_line);
                let mut rows = FlippedRows::new(source, *window, line);
                self.run(&mut rows, plan, after, emit);
                self.flipped_line = rows.into_line();
            }
            [before @ .., last] => {
                let Self { images, stage, .. } = self;
                let image = run_into(source, plan, before, images, stage);
                stage.run(&mut image.view(), plan, last, emit);
            }
        }
    }

    /// Runs the stages and collects the result, or `source` if there are none.
    fn run_to_image<'a>(
        &'a mut self,
        source: &'a mut dyn RowSource<T>,
        plan: &Plan,
        stages: &[Stage],
    ) -> View<'a, T> {
        let Self { images, stage, .. } = self;
        match stages {
            [] => view_of(source, stage.collected()),
            _ => run_into(source, plan, stages, images, stage).view(),
        }
    }

    fn trim(&mut self, max_bytes: usize) {
        self.images
            .iter_mut()
            .for_each(|image| image.trim(max_bytes));
        self.stage.trim(max_bytes);
    }
}

/// Runs one stage or more, each into one of the images in turn, and returns the last.
fn run_into<'a, T: Depth>(
    source: &mut dyn RowSource<T>,
    plan: &Plan,
    stages: &[Stage],
    images: &'a mut [Image<T>; 2],
    buffers: &mut StageBuffers<T>,
) -> &'a Image<T> {
    let channels = source.channels();
    let [mut into, mut done] = images.each_mut();
    for (i, stage) in stages.iter().enumerate() {
        let from: &mut dyn RowSource<T> = if i == 0 { source } else { &mut done.view() };
        fill(into, stage.window, channels, |emit| {
            buffers.run(from, plan, stage, emit);
        });
        (into, done) = (done, into);
    }
    done
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::image::DynamicImage;
    use crate::ops::color_f32::Matrix;
    use crate::ops::color_u8::ColorU8;
    use crate::ops::resize::Interpolation;
    use crate::ops::test_images::{TopDown, noise};

    #[test]
    fn the_source_is_collected_only_for_stages_that_need_all_of_it() {
        let image = noise(60, 45, 3);
        let collects = |step: fn(&mut Plan)| {
            let mut plan = Plan::new(60, 45);
            step(&mut plan);
            plan.border((0, 0), (60, 60), [0; 4]);
            let mut chain = Chain::default();
            let stages = plan.stages();
            chain.run(&mut image.view(), &plan, stages, &mut |_, _| ());
            assert_eq!(*chain.stage.collected(), Image::default());
            let source = &mut TopDown::new(image.view());
            chain.run(source, &plan, stages, &mut |_, _| ());
            *chain.stage.collected() == image
        };
        assert!(!collects(|plan| plan.resize(30, 20, Interpolation::Linear)));
        assert!(collects(|plan| plan.color_u8(ColorU8::Gain(2.0))));
    }

    /// Records which images were collected, and returns the resized floats.
    fn resized_after(colors: &[ColorF32], flips: bool, is_in_memory: bool) -> (Vec<f32>, usize) {
        let image = noise(60, 45, 3);
        let mut plan = Plan::new(60, 45);
        if flips {
            plan.flip();
        }
        colors.iter().for_each(|&color| plan.color_f32(color));
        plan.resize(30, 20, Interpolation::Cubic);
        let (mut runner, mut result) = (StageRunner::default(), DynamicImage::default());
        result.reset((30, 20), 3, true);
        if is_in_memory {
            runner.run(&mut image.view(), &plan, &mut result);
        } else {
            runner.run(&mut TopDown::new(image.view()), &plan, &mut result);
        }
        let bytes = runner.u8.stage.collected().data.len();
        assert_eq!(*runner.f32.stage.collected(), Image::default());
        assert_eq!(runner.f32.images, <[Image<f32>; 2]>::default());
        let DynamicImage::F32(result) = result else {
            panic!("8-bit values")
        };
        (result.data, bytes)
    }

    #[test]
    fn no_image_of_floats_is_made_before_a_resize() {
        let hue = ColorF32::Linear(Matrix::hue(0.3));
        for (colors, bytes) in [
            (&[hue][..], 0),
            (&[hue, ColorF32::Contrast(0.5)][..], 60 * 45 * 3),
        ] {
            for flips in [false, true] {
                let (streamed, collected) = resized_after(colors, flips, false);
                assert_eq!(collected, bytes);
                assert_eq!(resized_after(colors, flips, true), (streamed, 0));
            }
        }
    }
}
