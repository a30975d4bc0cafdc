//! `recio.files`: verifying, repairing and summarising record files. What is found comes as
//! dictionaries.
//!
//! `progress` is called with the bytes done and all bytes. If it raises, or a signal's handler
//! does, nothing is written.

use std::collections::BTreeMap;

use pyo3::prelude::*;
use recio_core::limits::Formats;
use recio_core::storage::location::Location;
use recio_core::tools::{self as engine, Problem};

use crate::convert::limits_of;
use crate::errors::PyRecioError;
use crate::location::StoragePath;
use crate::progress::{done_and_total, run_with_progress};

/// Kind, reason, record, id, offset and end of a problem.
type Row = (
    &'static str,
    String,
    Option<u64>,
    Option<u64>,
    Option<u64>,
    Option<u64>,
);

/// Result for `recio.files.verify`.
#[derive(IntoPyObject)]
pub(crate) struct Verified {
    records: u64,
    bytes: u64,
    has_index: bool,
    has_checksums: bool,
    unlisted: u64,
    identities: Option<usize>,
    problems: Vec<Row>,
    counts: BTreeMap<&'static str, u64>,
}

/// Result for `recio.files.repair`.
#[derive(IntoPyObject)]
pub(crate) struct Repaired {
    records: usize,
    bytes: u64,
    keys: &'static str,
    skipped: Vec<(u64, u64, String)>,
    unused: Vec<String>,
}

/// Result for `recio.files.info`.
#[derive(IntoPyObject)]
pub(crate) struct Info {
    records: u64,
    bytes: u64,
    damaged: u64,
    no_records: Option<String>,
    indexed: Option<usize>,
    identities: Option<usize>,
    has_checksums: bool,
    ids: Option<(u64, u64)>,
    has_unique_ids: bool,
    label_widths: BTreeMap<usize, u64>,
    labels: Option<(f32, f32)>,
    formats: BTreeMap<&'static str, u64>,
    widths: Option<(usize, usize)>,
    heights: Option<(usize, usize)>,
    image_bytes: Option<(usize, usize)>,
}

/// Looks at all of a record file.
#[pyfunction]
#[allow(clippy::too_many_arguments, reason = "one for each keyword")]
pub(crate) fn verify_file(
    py: Python<'_>,
    rec: StoragePath,
    idx: Option<StoragePath>,
    decode: bool,
    threads: usize,
    limits: (usize, usize, usize, usize),
    formats: Vec<String>,
    progress: Option<Py<PyAny>>,
) -> PyResult<Verified> {
    let formats = Formats::of(&formats).map_err(PyRecioError::from)?;
    let options = engine::VerifyOptions {
        index: idx.map(Location::from),
        decode,
        threads,
        limits: limits_of(limits, formats),
    };
    let rec = rec.into();
    let report = run_with_progress(py, progress, done_and_total, |on_progress| {
        engine::verify(&rec, &options, on_progress)
    })?;
    let counts = report.counts.into_iter();
    Ok(Verified {
        records: report.records,
        bytes: report.bytes,
        has_index: report.has_index,
        has_checksums: report.has_checksums,
        unlisted: report.unlisted,
        identities: report.identities,
        problems: report.problems.into_iter().map(row).collect(),
        counts: counts.map(|(kind, count)| (kind.name(), count)).collect(),
    })
}

/// Copies the whole records of a file into another.
#[pyfunction]
pub(crate) fn repair_file(
    py: Python<'_>,
    rec: StoragePath,
    idx: Option<StoragePath>,
    out: StoragePath,
    progress: Option<Py<PyAny>>,
) -> PyResult<Repaired> {
    let (rec, idx, out) = (rec.into(), idx.map(Location::from), out.into());
    let repaired = run_with_progress(py, progress, done_and_total, |on_progress| {
        engine::repair(&rec, idx.as_ref(), &out, on_progress)
    })?;
    let skipped = repaired.skipped.into_iter();
    Ok(Repaired {
        records: repaired.records,
        bytes: repaired.bytes,
        keys: repaired.keys.name(),
        skipped: skipped
            .map(|region| (region.begin, region.end, region.reason))
            .collect(),
        unused: repaired.unused,
    })
}

/// Summarises a record file.
#[pyfunction]
pub(crate) fn info_of_file(
    py: Python<'_>,
    rec: StoragePath,
    idx: Option<StoragePath>,
    progress: Option<Py<PyAny>>,
) -> PyResult<Info> {
    let (rec, idx) = (rec.into(), idx.map(Location::from));
    let info = run_with_progress(py, progress, done_and_total, |on_progress| {
        engine::info(&rec, idx.as_ref(), on_progress)
    })?;
    Ok(Info {
        records: info.records,
        bytes: info.bytes,
        damaged: info.damaged,
        no_records: info.no_records,
        indexed: info.indexed,
        identities: info.identities,
        has_checksums: info.has_checksums,
        ids: info.ids,
        has_unique_ids: info.has_unique_ids,
        label_widths: info.label_widths,
        labels: info.labels,
        formats: info.formats,
        widths: info.widths,
        heights: info.heights,
        image_bytes: info.image_bytes,
    })
}

fn row(problem: Problem) -> Row {
    let kind = problem.kind.name();
    (
        kind,
        problem.reason,
        problem.record,
        problem.id,
        problem.offset,
        problem.end,
    )
}
