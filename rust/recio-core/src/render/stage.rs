//! A single stage of a plan: from an image to the rows of a region of the stage's result.
//!
//! A source may decode its rows on demand. Resampling 8-bit values takes them one by one; for other
//! stages they are collected into an image. What differs between 8-bit values and floats is in
//! [`Depth`].

use std::fmt::Debug;
use std::mem::take;

use crate::image::{Image, Rect, RowSource, Subpixel, View, view_of};
use crate::memory;
use crate::ops::color_f32::{self, ColorSample, Map};
use crate::ops::flip::{FlippedRows, FlippedSample};
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
            } => T::resize_rows(source, (width, height), window, method, scratch, emit),
            Operation::Border {
                left, top, value, ..
            } => {
                let (view, value) = (view_of(source, collected), value.map(T::from));
                border::border_rows(view, (left, top), value, window, line, emit);
            }
            Operation::Flip => {
                let mut rows = FlippedRows::new(source, window, take(line));
                emit_all(&mut rows, emit);
                *line = rows.into_line();
            }
            Operation::Warp { .. } | Operation::ColorU8(_) | Operation::ColorF32 { .. } => {
                T::run_specific(view_of(source, collected), plan, stage, scratch, line, emit);
            }
        }
    }

    /// The buffer for the collected rows of a source.
    pub(super) fn collected(&mut self) -> &mut Image<T> {
        &mut self.collected
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

/// The result of a color stage in floats, whose rows are computed on demand.
pub(super) struct ColorRows<'a, T> {
    source: &'a mut dyn RowSource<T>,
    window: Rect,
    /// None if the colors stay, and are only converted to floats.
    map: Option<Map>,
    line: Vec<f32>,
}

impl<'a, T: ColorSample> ColorRows<'a, T> {
    /// Runs a stage that needs no mean. The memory of `line` is used for rows.
    pub(super) fn new(
        source: &'a mut dyn RowSource<T>,
        plan: &Plan,
        stage: &Stage,
        line: Vec<f32>,
    ) -> Self {
        let mean = || unreachable!("a contrast needs a mean");
        Self::with_mean(source, plan, stage, line, mean)
    }

    /// Runs a stage on an image, whose mean is known. The memory of `line` is used for rows.
    pub(super) fn of_image(
        view: &'a mut View<'_, T>,
        plan: &Plan,
        stage: &Stage,
        line: Vec<f32>,
    ) -> Self {
        let image = *view;
        Self::with_mean(view, plan, stage, line, || color_f32::mean(image))
    }

    /// Returns the memory of the rows.
    pub(super) fn into_line(self) -> Vec<f32> {
        self.line
    }

    fn with_mean(
        source: &'a mut dyn RowSource<T>,
        plan: &Plan,
        stage: &Stage,
        mut line: Vec<f32>,
        mean: impl FnOnce() -> [f64; 3],
    ) -> Self {
        let (window, channels) = (stage.window, source.channels());
        line.resize(window.width * channels, 0.0);
        let colors = plan.colors_of(stage).iter().copied();
        Self {
            source,
            window,
            // The plan was checked: in other images the colors stay.
            map: (channels == 3).then(|| Map::from(color_f32::compose(colors, mean))),
            line,
        }
    }
}

impl<T: ColorSample> RowSource<f32> for ColorRows<'_, T> {
    fn width(&self) -> usize {
        self.window.width
    }

    fn height(&self) -> usize {
        self.window.height
    }

    fn channels(&self) -> usize {
        self.source.channels()
    }

    fn row(&mut self, y: usize) -> &[f32] {
        let left = self.window.x * self.source.channels();
        let row = self.source.row(self.window.y + y);
        let row = &row[left..left + self.line.len()];
        if let Some(map) = &self.map {
            map.row(row, &mut self.line);
        } else {
            let values = row.iter().map(|&value| value.into());
            self.line
                .iter_mut()
                .zip(values)
                .for_each(|(out, value)| *out = value);
        }
        &self.line
    }
}

/// The stages that images of one type of values do in a way of their own.
pub(super) trait Depth: FlippedSample + From<u8> {
    /// Buffers for these stages.
    type Scratch: Default + Debug;

    /// Frees the images of more than `max_bytes` bytes.
    fn trim(_scratch: &mut Self::Scratch, _max_bytes: usize) {}

    fn resize_rows(
        source: &mut dyn RowSource<Self>,
        full: (usize, usize),
        window: Rect,
        method: Interpolation,
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
        scratch: &mut resize::FloatScratch,
        emit: EmitRow<'_, f32>,
    ) {
        resize::resize_rows_f32(source, full, window, method, scratch, emit);
    }

    fn run_specific(
        mut view: View<'_, f32>,
        plan: &Plan,
        stage: &Stage,
        _: &mut resize::FloatScratch,
        line: &mut Vec<f32>,
        emit: EmitRow<'_, f32>,
    ) {
        match stage.operation {
            Operation::ColorF32 { .. } => {
                let mut rows = ColorRows::of_image(&mut view, plan, stage, take(line));
                emit_all(&mut rows, emit);
                *line = rows.into_line();
            }
            _ => unreachable!("the plan was checked: stages on 8-bit values come before floats"),
        }
    }
}
