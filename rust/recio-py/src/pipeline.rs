//! `recio._recio.ImagePipeline`: the loader of `recio.io` and `recio.image`.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant};

use half::f16;
use numpy::{PyArray1, PyArray2};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyString};
use recio_core::Error;
use recio_core::format::label::LabelType;
use recio_core::format::list::Line;
use recio_core::loader::buffer::{Buffer, Pod};
use recio_core::loader::buffer_pool::Batch;
use recio_core::loader::{
    Cursor, ImageLoader, Loader, Next, Options, Position, Shape, Source, StoredImage,
};
use recio_core::progress::Interrupt;
use recio_core::render::normalize::Element;
use recio_core::render::slot_writer::Layout;

use crate::array::lend;
use crate::convert::{boxes_array, new_bytes};
use crate::errors::{PyRecioError, raised};
use crate::fork_guard::ForkGuard;
use crate::hooks::Hooks;
use crate::loader_options::LoaderOptions;
use crate::location::{StoragePath, locations};
use crate::process_end::iterator_closed;
use crate::progress::run_interruptible;
use crate::python_call::attach;
use crate::sandboxed_folder::SandboxedFolder;
use crate::step::describe;

/// Interval between checks for signals: Ctrl-C is handled within this time.
const TIMEOUT: Duration = Duration::from_millis(100);

/// Data, labels or masks, ids if the samples have some, pad.
type PyBatch<'py> = (
    Bound<'py, PyAny>,
    Bound<'py, PyAny>,
    Option<Bound<'py, PyArray1<u64>>>,
    usize,
);

/// Steps, mirror, contrast and illumination, boxes if labels are objects, and whether nothing
/// follows.
type PyPreview<'py> = (
    Vec<Bound<'py, PyDict>>,
    bool,
    (f32, f32),
    Option<Bound<'py, PyArray2<f32>>>,
    bool,
);

/// Samples, bytes and digest of the samples; digest of a list of labels; samples, bytes, digest and
/// fill value of masks; digests of the identities of the objects with samples and with masks.
type PyFingerprint = (
    (usize, u64, u32),
    Option<u32>,
    Option<(usize, u64, u32, u8)>,
    (Option<u32>, Option<u32>),
);

/// Labels, and an encoded image or the path of an image file.
type PySample<'py> = (Bound<'py, PyAny>, Bound<'py, PyAny>);

/// Shapes of a batch's data and masks.
#[derive(Clone, Copy)]
pub(crate) struct BatchShapes {
    pub(crate) data: [usize; 4],
    masks: [usize; 3],
    label_type: LabelType,
}

impl BatchShapes {
    pub(crate) fn new(options: &Options) -> Self {
        let Shape {
            channels,
            height,
            width,
        } = options.shape;
        Self {
            data: match options.layout {
                Layout::Nchw => [options.batch_size, channels, height, width],
                Layout::Nhwc => [options.batch_size, height, width, channels],
            },
            masks: [options.batch_size, height, width],
            label_type: options.label_type,
        }
    }
}

/// A loader of batches of any type.
trait PyLoader: Loader {
    /// Waits for the next batch; none at the end of the epoch.
    fn next_batch<'py>(
        &self,
        py: Python<'py>,
        shapes: BatchShapes,
    ) -> PyResult<Option<PyBatch<'py>>>;

    /// Makes the next batch of supplied samples; none at the end of the epoch.
    fn next_supplied_batch<'py>(
        &self,
        py: Python<'py>,
        shapes: BatchShapes,
        hooks: &Hooks,
    ) -> PyResult<Option<PyBatch<'py>>>;
}

impl<T: Element + numpy::Element> PyLoader for ImageLoader<T> {
    fn next_batch<'py>(
        &self,
        py: Python<'py>,
        shapes: BatchShapes,
    ) -> PyResult<Option<PyBatch<'py>>> {
        loop {
            match py
                .detach(|| self.next(TIMEOUT))
                .map_err(PyRecioError::from)?
            {
                Next::Batch(batch) => return py_batch(py, batch, shapes).map(Some),
                Next::End => return Ok(None),
                Next::Pending => py.check_signals()?,
            }
        }
    }

    fn next_supplied_batch<'py>(
        &self,
        py: Python<'py>,
        shapes: BatchShapes,
        hooks: &Hooks,
    ) -> PyResult<Option<PyBatch<'py>>> {
        let next = py.detach(|| self.next_supplied(&mut || hooks.supply()));
        match next.map_err(PyRecioError::from)? {
            Next::Batch(batch) => py_batch(py, batch, shapes).map(Some),
            Next::End | Next::Pending => Ok(None),
        }
    }
}

