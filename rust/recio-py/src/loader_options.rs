//! Options of a loader, as `recio._loader.options` has them.

use std::sync::Arc;

use pyo3::prelude::*;
use recio_core::format::label::LabelType;
use recio_core::limits::Formats;
use recio_core::loader::{LabelForm, LastBatch, MaskSource, Options, Shape, ShardPolicy, Sharding};
use recio_core::render::normalize::{Gain, Normalize};
use recio_core::render::slot_writer::Layout;
use recio_core::storage::location::Location;
use recio_core::{Error, Result};

use crate::convert::limits_of;
use crate::errors::PyRecioError;
use crate::foreign_memory::BufferFunction;
use crate::location::{StoragePath, locations};
use crate::sampler::PySampler;
use crate::step::{Step, core_steps};

const LAYOUTS: [(&str, Layout); 2] = [("NCHW", Layout::Nchw), ("NHWC", Layout::Nhwc)];

const LABEL_TYPES: [(&str, LabelType); 2] = [
    ("float32", LabelType::Float32),
    ("float64", LabelType::Float64),
];

/// Choices of `last_batch_handle`. `LastBatch::Zeros` is none: it is what `round_batch=False`
/// means.
const LAST_BATCHES: [(&str, LastBatch); 3] = [
    ("pad", LastBatch::Wrap),
    ("discard", LastBatch::Discard),
    ("roll_over", LastBatch::RollOver),
];

const SHARD_POLICIES: [(&str, ShardPolicy); 3] = [
    ("pad", ShardPolicy::Pad),
    ("drop", ShardPolicy::Drop),
    ("uneven", ShardPolicy::Uneven),
];

const SHARDINGS: [(&str, Sharding); 2] = [
    ("contiguous", Sharding::Contiguous),
    ("global", Sharding::Global),
];

/// Options of a loader, read from the fields of Python's `recio._loader.options.LoaderOptions`.
#[derive(FromPyObject)]
pub(crate) struct LoaderOptions {
    data_shape: (i64, i64, i64),
    batch_size: i64,
    steps: Vec<Step>,
    label_width: i64,
    path_imglist: Option<StoragePath>,
    label_by_key: bool,
    label_type: String,
    label_pad_value: f32,
    label_form: String,
    label_pad_width: i64,
    /// Record files, their indexes, and the fill value of pixels without image.
    masks: Option<(Vec<StoragePath>, Vec<StoragePath>, u8)>,
    mean: [f32; 4],
    mean_image: Option<Vec<f32>>,
    std: [f32; 4],
    scale: f32,
    divide: bool,
    max_random_contrast: f32,
    max_random_illumination: f32,
    pub(crate) dtype: String,
    layout: String,
    shuffle: bool,
    seed: u64,
    seed_aug: u64,
    num_parts: i64,
    part_index: i64,
    shard: String,
    shard_policy: String,
    last_batch: String,
    preprocess_threads: i64,
    prefetch_buffer: i64,
    read_ahead: Option<i64>,
    read_ahead_bytes: i64,
    skip_damaged: bool,
    /// Largest side, pixels, bytes and scans of an image.
    limits: (usize, usize, usize, usize),
    formats: Vec<String>,
    on_damage: String,
    decode_scale: Option<String>,
    /// Function that returns memory for batches.
    #[pyo3(attribute("weak_allocator"))]
    allocator: Option<Py<PyAny>>,
    /// Samples of each epoch, records that they are of, and the function that returns their order.
    #[pyo3(attribute("weak_sampler"))]
    sampler: Option<(usize, Option<usize>, Py<PyAny>)>,
}

impl LoaderOptions {
    /// Returns the options in the terms of the core.
    ///
    /// # Errors
    /// A value that its type does not have. The core checks what the values mean.
    pub(crate) fn parse(mut self, py: Python<'_>) -> PyResult<Options> {
        let (allocator, sampler) = (self.allocator.take(), self.sampler.take());
        let mut options = self.parse_values().map_err(PyRecioError::from)?;
        if let Some(function) = allocator {
            options.allocator = Some(Arc::new(BufferFunction::new(py, function)?));
        }
        if let Some(sampler) = sampler {
            options.sampler = Some(Arc::new(PySampler::new(py, sampler)?));
        }
        Ok(options)
    }

