//! `recio.files`: record files that appear when they are complete.

use std::collections::HashSet;
use std::sync::{Mutex, PoisonError};

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::pybacked::PyBackedBytes;
use recio_core::Error;
use recio_core::format::{checksum, frame};
use recio_core::read::file_checksum;
use recio_core::write::record_output::{RecordOutput, commit};

use crate::fork_guard::ForkGuard;
use crate::location::StoragePath;
use crate::progress::run_interruptible;

/// A `.rec` file with its `.idx` and, with `checksum`, its `.rsum`, while they are written.
#[pyclass(frozen, module = "recio._recio")]
pub(crate) struct RecordFileOutput {
    output: Mutex<Option<(RecordOutput, HashSet<u64>)>>,
    /// A forked child has a copy of the buffered bytes, and must not remove the files.
    fork_guard: ForkGuard,
}

#[pymethods]
impl RecordFileOutput {
    #[new]
    fn new(py: Python<'_>, rec: StoragePath, checksum: bool) -> PyResult<Self> {
        let output = run_interruptible(py, |_| RecordOutput::create(rec, checksum))?;
        Ok(Self {
            output: Mutex::new(Some((output, HashSet::new()))),
            fork_guard: ForkGuard::new(),
        })
    }

    /// Appends a record, unless the file has some and would be longer than `max_bytes`; returns
    /// whether it did.
    fn append(
        &self,
        py: Python<'_>,
        key: u64,
        record: PyBackedBytes,
        max_bytes: u64,
    ) -> PyResult<bool> {
        self.check_owner()?;
        run_interruptible(py, |_| {
            let mut output = self.lock();
            let Some((output, keys)) = output.as_mut() else {
                return Ok(None);
            };
            let len = output.bytes() + frame::encoded_len(&record) as u64;
            if output.records() > 0 && len > max_bytes {
                return Ok(Some(false));
            }
            if !keys.insert(key) {
                let text = format!("the shard has a record with the key {key} already");
                return Err(Error::argument(text));
            }
            output.append(key, &record).map(|()| Some(true))
        })?
        .ok_or_else(finished_error)
    }

    /// Lets the files appear; returns the number of records, the length and the CRC32C.
    fn commit(&self, py: Python<'_>) -> PyResult<(usize, u64, u32)> {
        self.check_owner()?;
        let (output, _) = self.lock().take().ok_or_else(finished_error)?;
        run_interruptible(py, |_| {
            let report = (output.records(), output.bytes(), output.crc32c());
            commit(vec![output.prepare()?])?;
            Ok(report)
        })
    }

    /// Removes the files, unless they have appeared.
    fn discard(&self, py: Python<'_>) {
        if self.fork_guard.is_owner() {
            py.detach(|| drop(self.lock().take()));
        }
    }
}

impl RecordFileOutput {
    fn lock(&self) -> std::sync::MutexGuard<'_, Option<(RecordOutput, HashSet<u64>)>> {
        self.output.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn check_owner(&self) -> PyResult<()> {
        self.fork_guard
            .check("writer", "create one in each process")
    }
}

impl Drop for RecordFileOutput {
    fn drop(&mut self) {
        if !self.fork_guard.is_owner() {
            std::mem::forget(self.lock().take());
        }
    }
}

/// Returns the CRC32C of a file.
#[pyfunction]
pub(crate) fn crc32c(py: Python<'_>, path: StoragePath) -> PyResult<u32> {
    let location = path.into();
    run_interruptible(py, |interrupt| file_checksum::crc32c(&location, interrupt))
}

/// Returns the CRC32C of bytes.
#[pyfunction]
pub(crate) fn crc32c_of_bytes(bytes: &[u8]) -> u32 {
    checksum::crc(bytes)
}

fn finished_error() -> PyErr {
    PyValueError::new_err("the file was committed or discarded already")
}