/// Opens a loader of batches of this type.
fn open(
    source: &Source,
    options: &Options,
    dtype: &str,
    interrupt: &Interrupt<'_>,
) -> recio_core::Result<Arc<dyn PyLoader>> {
    Ok(match dtype {
        "float32" => Arc::new(ImageLoader::<f32>::open(source, options, interrupt)?),
        "float16" => Arc::new(ImageLoader::<f16>::open(source, options, interrupt)?),
        "uint8" => Arc::new(ImageLoader::<u8>::open(source, options, interrupt)?),
        "int8" => Arc::new(ImageLoader::<i8>::open(source, options, interrupt)?),
        other => {
            return Err(Error::argument(format!(
                "dtype must be float32, float16, uint8 or int8, got {other:?}"
            )));
        }
    })
}

fn py_batch<T: Element + numpy::Element>(
    py: Python<'_>,
    batch: Batch<T>,
    shapes: BatchShapes,
) -> PyResult<PyBatch<'_>> {
    let (data, _) = lend(py, batch.data, shapes.data)?;
    let labels = match batch.masks {
        Some(masks) => lend(py, masks, shapes.masks)?.0.into_any(),
        None => label_array(py, &batch.labels, shapes.label_type)?,
    };
    let has_ids = !batch.ids.is_empty();
    let ids = has_ids.then(|| aligned_array(py, batch.ids.into_iter()));
    Ok((data.into_any(), labels, ids.transpose()?, batch.pad))
}

/// Returns labels as an array of their type.
fn label_array<'py>(
    py: Python<'py>,
    labels: &[f64],
    label_type: LabelType,
) -> PyResult<Bound<'py, PyAny>> {
    let labels = labels.iter().copied();
    Ok(match label_type {
        LabelType::Float32 => aligned_array(py, labels.map(|label| label as f32))?.into_any(),
        LabelType::Float64 => aligned_array(py, labels)?.into_any(),
    })
}

/// Returns values as an array that is aligned as the data are.
fn aligned_array<T: numpy::Element + Pod + Default + Sync>(
    py: Python<'_>,
    values: impl ExactSizeIterator<Item = T>,
) -> PyResult<Bound<'_, PyArray1<T>>> {
    let mut buffer = Buffer::new(values.len()).map_err(PyRecioError::from)?;
    buffer
        .iter_mut()
        .zip(values)
        .for_each(|(slot, value)| *slot = value);
    let len = buffer.len();
    Ok(lend(py, buffer, [len])?.0)
}

/// A reference to an open loader. If the pipeline was closed meanwhile, it may be the last one;
/// dropping it then waits for the threads, which may need the interpreter.
struct OpenLoader(Option<Arc<dyn PyLoader>>);

impl std::ops::Deref for OpenLoader {
    type Target = dyn PyLoader;

    fn deref(&self) -> &Self::Target {
        &**self.0.as_ref().expect("it is there until it is dropped")
    }
}

impl Drop for OpenLoader {
    fn drop(&mut self) {
        let loader = self.0.take();
        attach(|py| py.detach(|| drop(loader)));
    }
}

/// Position of a consumer, as `state` returns it.
#[derive(FromPyObject)]
#[pyo3(from_item_all)]
struct PyPosition {
    epoch: u64,
    base: u64,
    first: [u64; 2],
    batch: usize,
    at: [u64; 2],
    over: bool,
}

impl From<PyPosition> for Position {
    fn from(position: PyPosition) -> Self {
        let cursor = |[epoch, index]: [u64; 2]| Cursor {
            epoch,
            index: index as usize,
        };
        Self {
            epoch: position.epoch,
            base: position.base,
            first: cursor(position.first),
            delivered: position.batch,
            at: cursor(position.at),
            is_over: position.over,
        }
    }
}

