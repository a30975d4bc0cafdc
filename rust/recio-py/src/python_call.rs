//! Calls of Python functions that are safe while the interpreter shuts down.
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

/// Stops the current thread for ever when it is dropped.
struct HangThread;

impl Drop for HangThread {
    fn drop(&mut self) {
        loop {
            thread::park();
        }
    }
}

/// Calls a Python function.
///
/// Until version 3.13, Python ends a thread that asks for the interpreter during shutdown by
/// `pthread_exit`. In a function that is called from Rust this would unwind Rust's frames, whose
/// destructors need the interpreter, and the process would abort. Here the thread stops until the
/// process ends, as it does in Python 3.14. `PyO3` does the same in its own functions.
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
