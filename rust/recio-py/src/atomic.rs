//! `recio._staged`: files of Python's own that are there whole or not at all.

use std::ffi::OsString;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use recio_core::Error;
use recio_core::write::atomic::Staged;
use recio_core::write::file_system::sync_folder;

use crate::errors::{Failure, PyOutcome};

/// A file under a temporary name, to be opened by that and written. Its left-overs of killed processes are removed.
#[pyclass(frozen, module = "recio._recio")]
pub(crate) struct StagedFile(Mutex<Option<Staged>>);

#[pymethods]
impl StagedFile {
    #[new]
    fn new(py: Python<'_>, path: PathBuf) -> PyOutcome<Self> {
        let staged = py.detach(|| Staged::create(&path))?;
        Ok(Self(Mutex::new(Some(staged))))
    }

    /// The name that it has until it gets its own.
    #[getter]
    fn temporary(&self) -> PyResult<OsString> {
        let staged = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let staged = staged.as_ref().ok_or_else(gone)?;
        Ok(staged.temporary().as_os_str().to_owned())
    }

    /// Brings the file to the disk and gives it its name.
    fn commit(&self, py: Python<'_>) -> PyResult<()> {
        let staged = self.take().ok_or_else(gone)?;
        let commit = || {
            staged.sync()?;
            sync_folder(&staged.persist()?)
        };
        py.detach(commit)
            .map_err(|error: Error| Failure::from(error).into())
    }

    /// Removes the file, unless it has its name.
    fn discard(&self) {
        drop(self.take());
    }
}

impl StagedFile {
    fn take(&self) -> Option<Staged> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

fn gone() -> PyErr {
    PyValueError::new_err("the file has its name, or was removed")
}
