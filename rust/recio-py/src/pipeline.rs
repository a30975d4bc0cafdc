//! `recio.io`: the iterator over image records.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use half::f16;
use numpy::{PyArray1, PyArray2};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyDict;
use recio_core::Error;
use recio_core::format::list::Line;
use recio_core::limits::Formats;
use recio_core::loader::buffer_pool::Batch;
use recio_core::loader::{
    Cursor, ImageLoader, LabelForm, LastBatch, MaskSource, Next, Options, Position, Shape,
    ShardPolicy, Source,
};
use recio_core::render::normalize::{Element, Gain, Normalize};
use recio_core::render::slot_writer::Layout;

use crate::array::lend;
use crate::convert::limits_of;
use crate::errors::{Failure, PyOutcome, raised};
use crate::fork_guard::Owner;
use crate::sandboxed_folder::SandboxedFolder;
use crate::step::{Step, core_steps, describe};
use crate::user_fn::boxes_array;

/// How long a wait goes on before signals are looked at: Ctrl-C is heard within this time.
const PATIENCE: Duration = Duration::from_millis(100);

/// The options of an iterator, read from the fields of Python's `recio._loader.options.LoaderOptions`.
#[derive(FromPyObject)]
pub(crate) struct LoaderOptions {
    data_shape: (i64, i64, i64),
    batch_size: i64,
    steps: Vec<Step>,
    label_width: i64,
    path_imglist: Option<PathBuf>,
    label_pad_value: f32,
    label_form: String,
    label_pad_width: i64,
    /// Record files, their indexes, and the number of places without image.
    masks: Option<(Vec<PathBuf>, Vec<PathBuf>, u8)>,
    mean: [f32; 4],
    mean_image: Option<Vec<f32>>,
    std: [f32; 4],
    scale: f32,
    divide: bool,
    max_random_contrast: f32,
    max_random_illumination: f32,
    dtype: String,
    layout: String,
    shuffle: bool,
    seed: u64,
    seed_aug: u64,
    num_parts: i64,
    part_index: i64,
    shard_policy: String,
    last_batch: String,
    preprocess_threads: i64,
    prefetch_buffer: i64,
    skip_damaged: bool,
    /// The longest side, pixels, bytes and scans of an image.
    limits: (usize, usize, usize, usize),
    formats: Vec<String>,
    on_damage: String,
    decode_scale: Option<String>,
}

impl LoaderOptions {
    fn checked(self) -> recio_core::Result<Options> {
        let (channels, height, width) = self.data_shape;
        let labels = self.labels()?;
        Ok(Options {
            batch_size: natural("batch_size", self.batch_size)?,
            shape: Shape {
                channels: natural("data_shape[0]", channels)?,
                height: natural("data_shape[1]", height)?,
                width: natural("data_shape[2]", width)?,
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
            layout: layout(&self.layout)?,
            labels,
            label_list: self.path_imglist,
            masks: self.masks.map(|(files, indexes, fill)| MaskSource {
                files,
                indexes,
                fill,
            }),
            shuffle: self.shuffle,
            seed: self.seed,
            augment_seed: self.seed_aug,
            num_parts: natural("num_parts", self.num_parts)?,
            part_index: natural("part_index", self.part_index)?,
            shard_policy: shard_policy(&self.shard_policy)?,
            last_batch: last_batch(&self.last_batch)?,
            threads: natural("preprocess_threads", self.preprocess_threads)?,
            prefetch: natural("prefetch_buffer", self.prefetch_buffer)?,
            skip_damaged: self.skip_damaged,
            limits: limits_of(self.limits, Formats::of(&self.formats)?),
            fill_damage: fills_damage(&self.on_damage)?,
            decode_scale: scales_decoding(self.decode_scale.as_deref())?,
        })
    }

    fn labels(&self) -> recio_core::Result<LabelForm> {
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
                "label_form={other:?}; it is \"numbers\", \"row\" or \"table\""
            ))),
        }
    }
}

fn fills_damage(name: &str) -> recio_core::Result<bool> {
    match name {
        "error" => Ok(false),
        "fill" => Ok(true),
        other => Err(Error::argument(format!(
            "on_damage={other:?}; it is \"error\" or \"fill\""
        ))),
    }
}

fn scales_decoding(name: Option<&str>) -> recio_core::Result<bool> {
    match name {
        None => Ok(false),
        Some("auto") => Ok(true),
        Some(other) => Err(Error::argument(format!(
            "decode_scale={other:?}; it is \"auto\" or None"
        ))),
    }
}

