//! The first error of a writer, which all later writes report again.

use std::io;

/// An I/O error that can be reported several times.
///
/// After a failed write the end of a file is unknown, so a writer does not try again. A caller that
/// looks only at the last outcome still sees the first error.
#[derive(Debug)]
pub(super) struct StickyError {
    kind: io::ErrorKind,
    code: Option<i32>,
}

impl StickyError {
    pub(super) fn new(error: &io::Error) -> Self {
        Self {
            kind: error.kind(),
            code: error.raw_os_error(),
        }
    }

    /// Returns the error once more.
    pub(super) fn repeat(&self) -> io::Error {
        let other = || io::Error::new(self.kind, "an earlier write failed");
        self.code.map_or_else(other, io::Error::from_raw_os_error)
    }
}
