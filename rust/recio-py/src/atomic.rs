//! `recio._atomic`: files that are complete under their names, or not there at all.

use std::ffi::OsString;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use recio_core::Error;
use recio_core::write::atomic;
use recio_core::write::file_system::sync_folder;

use crate::errors::{PyRecioError, PyRecioResult};

/// A file under a temporary name, which Python opens and writes.
///
/// Temporary files that killed processes left for the same path are removed.
#[pyclass(frozen, module = "recio._recio")]
pub(crate) struct AtomicFile(Mutex<Option<atomic::AtomicFile>>);

#[pymethods]
impl AtomicFile {
    #[new]
    fn new(py: Python<'_>, path: PathBuf) -> PyRecioResult<Self> {
        let file = py.detach(|| atomic::AtomicFile::create(&path))?;
        Ok(Self(Mutex::new(Some(file))))
    }

    /// The path until `commit`.
    #[getter]
    fn temporary_path(&self) -> PyResult<OsString> {
        let file = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let file = file.as_ref().ok_or_else(finished_error)?;
        Ok(file.temporary_path().as_os_str().to_owned())
    }

    /// Syncs the file and renames it to its path.
    fn commit(&self, py: Python<'_>) -> PyResult<()> {
        let file = self.take().ok_or_else(finished_error)?;
        let commit = || {
            file.sync()?;
            sync_folder(&file.persist()?)
        };
        py.detach(commit)
            .map_err(|error: Error| PyRecioError::from(error).into())
    }

    /// Removes the file, unless it was committed.
    fn discard(&self) {
        drop(self.take());
    }
}

impl AtomicFile {
    fn take(&self) -> Option<atomic::AtomicFile> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

fn finished_error() -> PyErr {
    PyValueError::new_err("the file was committed or discarded already")
}
