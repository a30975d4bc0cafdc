//! The first error of a writer, reported again by all later writes.

use std::io;

/// Why a write failed, to be told again by those after it: who looks at the last error only must hear of the first.
#[derive(Debug)]
pub(super) struct Failure {
    kind: io::ErrorKind,
    code: Option<i32>,
}

impl Failure {
    pub(super) fn of(error: &io::Error) -> Self {
        Self {
            kind: error.kind(),
            code: error.raw_os_error(),
        }
    }

    pub(super) fn again(&self) -> io::Error {
        let told = || io::Error::new(self.kind, "an earlier write failed");
        self.code.map_or_else(told, io::Error::from_raw_os_error)
    }
}
