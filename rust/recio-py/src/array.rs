//! Batch memory as NumPy arrays, without a copy. The one file with `unsafe`.
#![allow(
    unsafe_code,
    reason = "an array that borrows a batch's memory has no safe constructor"
)]

use numpy::ndarray::{ArrayView, Dim};
use numpy::{Element, Ix4, PyArray, PyArray4};
use pyo3::prelude::*;
use recio_core::batch::Slots;

/// What keeps a batch's memory for an array that shows it: the array's `base`. When the array is gone, so is this, and
/// the memory goes back to its ring.
#[pyclass(frozen, module = "recio._recio")]
pub(crate) struct Lease {
    /// Only ever dropped.
    _memory: Box<dyn Send + Sync>,
}

/// A writable, C-contiguous array of this shape on the memory of `slots`.
///
/// # Panics
/// If `shape` has not as many elements as `slots`.
pub(crate) fn lend<T>(
    py: Python<'_>,
    mut slots: Slots<T>,
    shape: [usize; 4],
) -> PyResult<Bound<'_, PyArray4<T>>>
where
    T: Element + Send + Sync + 'static,
{
    assert_eq!(
        slots.len(),
        shape.iter().product::<usize>(),
        "the batch has another shape"
    );
    let samples = slots.as_mut_ptr().cast_const();
    let lease = Bound::new(
        py,
        Lease {
            _memory: Box::new(slots),
        },
    )?;
    // SAFETY: `samples` points to as many initialised elements as the shape has (asserted above), in the heap memory
    // of a `Vec` that moving `slots` into the box has not moved, and that lives until the lease is dropped. The view
    // itself is only read for its shape and its pointer.
    let view = unsafe { ArrayView::<T, Ix4>::from_shape_ptr(Dim(shape), samples) };
    // SAFETY: the array holds a reference to the lease, so the memory outlives it. Nobody else reads or writes it until
    // then: `Slots` is its only owner, the lease only drops it, and the pointer was made from `&mut`, so that writes
    // through it are sound.
    Ok(unsafe { PyArray::borrow_from_array(&view, lease.into_any()) })
}
