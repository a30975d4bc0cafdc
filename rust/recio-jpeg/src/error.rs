//! Errors of reading a JPEG, with byte offsets.

/// Result of reading a JPEG.
pub type Result<T> = std::result::Result<T, Error>;

/// Reason why a JPEG cannot be decoded. Offsets are in bytes from the start of the JPEG.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The JPEG has invalid content.
    #[error("the JPEG is damaged at byte {offset}: {reason}")]
    Damaged {
        /// Position where the damage was detected.
        offset: usize,
        /// Description of the damage.
        reason: &'static str,
    },
    /// The JPEG ends too early.
    #[error("the JPEG ends before all of its image data, at byte {offset}")]
    Truncated {
        /// Position where the data ends.
        offset: usize,
    },
    /// The JPEG uses a feature that this decoder does not support.
    #[error("{0} is not supported")]
    Unsupported(&'static str),
    /// The JPEG exceeds the limit of scans.
    #[error("the JPEG has more than {limit} scans")]
    TooManyScans {
        /// Limit of [`Options::max_scans`](crate::Options::max_scans).
        limit: usize,
    },
}

impl Error {
    pub(crate) fn damaged(offset: usize, reason: &'static str) -> Self {
        Self::Damaged { offset, reason }
    }
}