/// Batches of decoded and augmented images. Several threads may use it at once: each batch goes to
/// one of them.
#[pyclass(frozen, module = "recio._recio")]
pub(crate) struct ImagePipeline {
    loader: Mutex<Option<Arc<dyn PyLoader>>>,
    /// The same loader. It may exist after it was closed here, as long as another thread waits for
    /// a batch.
    running: Weak<dyn PyLoader>,
    shapes: BatchShapes,
    /// The process that opened it; its threads do not exist in a forked child.
    fork_guard: ForkGuard,
}

#[pymethods]
impl ImagePipeline {
    /// Opens record files.
    #[staticmethod]
    fn of_records(
        py: Python<'_>,
        files: Vec<StoragePath>,
        indexes: Vec<StoragePath>,
        options: LoaderOptions,
    ) -> PyResult<Self> {
        Self::open(
            py,
            &Source::Records {
                files: locations(files),
                indexes: locations(indexes),
            },
            options,
        )
    }

    /// Opens a list of image files.
    #[staticmethod]
    fn of_list(
        py: Python<'_>,
        path: StoragePath,
        root: &SandboxedFolder,
        options: LoaderOptions,
    ) -> PyResult<Self> {
        let (path, root) = (path.into(), root.inner());
        Self::open(py, &Source::List { path, root }, options)
    }

    /// Opens image files, each given by id, labels and path.
    #[staticmethod]
    fn of_images(
        py: Python<'_>,
        images: Vec<(u64, Vec<f64>, String)>,
        root: &SandboxedFolder,
        options: LoaderOptions,
    ) -> PyResult<Self> {
        let line = |(index, labels, path)| Line {
            index,
            labels,
            path,
        };
        let source = Source::Images {
            lines: images.into_iter().map(line).collect(),
            root: root.inner(),
        };
        Self::open(py, &source, options)
    }

    /// Starts the threads, which make batches ahead. Otherwise the first call of `next` does.
    fn start(&self, py: Python<'_>) -> PyResult<()> {
        let loader = self.loader()?;
        py.detach(|| loader.start()).map_err(PyRecioError::from)?;
        Ok(())
    }

