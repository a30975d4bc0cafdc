//! Errors of the core → Python exceptions. The only mapping; see `recio.errors` for its public
//! side.

use std::fmt;

use pyo3::create_exception;
use pyo3::exceptions::{
    PyException, PyKeyError, PyMemoryError, PyOSError, PyRuntimeError, PyStopIteration,
    PyValueError,
};
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use recio_core::{Error, ErrorKind, Position};

use crate::process_end::iterator_closed;
use crate::python_call::{attach, call};

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

/// Exception that a Python function raised, as an error of the core, which may show its text in a
/// thread that is not attached.
pub(crate) struct Raised(pub(crate) PyErr);

impl fmt::Display for Raised {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        attach(|_| fmt::Display::fmt(&self.0, f))
    }
}

impl fmt::Debug for Raised {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        attach(|_| fmt::Debug::fmt(&self.0, f))
    }
}

impl std::error::Error for Raised {}

/// Returns the error of the core for an exception that a user's function raised in one of the
/// loader's threads; `function` is its name in a message.
pub(crate) fn user_error(py: Python<'_>, error: PyErr, function: &str) -> Error {
    let error = no_stop_iteration(py, error, function);
    forget_locals(py, &error);
    Error::new(ErrorKind::UserFn(Box::new(Raised(error))))
}

/// Replaces `StopIteration`: if `next` raised it, it would pass for the end of an epoch.
pub(crate) fn no_stop_iteration(py: Python<'_>, error: PyErr, function: &str) -> PyErr {
    if !error.is_instance_of::<PyStopIteration>(py) {
        return error;
    }
    let stopped = PyRuntimeError::new_err(format!("{function} raised StopIteration"));
    stopped.set_cause(py, Some(error));
    stopped
}

/// Error of the core that `?` converts to a Python exception.
pub(crate) struct PyRecioError(Error);

/// Result of a function of the binding.
pub(crate) type PyRecioResult<T> = Result<T, PyRecioError>;

impl From<Error> for PyRecioError {
    fn from(error: Error) -> Self {
        Self(error)
    }
}

impl From<PyRecioError> for PyErr {
    fn from(PyRecioError(error): PyRecioError) -> Self {
        attach(|py| raised(py, &error))
    }
}

/// Returns the exception for an error.
pub(crate) fn raised(py: Python<'_>, error: &Error) -> PyErr {
    let exception = exception(py, error);
    let outcome = match error.kind() {
        ErrorKind::Closed => Ok(()),
        ErrorKind::UserFn(_) if *error.position() == Position::default() => Ok(()),
        // Such as Ctrl-C, which is raised in whatever code runs.
        ErrorKind::UserFn(_) if !exception.is_instance_of::<PyException>(py) => Ok(()),
        ErrorKind::UserFn(_) => note(py, &exception, error),
        _ => annotate(py, &exception, error),
    };
    outcome.map_or_else(|other| other, |()| exception)
}

fn exception(py: Python<'_>, error: &Error) -> PyErr {
    let text = error.to_string();
    match error.kind() {
        ErrorKind::UserFn(raised) => match raised.downcast_ref::<Raised>() {
            Some(Raised(raised)) => raised.clone_ref(py),
            None => PyValueError::new_err(text),
        },
        ErrorKind::Unreadable(raised) => match raised.downcast_ref::<Raised>() {
            Some(Raised(raised)) => unreadable(py, raised, text),
            None => DecodeError::new_err(text),
        },
        ErrorKind::Rejected(_) => PyRuntimeError::new_err(text),
        ErrorKind::Io(io) => os_error(py, error, io, text),
        ErrorKind::Memory(_) => PyMemoryError::new_err(text),
        ErrorKind::UnknownKey(_) => PyKeyError::new_err(text),
        ErrorKind::Argument(_) => PyValueError::new_err(text),
        ErrorKind::Closed => iterator_closed(),
        ErrorKind::Image(_) | ErrorKind::Unsupported(_) | ErrorKind::Limit(_) => {
            DecodeError::new_err(text)
        }
        _ => RecordError::new_err(text),
    }
}

/// The exception of a function that could not read or decode a sample. If it does not name the
/// record, one that does is raised from it.
fn unreadable(py: Python<'_>, raised: &PyErr, text: String) -> PyErr {
    let record = raised.value(py).getattr("record").ok();
    let named = if record.is_some_and(|record| !record.is_none()) {
        return raised.clone_ref(py);
    } else if raised.is_instance_of::<DecodeError>(py) {
        DecodeError::new_err(text)
    } else if raised.is_instance_of::<RecordError>(py) {
        RecordError::new_err(text)
    } else {
        return raised.clone_ref(py);
    };
    named.set_cause(py, Some(raised.clone_ref(py)));
    named
}

