//! `recio.files`: merging, splitting and shuffling record files.
//!
//! `progress` is called with the records done and all records. If it raises, or a signal's handler
//! does, nothing is written.

use pyo3::prelude::*;
use recio_core::tools as engine;

use crate::location::{StoragePath, locations};
use crate::progress::{done_and_total, run_with_progress};

/// Records, length, CRC32C, whether the records have new keys, and identities of a face data set.
type Row = (usize, u64, u32, bool, Option<usize>);

fn row(report: &engine::CopyReport) -> Row {
    let engine::CopyReport {
        records,
        bytes,
        crc32c,
        renumbered,
        identities,
    } = *report;
    (records, bytes, crc32c, renumbered, identities)
}

/// Merges files.
#[pyfunction]
pub(crate) fn merge_files(
    py: Python<'_>,
    files: Vec<StoragePath>,
    out: StoragePath,
    checksum: bool,
    progress: Option<Py<PyAny>>,
) -> PyResult<Row> {
    let (files, out) = (locations(files), out.into());
    let merged = run_with_progress(py, progress, done_and_total, |on_progress| {
        engine::merge(&files, &out, checksum, on_progress)
    })?;
    Ok(row(&merged))
}

/// Splits a file.
#[pyfunction]
pub(crate) fn split_file(
    py: Python<'_>,
    rec: StoragePath,
    outs: Vec<StoragePath>,
    manifest: StoragePath,
    checksum: bool,
    progress: Option<Py<PyAny>>,
) -> PyResult<Vec<Row>> {
    let (rec, outs, manifest) = (rec.into(), locations(outs), manifest.into());
    let written = run_with_progress(py, progress, done_and_total, |on_progress| {
        engine::split(&rec, &outs, &manifest, checksum, on_progress)
    })?;
    Ok(written.iter().map(row).collect())
}

/// Shuffles a file.
#[pyfunction]
pub(crate) fn shuffle_file(
    py: Python<'_>,
    rec: StoragePath,
    out: StoragePath,
    seed: u64,
    checksum: bool,
    progress: Option<Py<PyAny>>,
) -> PyResult<Row> {
    let (rec, out) = (rec.into(), out.into());
    let written = run_with_progress(py, progress, done_and_total, |on_progress| {
        engine::shuffle(&rec, &out, seed, checksum, on_progress)
    })?;
    Ok(row(&written))
}
