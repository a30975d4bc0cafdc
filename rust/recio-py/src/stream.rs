//! Records of streams, for `recio.recordio`.

use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyInt};
use recio_core::format::frame as format;
use recio_core::read::stream::{self, Parsed};

use crate::errors::{PyRecioError, PyRecioResult};

/// Parser of records, which is fed with bytes.
#[pyclass(frozen, module = "recio._recio")]
pub(crate) struct RecordStream {
    stream: Mutex<stream::RecordStream>,
    /// Name of the stream, for errors.
    name: Option<PathBuf>,
}

#[pymethods]
impl RecordStream {
    #[new]
    #[pyo3(signature = (name=None))]
    fn new(name: Option<PathBuf>) -> Self {
        Self {
            stream: Mutex::default(),
            name,
        }
    }

    fn feed(&self, bytes: &[u8]) {
        self.lock().feed(bytes);
    }

    fn finish(&self) {
        self.lock().finish();
    }

    /// Returns the next record; the number of bytes that are needed for it; or None at the end.
    fn parse_next<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        let parsed = py.detach(|| self.lock().parse_next());
        let parsed = parsed.map_err(|error| match &self.name {
            Some(name) => error.at_path(name),
            None => error,
        });
        Ok(match parsed.map_err(PyRecioError::from)? {
            Parsed::Record(record) => Some(PyBytes::new(py, &record).into_any()),
            Parsed::NeedsMore(bytes) => Some(PyInt::new(py, bytes).into_any()),
            Parsed::End => None,
        })
    }
}

impl RecordStream {
    fn lock(&self) -> std::sync::MutexGuard<'_, stream::RecordStream> {
        self.stream.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Returns the frame of a record.
#[pyfunction]
pub(crate) fn frame<'py>(py: Python<'py>, record: &[u8]) -> PyRecioResult<Bound<'py, PyBytes>> {
    let mut frame = Vec::new();
    format::encode(record, &mut frame).map_err(recio_core::Error::from)?;
    Ok(PyBytes::new(py, &frame))
}