    /// Returns the next batch, or None at the end of the epoch.
    fn next<'py>(&self, py: Python<'py>) -> PyResult<Option<PyBatch<'py>>> {
        self.loader()?.next_batch(py, self.shapes)
    }

    /// Makes the next batch of samples from hooks, in this thread, and returns it; None at the end
    /// of the epoch.
    #[pyo3(signature = (next_sample, imdecode=None, check_valid_image=None))]
    fn next_supplied<'py>(
        &self,
        py: Python<'py>,
        next_sample: Py<PyAny>,
        imdecode: Option<Py<PyAny>>,
        check_valid_image: Option<Py<PyAny>>,
    ) -> PyResult<Option<PyBatch<'py>>> {
        let hooks = Hooks {
            next_sample,
            imdecode,
            check_valid_image,
        };
        self.loader()?.next_supplied_batch(py, self.shapes, &hooks)
    }

    /// Returns the labels of the next sample in epoch order, and its encoded image or, of an image
    /// file, its path; None at the end of the epoch.
    fn next_sample<'py>(&self, py: Python<'py>) -> PyResult<Option<PySample<'py>>> {
        let loader = self.loader()?;
        let sample = py
            .detach(|| loader.next_sample())
            .map_err(PyRecioError::from)?;
        let Some(sample) = sample else {
            return Ok(None);
        };
        let image = match sample.image {
            StoredImage::Encoded(bytes) => new_bytes(py, &bytes)?.into_any(),
            StoredImage::Path(path) => PyString::new(py, &path).into_any(),
        };
        let labels = label_array(py, &sample.labels, self.shapes.label_type)?;
        Ok(Some((labels, image)))
    }

    /// Whether hooks supplied samples that `next_sample` did not read, so that the state does not
    /// tell which ones follow.
    #[getter]
    fn has_foreign_samples(&self) -> PyResult<bool> {
        Ok(self.loader()?.has_foreign_samples())
    }

    /// Begins the next epoch.
    fn reset(&self, py: Python<'_>) -> PyResult<()> {
        let loader = self.loader()?;
        py.detach(|| loader.reset());
        Ok(())
    }

    /// Begins the next epoch, and drops the samples left over from the present one.
    fn hard_reset(&self, py: Python<'_>) -> PyResult<()> {
        let loader = self.loader()?;
        py.detach(|| loader.hard_reset());
        Ok(())
    }

    /// Takes the errors of the samples skipped since the last call, as exceptions.
    fn take_skipped<'py>(&self, py: Python<'py>) -> PyResult<Vec<Bound<'py, PyAny>>> {
        let errors = self.loader()?.take_skipped();
        let exceptions = errors.iter().map(|error| raised(py, error).into_value(py));
        Ok(exceptions
            .map(|exception| exception.into_bound(py).into_any())
            .collect())
    }

    /// Returns the position of the consumer.
    fn state<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let position = self.loader()?.position();
        let cursor = |at: Cursor| [at.epoch, at.index as u64];
        let state = PyDict::new(py);
        state.set_item("epoch", position.epoch)?;
        state.set_item("base", position.base)?;
        state.set_item("first", cursor(position.first))?;
        state.set_item("batch", position.delivered)?;
        state.set_item("at", cursor(position.at))?;
        state.set_item("over", position.is_over)?;
        Ok(state)
    }

    /// Goes on from the position of a consumer of a shard.
    fn load(&self, py: Python<'_>, state: PyPosition, part_index: usize) -> PyResult<()> {
        let loader = self.loader()?;
        py.detach(|| loader.go_to(state.into(), part_index))
            .map_err(PyRecioError::from)?;
        Ok(())
    }

    /// Number of the epoch.
    #[getter]
    fn epoch(&self) -> PyResult<u64> {
        Ok(self.loader()?.position().epoch)
    }

    /// Goes to the beginning of an epoch, unless the consumer is within it.
    fn set_epoch(&self, py: Python<'_>, epoch: u64) -> PyResult<()> {
        let loader = self.loader()?;
        py.detach(|| loader.set_epoch(epoch))
            .map_err(PyRecioError::from)?;
        Ok(())
    }

    /// Returns the fingerprint of the samples: their number, the bytes of their files, and a
    /// digest; then the digest of a list of labels, and the fingerprint of masks, with their fill
    /// value, if there are any.
    fn fingerprint(&self, py: Python<'_>) -> PyResult<PyFingerprint> {
        let loader = self.loader()?;
        let fingerprint = run_interruptible(py, |_| loader.fingerprint())?;
        let samples = fingerprint.samples;
        let masks_objects = fingerprint.masks.and_then(|(masks, _)| masks.objects);
        let masks = fingerprint
            .masks
            .map(|(masks, fill)| (masks.samples, masks.bytes, masks.digest, fill));
        Ok((
            (samples.samples, samples.bytes, samples.digest),
            fingerprint.labels,
            masks,
            (samples.objects, masks_objects),
        ))
    }

    /// Returns what will be done to an image in an epoch, as far as it is known before the image is
    /// decoded.
    fn plan<'py>(&self, py: Python<'py>, record: usize, epoch: u64) -> PyResult<PyPreview<'py>> {
        let loader = self.loader()?;
        let preview = run_interruptible(py, |_| loader.preview(record, epoch))?;
        let boxes = preview.boxes.map(|boxes| boxes_array(py, &boxes));
        Ok((
            describe(py, &preview.plan)?,
            preview.plan.mirror,
            (preview.gain.contrast, preview.gain.illumination),
            boxes.transpose()?,
            preview.is_complete,
        ))
    }

    /// Returns the number of batches of the present epoch.
    fn __len__(&self) -> PyResult<usize> {
        Ok(self.loader()?.batches())
    }

    /// Number of samples of an epoch.
    #[getter]
    fn samples(&self) -> PyResult<usize> {
        Ok(self.loader()?.samples())
    }

    /// Number of identity records of face data sets, which are no samples.
    #[getter]
    fn identities(&self) -> PyResult<usize> {
        Ok(self.loader()?.identities())
    }

    /// Number of record files whose records are those of an index beside them that is not named.
    #[getter]
    fn indexes_beside(&self) -> PyResult<usize> {
        Ok(self.loader()?.indexes_beside())
    }

    /// The samples of the present epoch in order, by their numbers in the files.
    fn epoch_order(&self, py: Python<'_>) -> PyResult<Vec<usize>> {
        let loader = self.loader()?;
        let order = py.detach(|| loader.epoch_order());
        Ok(order.map_err(PyRecioError::from)?)
    }

    /// Labels of a sample.
    #[getter]
    fn label_width(&self) -> PyResult<usize> {
        Ok(self.loader()?.labels().width())
    }

    /// Axes of a sample's labels.
    #[getter]
    fn label_shape(&self) -> PyResult<Vec<usize>> {
        Ok(self.loader()?.labels().shape().to_vec())
    }

    /// Warnings about labels that look wrong.
    #[getter]
    fn warnings(&self) -> PyResult<Vec<String>> {
        Ok(self.loader()?.labels().warnings().to_vec())
    }

    /// Why samples are skipped from the beginning.
    #[getter]
    fn skipped_from_start(&self) -> PyResult<Vec<String>> {
        let loader = self.loader()?;
        Ok(loader
            .labels()
            .skipped()
            .iter()
            .map(Error::to_string)
            .collect())
    }

    /// Stops the threads, waits for them, and frees the memory that no array refers to. A second
    /// call has no effect.
    fn close(&self, py: Python<'_>) -> PyResult<()> {
        if !self.fork_guard.is_owner() {
            return Ok(());
        }
        let Some(loader) = self.lock().take() else {
            return Ok(());
        };
        let loader = OpenLoader(Some(loader));
        // A thread that has a lock may wait for the interpreter.
        py.detach(|| loader.close());
        while !py.detach(|| loader.wait_for_threads(TIMEOUT)) {
            py.check_signals()
                .inspect_err(|_| loader.abandon_threads())?;
        }
        Ok(())
    }

    /// Stops the threads without waiting for them. Asking for a batch is then an error.
    fn stop(&self, py: Python<'_>) {
        if let Some(loader) = self.running() {
            py.detach(|| loader.close());
        }
    }

    /// Waits for at most this many seconds until the threads have ended, after `stop`. Those that
    /// have not are never waited for again.
    fn join(&self, py: Python<'_>, seconds: f64) -> PyResult<()> {
        let Some(loader) = self.running() else {
            return Ok(());
        };
        let deadline = Instant::now() + Duration::try_from_secs_f64(seconds).unwrap_or_default();
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            if py.detach(|| loader.wait_for_threads(left.min(TIMEOUT))) {
                return Ok(());
            }
            let signals = py.check_signals();
            if left.is_zero() || signals.is_err() {
                loader.abandon_threads();
                return signals;
            }
        }
    }
}

