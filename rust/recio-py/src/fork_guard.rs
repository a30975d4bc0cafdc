//! Protects objects with threads or buffered bytes from use in a forked process.

use std::process;

use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;

/// Process that created an object.
pub(crate) struct ForkGuard {
    owner: u32,
}

impl ForkGuard {
    /// Creates a guard of the current process.
    pub(crate) fn new() -> Self {
        Self {
            owner: process::id(),
        }
    }

    /// Returns whether the current process created the object.
    pub(crate) fn is_owner(&self) -> bool {
        process::id() == self.owner
    }

    /// Raises an error in any other process. `object` and `advice` are parts of its message.
    pub(crate) fn check(&self, object: &str, advice: &str) -> PyResult<()> {
        if self.is_owner() {
            return Ok(());
        }
        let (owner, current) = (self.owner, process::id());
        Err(PyRuntimeError::new_err(format!(
            "this {object} belongs to process {owner} and cannot be used in the forked process {current}; {advice}"
        )))
    }
}
