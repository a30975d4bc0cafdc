//! Attaching to the interpreter and calling Python functions, safe while the interpreter shuts
//! down.
//!
//! Until version 3.13, Python ends a thread that asks for the interpreter during shutdown by
//! `pthread_exit`. Through Rust's frames this would be an unwinding that runs their destructors,
//! which need the interpreter, or that no frame expects, and the process would abort. After the
//! shutdown there is no interpreter that a thread could ask for. In both cases the thread stops
//! here until the process ends, as it does in Python 3.14: nobody waits for it any more.
//!
//! [`Python::detach`] needs nothing like it: `PyO3` stops a thread that attaches again at its end.
#![allow(
    unsafe_code,
    reason = "PyO3 declares that calls into Python never unwind, but pthread_exit does"
)]

use std::hint::black_box;
use std::{mem, ptr, thread};

use pyo3::BoundObject;
use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::PyTuple;

type PyObjectCall = unsafe extern "C-unwind" fn(
    *mut ffi::PyObject,
    *mut ffi::PyObject,
    *mut ffi::PyObject,
) -> *mut ffi::PyObject;

/// Stops the current thread until the process ends.
fn hang() -> ! {
    loop {
        thread::park();
    }
}

/// Stops the current thread when it is dropped.
struct HangThread;

impl Drop for HangThread {
    fn drop(&mut self) {
        hang();
    }
}

/// Runs work that needs the interpreter, in any thread. The only use of [`Python::attach`], which
/// panics after the interpreter's shutdown.
#[expect(
    clippy::disallowed_methods,
    reason = "other code is to call this function"
)]
pub(crate) fn attach<R>(work: impl FnOnce(Python<'_>) -> R) -> R {
    Python::try_attach(work).unwrap_or_else(|| hang())
}

/// Calls a Python function. For all functions that may run Python code: after each line of it
/// another thread may get the interpreter, and shut it down.
pub(crate) fn call<'py, A>(
    function: &Bound<'py, PyAny>,
    arguments: A,
) -> PyResult<Bound<'py, PyAny>>
where
    A: IntoPyObject<'py, Target = PyTuple>,
{
    let arguments = arguments.into_pyobject(function.py()).map_err(Into::into)?;
    let arguments = arguments.into_bound();
    // SAFETY: the two types differ only in that a call may unwind.
    let call: PyObjectCall = unsafe { mem::transmute(ffi::PyObject_Call as *const ()) };
    // The compiler must not know the function: it assumes elsewhere that it does not unwind.
    let call = black_box(call);
    let guard = HangThread;
    // SAFETY: the interpreter is attached, and both pointers are those of live objects.
    let returned = unsafe { call(function.as_ptr(), arguments.as_ptr(), ptr::null_mut()) };
    mem::forget(guard);
    // SAFETY: it is a new reference, or null with an exception set.
    unsafe { Bound::from_owned_ptr_or_err(function.py(), returned) }
}