impl ImagePipeline {
    fn open(py: Python<'_>, source: &Source, options: LoaderOptions) -> PyResult<Self> {
        let dtype = options.dtype.clone();
        let options = options.parse(py)?;
        let loader = run_interruptible(py, |interrupt| open(source, &options, &dtype, interrupt))?;
        Ok(Self {
            running: Arc::downgrade(&loader),
            loader: Mutex::new(Some(loader)),
            shapes: BatchShapes::new(&options),
            fork_guard: ForkGuard::new(),
        })
    }

    fn loader(&self) -> PyResult<OpenLoader> {
        let advice = "its threads do not exist there: make the iterator after the fork";
        self.fork_guard.check("iterator", advice)?;
        let loader = self.lock().clone();
        if loader.is_none() {
            return Err(iterator_closed());
        }
        Ok(OpenLoader(loader))
    }

    /// Returns the loader, closed or not, unless it was dropped or belongs to another process.
    fn running(&self) -> Option<OpenLoader> {
        let loader = self.running.upgrade()?;
        if self.fork_guard.is_owner() {
            return Some(OpenLoader(Some(loader)));
        }
        std::mem::forget(loader);
        None
    }

    fn lock(&self) -> MutexGuard<'_, Option<Arc<dyn PyLoader>>> {
        self.loader.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for ImagePipeline {
    fn drop(&mut self) {
        let loader = self.lock().take();
        if !self.fork_guard.is_owner() {
            // There are no threads to stop, and one of them may have held a lock when the process
            // forked.
            std::mem::forget(loader);
            return;
        }
        // The interpreter is released meanwhile, as threads may need it to finish their present
        // images.
        attach(|py| py.detach(|| drop(loader)));
    }
}
