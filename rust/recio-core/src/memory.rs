//! Allocations whose size depends on a file or on the caller: an error if there is no memory.
//!
//! Rust's collections end the process then. What is allocated for a number in a file, or for an
//! argument, is allocated here.

use crate::error::{Error, ErrorKind, Result};

/// Returns a vector of `len` equal values.
///
/// # Errors
/// [`ErrorKind::Memory`].
pub fn filled<T: Clone>(value: T, len: usize) -> Result<Vec<T>> {
    let mut values = Vec::new();
    resize(&mut values, len, value)?;
    Ok(values)
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

/// Checks that `bytes` bytes can be allocated now, for code of others that does not check.
///
/// # Errors
/// [`ErrorKind::Memory`].
pub fn check(bytes: usize) -> Result<()> {
    reserve(&mut Vec::<u8>::new(), bytes)
}

fn out_of_memory(bytes: usize) -> Error {
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
}
