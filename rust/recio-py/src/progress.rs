//! Progress reports to Python, and stopping long operations by an exception or a signal.

use std::cell::RefCell;
use std::ops::ControlFlow;
use std::rc::Rc;

use pyo3::prelude::*;
use pyo3::types::PyTuple;
use recio_core::progress::{Interrupt, OnProgress, Progress};
use recio_core::storage::wait;

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
    let (result, raised_by_signal) = py.detach(|| {
        let raised = Rc::default();
        let result = wait::stoppable(handle_signals(&raised), || operation(&mut on_progress));
        (result, raised.take())
    });
    if let Some(raised) = raised_by_signal {
        return Err(raised);
    }
    let result = result.map_err(PyRecioError::from)?;
    result.ok_or_else(|| raised.expect("only an exception stops an operation"))
}

/// Returns a function that handles pending signals, keeps the exception that a handler raises, and
/// returns whether there is one.
fn handle_signals(raised: &Rc<RefCell<Option<PyErr>>>) -> impl Fn() -> bool + Clone + 'static {
    let raised = Rc::clone(raised);
    move || {
        let check = |py: Python<'_>| -> PyResult<()> { py.check_signals() };
        let handled = attach(check);
        handled
            .map_err(|error| raised.replace(Some(error)))
            .is_err()
    }
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

/// Runs an operation without the interpreter lock. If a signal handler raises, the operation stops,
/// also while it waits for a store, and the exception is raised here.
pub(crate) fn run_interruptible<T: Send>(
    py: Python<'_>,
    operation: impl FnOnce(&Interrupt<'_>) -> recio_core::Result<T> + Send,
) -> PyResult<T> {
    let (result, raised) = py.detach(|| {
        let raised = Rc::default();
        let is_requested = handle_signals(&raised);
        let result = wait::stoppable(is_requested.clone(), || {
            operation(&Interrupt::new(&is_requested))
        });
        (result, raised.take())
    });
    match raised {
        Some(raised) => Err(raised),
        None => Ok(result.map_err(PyRecioError::from)?),
    }
}
