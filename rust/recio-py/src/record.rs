//! Readers, writers and indexes of `.rec` files, for `recio.recordio`.

use std::sync::{Mutex, PoisonError};

use numpy::{IntoPyArray, PyArray1, PyArrayMethods, PyReadonlyArray1};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::pybacked::PyBackedBytes;
use pyo3::types::PyBytes;
use recio_core::Result;
use recio_core::format::label::LabelType;
use recio_core::format::{frame, index};
use recio_core::progress::Interrupt;
use recio_core::read::face_property::FaceProperty;
use recio_core::read::face_set::{FaceSet, Layout};
use recio_core::read::list_file;
use recio_core::read::record_file::{RecordFile, explain_listed};
use recio_core::read::sidecar::load_index_of;
use recio_core::read::{header_table::HeaderTable, scan, sequential};
use recio_core::storage::location::Location;
use recio_core::write::file_writer::FileWriter;
use recio_core::write::sidecar::save_index;

use crate::convert::new_bytes;
use crate::errors::{PyRecioError, PyRecioResult};
use crate::fork_guard::ForkGuard;
use crate::location::StoragePath;
use crate::progress::run_interruptible;

/// Number of headers between two checks for Ctrl-C: a quarter of a second on a slow disk.
const KEYS_BETWEEN_SIGNALS: usize = 256;

/// Bytes of a small record, with its frame and the header of the next.
const MAX_SMALL: usize = 2048;

type HeaderArrays<'py> = (
    Bound<'py, PyArray1<u32>>,
    Bound<'py, PyArray1<u64>>,
    Bound<'py, PyArray1<u32>>,
    Bound<'py, PyArray1<f32>>,
    Bound<'py, PyArray1<bool>>,
);

/// Layout of a face data set, as `Reader.face_set` returns it.
#[derive(IntoPyObject)]
pub(crate) enum PyLayout<'py> {
    Faces((Bound<'py, PyArray1<u64>>, Bound<'py, PyArray1<u64>>)),
    Contradictory(String),
}

/// `.rec` file open for reading. Several threads may use it at once.
#[pyclass(frozen, module = "recio._recio")]
pub(crate) struct Reader(sequential::Reader);

