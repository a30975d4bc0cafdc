//! Memory of the caller's for batches: buffers that a Python function returns.
#![allow(
    unsafe_code,
    reason = "a buffer of Python's as a slice has no safe constructor"
)]

use std::fmt;
use std::ops::{Deref, DerefMut, Range};
use std::slice;
use std::sync::Mutex;

use pyo3::buffer::PyUntypedBuffer;
use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;
use recio_core::loader::buffer::{Allocator, Block};
use recio_core::loader::lock_unless_stuck;
use recio_core::{Error, Result};

use crate::errors::{clear_frames, user_error};
use crate::python_call::{attach, call};

/// A Python function that returns a writable buffer of a number of bytes.
pub(crate) struct BufferFunction {
    function: Py<PyAny>,
}

/// Addresses of the buffers that batches are made in, of all iterators: several may have one
/// allocator.
static IN_USE: Mutex<Vec<Range<usize>>> = Mutex::new(Vec::new());

impl BufferFunction {
    pub(crate) fn new(py: Python<'_>, function: Py<PyAny>) -> PyResult<Self> {
        clear_frames(py)?;
        Ok(Self { function })
    }

    fn request(&self, py: Python<'_>, len: usize) -> PyResult<ForeignBlock> {
        let object = call(self.function.bind(py), (len,))?;
        let buffer = PyUntypedBuffer::get(&object).map_err(|_| {
            let kind = object.get_type();
            PyTypeError::new_err(format!(
                "allocator must return a writable buffer, got {kind}"
            ))
        })?;
        if buffer.readonly() || !buffer.is_c_contiguous() || buffer.len_bytes() < len {
            return Err(PyValueError::new_err(format!(
                "allocator must return a writable, contiguous buffer of {len} bytes, got {} bytes{}",
                buffer.len_bytes(),
                if buffer.readonly() { ", read-only" } else { "" }
            )));
        }
        ForeignBlock::new(buffer, len)
    }
}

/// The same text for all functions: nothing else about them is the same in another process.
impl fmt::Debug for BufferFunction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("BufferFunction")
    }
}

impl Allocator for BufferFunction {
    fn allocate(&self, len: usize) -> Result<Box<dyn Block>> {
        let allocate = |py: Python<'_>| {
            self.request(py, len)
                .map_err(|error| user_error(py, error, "the allocator"))
        };
        let block: Result<ForeignBlock, Error> = attach(allocate);
        Ok(Box::new(block?))
    }
}

/// A buffer of Python's. While it exists, its address and length do not change.
struct ForeignBlock {
    buffer: PyUntypedBuffer,
    len: usize,
}

impl ForeignBlock {
    fn new(buffer: PyUntypedBuffer, len: usize) -> PyResult<Self> {
        let begin = buffer.buf_ptr() as usize;
        let addresses = begin..begin + len;
        if let Some(mut blocks) = lock_unless_stuck(&IN_USE) {
            if blocks.iter().any(|other| overlap(other, &addresses)) {
                return Err(PyValueError::new_err(
                    "allocator must return other memory at each call: this buffer is in use by another batch",
                ));
            }
            blocks.push(addresses);
        }
        Ok(Self { buffer, len })
    }
}

fn overlap(a: &Range<usize>, b: &Range<usize>) -> bool {
    a.start < b.end && b.start < a.end
}

impl fmt::Debug for ForeignBlock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ForeignBlock({} bytes)", self.len)
    }
}

impl Deref for ForeignBlock {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        // SAFETY: as for `deref_mut`.
        unsafe { slice::from_raw_parts(self.buffer.buf_ptr().cast(), self.len) }
    }
}

impl DerefMut for ForeignBlock {
    fn deref_mut(&mut self) -> &mut [u8] {
        // SAFETY: the buffer has at least `len` contiguous, writable bytes, and stays where it is
        // until it is released, when this is dropped. The caller has handed it over for batches: it
        // must not be used elsewhere until then; that it is no other block's was checked.
        unsafe { slice::from_raw_parts_mut(self.buffer.buf_ptr().cast(), self.len) }
    }
}

impl Drop for ForeignBlock {
    /// Makes the addresses free. The buffer is then released by its own destructor, not by
    /// [`attach`]: the thread that shuts the interpreter down drops iterators too, and must not
    /// stop. From then on, the buffer ends with the process.
    fn drop(&mut self) {
        let begin = self.buffer.buf_ptr() as usize;
        if let Some(mut blocks) = lock_unless_stuck(&IN_USE) {
            blocks.retain(|block| block.start != begin);
        }
    }
}
