//! `recio._util`: files that Python reads, and text of files and names in messages.

use std::fs::File;
use std::path::PathBuf;

use pyo3::prelude::*;
use recio_core::Error;
use recio_core::format::content;
use recio_core::storage::regular;

use crate::errors::PyRecioResult;

/// Opens a regular file for reading, and returns its descriptor.
#[pyfunction]
pub(crate) fn open_regular(py: Python<'_>, path: PathBuf) -> PyRecioResult<i32> {
    let file = py.detach(|| regular::open_regular(&path));
    let file = file.map_err(|error| Error::from(error).at_path(&path))?;
    Ok(std::os::fd::IntoRawFd::into_raw_fd(file))
}

/// Opens a file for appending, creates it if it does not exist, and returns its descriptor.
#[pyfunction]
pub(crate) fn open_append(py: Python<'_>, path: PathBuf) -> PyRecioResult<i32> {
    let open = || {
        let mut options = File::options();
        regular::open_for_writing(&path, options.append(true).create(true))
    };
    let file = py.detach(open);
    let file = file.map_err(|error| Error::from(error).at_path(&path))?;
    Ok(std::os::fd::IntoRawFd::into_raw_fd(file))
}

/// Returns what to do about a path that is a URL, where only local files are opened.
#[pyfunction]
pub(crate) fn remote_advice(path: PathBuf) -> Option<&'static str> {
    recio_core::error::remote_advice(&path)
}

/// Escapes control characters.
#[pyfunction]
pub(crate) fn printable(text: &str) -> String {
    recio_core::printable::printable(text).into_owned()
}

/// Returns what a file is, by its first 512 bytes, and what the user can do about it.
#[pyfunction]
pub(crate) fn identify(start: &[u8]) -> Option<(&'static str, Option<&'static str>)> {
    content::identify(start).map(|content| (content.name, content.advice))
}