#[pymethods]
impl Reader {
    /// With `shared`, a local file is closed in favor of others until it is read again.
    #[new]
    #[pyo3(signature = (path, shared=false))]
    fn new(py: Python<'_>, path: StoragePath, shared: bool) -> PyResult<Self> {
        let open = |_: &Interrupt<'_>| {
            let reader = sequential::Reader::open(path)?;
            if shared { reader.shared() } else { Ok(reader) }
        };
        run_interruptible(py, open).map(Self)
    }

    fn read<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyBytes>>> {
        let loaded = || self.0.read_loaded(|record| new_bytes(py, record));
        if let Some(record) = loaded().or_else(|| {
            py.detach(|| self.0.load(self.0.tell()));
            loaded()
        }) {
            return Ok(Some(record?));
        }
        let record = run_interruptible(py, |interrupt| self.0.read(interrupt))?;
        let copied = record.map(|record| new_bytes(py, &record));
        Ok(copied.transpose()?)
    }

    fn read_from<'py>(
        &self,
        py: Python<'py>,
        offset: u64,
    ) -> PyResult<Option<(Bound<'py, PyBytes>, u64)>> {
        let copy = |record: &[u8], next| Ok((new_bytes(py, record)?, next));
        let loaded = || self.0.loaded_at(offset, copy);
        if let Some(record) = loaded().or_else(|| {
            py.detach(|| self.0.load(offset));
            loaded()
        }) {
            return record.map(Some);
        }
        let record = run_interruptible(py, |interrupt| self.0.read_from(offset, interrupt))?;
        let copy = |(record, next): (Vec<u8>, u64)| Ok((new_bytes(py, &record)?, next));
        record.map(copy).transpose()
    }

    fn read_at<'py>(&self, py: Python<'py>, offset: u64) -> PyResult<Bound<'py, PyBytes>> {
        let record = run_interruptible(py, |_| self.0.read_at(offset, None))?;
        Ok(new_bytes(py, &record)?)
    }

    fn read_key<'py>(
        &self,
        py: Python<'py>,
        index: &Index,
        key: u64,
    ) -> PyResult<Bound<'py, PyBytes>> {
        if let Some(record) = self.read_small(py, index, key) {
            return record;
        }
        let read = |_: &Interrupt<'_>| {
            let offset = index.0.offset(key)?;
            let is_object = !self.0.file().is_local();
            let next = is_object.then(|| index.0.next_offset(offset)).flatten();
            self.0.read_at(offset, next).map_err(|error| {
                explain_listed(error, offset, None).at_record(index.0.rank(offset))
            })
        };
        let record = run_interruptible(py, read)?;
        Ok(new_bytes(py, &record)?)
    }

    fn seek(&self, offset: u64) {
        self.0.seek(offset);
    }

    fn tell(&self) -> u64 {
        self.0.tell()
    }

    /// Length of the file in bytes.
    #[getter]
    fn size(&self) -> u64 {
        self.0.file().len()
    }

    /// Returns the flags, ids, image sizes in bytes and concatenated labels of the records with
    /// these keys, which must be unique, and whether their headers are usual.
    fn headers<'py>(
        &self,
        py: Python<'py>,
        index: &Index,
        keys: PyReadonlyArray1<'py, u64>,
    ) -> PyResult<HeaderArrays<'py>> {
        let mut headers = HeaderTable::default();
        for keys in keys.to_vec()?.chunks(KEYS_BETWEEN_SIGNALS) {
            py.check_signals()?;
            run_interruptible(py, |_| headers.extend(self.0.file(), &index.0, keys))?;
        }
        Ok((
            headers.flags.into_pyarray(py),
            headers.ids.into_pyarray(py),
            headers.image_lens.into_pyarray(py),
            headers.labels.into_pyarray(py),
            headers.are_usual.into_pyarray(py),
        ))
    }

    /// Returns the keys of the images and of the identity records of a face data set, ascending;
    /// None for a plain record file, and for one whose header record is contradicted by the others
    /// the reason.
    fn face_set<'py>(&self, py: Python<'py>, index: &Index) -> PyResult<Option<PyLayout<'py>>> {
        let layout = run_interruptible(py, |_| FaceSet::find(self.0.file(), &index.0))?;
        let keys = |entries: &[index::Entry]| {
            let keys: Vec<u64> = entries.iter().map(|entry| entry.key).collect();
            keys.into_pyarray(py)
        };
        let entries = index.0.entries();
        Ok(match layout {
            Layout::Plain => None,
            Layout::Faces(faces) => Some(PyLayout::Faces((
                keys(&entries[faces.images.clone()]),
                keys(&entries[faces.identities.clone()]),
            ))),
            Layout::Contradictory(reason) => Some(PyLayout::Contradictory(
                FaceSet::contradiction(&reason).to_string(),
            )),
        })
    }

    /// Returns the range of the images of each identity record, as keys; nothing for a plain
    /// record file.
    fn identity_ranges(&self, py: Python<'_>, index: &Index) -> PyResult<Vec<(u64, u64)>> {
        let file = self.0.file();
        let read = |interrupt: &Interrupt<'_>| match FaceSet::find(file, &index.0)? {
            Layout::Faces(faces) => faces.identity_ranges(file, &index.0, interrupt),
            Layout::Plain | Layout::Contradictory(_) => Ok(Vec::new()),
        };
        let ranges = run_interruptible(py, read)?;
        Ok(ranges
            .iter()
            .map(|range| (range.start, range.end))
            .collect())
    }

    /// Returns the number of records, for which it reads all headers.
    fn count(&self, py: Python<'_>) -> PyResult<u64> {
        run_interruptible(py, |interrupt| scan::scan(self.0.file(), interrupt, |_| ()))
    }
}

