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
    /// There is no memory for decoding the JPEG.
    #[error("out of memory: cannot allocate {bytes} bytes")]
    OutOfMemory {
        /// Bytes that could not be allocated.
        bytes: usize,
    },
}

/// Reasons for [`Error::Damaged`] in the data of scans, which
/// [`OnDamage::Fill`](crate::OnDamage::Fill) tolerates.
pub(crate) mod reason {
    pub(crate) const EARLY_MARKER: &str = "a marker comes before the end of the scan's data";
    pub(crate) const INVALID_CODE: &str = "the scan has an invalid Huffman code";
    pub(crate) const MISSING_RESTART: &str = "a restart marker is missing or misplaced";
    pub(crate) const OUT_OF_ORDER: &str = "a scan's coefficients are out of order";
    pub(crate) const MISSING_SCANS: &str = "scans are missing";
    pub(super) const ALL: [&str; 5] = [
        EARLY_MARKER,
        INVALID_CODE,
        MISSING_RESTART,
        OUT_OF_ORDER,
        MISSING_SCANS,
    ];
}

impl Error {
    /// Return whether the damage is in the data of the scans, so that
    /// [`OnDamage::Fill`](crate::OnDamage::Fill) tolerates it. The JPEG's header must be readable.
    #[must_use]
    pub fn is_in_scan_data(&self) -> bool {
        match self {
            Self::Damaged { reason, .. } => reason::ALL.contains(reason),
            Self::Truncated { .. } => true,
            Self::Unsupported(_) | Self::TooManyScans { .. } | Self::OutOfMemory { .. } => false,
        }
    }

    /// Return the error if memory for `values` values could not be reserved.
    pub(crate) fn unless_reserved<T>(
        outcome: std::result::Result<(), std::collections::TryReserveError>,
        values: usize,
    ) -> Result<()> {
        let bytes = values.saturating_mul(size_of::<T>());
        outcome.map_err(|_| Self::OutOfMemory { bytes })
    }

    pub(crate) fn damaged(offset: usize, reason: &'static str) -> Self {
        Self::Damaged { offset, reason }
    }
}
