//! Errors of the core → Python exceptions. The only mapping; see `recio.errors` for its public side.

use pyo3::create_exception;
use pyo3::exceptions::{PyKeyError, PyOSError, PyValueError};
use pyo3::prelude::*;
use recio_core::{Error, ErrorKind};

create_exception!(
    recio,
    RecordError,
    PyValueError,
    "A record, an index or a list is damaged."
);
create_exception!(
    recio,
    DecodeError,
    PyValueError,
    "An image cannot be decoded or encoded, or is larger than the limits."
);

/// An error of the core on its way to Python: lets `?` do the mapping.
pub(crate) struct Failure(Error);

/// What a function of the binding returns.
pub(crate) type PyOutcome<T> = Result<T, Failure>;

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self(error)
    }
}

impl From<Failure> for PyErr {
    fn from(Failure(error): Failure) -> Self {
        Python::attach(|py| raised(py, &error))
    }
}

/// The exception that tells of an error.
pub(crate) fn raised(py: Python<'_>, error: &Error) -> PyErr {
    let exception = exception(py, error);
    let outcome = match error.kind() {
        ErrorKind::UserFn(_) => note(py, &exception, error),
        _ => annotate(py, &exception, error),
    };
    outcome.map_or_else(|other| other, |()| exception)
}

fn exception(py: Python<'_>, error: &Error) -> PyErr {
    let text = error.to_string();
    match error.kind() {
        ErrorKind::UserFn(own) => match own.downcast_ref::<PyErr>() {
            Some(own) => own.clone_ref(py),
            None => PyValueError::new_err(text),
        },
        ErrorKind::Io(io) => os_error(error, io, text),
        ErrorKind::UnknownKey(_) => PyKeyError::new_err(text),
        ErrorKind::Argument(_) => PyValueError::new_err(text),
        ErrorKind::Image(_) | ErrorKind::Limit(_) => DecodeError::new_err(text),
        _ => RecordError::new_err(text),
    }
}

/// `OSError(errno, strerror, filename)`, which Python turns into `FileNotFoundError` and its siblings.
fn os_error(error: &Error, io: &std::io::Error, text: String) -> PyErr {
    let path = error
        .position()
        .path
        .as_ref()
        .map(|path| path.display().to_string());
    match io.raw_os_error() {
        Some(errno) => {
            let reason = io.to_string();
            let reason = reason
                .split(" (os error")
                .next()
                .unwrap_or_default()
                .to_owned();
            PyOSError::new_err((errno, reason, path))
        }
        None => std::io::Error::new(io.kind(), text).into(),
    }
}

/// Says in a note on a function's own exception which record it was called for.
fn note(py: Python<'_>, exception: &PyErr, error: &Error) -> PyResult<()> {
    let text = format!("raised by an augmenter: {error}");
    exception
        .value(py)
        .call_method1("add_note", (text,))
        .map(drop)
}

/// Gives the exception the attributes `path`, `record`, `id` and `offset`, `None` where not known, and `reason`.
fn annotate(py: Python<'_>, exception: &PyErr, error: &Error) -> PyResult<()> {
    let value = exception.value(py);
    let position = error.position();
    value.setattr("path", position.path.as_ref().map(|path| path.as_os_str()))?;
    value.setattr("record", position.record)?;
    value.setattr("id", position.id)?;
    value.setattr("offset", position.offset)?;
    value.setattr("reason", error.kind().to_string())
}