impl Reader {
    /// Reads a small record of a local file, by one system call and one copy; none if it is another
    /// one, or there is an error, which reading it in the usual way returns.
    fn read_small<'py>(
        &self,
        py: Python<'py>,
        index: &Index,
        key: u64,
    ) -> Option<PyResult<Bound<'py, PyBytes>>> {
        let (offset, distance) = index.0.offset_and_distance(key).ok()?;
        let len = usize::try_from(distance?)
            .ok()?
            .checked_add(frame::HEADER_LEN)?;
        let mut buffer = [0; MAX_SMALL];
        let buffer = buffer.get_mut(..len)?;
        if !self.0.file().is_local() {
            return None;
        }
        let record = py.detach(|| self.0.read_small(offset, buffer))?;
        Some(new_bytes(py, record).map_err(Into::into))
    }
}

/// `.rec` file open for writing, and its `.idx` if it has one.
#[pyclass(frozen, module = "recio._recio")]
pub(crate) struct Writer {
    writer: Mutex<Option<FileWriter>>,
    /// A forked child has a copy of the buffered bytes, and must not write them again.
    fork_guard: ForkGuard,
}

#[pymethods]
impl Writer {
    /// Creates the files, or truncates existing ones.
    #[new]
    #[pyo3(signature = (rec, idx=None, checksum=false))]
    fn new(
        py: Python<'_>,
        rec: StoragePath,
        idx: Option<StoragePath>,
        checksum: bool,
    ) -> PyRecioResult<Self> {
        let (rec, idx) = (rec.into(), idx.map(Location::from));
        Ok(py
            .detach(|| FileWriter::create(&rec, idx.as_ref(), checksum))?
            .into())
    }

    /// Opens the files to append after the last record of the index, which is at `last`.
    #[staticmethod]
    fn append(
        py: Python<'_>,
        rec: StoragePath,
        idx: StoragePath,
        last: Option<u64>,
        checksum: bool,
    ) -> PyResult<Self> {
        let (rec, idx) = (rec.into(), idx.into());
        let append =
            |interrupt: &Interrupt<'_>| FileWriter::append(&rec, &idx, last, checksum, interrupt);
        Ok(run_interruptible(py, append)?.into())
    }

    /// Appends a record, and returns its offset. Without a key, the index does not list it.
    #[pyo3(signature = (record, key=None))]
    fn write(&self, py: Python<'_>, record: PyBackedBytes, key: Option<&str>) -> PyResult<u64> {
        self.fork_guard.check("writer", "open a new one")?;
        // A copy in memory is no reason to release the interpreter. A thread that has the lock may
        // wait for the interpreter.
        if let Ok(mut writer) = self.writer.try_lock()
            && let Some(writer) = writer
                .as_mut()
                .filter(|writer| writer.has_room(record.len()))
        {
            return Ok(writer.write(key, &record).map_err(PyRecioError::from)?);
        }
        self.with(py, |writer| writer.write(key, &record))
    }

    fn tell(&self, py: Python<'_>) -> PyResult<u64> {
        self.with(py, |writer| Ok(writer.tell()))
    }

    /// Writes the buffered bytes, syncs the files and closes them. A second call does nothing.
    fn close(&self, py: Python<'_>) -> PyResult<()> {
        if !self.fork_guard.is_owner() {
            return Ok(());
        }
        run_interruptible(py, |_| self.lock().take().map_or(Ok(()), FileWriter::close))
    }

    /// Closes local files. Objects do not appear.
    fn discard(&self, py: Python<'_>) -> PyResult<()> {
        if !self.fork_guard.is_owner() {
            return Ok(());
        }
        run_interruptible(py, |_| {
            self.lock().take().map_or(Ok(()), FileWriter::discard)
        })
    }
}

impl From<FileWriter> for Writer {
    fn from(writer: FileWriter) -> Self {
        Self {
            writer: Mutex::new(Some(writer)),
            fork_guard: ForkGuard::new(),
        }
    }
}