fn layout(name: &str) -> recio_core::Result<Layout> {
    match name {
        "NCHW" => Ok(Layout::Nchw),
        "NHWC" => Ok(Layout::Nhwc),
        other => Err(Error::argument(format!(
            "layout={other:?}; it is \"NCHW\" or \"NHWC\""
        ))),
    }
}

fn last_batch(name: &str) -> recio_core::Result<LastBatch> {
    match name {
        "pad" => Ok(LastBatch::Wrap),
        "zeros" => Ok(LastBatch::Zeros),
        "discard" => Ok(LastBatch::Discard),
        "roll_over" => Ok(LastBatch::RollOver),
        other => Err(Error::argument(format!(
            "last_batch_handle={other:?}; it is \"pad\", \"discard\" or \"roll_over\""
        ))),
    }
}

fn shard_policy(name: &str) -> recio_core::Result<ShardPolicy> {
    match name {
        "pad" => Ok(ShardPolicy::Pad),
        "drop" => Ok(ShardPolicy::Drop),
        "uneven" => Ok(ShardPolicy::Uneven),
        other => Err(Error::argument(format!(
            "shard_policy={other:?}; it is \"pad\", \"drop\" or \"uneven\""
        ))),
    }
}

fn natural(name: &str, value: i64) -> recio_core::Result<usize> {
    usize::try_from(value)
        .map_err(|_| Error::argument(format!("{name}={value}; it must not be negative")))
}

/// An option that -1 turns off.
fn unless_minus_one(name: &str, value: i64) -> recio_core::Result<Option<usize>> {
    match value {
        -1 => Ok(None),
        ..-1 => Err(Error::argument(format!(
            "{name}={value}; it is at least 1, or -1"
        ))),
        _ => natural(name, value).map(Some),
    }
}

/// A running pipeline, by the type of its samples.
enum Running {
    Float32(ImageLoader<f32>),
    Float16(ImageLoader<f16>),
    Uint8(ImageLoader<u8>),
    Int8(ImageLoader<i8>),
}

/// The same expression for a pipeline of any type.
macro_rules! with {
    ($running:expr, $pipeline:ident => $body:expr) => {
        match $running {
            Running::Float32($pipeline) => $body,
            Running::Float16($pipeline) => $body,
            Running::Uint8($pipeline) => $body,
            Running::Int8($pipeline) => $body,
        }
    };
}

/// A hold on a running pipeline. If that was closed meanwhile, this may be the last one: then it waits for the threads,
/// and these may need the interpreter.
struct Hold(Option<Arc<Running>>);

impl std::ops::Deref for Hold {
    type Target = Running;

    fn deref(&self) -> &Running {
        self.0.as_ref().expect("it is held until it is dropped")
    }
}

impl Drop for Hold {
    fn drop(&mut self) {
        let running = self.0.take();
        Python::attach(|py| py.detach(|| drop(running)));
    }
}

/// Where a consumer is, as `state` gives it.
#[derive(FromPyObject)]
#[pyo3(from_item_all)]
struct Place {
    epoch: u64,
    base: u64,
    first: [u64; 2],
    batch: usize,
    at: [u64; 2],
    over: bool,
}

impl Place {
    fn position(&self) -> Position {
        let cursor = |[epoch, index]: [u64; 2]| Cursor {
            epoch,
            index: index as usize,
        };
        Position {
            epoch: self.epoch,
            base: self.base,
            first: cursor(self.first),
            delivered: self.batch,
            at: cursor(self.at),
            is_over: self.over,
        }
    }
}

/// Data, labels or masks, ids, pad.
type Parts<'py> = (
    Bound<'py, PyAny>,
    Bound<'py, PyAny>,
    Bound<'py, PyArray1<u64>>,
    usize,
);

/// Steps, flip, contrast and illumination, objects if there are any, and whether that is all.
type Planned<'py> = (
    Vec<Bound<'py, PyDict>>,
    bool,
    (f32, f32),
    Option<Bound<'py, PyArray2<f32>>>,
    bool,
);

/// Batches of decoded and augmented images. Safe to use from several threads: each batch goes to one of them.
#[pyclass(frozen, module = "recio._recio")]
pub(crate) struct ImagePipeline {
    running: Mutex<Option<Arc<Running>>>,
    /// The shape of a batch's data.
    shape: [usize; 4],
    /// The shape of its masks, if it has some.
    mask_shape: [usize; 3],
    /// The process that made it; its threads do not exist in a forked child.
    owner: Owner,
}