    /// Returns the options without functions.
    fn parse_values(self) -> Result<Options> {
        let (channels, height, width) = self.data_shape;
        let labels = self.labels()?;
        Ok(Options {
            batch_size: at_least(1, "batch_size", self.batch_size)?,
            shape: Shape {
                channels: at_least(1, "data_shape[0]", channels)?,
                height: at_least(1, "data_shape[1]", height)?,
                width: at_least(1, "data_shape[2]", width)?,
            },
            steps: core_steps(self.steps),
            normalize: Normalize {
                mean: self.mean,
                mean_image: self.mean_image.map(Arc::from),
                std: self.std,
                scale: self.scale,
                divide: self.divide,
            },
            max_gain: Gain {
                contrast: self.max_random_contrast,
                illumination: self.max_random_illumination,
            },
            layout: one_of("layout", &self.layout, &LAYOUTS)?,
            labels,
            label_list: self.path_imglist.map(Location::from),
            label_list_by_key: self.label_by_key,
            label_type: one_of("label_type", &self.label_type, &LABEL_TYPES)?,
            masks: self.masks.map(|(files, indexes, fill)| MaskSource {
                files: locations(files),
                indexes: locations(indexes),
                fill,
            }),
            shuffle: self.shuffle,
            seed: self.seed,
            augment_seed: self.seed_aug,
            num_parts: at_least(1, "num_parts", self.num_parts)?,
            part_index: at_least(0, "part_index", self.part_index)?,
            sharding: one_of("shard", &self.shard, &SHARDINGS)?,
            shard_policy: one_of("shard_policy", &self.shard_policy, &SHARD_POLICIES)?,
            last_batch: last_batch(&self.last_batch)?,
            threads: at_least(1, "preprocess_threads", self.preprocess_threads)?,
            prefetch: at_least(1, "prefetch_buffer", self.prefetch_buffer)?,
            read_ahead: self
                .read_ahead
                .map(|records| at_least(0, "read_ahead", records))
                .transpose()?,
            read_ahead_bytes: at_least(0, "read_ahead_bytes", self.read_ahead_bytes)?,
            skip_damaged: self.skip_damaged,
            limits: limits_of(self.limits, Formats::of(&self.formats)?),
            fill_damage: one_of(
                "on_damage",
                &self.on_damage,
                &[("error", false), ("fill", true)],
            )?,
            decode_scale: decode_scale(self.decode_scale.as_deref())?,
            allocator: None,
            sampler: None,
        })
    }

    fn labels(&self) -> Result<LabelForm> {
        let exact = unless_minus_one("label_width", self.label_width)?;
        match self.label_form.as_str() {
            "numbers" => {
                Ok(exact.map_or(LabelForm::Padded(self.label_pad_value), LabelForm::Exact))
            }
            "row" => Ok(LabelForm::Row {
                exact,
                width: unless_minus_one("label_pad_width", self.label_pad_width)?,
                padding: self.label_pad_value,
            }),
            "table" => Ok(LabelForm::Table),
            other => Err(Error::argument(format!(
                "label_form must be \"numbers\", \"row\" or \"table\", got {other:?}"
            ))),
        }
    }
}

fn last_batch(name: &str) -> Result<LastBatch> {
    match name {
        "zeros" => Ok(LastBatch::Zeros),
        name => one_of("last_batch_handle", name, &LAST_BATCHES),
    }
}

fn decode_scale(name: Option<&str>) -> Result<bool> {
    match name {
        None => Ok(false),
        Some("auto") => Ok(true),
        Some(other) => Err(Error::argument(format!(
            "decode_scale must be \"auto\" or None, got {other:?}"
        ))),
    }
}

/// Returns the value of a name among `choices`.
fn one_of<T: Copy>(option: &str, name: &str, choices: &[(&str, T)]) -> Result<T> {
    let choice = choices.iter().find(|(choice, _)| *choice == name);
    choice.map(|(_, value)| *value).ok_or_else(|| {
        let names: Vec<_> = choices
            .iter()
            .map(|(name, _)| format!("{name:?}"))
            .collect();
        let (last, others) = names.split_last().expect("there are choices");
        let others = others.join(", ");
        Error::argument(format!("{option} must be {others} or {last}, got {name:?}"))
    })
}

/// Returns a number that is not negative; `min` is the smallest that the core accepts.
fn at_least(min: usize, option: &str, value: i64) -> Result<usize> {
    usize::try_from(value)
        .map_err(|_| Error::argument(format!("{option} must be at least {min}, got {value}")))
}

/// Returns a number, or none for -1.
fn unless_minus_one(option: &str, value: i64) -> Result<Option<usize>> {
    match value {
        -1 => Ok(None),
        ..-1 => Err(Error::argument(format!(
            "{option} must be at least 1, or -1, got {value}"
        ))),
        _ => at_least(1, option, value).map(Some),
    }
}
