//! What can be wrong with a JPEG, and where.

/// The outcome of what reads a JPEG.
pub type Result<T> = std::result::Result<T, Error>;

/// Why a JPEG is not decoded. Offsets are in bytes from the JPEG's first.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Something in it cannot be.
    #[error("the JPEG is damaged at byte {offset}: {reason}")]
    Damaged {
        /// Where it was noticed.
        offset: usize,
        /// What it is.
        reason: &'static str,
    },
    /// It ends too early.
    #[error("the JPEG ends before all of its image data, at byte {offset}")]
    Truncated {
        /// Where the data ends.
        offset: usize,
    },
    /// It is of a kind that this decoder does not know.
    #[error("{0} is not supported")]
    Unsupported(&'static str),
    /// It is over a limit of the caller's.
    #[error("the JPEG has more than {limit} scans")]
    TooManyScans {
        /// The limit.
        limit: usize,
    },
}

impl Error {
    pub(crate) fn damaged(offset: usize, reason: &'static str) -> Self {
        Self::Damaged { offset, reason }
    }
}
