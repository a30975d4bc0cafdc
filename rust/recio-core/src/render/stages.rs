//! The stages of a plan, each from a picture to the rows of a part of its result.
//!
//! Every stage hands its rows over; where another stage follows, they fill a picture, which that one reads. The first
//! one's picture may make its rows as they are asked for: resampling takes them so, other stages have them collected. What
//! pictures of whole levels and of floats do in different ways is in [`Depth`].

use std::fmt::Debug;

use crate::image::{Image, Rect, Sample, Scanlines, View, whole};
use crate::ops::color_f32::{self, Map};
use crate::ops::resize::{self, Interpolation};
use crate::ops::{border, warp};
use crate::plan::{Operation, Plan, Stage};

/// Receives a row's number and its samples.
pub(super) type Sink<'a, T> = &'a mut dyn FnMut(usize, &[T]);

/// What the stages on pictures of one depth need.
#[derive(Debug, Default)]
pub(super) struct Easel<T: Depth> {
    pictures: [Image<T>; 2],
    kit: Kit<T>,
}

/// What a single stage needs.
#[derive(Debug, Default)]
pub(super) struct Kit<T: Depth> {
    /// The source, where its rows are made only now and the stage does not take them one by one.
    whole: Image<T>,
    tools: T::Tools,
    line: Vec<T>,
}

impl<T: Depth> Easel<T> {
    /// Runs the stages. Rows of `source` are made into a picture only if the first stage cannot take them one by one.
    pub(super) fn run(
        &mut self,
        source: &mut dyn Scanlines<T>,
        plan: &Plan,
        stages: &[Stage],
        row: Sink<'_, T>,
    ) {
        let Self { pictures, kit } = self;
        match stages {
            [] => hand_over(source, row),
            [only] => kit.run(source, plan, only, row),
            [before @ .., last] => {
                let ready = fill_all(source, plan, before, pictures, kit);
                kit.run(&mut ready.view(), plan, last, row);
            }
        }
    }

    /// What the stages make of `source`, as a picture.
    pub(super) fn fill<'a>(
        &'a mut self,
        source: &'a mut dyn Scanlines<T>,
        plan: &Plan,
        stages: &[Stage],
    ) -> View<'a, T> {
        let Self { pictures, kit } = self;
        match stages {
            [] => whole(source, &mut kit.whole),
            _ => fill_all(source, plan, stages, pictures, kit).view(),
        }
    }

    /// Memory for a row.
    pub(super) fn line(&mut self) -> &mut Vec<T> {
        &mut self.kit.line
    }

    pub(super) fn trim(&mut self, most: usize) {
        let Self { pictures, kit } = self;
        pictures.iter_mut().for_each(|picture| picture.trim(most));
        kit.whole.trim(most);
        T::trim(&mut kit.tools, most);
    }
}

/// Runs one stage or more, each into one of the pictures, and gives the last.
fn fill_all<'a, T: Depth>(
    source: &mut dyn Scanlines<T>,
    plan: &Plan,
    stages: &[Stage],
    pictures: &'a mut [Image<T>; 2],
    kit: &mut Kit<T>,
) -> &'a Image<T> {
    let channels = source.channels();
    let [mut into, mut done] = pictures.each_mut();
    for (i, stage) in stages.iter().enumerate() {
        let from: &mut dyn Scanlines<T> = if i == 0 { source } else { &mut done.view() };
        fill(into, stage.window, channels, |row| {
            kit.run(from, plan, stage, row);
        });
        (into, done) = (done, into);
    }
    done
}

