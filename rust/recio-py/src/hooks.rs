//! Samples supplied by Python: hooks of `recio.image.ImageIter` that read or decode.

use pyo3::exceptions::{
    PyFileNotFoundError, PyPermissionError, PyRuntimeError, PyStopIteration, PyTypeError,
};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyList};
use recio_core::loader::{SuppliedImage, SuppliedSample};
use recio_core::{Error, ErrorKind, Result};

use crate::convert::{image_of, numbers};
use crate::errors::{DecodeError, Raised, RecordError};
use crate::python_call::{attach, call};

/// The hooks, called in this order for each sample.
pub(crate) struct Hooks {
    /// `next_sample() -> (label, bytes)`, which raises `StopIteration` at the end of the epoch.
    pub(crate) next_sample: Py<PyAny>,
    /// `imdecode(bytes) -> image`, if images are decoded by Python.
    pub(crate) imdecode: Option<Py<PyAny>>,
    /// `check_valid_image([image])`, if decoded images are checked by Python.
    pub(crate) check_valid_image: Option<Py<PyAny>>,
}

impl Hooks {
    /// Calls the hooks for the next sample; none at the end of the epoch.
    ///
    /// # Errors
    /// The error of a hook: [`ErrorKind::Unreadable`] if the sample cannot be read or decoded,
    /// [`ErrorKind::Rejected`] if it is rejected, otherwise [`ErrorKind::UserFn`].
    pub(crate) fn supply(&self) -> Result<Option<SuppliedSample>> {
        attach(|py| {
            let Some((labels, data)) = self.read(py)? else {
                return Ok(None);
            };
            let Some(imdecode) = &self.imdecode else {
                let image = SuppliedImage::Encoded(bytes(&data).map_err(caller)?);
                return Ok(Some(SuppliedSample { labels, image }));
            };
            let Some(image) = unless_stopped(py, call(imdecode.bind(py), (data,)))? else {
                return Ok(None);
            };
            self.check(py, &image)?;
            let image = SuppliedImage::Decoded(image_of(&image, "imdecode").map_err(caller)?);
            Ok(Some(SuppliedSample { labels, image }))
        })
    }

    /// Reads the next sample: its labels, and its image as `next_sample` returned it.
    fn read<'py>(&self, py: Python<'py>) -> Result<Option<(Vec<f64>, Bound<'py, PyAny>)>> {
        let Some(sample) = unless_stopped(py, call(self.next_sample.bind(py), ()))? else {
            return Ok(None);
        };
        let pair = sample.extract::<(Bound<'py, PyAny>, Bound<'py, PyAny>)>();
        let (label, data) = pair.map_err(|_| {
            caller(PyTypeError::new_err(
                "next_sample must return a label, or labels, and the bytes of an image",
            ))
        })?;
        Ok(Some((numbers(&label).map_err(caller)?, data)))
    }

    fn check(&self, py: Python<'_>, image: &Bound<'_, PyAny>) -> Result<()> {
        let Some(check) = &self.check_valid_image else {
            return Ok(());
        };
        let outcome = PyList::new(py, [image]).and_then(|images| call(check.bind(py), (images,)));
        match outcome {
            Ok(_) => Ok(()),
            Err(error) if error.is_instance_of::<PyRuntimeError>(py) => {
                let reason = error.value(py).to_string();
                Err(Error::new(ErrorKind::Rejected(reason)))
            }
            Err(error) => Err(caller(error)),
        }
    }
}

/// Returns what a hook that reads or decodes returned; none if it raised `StopIteration`.
fn unless_stopped<'py>(
    py: Python<'py>,
    outcome: PyResult<Bound<'py, PyAny>>,
) -> Result<Option<Bound<'py, PyAny>>> {
    let error = match outcome {
        Ok(returned) => return Ok(Some(returned)),
        Err(error) => error,
    };
    if error.is_instance_of::<PyStopIteration>(py) {
        return Ok(None);
    }
    let is_unreadable = error.is_instance_of::<RecordError>(py)
        || error.is_instance_of::<DecodeError>(py)
        || error.is_instance_of::<PyFileNotFoundError>(py)
        || error.is_instance_of::<PyPermissionError>(py);
    Err(if is_unreadable {
        Error::new(ErrorKind::Unreadable(Box::new(Raised(error))))
    } else {
        caller(error)
    })
}

fn caller(error: PyErr) -> Error {
    Error::new(ErrorKind::UserFn(Box::new(Raised(error))))
}

/// Returns the bytes of an object that has some.
fn bytes(data: &Bound<'_, PyAny>) -> PyResult<Vec<u8>> {
    if let Ok(bytes) = data.cast::<PyBytes>() {
        return Ok(bytes.as_bytes().to_vec());
    }
    let bytes = call(&data.py().get_type::<PyBytes>(), (data,))?;
    Ok(bytes.cast::<PyBytes>()?.as_bytes().to_vec())
}