impl Writer {
    fn lock(&self) -> std::sync::MutexGuard<'_, Option<FileWriter>> {
        self.writer.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn with<T: Send>(
        &self,
        py: Python<'_>,
        work: impl FnOnce(&mut FileWriter) -> Result<T> + Send,
    ) -> PyResult<T> {
        self.fork_guard.check("writer", "open a new one")?;
        let outcome = run_interruptible(py, |_| self.lock().as_mut().map(work).transpose());
        outcome?.ok_or_else(|| PyValueError::new_err("the file is closed"))
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        if self.fork_guard.is_owner()
            && let Some(writer) = self.lock().take()
        {
            // An error cannot be reported here; `close` does.
            _ = writer.discard();
        }
    }
}

/// Contents of a `.idx` file, 16 bytes per record.
#[pyclass(frozen, module = "recio._recio")]
pub(crate) struct Index(index::Index);

#[pymethods]
impl Index {
    /// Reads the index of a record file.
    #[new]
    fn new(py: Python<'_>, path: StoragePath, reader: &Reader) -> PyResult<Self> {
        let path = path.into();
        let recs = std::slice::from_ref(reader.0.file());
        let load = |interrupt: &Interrupt<'_>| load_index_of(recs, &path, interrupt);
        run_interruptible(py, load).map(Self)
    }

    /// Makes the index of a record file from its records.
    #[staticmethod]
    fn scan(py: Python<'_>, reader: &Reader) -> PyResult<Self> {
        run_interruptible(py, |interrupt| {
            let (entries, _) = scan::rebuild_index(reader.0.file(), interrupt)?;
            index::Index::new(entries)
        })
        .map(Self)
    }

    fn __len__(&self) -> usize {
        self.0.len()
    }

    fn offset(&self, key: u64) -> PyRecioResult<u64> {
        Ok(self.0.offset(key)?)
    }

    /// Offset of the last record in the file; `None` if the index is empty.
    #[getter]
    fn last(&self) -> Option<u64> {
        self.0.entries().iter().map(|entry| entry.offset).max()
    }

    /// Returns all keys, in the order of the records in the file.
    fn keys<'py>(&self, py: Python<'py>) -> Bound<'py, PyArray1<u64>> {
        let keys = || {
            self.0
                .in_file_order()
                .iter()
                .map(|entry| entry.key)
                .collect::<Vec<_>>()
        };
        py.detach(keys).into_pyarray(py)
    }
}

/// Writes the index of a record file, or of its records with an image. Returns whether its keys are
/// the ids of the records.
#[pyfunction]
#[pyo3(signature = (rec_path, idx_path, images_only=false))]
pub(crate) fn rebuild_index(
    py: Python<'_>,
    rec_path: StoragePath,
    idx_path: StoragePath,
    images_only: bool,
) -> PyResult<bool> {
    let (rec_path, idx_path): (Location, Location) = (rec_path.into(), idx_path.into());
    run_interruptible(py, |interrupt| {
        let file = RecordFile::open(&rec_path)?;
        let rebuilt = if images_only {
            scan::rebuild_index_of_images(&file, interrupt)
        } else {
            scan::rebuild_index(&file, interrupt)
        };
        let (entries, source) = rebuilt.map_err(|error| {
            if error.is_damage() {
                error.advise("`recio repair` saves the complete records")
            } else {
                error
            }
        })?;
        scan::check_layout(&file, entries.clone())?;
        save_index(&entries, &idx_path)?;
        Ok(source == scan::KeySource::Ids)
    })
}

/// Returns the number of identities, the height and the width in the file `property` beside a
/// record file, if there is one.
#[pyfunction]
pub(crate) fn face_property(py: Python<'_>, rec: StoragePath) -> PyResult<Option<(u64, u64, u64)>> {
    let rec = rec.into();
    let property = run_interruptible(py, |_| FaceProperty::load(&rec))?;
    Ok(property.map(|property| (property.identities, property.height, property.width)))
}

/// Returns the index, the labels and the path of each line of a list, all of which must be valid.
#[pyfunction]
pub(crate) fn read_list(
    py: Python<'_>,
    path: StoragePath,
) -> PyResult<Vec<(u64, Vec<f64>, String)>> {
    let lines = run_interruptible(py, |_| list_file::load_strict(path, LabelType::Float64))?;
    let fields = lines
        .into_iter()
        .map(|line| (line.index, line.labels, line.path));
    Ok(fields.collect())
}
