//! End of the process: what threads that use an iterator then get.

use std::sync::OnceLock;
use std::thread::{self, ThreadId};

use pyo3::exceptions::{PySystemExit, PyValueError};
use pyo3::prelude::*;

/// The thread that ends the process.
static ENDING: OnceLock<ThreadId> = OnceLock::new();

/// Notes that the current thread ends the process, and stops all iterators.
#[pyfunction]
pub(crate) fn begin_process_end() {
    _ = ENDING.set(thread::current().id());
}

/// Returns the exception for the use of a closed iterator.
///
/// Nobody closed an iterator that is stopped at the end of the process, and the daemon threads that
/// use it have made no mistake. They get `SystemExit`, which ends a thread without a message.
/// Waiting for the end instead could keep the process: another function of `atexit` may wait for
/// such a thread, or for a lock that it holds.
#[pyfunction]
pub(crate) fn iterator_closed() -> PyErr {
    match ENDING.get() {
        Some(&ending) if ending != thread::current().id() => {
            PySystemExit::new_err("the process ends")
        }
        _ => PyValueError::new_err("the iterator is closed"),
    }
}
