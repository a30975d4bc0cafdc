//! Reasons why a line cannot be packed.

use crate::error::Error;

/// Why a line cannot be packed.
pub(super) enum Failure {
    /// The line is skipped for this reason.
    Skipped(String),
    /// The store does not answer. Packing ends, as it would not for other lines either.
    Store(Error),
}

impl From<String> for Failure {
    fn from(reason: String) -> Self {
        Self::Skipped(reason)
    }
}

impl Failure {
    /// Adds to the reason what it is about.
    pub(super) fn about(self, subject: &str) -> Self {
        match self {
            Self::Skipped(reason) => Self::Skipped(format!("{subject}: {reason}")),
            store @ Self::Store(_) => store,
        }
    }
}
