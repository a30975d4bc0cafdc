//! `recio.io`: CSV and `LibSVM` files.

use std::path::PathBuf;

use numpy::ndarray::Array2;
use numpy::{Element, IntoPyArray};
use pyo3::IntoPyObjectExt;
use pyo3::prelude::*;
use pyo3::types::PyBytes;
use recio_core::text::{self, Position, Read, SparseRows, TextFile, Value};

use crate::errors::{PyRecioError, PyRecioResult};

/// Index of a file, and offset in it.
type Start = (usize, u64);

/// A [`text::Span`]: start, lines, rows, fill and expected bytes.
type Span = (Start, usize, usize, Option<(Start, usize)>, usize);

/// Number of lines, and the position after them.
type Passed = (usize, Start);

/// Samples, None if a line is not plain; number of lines, and the position after them.
type Samples<'py> = (Option<Bound<'py, PyAny>>, usize, Start);

/// Text files with a sample in each line, read as one.
#[pyclass(frozen, module = "recio._recio")]
pub(crate) struct TextFiles(text::TextFiles);

#[pymethods]
impl TextFiles {
    /// Opens files; those of a copy have the sizes and times of modification of the original.
    #[new]
    #[pyo3(signature = (paths, comment=None, states=None))]
    fn new(
        py: Python<'_>,
        paths: Vec<PathBuf>,
        comment: Option<u8>,
        states: Option<Vec<(u64, i64)>>,
    ) -> PyRecioResult<Self> {
        let Some(states) = states else {
            let files = py.detach(|| text::TextFiles::open(&paths, comment));
            return Ok(Self(files?));
        };
        let file = |(path, (len, modified))| TextFile {
            path,
            len,
            modified,
        };
        let files = paths.into_iter().zip(states).map(file).collect();
        Ok(Self(text::TextFiles { files, comment }))
    }

    /// Returns the arguments that copies and pickles are made with.
    fn __getnewargs__(&self) -> (Vec<&PathBuf>, Option<u8>, Vec<(u64, i64)>) {
        let files = &self.0.files;
        let states = files.iter().map(|file| (file.len, file.modified));
        (self.paths(), self.0.comment, states.collect())
    }

    #[getter]
    fn paths(&self) -> Vec<&PathBuf> {
        self.0.files.iter().map(|file| &file.path).collect()
    }

    /// Raises an error if a file has changed since it was opened.
    fn check(&self, py: Python<'_>) -> PyRecioResult<()> {
        Ok(py.detach(|| self.0.check())?)
    }

    /// Moves on by a number of lines.
    fn skip(&self, py: Python<'_>, start: Start, lines: usize) -> PyRecioResult<Passed> {
        let skip = || self.0.for_each(position(start), lines, usize::MAX, |_| ());
        let (lines, end) = py.detach(skip)?;
        Ok((lines, (end.file, end.offset)))
    }

    /// Returns positions and bytes of lines.
    fn read<'py>(
        &self,
        py: Python<'py>,
        start: Start,
        lines: usize,
    ) -> PyRecioResult<Vec<(Start, Bound<'py, PyBytes>)>> {
        let mut reader = self.0.lines(position(start), 0);
        let mut read = Vec::new();
        while read.len() < lines
            && let Some(line) = reader.next()?
        {
            let start = (line.start.file, line.start.offset);
            read.push((start, PyBytes::new(py, line.bytes)));
        }
        Ok(read)
    }

    /// Reads rows of numbers, separated by commas.
    fn read_dense<'py>(
        &self,
        py: Python<'py>,
        span: Span,
        width: usize,
        dtype: &str,
        are_labels: bool,
    ) -> PyRecioResult<Samples<'py>> {
        match dtype {
            "<f4" => self.dense::<f32>(py, span, width, are_labels),
            "<i4" => self.dense::<i32>(py, span, width, are_labels),
            _ => self.dense::<i64>(py, span, width, are_labels),
        }
    }

    /// Reads labels and rows of a sparse matrix: starts of the rows, columns and values.
    fn read_sparse<'py>(
        &self,
        py: Python<'py>,
        span: Span,
        width: usize,
    ) -> PyResult<Samples<'py>> {
        let read = py.detach(|| text::read_sparse(&self.0, span_of(span), width));
        let Read {
            samples,
            lines,
            end,
        } = read.map_err(PyRecioError::from)?;
        let arrays = |rows: SparseRows| {
            let arrays = (
                rows.labels.into_pyarray(py),
                rows.starts.into_pyarray(py),
                rows.columns.into_pyarray(py),
                rows.values.into_pyarray(py),
            );
            arrays.into_bound_py_any(py)
        };
        let samples = samples.map(arrays).transpose()?;
        Ok((samples, lines, (end.file, end.offset)))
    }
}

impl TextFiles {
    fn dense<'py, T: Value + Element>(
        &self,
        py: Python<'py>,
        span: Span,
        width: usize,
        are_labels: bool,
    ) -> PyRecioResult<Samples<'py>> {
        let span = span_of(span);
        let read = || text::read_dense::<T>(&self.0, span, width, are_labels);
        let Read {
            samples,
            lines,
            end,
        } = py.detach(read)?;
        let array = samples.map(|values| {
            Array2::from_shape_vec((span.rows, width), values)
                .expect("the rows have this shape")
                .into_pyarray(py)
                .into_any()
        });
        Ok((array, lines, (end.file, end.offset)))
    }
}

fn span_of((start, lines, rows, fill, expected_bytes): Span) -> text::Span {
    text::Span {
        start: position(start),
        lines,
        rows,
        fill: fill.map(|(start, lines)| (position(start), lines)),
        expected_bytes,
    }
}

fn position((file, offset): Start) -> Position {
    Position { file, offset }
}
