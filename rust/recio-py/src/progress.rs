//! Progress reports to Python, and stopping long operations by an exception or a signal.

use std::cell::RefCell;
use std::ops::ControlFlow;

use pyo3::prelude::*;
use pyo3::types::PyTuple;
use recio_core::progress::{Interrupt, OnProgress, Progress};

use crate::errors::PyRecioError;
use crate::python_call::{attach, call};

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
    let mut on_progress = |progress: Progress| match report(callback.as_ref(), progress, arguments)
    {
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

/// Handles pending signals and calls the callback, unless the total is not known yet.
fn report<A>(
    callback: Option<&Py<PyAny>>,
    progress: Progress,
    arguments: fn(Progress) -> A,
) -> PyResult<()>
where
    A: for<'py> IntoPyObject<'py, Target = PyTuple>,
{
    attach(|py| {
        py.check_signals()?;
        match callback {
            Some(callback) if progress.total > 0 => {
                call(callback.bind(py), arguments(progress)).map(drop)
            }
            _ => Ok(()),
        }
    })
}

/// Runs an operation without the interpreter lock. If a signal handler raises, the operation stops
/// and the exception is raised here.
pub(crate) fn run_interruptible<T: Send>(
    py: Python<'_>,
    operation: impl FnOnce(&Interrupt<'_>) -> recio_core::Result<T> + Send,
) -> PyResult<T> {
    let (result, raised) = py.detach(|| {
        let raised = RefCell::new(None);
        let is_requested = || {
            let handle_signals = |py: Python<'_>| -> PyResult<()> { py.check_signals() };
            attach(handle_signals)
                .map_err(|error| raised.replace(Some(error)))
                .is_err()
        };
        let result = operation(&Interrupt::new(&is_requested));
        (result, raised.into_inner())
    });
    match raised {
        Some(raised) => Err(raised),
        None => Ok(result.map_err(PyRecioError::from)?),
    }
}
