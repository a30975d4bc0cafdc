//! A single stage of a plan: from an image to the rows of a region of the stage's result.
//!
//! A source may decode its rows on demand. Resampling 8-bit values takes them one by one; for other
//! stages they are collected into an image. What differs between 8-bit values and floats is in
//! [`Depth`].

use std::fmt::Debug;

use crate::image::{Image, Rect, RowSource, Subpixel, View, view_of};
use crate::memory;
use crate::ops::color_f32::{self, Map};
use crate::ops::resize::{self, Interpolation};
use crate::ops::{border, warp};
use crate::plan::{Operation, Plan, Stage};

/// Receives the number and the values of a row.
pub(super) type EmitRow<'a, T> = &'a mut dyn FnMut(usize, &[T]);

/// Buffers of a stage, reused from image to image.
#[derive(Debug, Default)]
pub(super) struct StageBuffers<T: Depth> {
    /// The source, where its rows are decoded on demand and the stage needs all of them.
    collected: Image<T>,
    scratch: T::Scratch,
    line: Vec<T>,
}

impl<T: Depth> StageBuffers<T> {
    /// Runs a stage and emits the rows of its window.
    pub(super) fn run(
        &mut self,
        source: &mut dyn RowSource<T>,
        plan: &Plan,
        stage: &Stage,
        emit: EmitRow<'_, T>,
    ) {
        let window = stage.window;
        let Self {
            collected,
            scratch,
            line,
        } = self;
        match stage.operation {
            Operation::Resize {
                width,
                height,
                method,
            } => T::resize_rows(
                source,
                (width, height),
                window,
                method,
                collected,
                scratch,
                emit,
            ),
            Operation::Border {
                left, top, value, ..
            } => {
                let (view, value) = (view_of(source, collected), value.map(T::from));
                border::border_rows(view, (left, top), value, window, line, emit);
            }
            Operation::Flip => border::flip_rows(view_of(source, collected), window, line, emit),
            Operation::Warp { .. } | Operation::ColorU8(_) | Operation::ColorF32 { .. } => {
                T::run_specific(view_of(source, collected), plan, stage, scratch, line, emit);
            }
        }
    }

    /// The buffer for the collected rows of a source.
    pub(super) fn collected(&mut self) -> &mut Image<T> {
        &mut self.collected
    }

    /// The buffer for a row.
    pub(super) fn line(&mut self) -> &mut Vec<T> {
        &mut self.line
    }

    pub(super) fn trim(&mut self, max_bytes: usize) {
        self.collected.trim(max_bytes);
        T::trim(&mut self.scratch, max_bytes);
    }
}

