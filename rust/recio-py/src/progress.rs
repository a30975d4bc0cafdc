//! Long work that tells how far it has got, and that Ctrl-C or the function that is told breaks off.

use std::ops::ControlFlow;

use pyo3::prelude::*;
use pyo3::types::PyTuple;

use crate::errors::Failure;

/// Tells numbers; says whether to go on.
pub(crate) type Tell<'a> = &'a mut dyn FnMut(&[usize]) -> ControlFlow<()>;

/// Does `work` without the interpreter. It gives nothing if it was broken off; then what a signal's handler or `progress`
/// raised is raised here.
pub(crate) fn watched<T: Send>(
    py: Python<'_>,
    progress: Option<Py<PyAny>>,
    work: impl FnOnce(Tell<'_>) -> recio_core::Result<Option<T>> + Send,
) -> PyResult<T> {
    let mut raised = None;
    let mut tell = |numbers: &[usize]| match report(progress.as_ref(), numbers) {
        Ok(()) => ControlFlow::Continue(()),
        Err(error) => {
            raised = Some(error);
            ControlFlow::Break(())
        }
    };
    let done = py.detach(|| work(&mut tell)).map_err(Failure::from)?;
    done.ok_or_else(|| raised.expect("only an exception breaks off"))
}

fn report(progress: Option<&Py<PyAny>>, numbers: &[usize]) -> PyResult<()> {
    Python::attach(|py| {
        py.check_signals()?;
        if let Some(progress) = progress {
            progress.call1(py, PyTuple::new(py, numbers)?)?;
        }
        Ok(())
    })
}
