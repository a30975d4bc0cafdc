//! Memory of Rust's as NumPy arrays, without a copy.
#![allow(
    unsafe_code,
    reason = "an array that borrows memory has no safe constructor"
)]

use std::any::Any;
use std::ops::DerefMut;
use std::sync::{Mutex, PoisonError};

use numpy::ndarray::{ArrayView, Dimension, IntoDimension};
use numpy::{Element, PyArray};
use pyo3::prelude::*;

/// Owner of an array's memory: the array's `base`. It is dropped with the array and returns the
/// memory to its pool.
#[pyclass(frozen, module = "recio._recio")]
pub(crate) struct Lease {
    memory: Mutex<Option<Box<dyn Any + Send + Sync>>>,
}

/// An array, and the lease that keeps its memory.
type Lent<'py, T, D> = (Bound<'py, PyArray<T, D>>, Bound<'py, Lease>);

/// A writable, C-contiguous array of this shape on `memory`, and the lease that keeps it.
///
/// # Panics
/// If `shape` has not as many elements as `memory`.
pub(crate) fn lend<T, D, M>(
    py: Python<'_>,
    mut memory: M,
    shape: impl IntoDimension<Dim = D>,
) -> PyResult<Lent<'_, T, D>>
where
    T: Element,
    D: Dimension,
    M: DerefMut<Target = [T]> + Send + Sync + 'static,
{
    let shape = shape.into_dimension();
    assert_eq!(memory.len(), shape.size(), "the memory has another shape");
    let samples = memory.as_mut_ptr().cast_const();
    let lease = Bound::new(
        py,
        Lease {
            memory: Mutex::new(Some(Box::new(memory))),
        },
    )?;
    // SAFETY: `samples` points to as many initialised elements as the shape has (asserted above),
    // in heap memory that moving `memory`, a `Vec` or what owns one, into the box has not moved,
    // and that lives until the lease is dropped or gives it up, which it does only when no array
    // holds it any more. The view itself is only read for its shape and its pointer.
    let view = unsafe { ArrayView::<T, D>::from_shape_ptr(shape, samples) };
    // SAFETY: the array holds a reference to the lease, so the memory outlives it. Nobody else
    // reads or writes it until then: `memory` is its only owner, the lease only keeps it, and the
    // pointer was made from `&mut`, so that writes through it are sound.
    let array = unsafe { PyArray::borrow_from_array(&view, lease.clone().into_any()) };
    Ok((array, lease))
}

/// Return the number of references to an object.
pub(crate) fn holders<T>(object: &Bound<'_, T>) -> isize {
    // SAFETY: the pointer is that of a live object.
    unsafe { pyo3::ffi::Py_REFCNT(object.as_ptr()) }
}

/// Takes memory back, if no array shows it any more.
pub(crate) fn take_back<M: Any>(lease: Bound<'_, Lease>) -> Option<M> {
    if holders(&lease) != 1 {
        return None;
    }
    let mut memory = lease
        .get()
        .memory
        .lock()
        .unwrap_or_else(PoisonError::into_inner);
    let memory = memory.take()?.downcast().ok()?;
    Some(*memory)
}
