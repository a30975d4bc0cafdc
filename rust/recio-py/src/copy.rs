//! `recio.files`: merging, splitting and shuffling record files.
//!
//! `progress` is called with the records done and all records. If it raises, or a signal's handler does, nothing is written.

use std::path::PathBuf;

use pyo3::prelude::*;
use recio_core::tools::{self as engine, Progress};

use crate::progress::watched;

/// Gives the number of records, the length of the file, and whether it was necessary to number the records anew.
#[pyfunction]
pub(crate) fn merge_files(
    py: Python<'_>,
    files: Vec<PathBuf>,
    out: PathBuf,
    checksum: bool,
    progress: Option<Py<PyAny>>,
) -> PyResult<(usize, u64, bool)> {
    let merged = watched(py, progress, |tell| {
        engine::merge(&files, &out, checksum, &mut |at| tell(&numbers(at)))
    })?;
    let engine::Merged {
        written,
        renumbered,
    } = merged;
    Ok((written.records, written.bytes, renumbered))
}

/// Gives the number of records and the length of each file.
#[pyfunction]
pub(crate) fn split_file(
    py: Python<'_>,
    rec: PathBuf,
    outs: Vec<PathBuf>,
    checksum: bool,
    progress: Option<Py<PyAny>>,
) -> PyResult<Vec<(usize, u64)>> {
    let written = watched(py, progress, |tell| {
        engine::split(&rec, &outs, checksum, &mut |at| tell(&numbers(at)))
    })?;
    Ok(written
        .iter()
        .map(|part| (part.records, part.bytes))
        .collect())
}

/// Gives the number of records and the length of the file.
#[pyfunction]
pub(crate) fn shuffle_file(
    py: Python<'_>,
    rec: PathBuf,
    out: PathBuf,
    seed: u64,
    checksum: bool,
    progress: Option<Py<PyAny>>,
) -> PyResult<(usize, u64)> {
    let written = watched(py, progress, |tell| {
        engine::shuffle(&rec, &out, seed, checksum, &mut |at| tell(&numbers(at)))
    })?;
    Ok((written.records, written.bytes))
}

fn numbers(at: Progress) -> [usize; 2] {
    [at.done, at.total]
}
