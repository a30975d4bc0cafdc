//! Root folder of the image files of a list, for `recio.image`.

use std::path::PathBuf;

use pyo3::prelude::*;
use pyo3::types::PyBytes;
use recio_core::dataset::image_files;
use recio_core::storage::sandboxed_folder;

use crate::convert::new_bytes;
use crate::errors::PyRecioResult;

/// Folder that the paths of a list are relative to, and whether they may leave it.
#[pyclass(frozen, module = "recio._recio")]
pub(crate) struct SandboxedFolder(sandboxed_folder::SandboxedFolder);

#[pymethods]
impl SandboxedFolder {
    #[new]
    fn new(py: Python<'_>, folder: PathBuf, allow_outside: bool) -> PyRecioResult<Self> {
        Ok(Self(py.detach(|| {
            sandboxed_folder::SandboxedFolder::new(&folder, allow_outside)
        })?))
    }

    /// Returns the bytes of an image file.
    fn read<'py>(&self, py: Python<'py>, path: &str) -> PyRecioResult<Bound<'py, PyBytes>> {
        let mut image = Vec::new();
        let read = py.detach(|| image_files::read(&self.0, path, &mut image));
        read.map_err(|error| error.at_path(&self.0.full_path(path)))?;
        new_bytes(py, &image)
    }
}

impl SandboxedFolder {
    pub(crate) fn inner(&self) -> sandboxed_folder::SandboxedFolder {
        self.0.clone()
    }
}