#[pymethods]
impl ImagePipeline {
    /// Batches of the records of files.
    #[staticmethod]
    fn of_records(
        py: Python<'_>,
        files: Vec<PathBuf>,
        indexes: Vec<PathBuf>,
        options: LoaderOptions,
    ) -> PyOutcome<Self> {
        Self::start(py, &Source::Records { files, indexes }, options)
    }

    /// Batches of files, each given by id, labels and path.
    #[staticmethod]
    fn of_images(
        py: Python<'_>,
        images: Vec<(u64, Vec<f32>, String)>,
        root: &SandboxedFolder,
        options: LoaderOptions,
    ) -> PyOutcome<Self> {
        let line = |(index, labels, path)| Line {
            index,
            labels,
            path,
        };
        let source = Source::Images {
            lines: images.into_iter().map(line).collect(),
            root: root.inner(),
        };
        Self::start(py, &source, options)
    }

    /// The next batch, or None at the end of the epoch.
    fn next<'py>(&self, py: Python<'py>) -> PyResult<Option<Parts<'py>>> {
        let running = self.running()?;
        with!(&*running, pipeline => self.wait(py, pipeline))
    }

    /// Begins a new epoch.
    fn reset(&self, py: Python<'_>) -> PyResult<()> {
        let running = self.running()?;
        py.detach(|| with!(&*running, pipeline => pipeline.reset()));
        Ok(())
    }

    /// Begins a new epoch, and forgets the samples that are left over.
    fn hard_reset(&self, py: Python<'_>) -> PyResult<()> {
        let running = self.running()?;
        py.detach(|| with!(&*running, pipeline => pipeline.hard_reset()));
        Ok(())
    }

    /// What is wrong with the samples that were passed over since this was asked last, as exceptions.
    fn take_damage<'py>(&self, py: Python<'py>) -> PyResult<Vec<Bound<'py, PyAny>>> {
        let running = self.running()?;
        let damage = with!(&*running, pipeline => pipeline.take_skipped());
        let raised = damage.iter().map(|error| raised(py, error));
        Ok(raised
            .map(|error| error.into_value(py).into_bound(py).into_any())
            .collect())
    }

    /// Where the consumer is.
    fn state<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let running = self.running()?;
        let at = with!(&*running, pipeline => pipeline.position());
        let state = PyDict::new(py);
        state.set_item("epoch", at.epoch)?;
        state.set_item("base", at.base)?;
        state.set_item("first", [at.first.epoch, at.first.index as u64])?;
        state.set_item("batch", at.delivered)?;
        state.set_item("at", [at.at.epoch, at.at.index as u64])?;
        state.set_item("over", at.is_over)?;
        Ok(state)
    }

    /// Goes on from where a consumer was.
    fn load(&self, py: Python<'_>, state: Place) -> PyResult<()> {
        let running = self.running()?;
        let position = state.position();
        py.detach(|| with!(&*running, pipeline => pipeline.go_to(position)))
            .map_err(Failure::from)?;
        Ok(())
    }

    /// The number of samples, the bytes of their files, and a digest: what tells them from others.
    fn fingerprint(&self, py: Python<'_>) -> PyResult<(usize, u64, u32)> {
        let running = self.running()?;
        let found = py
            .detach(|| with!(&*running, pipeline => pipeline.fingerprint()))
            .map_err(Failure::from)?;
        Ok((found.samples, found.bytes, found.digest))
    }

    /// What is done to an image in an epoch: its steps as far as they are known before pixels are, whether it is flipped
    /// at the end, its contrast and illumination, its objects if labels are of objects, and whether that is all.
    fn plan<'py>(&self, py: Python<'py>, record: usize, epoch: u64) -> PyResult<Planned<'py>> {
        let running = self.running()?;
        let planned = py
            .detach(|| with!(&*running, pipeline => pipeline.plan(record, epoch)))
            .map_err(Failure::from)?;
        Ok((
            describe(py, &planned.plan)?,
            planned.plan.mirror,
            (planned.gain.contrast, planned.gain.illumination),
            planned
                .boxes
                .map(|boxes| boxes_array(py, &boxes))
                .transpose()?,
            planned.is_complete,
        ))
    }

    /// Batches of the present epoch.
    fn __len__(&self) -> PyResult<usize> {
        Ok(with!(&*self.running()?, pipeline => pipeline.batches()))
    }

    /// Samples of an epoch.
    #[getter]
    fn samples(&self) -> PyResult<usize> {
        Ok(with!(&*self.running()?, pipeline => pipeline.samples()))
    }

    /// Labels a record.
    #[getter]
    fn label_width(&self) -> PyResult<usize> {
        Ok(with!(&*self.running()?, pipeline => pipeline.labels().width()))
    }

    /// The axes of a record's labels.
    #[getter]
    fn label_shape(&self) -> PyResult<Vec<usize>> {
        Ok(with!(&*self.running()?, pipeline => pipeline.labels().shape().to_vec()))
    }

    /// Why records are left out.
    #[getter]
    fn left_out(&self) -> PyResult<Vec<String>> {
        let reasons = |errors: &[Error]| errors.iter().map(Error::to_string).collect();
        Ok(with!(&*self.running()?, pipeline => reasons(pipeline.labels().skipped())))
    }

    /// Stops the threads and frees the memory that no array shows. A second call does nothing.
    fn close(&self, py: Python<'_>) {
        if !self.owner.is_here() {
            return;
        }
        let running = self.lock().take();
        if let Some(running) = running {
            with!(&*running, pipeline => pipeline.close());
            py.detach(|| drop(running));
        }
    }
}

