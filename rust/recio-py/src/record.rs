//! `recio.recordio`: reading, writing and indexing `.rec` files.

use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use numpy::{IntoPyArray, PyArray1, PyArrayMethods, PyReadonlyArray1};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::pybacked::PyBackedBytes;
use pyo3::types::PyBytes;
use recio_core::format::index;
use recio_core::read::sidecar::load_index;
use recio_core::read::{header_table::HeaderTable, record_file::RecordFile, scan, sequential};
use recio_core::write::in_place::InPlaceWriter;
use recio_core::write::sidecar::save_index;
use recio_core::{Error, Result};

use crate::errors::{Failure, PyOutcome};
use crate::fork_guard::Owner;

/// Reading headers stops this often to see whether the user wants to: after a second or so, on a slow disk.
const KEYS_BETWEEN_SIGNALS: usize = 1024;

type HeaderArrays<'py> = (
    Bound<'py, PyArray1<u32>>,
    Bound<'py, PyArray1<u64>>,
    Bound<'py, PyArray1<u32>>,
    Bound<'py, PyArray1<f32>>,
);

/// A `.rec` file open for reading. Safe to use from several threads at once.
#[pyclass(frozen, module = "recio._recio")]
pub(crate) struct Reader(sequential::Reader);

#[pymethods]
impl Reader {
    #[new]
    fn new(py: Python<'_>, path: PathBuf) -> PyOutcome<Self> {
        Ok(Self(py.detach(|| sequential::Reader::open(&path))?))
    }

    fn read<'py>(&self, py: Python<'py>) -> PyOutcome<Option<Bound<'py, PyBytes>>> {
        let record = py.detach(|| self.0.read())?;
        Ok(record.map(|record| PyBytes::new(py, &record)))
    }

    fn read_from<'py>(
        &self,
        py: Python<'py>,
        offset: u64,
    ) -> PyOutcome<Option<(Bound<'py, PyBytes>, u64)>> {
        let found = py.detach(|| self.0.read_from(offset))?;
        Ok(found.map(|(record, next)| (PyBytes::new(py, &record), next)))
    }

    fn read_at<'py>(&self, py: Python<'py>, offset: u64) -> PyOutcome<Bound<'py, PyBytes>> {
        let record = py.detach(|| self.0.read_at(offset))?;
        Ok(PyBytes::new(py, &record))
    }

    fn read_key<'py>(
        &self,
        py: Python<'py>,
        index: &Index,
        key: u64,
    ) -> PyOutcome<Bound<'py, PyBytes>> {
        let read = || {
            let offset = index.0.offset(key)?;
            self.0
                .read_at(offset)
                .map_err(|error| error.at_record(index.0.rank(offset)))
        };
        let record = py.detach(read)?;
        Ok(PyBytes::new(py, &record))
    }

    fn seek(&self, offset: u64) {
        self.0.seek(offset);
    }

    fn tell(&self) -> u64 {
        self.0.tell()
    }

    /// The length of the file in bytes.
    #[getter]
    fn size(&self) -> u64 {
        self.0.file().len()
    }

    /// Flags, ids, bytes of image and, one after another, labels of the records with these keys, which all differ.
    fn headers<'py>(
        &self,
        py: Python<'py>,
        index: &Index,
        keys: PyReadonlyArray1<'py, u64>,
    ) -> PyResult<HeaderArrays<'py>> {
        let mut headers = HeaderTable::default();
        for keys in keys.to_vec()?.chunks(KEYS_BETWEEN_SIGNALS) {
            py.check_signals()?;
            py.detach(|| headers.extend(self.0.file(), &index.0, keys))
                .map_err(Failure::from)?;
        }
        Ok((
            headers.flags.into_pyarray(py),
            headers.ids.into_pyarray(py),
            headers.image_lens.into_pyarray(py),
            headers.labels.into_pyarray(py),
        ))
    }

    /// The number of records, found by hopping through the file.
    fn count(&self, py: Python<'_>) -> PyOutcome<u64> {
        Ok(py.detach(|| scan::scan(self.0.file(), |_| ()))?)
    }
}

