//! Locations of files, as Python passes them.

use std::path::PathBuf;

use pyo3::prelude::*;
use recio_core::storage::location::Location;

/// Where a file is: a path, or a URL.
#[derive(FromPyObject)]
#[pyo3(transparent)]
pub(crate) struct StoragePath(PathBuf);

impl From<StoragePath> for Location {
    fn from(path: StoragePath) -> Self {
        path.0.into()
    }
}

/// Returns the locations of several files.
pub(crate) fn locations(paths: Vec<StoragePath>) -> Vec<Location> {
    paths.into_iter().map(Location::from).collect()
}
