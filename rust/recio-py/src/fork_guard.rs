//! The process that an object belongs to. What has threads or buffered bytes must not be used in a process forked from it.

use std::process;

use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;

/// A process.
pub(crate) struct Owner(u32);

impl Owner {
    /// The present process.
    pub(crate) fn here() -> Self {
        Self(process::id())
    }

    /// Whether this is it.
    pub(crate) fn is_here(&self) -> bool {
        process::id() == self.0
    }

    /// Refuses to use `what` in any other process.
    pub(crate) fn check(&self, what: &str, advice: &str) -> PyResult<()> {
        if self.is_here() {
            return Ok(());
        }
        let (owner, here) = (self.0, process::id());
        Err(PyRuntimeError::new_err(format!(
            "this {what} belongs to process {owner} and cannot be used in the forked process {here}; {advice}"
        )))
    }
}