/// `OSError(errno, strerror, filename)`, which Python turns into `FileNotFoundError` and its
/// siblings.
fn os_error(py: Python<'_>, error: &Error, io: &std::io::Error, text: String) -> PyErr {
    let path = error.position().path.as_ref();
    let path = path.map(|path| path.display().to_string());
    let number = io.raw_os_error();
    match number.or_else(|| errno(py, io.kind())) {
        Some(errno) => {
            // The number precedes the text.
            let reason = error.without_path();
            let reason = reason.replace(&format!(" (os error {errno})"), "");
            PyOSError::new_err((errno, reason, path))
        }
        None => std::io::Error::new(io.kind(), text).into(),
    }
}

/// Returns the number that the operating system has for an error of a store.
fn errno(py: Python<'_>, kind: std::io::ErrorKind) -> Option<i32> {
    let name = match kind {
        std::io::ErrorKind::NotFound => "ENOENT",
        std::io::ErrorKind::PermissionDenied => "EACCES",
        std::io::ErrorKind::TimedOut => "ETIMEDOUT",
        std::io::ErrorKind::ConnectionReset => "ECONNRESET",
        std::io::ErrorKind::ConnectionRefused => "ECONNREFUSED",
        std::io::ErrorKind::IsADirectory => "EISDIR",
        _ => return None,
    };
    py.import("errno").ok()?.getattr(name).ok()?.extract().ok()
}

/// Adds a note to the exception of a user function: the record it was called for.
fn note(py: Python<'_>, exception: &PyErr, error: &Error) -> PyResult<()> {
    let text = format!("raised by an augmenter: {error}");
    let add_note = exception.value(py).getattr("add_note")?;
    call(&add_note, (text,)).map(drop)
}

/// Sets the attributes `path`, `record`, `id` and `offset`, `None` where not known, and `reason`,
/// unless the exception has named its record already.
fn annotate(py: Python<'_>, exception: &PyErr, error: &Error) -> PyResult<()> {
    let value = exception.value(py);
    if matches!(value.getattr("record"), Ok(record) if !record.is_none()) {
        return Ok(());
    }
    let position = error.position();
    value.setattr("path", position.path.as_ref().map(|path| path.as_os_str()))?;
    value.setattr("record", position.record)?;
    value.setattr("id", position.id)?;
    value.setattr("offset", position.offset)?;
    let reason = match error.kind() {
        ErrorKind::Unreadable(raised) => match raised.downcast_ref::<Raised>() {
            Some(Raised(raised)) => raised.value(py).str()?.to_string(),
            None => raised.to_string(),
        },
        _ => error.reason(),
    };
    value.setattr("reason", reason)
}

/// Returns `traceback.clear_frames`. Importing it runs Python code, so it is called first while an
/// iterator is made.
pub(crate) fn clear_frames(py: Python<'_>) -> PyResult<&Bound<'_, PyAny>> {
    static CLEAR_FRAMES: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    CLEAR_FRAMES.import(py, "traceback", "clear_frames")
}

/// Clears the local variables in the tracebacks of an exception that is stored in an iterator.
///
/// They may refer to the iterator: `self` of a hook does. That would be a cycle that the garbage
/// collector cannot see, since a part of it is in native memory, and the iterator and its threads
/// would never end. The lines of the traceback stay.
pub(crate) fn forget_locals(py: Python<'_>, error: &PyErr) {
    let Ok(clear) = clear_frames(py) else {
        return;
    };
    // The exception itself may not have it yet.
    if let Some(traceback) = error.traceback(py) {
        _ = call(clear, (traceback,));
    }
    let (mut waiting, mut seen) = (vec![error.value(py).clone().into_any()], Vec::new());
    while let Some(exception) = waiting.pop() {
        if exception.is_none() || seen.contains(&exception.as_ptr()) {
            continue;
        }
        seen.push(exception.as_ptr());
        if let Ok(traceback) = exception.getattr("__traceback__")
            && !traceback.is_none()
        {
            // A frame that is still running is not cleared.
            _ = call(clear, (traceback,));
        }
        let linked = ["__cause__", "__context__"].map(|name| exception.getattr(name));
        waiting.extend(linked.into_iter().flatten());
    }
}