impl ImagePipeline {
    fn start(py: Python<'_>, source: &Source, options: LoaderOptions) -> PyOutcome<Self> {
        let dtype = options.dtype.clone();
        let options = options.checked()?;
        let running = py.detach(|| start(source, &options, &dtype))?;
        let Shape {
            channels,
            height,
            width,
        } = options.shape;
        let shape = match options.layout {
            Layout::Nchw => [options.batch_size, channels, height, width],
            Layout::Nhwc => [options.batch_size, height, width, channels],
        };
        Ok(Self {
            running: Mutex::new(Some(Arc::new(running))),
            shape,
            mask_shape: [options.batch_size, height, width],
            owner: Owner::here(),
        })
    }

    fn running(&self) -> PyResult<Hold> {
        let advice = "its threads do not exist there: make the iterator after the fork";
        self.owner.check("iterator", advice)?;
        let running = self.lock().clone();
        if running.is_none() {
            return Err(PyValueError::new_err("the iterator is closed"));
        }
        Ok(Hold(running))
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Option<Arc<Running>>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wait<'py, T>(
        &self,
        py: Python<'py>,
        pipeline: &ImageLoader<T>,
    ) -> PyResult<Option<Parts<'py>>>
    where
        T: Element + numpy::Element,
    {
        loop {
            match py
                .detach(|| pipeline.next(PATIENCE))
                .map_err(Failure::from)?
            {
                Next::Batch(batch) => return self.parts(py, batch).map(Some),
                Next::End => return Ok(None),
                Next::Pending => py.check_signals()?,
            }
        }
    }

    fn parts<'py, T>(&self, py: Python<'py>, batch: Batch<T>) -> PyResult<Parts<'py>>
    where
        T: Element + numpy::Element,
    {
        let (data, _) = lend(py, batch.data, self.shape)?;
        let labels = match batch.masks {
            Some(masks) => lend(py, masks, self.mask_shape)?.0.into_any(),
            None => PyArray1::from_vec(py, batch.labels).into_any(),
        };
        Ok((
            data.into_any(),
            labels,
            PyArray1::from_vec(py, batch.ids),
            batch.pad,
        ))
    }
}

impl Drop for ImagePipeline {
    fn drop(&mut self) {
        let running = self.lock().take();
        if !self.owner.is_here() {
            // There are no threads to stop, and one of them may have held a lock when the process forked.
            std::mem::forget(running);
            return;
        }
        // Dropped with the interpreter let go of: the threads finish the images that they are at.
        Python::attach(|py| py.detach(|| drop(running)));
    }
}

fn start(source: &Source, options: &Options, dtype: &str) -> recio_core::Result<Running> {
    match dtype {
        "float32" => ImageLoader::start(source, options).map(Running::Float32),
        "float16" => ImageLoader::start(source, options).map(Running::Float16),
        "uint8" => ImageLoader::start(source, options).map(Running::Uint8),
        "int8" => ImageLoader::start(source, options).map(Running::Int8),
        other => Err(Error::argument(format!(
            "dtype={other:?}; it is float32, float16, uint8 or int8"
        ))),
    }
}
