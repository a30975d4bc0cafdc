//! The stages of a plan, each from a whole picture to the rows of a part of its result.
//!
//! Every stage hands its rows over; where another stage follows, they fill a picture, which that one reads. What pictures
//! of whole levels and of floats do in different ways is in [`Depth`].

use std::fmt::Debug;

use crate::augment::colour::{self, Map};
use crate::augment::resize::{self, Interpolation};
use crate::augment::{border, warp};
use crate::picture::{Picture, Rect, Sample, View};
use crate::plan::{Operation, Plan, Stage};

/// Receives a row's number and its samples.
pub(super) type Sink<'a, T> = &'a mut dyn FnMut(usize, &[T]);

/// What the stages on pictures of one depth need.
#[derive(Debug, Default)]
pub(super) struct Easel<T: Depth> {
    pictures: [Picture<T>; 2],
    tools: T::Tools,
    line: Vec<T>,
}

impl<T: Depth> Easel<T> {
    /// Runs the stages.
    pub(super) fn run(
        &mut self,
        view: View<'_, T>,
        plan: &Plan,
        stages: &[Stage],
        row: Sink<'_, T>,
    ) {
        let Some((last, before)) = stages.split_last() else {
            return hand_over(view, row);
        };
        let Self {
            pictures,
            tools,
            line,
        } = self;
        let ready = fill_all(view, plan, before, pictures, tools, line);
        run_stage(ready, plan, last, tools, line, row);
    }

    /// What the stages make of `view`, as a picture; `view` itself if there are none.
    pub(super) fn fill<'a>(
        &'a mut self,
        view: View<'a, T>,
        plan: &Plan,
        stages: &[Stage],
    ) -> View<'a, T> {
        let Self {
            pictures,
            tools,
            line,
        } = self;
        fill_all(view, plan, stages, pictures, tools, line)
    }

    /// Memory for a row.
    pub(super) fn line(&mut self) -> &mut Vec<T> {
        &mut self.line
    }

    pub(super) fn trim(&mut self, most: usize) {
        self.pictures
            .iter_mut()
            .for_each(|picture| picture.trim(most));
        T::trim(&mut self.tools, most);
    }
}

fn fill_all<'a, T: Depth>(
    view: View<'a, T>,
    plan: &Plan,
    stages: &[Stage],
    pictures: &'a mut [Picture<T>; 2],
    tools: &mut T::Tools,
    line: &mut Vec<T>,
) -> View<'a, T> {
    if stages.is_empty() {
        return view;
    }
    let [mut into, mut done] = pictures.each_mut();
    for (i, stage) in stages.iter().enumerate() {
        let from = if i == 0 { view } else { done.view() };
        fill(into, stage.window, view.channels, |row| {
            run_stage(from, plan, stage, tools, line, row);
        });
        (into, done) = (done, into);
    }
    done.view()
}

/// Fills a picture with the rows that `make` hands over.
pub(super) fn fill<T: Sample>(
    into: &mut Picture<T>,
    window: Rect,
    channels: usize,
    make: impl FnOnce(Sink<'_, T>),
) {
    (into.width, into.height, into.channels) = (window.width, window.height, channels);
    into.data.clear();
    make(&mut |_, row| into.data.extend_from_slice(row));
}

fn run_stage<T: Depth>(
    view: View<'_, T>,
    plan: &Plan,
    stage: &Stage,
    tools: &mut T::Tools,
    line: &mut Vec<T>,
    row: Sink<'_, T>,
) {
    match stage.operation {
        Operation::Resize {
            width,
            height,
            method,
        } => T::resize_rows(view, (width, height), stage.window, method, tools, row),
        Operation::Border {
            left, top, value, ..
        } => {
            let value = value.map(T::of_level);
            border::border_rows(view, (left, top), value, stage.window, line, row);
        }
        Operation::Flip => border::flip_rows(view, stage.window, line, row),
        Operation::Warp { .. } | Operation::Levels(_) | Operation::Colours { .. } => {
            T::own_rows(view, plan, stage, tools, line, row);
        }
    }
}

fn hand_over<T: Sample>(view: View<'_, T>, row: Sink<'_, T>) {
    (0..view.height).for_each(|y| row(y, view.row(y)));
}

/// The rows of a part of a picture, their colours mapped.
pub(super) fn colour_rows<T: Sample + Into<f32> + Into<f64>>(
    view: View<'_, T>,
    plan: &Plan,
    stage: &Stage,
    line: &mut Vec<f32>,
    row: Sink<'_, f32>,
) {
    let part = view.crop(stage.window);
    line.resize(part.width * part.channels, 0.0);
    if part.channels != 3 {
        // Their colours do not change: the plan was checked.
        for y in 0..part.height {
            let samples = part.row(y).iter();
            line.iter_mut()
                .zip(samples)
                .for_each(|(out, &sample)| *out = sample.into());
            row(y, line);
        }
        return;
    }
    let colours = plan.colours_of(stage).iter().copied();
    let map = Map::from(colour::compose(colours, || colour::mean(view)));
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
        view: View<'_, Self>,
        full: (usize, usize),
        window: Rect,
        method: Interpolation,
        tools: &mut Self::Tools,
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
    spare: Picture,
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
        view: View<'_>,
        full: (usize, usize),
        window: Rect,
        method: Interpolation,
        tools: &mut LevelTools,
        row: Sink<'_, u8>,
    ) {
        resize::resize_rows(view, full, window, method, &mut tools.resize, row);
    }

    fn own_rows(
        view: View<'_>,
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
                fill(spare, whole, view.channels, |row| hand_over(view, row));
                levels.apply(spare);
                hand_over(spare.view().crop(stage.window), row);
            }
            _ => unreachable!("colours in floats make a picture of floats"),
        }
    }
}

impl Depth for f32 {
    type Tools = resize::FloatScratch;

    fn of_level(level: u8) -> Self {
        f32::from(level)
    }

    fn resize_rows(
        view: View<'_, f32>,
        full: (usize, usize),
        window: Rect,
        method: Interpolation,
        tools: &mut Self::Tools,
        row: Sink<'_, f32>,
    ) {
        resize::resize_rows_f32(view, full, window, method, tools, row);
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
            Operation::Colours { .. } => colour_rows(view, plan, stage, line, row),
            _ => unreachable!("a plan has whole levels only before it has floats"),
        }
    }
}