/// Fills an image with the rows that `run` emits.
pub(super) fn fill<T: Subpixel>(
    into: &mut Image<T>,
    window: Rect,
    channels: usize,
    run: impl FnOnce(EmitRow<'_, T>),
) {
    (into.width, into.height, into.channels) = (window.width, window.height, channels);
    into.data.clear();
    memory::reserve_or_unwind(&mut into.data, window.width * window.height * channels);
    run(&mut |_, row| into.data.extend_from_slice(row));
}

/// Emits all rows of a source.
pub(super) fn emit_all<T>(source: &mut dyn RowSource<T>, emit: EmitRow<'_, T>) {
    (0..source.height()).for_each(|y| emit(y, source.row(y)));
}

/// Emits the rows of a color stage in floats.
pub(super) fn color_rows<T: Subpixel + Into<f32> + Into<f64>>(
    view: View<'_, T>,
    plan: &Plan,
    stage: &Stage,
    line: &mut Vec<f32>,
    emit: EmitRow<'_, f32>,
) {
    let region = view.crop(stage.window);
    line.resize(region.width * region.channels, 0.0);
    if region.channels != 3 {
        // The plan was checked: such images are converted to floats, and their colors stay.
        for y in 0..region.height {
            let values = region.row(y).iter();
            line.iter_mut()
                .zip(values)
                .for_each(|(out, &value)| *out = value.into());
            emit(y, line);
        }
        return;
    }
    let colors = plan.colors_of(stage).iter().copied();
    let map = Map::from(color_f32::compose(colors, || color_f32::mean(view)));
    for y in 0..region.height {
        map.row(region.row(y), line);
        emit(y, line);
    }
}

/// The stages that images of one type of values do in a way of their own.
pub(super) trait Depth: Subpixel + From<u8> {
    /// Buffers for these stages.
    type Scratch: Default + Debug;

    /// Frees the images of more than `max_bytes` bytes.
    fn trim(_scratch: &mut Self::Scratch, _max_bytes: usize) {}

    fn resize_rows(
        source: &mut dyn RowSource<Self>,
        full: (usize, usize),
        window: Rect,
        method: Interpolation,
        collected: &mut Image<Self>,
        scratch: &mut Self::Scratch,
        emit: EmitRow<'_, Self>,
    );

    /// Runs a stage that exists only for this type.
    fn run_specific(
        view: View<'_, Self>,
        plan: &Plan,
        stage: &Stage,
        scratch: &mut Self::Scratch,
        line: &mut Vec<Self>,
        emit: EmitRow<'_, Self>,
    );
}

/// Buffers of the stages on 8-bit values.
#[derive(Debug, Default)]
pub(super) struct ScratchU8 {
    resize: resize::Scratch,
    warp: warp::Scratch,
    color: Image,
}

impl Depth for u8 {
    type Scratch = ScratchU8;

    fn trim(scratch: &mut ScratchU8, max_bytes: usize) {
        scratch.color.trim(max_bytes);
    }

    fn resize_rows(
        source: &mut dyn RowSource,
        full: (usize, usize),
        window: Rect,
        method: Interpolation,
        _: &mut Image,
        scratch: &mut ScratchU8,
        emit: EmitRow<'_, u8>,
    ) {
        resize::resize_rows(source, full, window, method, &mut scratch.resize, emit);
    }

    fn run_specific(
        mut view: View<'_>,
        _: &Plan,
        stage: &Stage,
        scratch: &mut ScratchU8,
        _: &mut Vec<u8>,
        emit: EmitRow<'_, u8>,
    ) {
        let ScratchU8 { warp, color, .. } = scratch;
        match stage.operation {
            Operation::Warp {
                affine,
                width,
                height,
                method,
                value,
            } => {
                let full = (width, height);
                warp::warp_rows(view, affine, full, stage.window, method, value, warp, emit);
            }
            Operation::ColorU8(change) => {
                let full = Rect::of_size(view.width, view.height);
                fill(color, full, view.channels, |emit| emit_all(&mut view, emit));
                change.apply(color);
                emit_all(&mut color.view().crop(stage.window), emit);
            }
            _ => unreachable!("the plan changes to floats at its first color stage in floats"),
        }
    }
}

impl Depth for f32 {
    type Scratch = resize::FloatScratch;

    fn resize_rows(
        source: &mut dyn RowSource<f32>,
        full: (usize, usize),
        window: Rect,
        method: Interpolation,
        collected: &mut Image<f32>,
        scratch: &mut resize::FloatScratch,
        emit: EmitRow<'_, f32>,
    ) {
        let view = view_of(source, collected);
        resize::resize_rows_f32(view, full, window, method, scratch, emit);
    }

    fn run_specific(
        view: View<'_, f32>,
        plan: &Plan,
        stage: &Stage,
        _: &mut resize::FloatScratch,
        line: &mut Vec<f32>,
        emit: EmitRow<'_, f32>,
    ) {
        match stage.operation {
            Operation::ColorF32 { .. } => color_rows(view, plan, stage, line, emit),
            _ => unreachable!("the plan was checked: stages on 8-bit values come before floats"),
        }
    }
}
