//! Progress reports to Python, and stopping long operations by an exception or a signal.

use std::ops::ControlFlow;

use pyo3::prelude::*;
use pyo3::types::PyTuple;
use recio_core::progress::{OnProgress, Progress};

use crate::errors::PyRecioError;
use crate::python_call::call;

/// Runs an operation without the interpreter lock and reports its progress to `callback`.
///
/// `arguments` makes the callback's arguments. If the callback or a signal handler raises, the
/// operation stops and the exception is raised here.
pub(crate) fn run_with_progress<T, A>(
    py: Python<'_>,
    callback: Option<Py<PyAny>>,
    arguments: fn(Progress) -> A,
    operation: impl FnOnce(&mut OnProgress<'_>) -> recio_core::Result<Option<T>> + Send,
) -> PyResult<T>
where
    T: Send,
    A: for<'py> IntoPyObject<'py, Target = PyTuple>,
{
    let mut raised = None;
    let mut on_progress = |progress| match report(callback.as_ref(), arguments(progress)) {
        Ok(()) => ControlFlow::Continue(()),
        Err(error) => {
            raised = Some(error);
            ControlFlow::Break(())
        }
    };
    let result = py.detach(|| operation(&mut on_progress));
    let result = result.map_err(PyRecioError::from)?;
    result.ok_or_else(|| raised.expect("only an exception stops an operation"))
}

/// Arguments of callbacks that get the units done and all units.
pub(crate) fn done_and_total(progress: Progress) -> (u64, u64) {
    (progress.done, progress.total)
}

/// Handles pending signals and calls the callback.
fn report(
    callback: Option<&Py<PyAny>>,
    arguments: impl for<'py> IntoPyObject<'py, Target = PyTuple>,
) -> PyResult<()> {
    Python::attach(|py| {
        py.check_signals()?;
        callback.map_or(Ok(()), |callback| {
            call(callback.bind(py), arguments).map(drop)
        })
    })
}