/// A `.rec` file open for writing, and its `.idx` if it gets one.
#[pyclass(frozen, module = "recio._recio")]
pub(crate) struct Writer {
    writer: Mutex<Option<InPlaceWriter>>,
    /// The process that opened it. A forked child has a copy of what is still buffered, and must not write it again.
    owner: Owner,
}

#[pymethods]
impl Writer {
    /// Empties the files, or makes them.
    #[new]
    #[pyo3(signature = (rec, idx=None, checksum=false))]
    fn new(py: Python<'_>, rec: PathBuf, idx: Option<PathBuf>, checksum: bool) -> PyOutcome<Self> {
        Ok(py
            .detach(|| InPlaceWriter::create(&rec, idx.as_deref(), checksum))?
            .into())
    }

    /// Goes on behind the last record that the index lists, at `last`.
    #[staticmethod]
    fn append(
        py: Python<'_>,
        rec: PathBuf,
        idx: PathBuf,
        last: Option<u64>,
        checksum: bool,
    ) -> PyOutcome<Self> {
        Ok(py
            .detach(|| InPlaceWriter::append(&rec, &idx, last, checksum))?
            .into())
    }

    /// Appends a record; without a key, the index does not list it.
    #[pyo3(signature = (record, key=None))]
    fn write(&self, py: Python<'_>, record: PyBackedBytes, key: Option<&str>) -> PyResult<u64> {
        self.with(py, |writer| writer.write(key, &record))
    }

    fn tell(&self, py: Python<'_>) -> PyResult<u64> {
        self.with(py, |writer| Ok(writer.tell()))
    }

    /// Writes all that is buffered, syncs the files and closes them. A second call does nothing.
    fn close(&self, py: Python<'_>) -> PyOutcome<()> {
        if !self.owner.is_here() {
            return Ok(());
        }
        let close = || self.lock().take().map_or(Ok(()), InPlaceWriter::close);
        Ok(py.detach(close)?)
    }
}

impl From<InPlaceWriter> for Writer {
    fn from(writer: InPlaceWriter) -> Self {
        Self {
            writer: Mutex::new(Some(writer)),
            owner: Owner::here(),
        }
    }
}

impl Writer {
    fn lock(&self) -> std::sync::MutexGuard<'_, Option<InPlaceWriter>> {
        self.writer.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn with<T: Send>(
        &self,
        py: Python<'_>,
        work: impl FnOnce(&mut InPlaceWriter) -> Result<T> + Send,
    ) -> PyResult<T> {
        self.owner.check("writer", "open a new one")?;
        let outcome = py.detach(|| self.lock().as_mut().map(work));
        let outcome = outcome.ok_or_else(|| PyValueError::new_err("the file is closed"))?;
        Ok(outcome.map_err(Failure::from)?)
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        if self.owner.is_here()
            && let Some(writer) = self.lock().take()
        {
            // Nobody is left to hear of an error; `close` reports it.
            _ = writer.close();
        }
    }
}

/// A `.idx` file in memory, 16 bytes a record.
#[pyclass(frozen, module = "recio._recio")]
pub(crate) struct Index(index::Index);

#[pymethods]
impl Index {
    #[new]
    #[pyo3(signature = (path, rec_len=None))]
    fn new(py: Python<'_>, path: PathBuf, rec_len: Option<u64>) -> PyOutcome<Self> {
        Ok(Self(py.detach(|| load_index(&path, rec_len))?))
    }

    fn __len__(&self) -> usize {
        self.0.len()
    }

    fn offset(&self, key: u64) -> PyOutcome<u64> {
        Ok(self.0.offset(key)?)
    }

    /// The offset of the record that stands last in the file; none if the index is empty.
    #[getter]
    fn last(&self) -> Option<u64> {
        self.0.entries().iter().map(|entry| entry.offset).max()
    }

    /// All keys, in the order of the records in the file.
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

/// Writes the index of a record file; gives whether its keys are the records' own ids.
#[pyfunction]
pub(crate) fn rebuild_index(
    py: Python<'_>,
    rec_path: PathBuf,
    idx_path: PathBuf,
) -> PyOutcome<bool> {
    Ok(py.detach(|| {
        let (entries, keys) = scan::rebuild_index(&RecordFile::open(&rec_path)?)?;
        save_index(&entries, &idx_path)?;
        Ok::<_, Error>(keys == scan::KeySource::Ids)
    })?)
}
