//! File systems of the caller's as stores, by way of `recio._file_systems`.

use std::fmt;
use std::io;
use std::path::Path;
use std::sync::Arc;

use pyo3::exceptions::{PyException, PyOSError};
use pyo3::prelude::*;
use pyo3::pybacked::PyBackedBytes;
use pyo3::types::PyTuple;
use recio_core::error::ErrorKind;
use recio_core::storage::store::{Object, Store, Upload};
use recio_core::storage::url;
use recio_core::{Error, Result};

use crate::errors::{Raised, RecordError};
use crate::python_call::{attach, call};

/// File system of the caller's: an object of `recio._file_systems`.
#[derive(Clone)]
pub(crate) struct FileSystem(Arc<Py<PyAny>>);

impl FileSystem {
    pub(crate) fn new(object: Py<PyAny>) -> Self {
        Self(Arc::new(object))
    }

    /// Calls a method, and converts its result.
    fn call<A, T>(&self, method: &str, url: &Path, arguments: A) -> Result<T>
    where
        A: for<'py> IntoPyObject<'py, Target = PyTuple>,
        T: for<'a, 'py> FromPyObject<'a, 'py, Error: Into<PyErr>>,
    {
        attach(|py| {
            let method = self.0.bind(py).getattr(method);
            let returned = method.and_then(|method| call(&method, arguments));
            let converted = returned.and_then(|value| value.extract().map_err(Into::into));
            converted.map_err(|raised| failure(py, raised, url))
        })
    }
}

impl fmt::Debug for FileSystem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("FileSystem")
    }
}

impl Store for FileSystem {
    fn open(&self, url: &Path) -> Result<Arc<dyn Object>> {
        let (len, identity) = self.call("stat", url, (url.as_os_str(),))?;
        Ok(Arc::new(FileOfSystem {
            system: self.clone(),
            url: url.into(),
            len,
            identity,
        }))
    }

    fn create(&self, _: &Path) -> Result<Box<dyn Upload>> {
        let text =
            "recio reads from filesystem=, and does not write: write a local file, and upload it";
        Err(io::Error::new(io::ErrorKind::Unsupported, text).into())
    }
}

/// File of a file system. Each read is a call of a Python function.
#[derive(Debug)]
struct FileOfSystem {
    system: FileSystem,
    url: Box<Path>,
    len: u64,
    identity: Option<String>,
}

impl Object for FileOfSystem {
    fn len(&self) -> u64 {
        self.len
    }

    fn identity(&self) -> Option<&str> {
        self.identity.as_deref()
    }

    fn read_exact_at(&self, bytes: &mut [u8], offset: u64) -> Result<()> {
        if bytes.is_empty() {
            return Ok(());
        }
        let end = offset.saturating_add(bytes.len() as u64);
        let arguments = (self.url.as_os_str(), offset, end, self.identity());
        let read: PyBackedBytes = self.system.call("read", &self.url, arguments)?;
        if read.len() != bytes.len() {
            return Err(Error::corrupt(format!(
                "the file system returned {} bytes at byte {offset}, expected {}",
                read.len(),
                bytes.len()
            )));
        }
        bytes.copy_from_slice(&read);
        Ok(())
    }
}

/// Converts an exception of a file system. What is no `Exception`, such as Ctrl-C, is raised as it
/// is.
fn failure(py: Python<'_>, raised: PyErr, url: &Path) -> Error {
    if raised.is_instance_of::<RecordError>(py) {
        return Error::corrupt(raised.value(py).to_string());
    }
    if !raised.is_instance_of::<PyException>(py) {
        return Error::new(ErrorKind::UserFn(Box::new(Raised(raised))));
    }
    let shown = url::without_credentials(url);
    let shown = shown.to_string_lossy();
    let text = text_of(py, &raised).replace(&*url.to_string_lossy(), &shown);
    let kind = io::Error::from(raised).kind();
    io::Error::new(kind, url::without_credentials_in(&text)).into()
}

/// Returns the text of an exception, of an error of the operating system without its number.
fn text_of(py: Python<'_>, raised: &PyErr) -> String {
    let value = raised.value(py);
    let reason = value.getattr("strerror").ok();
    let reason = reason.filter(|_| raised.is_instance_of::<PyOSError>(py));
    if let Some(reason) = reason.and_then(|reason| reason.extract::<String>().ok()) {
        return reason;
    }
    let text = raised.to_string();
    // What obstore adds for itself.
    text.split("\n\nDebug source")
        .next()
        .unwrap_or_default()
        .to_owned()
}
