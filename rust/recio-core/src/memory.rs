//! Allocations whose size depends on a file or on the caller: an error if there is no memory.
//!
//! Rust's collections end the process then. What is allocated for a number in a file, or for an
//! argument, is allocated here.
//!
//! The pixels of an image are collected row by row, deep in code that has no errors of its own.
//! There, running out of memory is an unwinding panic without a message, [`reserve_or_unwind`],
//! that [`catch`] makes an error of again; it is treated like a panic of a decoder.

use std::any::Any;
use std::hint::black_box;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use crate::error::{Error, ErrorKind, Result};

/// Payload of a panic: bytes that could not be allocated.
struct OutOfMemory(usize);

/// Returns a vector of `len` equal values.
///
/// # Errors
/// [`ErrorKind::Memory`].
pub fn filled<T: Clone>(value: T, len: usize) -> Result<Vec<T>> {
    let mut values = Vec::new();
    resize(&mut values, len, value)?;
    Ok(values)
}

/// Returns a copy of values.
///
/// # Errors
/// [`ErrorKind::Memory`].
pub fn copied<T: Copy>(values: &[T]) -> Result<Vec<T>> {
    let mut copy = Vec::new();
    reserve(&mut copy, values.len())?;
    copy.extend_from_slice(values);
    Ok(copy)
}

/// Changes the length of a vector. New values are copies of `value`.
///
/// # Errors
/// [`ErrorKind::Memory`]; then the vector is unchanged.
pub fn resize<T: Clone>(values: &mut Vec<T>, len: usize, value: T) -> Result<()> {
    reserve(values, len.saturating_sub(values.len()))?;
    values.resize(len, value);
    Ok(())
}

/// Makes room for `additional` values.
///
/// # Errors
/// [`ErrorKind::Memory`].
pub fn reserve<T>(values: &mut Vec<T>, additional: usize) -> Result<()> {
    values
        .try_reserve_exact(additional)
        .map_err(|_| out_of_memory(additional.saturating_mul(size_of::<T>())))
}

/// Makes room for `additional` values, in code that returns no errors: where there is no memory,
/// it unwinds to [`catch`].
pub fn reserve_or_unwind<T>(values: &mut Vec<T>, additional: usize) {
    if values.try_reserve_exact(additional).is_err() {
        let bytes = additional.saturating_mul(size_of::<T>());
        resume_unwind(Box::new(OutOfMemory(bytes)));
    }
}

/// Returns a vector of `len` equal values, as [`reserve_or_unwind`] makes room for them.
#[must_use]
pub fn filled_or_unwind<T: Clone>(value: T, len: usize) -> Vec<T> {
    let mut values = Vec::new();
    reserve_or_unwind(&mut values, len);
    values.resize(len, value);
    values
}

/// Calls code that uses [`reserve_or_unwind`].
///
/// # Errors
/// [`ErrorKind::Memory`], and those of `work`.
pub fn catch<T>(work: impl FnOnce() -> Result<T>) -> Result<T> {
    // What is left behind is memory: buffers that are filled anew for the next image.
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|panic| match error_of(&*panic) {
        Some(error) => Err(error),
        None => resume_unwind(panic),
    })
}

/// Returns the error for the payload of a caught panic, if it is that of [`reserve_or_unwind`].
#[must_use]
pub fn error_of(panic: &(dyn Any + Send)) -> Option<Error> {
    let OutOfMemory(bytes) = panic.downcast_ref()?;
    Some(out_of_memory(*bytes))
}

/// Returns the free memory of the heap to the system, where the allocator keeps it: glibc's does,
/// up to tens of megabytes for each of the arenas that threads use.
#[allow(unsafe_code)]
pub fn trim() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    // SAFETY: the function locks what it changes, and has no other conditions.
    unsafe {
        libc::malloc_trim(0);
    }
}

/// Checks that `bytes` bytes can be allocated now, for code of others that does not check.
///
/// # Errors
/// [`ErrorKind::Memory`].
pub fn check(bytes: usize) -> Result<()> {
    let mut probe = Vec::<u8>::new();
    reserve(&mut probe, bytes)?;
    // The optimizer removes an allocation that nothing uses, and takes it for successful.
    black_box(&mut probe);
    Ok(())
}

pub(crate) fn out_of_memory(bytes: usize) -> Error {
    Error::new(ErrorKind::Memory(format!(
        "out of memory: cannot allocate {bytes} bytes"
    )))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_fit_is_an_error_and_changes_nothing() {
        let mut values = filled(1_u16, 3).unwrap();
        let error = resize(&mut values, usize::MAX / 4, 2).unwrap_err();
        assert!(matches!(error.kind(), ErrorKind::Memory(_)));
        assert_eq!(values, [1, 1, 1]);
        resize(&mut values, 4, 2).unwrap();
        assert_eq!(values, [1, 1, 1, 2]);
        assert!(check(usize::MAX).is_err() && check(1 << 20).is_ok());
    }

    #[test]
    fn unwinding_becomes_an_error_and_other_panics_go_on() {
        let memory = catch(|| {
            let mut values = vec![1_u8];
            reserve_or_unwind(&mut values, 1);
            values.push(2);
            reserve_or_unwind(&mut values, usize::MAX / 2);
            Ok(())
        });
        assert!(matches!(memory.unwrap_err().kind(), ErrorKind::Memory(_)));
        assert_eq!(catch(|| Ok(filled_or_unwind(3, 2))).unwrap(), [3, 3]);
        let other = catch_unwind(|| catch(|| -> Result<()> { resume_unwind(Box::new("other")) }));
        assert!(error_of(&*other.unwrap_err()).is_none());
    }
}
