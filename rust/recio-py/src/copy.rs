//! `recio.files`: merging, splitting and shuffling record files.
//!
//! `progress` is called with the records done and all records. If it raises, or a signal's handler
//! does, nothing is written.

use std::path::PathBuf;

use pyo3::prelude::*;
use recio_core::tools as engine;

use crate::progress::{done_and_total, run_with_progress};

/// Returns the number of records, the length of the file, and whether it was necessary to number
/// the records anew.
#[pyfunction]
pub(crate) fn merge_files(
    py: Python<'_>,
    files: Vec<PathBuf>,
    out: PathBuf,
    checksum: bool,
    progress: Option<Py<PyAny>>,
) -> PyResult<(usize, u64, bool)> {
    let merged = run_with_progress(py, progress, done_and_total, |on_progress| {
        engine::merge(&files, &out, checksum, on_progress)
    })?;
    Ok((merged.records, merged.bytes, merged.renumbered))
}

/// Returns the number of records and the length of each file.
#[pyfunction]
pub(crate) fn split_file(
    py: Python<'_>,
    rec: PathBuf,
    outs: Vec<PathBuf>,
    checksum: bool,
    progress: Option<Py<PyAny>>,
) -> PyResult<Vec<(usize, u64)>> {
    let written = run_with_progress(py, progress, done_and_total, |on_progress| {
        engine::split(&rec, &outs, checksum, on_progress)
    })?;
    Ok(written
        .iter()
        .map(|part| (part.records, part.bytes))
        .collect())
}

/// Returns the number of records and the length of the file.
#[pyfunction]
pub(crate) fn shuffle_file(
    py: Python<'_>,
    rec: PathBuf,
    out: PathBuf,
    seed: u64,
    checksum: bool,
    progress: Option<Py<PyAny>>,
) -> PyResult<(usize, u64)> {
    let written = run_with_progress(py, progress, done_and_total, |on_progress| {
        engine::shuffle(&rec, &out, seed, checksum, on_progress)
    })?;
    Ok((written.records, written.bytes))
}