/// Fills a picture with the rows that `make` hands over.
pub(super) fn fill<T: Sample>(
    into: &mut Image<T>,
    window: Rect,
    channels: usize,
    make: impl FnOnce(Sink<'_, T>),
) {
    (into.width, into.height, into.channels) = (window.width, window.height, channels);
    into.data.clear();
    make(&mut |_, row| into.data.extend_from_slice(row));
}

impl<T: Depth> Kit<T> {
    fn run(&mut self, source: &mut dyn Scanlines<T>, plan: &Plan, stage: &Stage, row: Sink<'_, T>) {
        let (window, room, line) = (stage.window, &mut self.whole, &mut self.line);
        match stage.operation {
            Operation::Resize {
                width,
                height,
                method,
            } => T::resize_rows(source, (width, height), window, method, self, row),
            Operation::Border {
                left, top, value, ..
            } => {
                let value = value.map(T::of_level);
                border::border_rows(whole(source, room), (left, top), value, window, line, row);
            }
            Operation::Flip => border::flip_rows(whole(source, room), window, line, row),
            Operation::Warp { .. } | Operation::Levels(_) | Operation::Colors { .. } => {
                T::own_rows(whole(source, room), plan, stage, &mut self.tools, line, row);
            }
        }
    }
}

fn hand_over<T>(source: &mut dyn Scanlines<T>, row: Sink<'_, T>) {
    (0..source.height()).for_each(|y| row(y, source.row(y)));
}

/// The rows of a part of a picture, their colors mapped.
pub(super) fn color_rows<T: Sample + Into<f32> + Into<f64>>(
    view: View<'_, T>,
    plan: &Plan,
    stage: &Stage,
    line: &mut Vec<f32>,
    row: Sink<'_, f32>,
) {
    let part = view.crop(stage.window);
    line.resize(part.width * part.channels, 0.0);
    if part.channels != 3 {
        // Their colors do not change: the plan was checked.
        for y in 0..part.height {
            let samples = part.row(y).iter();
            line.iter_mut()
                .zip(samples)
                .for_each(|(out, &sample)| *out = sample.into());
            row(y, line);
        }
        return;
    }
    let colors = plan.colors_of(stage).iter().copied();
    let map = Map::from(color_f32::compose(colors, || color_f32::mean(view)));
    for y in 0..part.height {
        map.row(part.row(y), line);
        row(y, line);
    }
}

/// A type of samples, with what it does in a way of its own.
pub(super) trait Depth: Sample {
    /// What that needs on the way.
    type Tools: Default + Debug;

    /// A level from 0 to 255.
    fn of_level(level: u8) -> Self;

    /// Gives back pictures of more than `most` bytes.
    fn trim(_tools: &mut Self::Tools, _most: usize) {}

    fn resize_rows(
        source: &mut dyn Scanlines<Self>,
        full: (usize, usize),
        window: Rect,
        method: Interpolation,
        kit: &mut Kit<Self>,
        row: Sink<'_, Self>,
    );

    /// Runs a stage that pictures of the other depth do not have.
    fn own_rows(
        view: View<'_, Self>,
        plan: &Plan,
        stage: &Stage,
        tools: &mut Self::Tools,
        line: &mut Vec<Self>,
        row: Sink<'_, Self>,
    );
}

/// What stages on whole levels need.
#[derive(Debug, Default)]
pub(super) struct LevelTools {
    resize: resize::Scratch,
    warp: warp::Scratch,
    spare: Image,
}

impl Depth for u8 {
    type Tools = LevelTools;

    fn of_level(level: u8) -> Self {
        level
    }

    fn trim(tools: &mut LevelTools, most: usize) {
        tools.spare.trim(most);
    }

    fn resize_rows(
        source: &mut dyn Scanlines,
        full: (usize, usize),
        window: Rect,
        method: Interpolation,
        kit: &mut Kit<Self>,
        row: Sink<'_, u8>,
    ) {
        resize::resize_rows(source, full, window, method, &mut kit.tools.resize, row);
    }

    fn own_rows(
        mut view: View<'_>,
        _: &Plan,
        stage: &Stage,
        tools: &mut LevelTools,
        _: &mut Vec<u8>,
        row: Sink<'_, u8>,
    ) {
        let LevelTools { warp, spare, .. } = tools;
        match stage.operation {
            Operation::Warp {
                affine,
                width,
                height,
                method,
                value,
            } => {
                let full = (width, height);
                warp::warp_rows(view, affine, full, stage.window, method, value, warp, row);
            }
            Operation::Levels(levels) => {
                let whole = Rect::whole(view.width, view.height);
                fill(spare, whole, view.channels, |row| {
                    hand_over(&mut view, row);
                });
                levels.apply(spare);
                hand_over(&mut spare.view().crop(stage.window), row);
            }
            _ => unreachable!("colors in floats make a picture of floats"),
        }
    }
}

impl Depth for f32 {
    type Tools = resize::FloatScratch;

    fn of_level(level: u8) -> Self {
        f32::from(level)
    }

    fn resize_rows(
        source: &mut dyn Scanlines<f32>,
        full: (usize, usize),
        window: Rect,
        method: Interpolation,
        kit: &mut Kit<Self>,
        row: Sink<'_, f32>,
    ) {
        let view = whole(source, &mut kit.whole);
        resize::resize_rows_f32(view, full, window, method, &mut kit.tools, row);
    }

    fn own_rows(
        view: View<'_, f32>,
        plan: &Plan,
        stage: &Stage,
        _: &mut Self::Tools,
        line: &mut Vec<f32>,
        row: Sink<'_, f32>,
    ) {
        match stage.operation {
            Operation::Colors { .. } => color_rows(view, plan, stage, line, row),
            _ => unreachable!("a plan has whole levels only before it has floats"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ops::vectors::{Downward, noise};

    #[test]
    fn the_source_is_collected_only_for_stages_that_need_all_of_it() {
        let image = noise(60, 45, 3);
        let collects = |step: fn(&mut Plan)| {
            let mut plan = Plan::whole(60, 45);
            step(&mut plan);
            plan.border((0, 0), (60, 60), [0; 4]);
            let mut easel = Easel::default();
            let stages = plan.stages();
            easel.run(&mut image.view(), &plan, stages, &mut |_, _| ());
            assert_eq!(easel.kit.whole, Image::default());
            let source = &mut Downward::new(image.view());
            easel.run(source, &plan, stages, &mut |_, _| ());
            easel.kit.whole == image
        };
        assert!(!collects(|plan| plan.resize(30, 20, Interpolation::Linear)));
        assert!(collects(Plan::flip));
    }
}
