//! Problems that verify finds in a record file.

/// Reason why an empty file is no record file that can be read.
pub(super) const EMPTY: &str = "the file is empty";

/// One damaged record or region of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The check that failed.
    pub kind: ProblemKind,
    /// Description of the problem.
    pub reason: String,
    /// Number of the record, from 0: among those that the index lists or, without an index, among
    /// the complete ones.
    pub record: Option<u64>,
    /// Id of the record.
    pub id: Option<u64>,
    /// Offset of the first byte.
    pub offset: Option<u64>,
    /// Offset after the last byte.
    pub end: Option<u64>,
}

impl Problem {
    /// A problem of the file as a whole.
    pub(super) fn of_file(kind: ProblemKind, reason: String) -> Self {
        Self {
            kind,
            reason,
            record: None,
            id: None,
            offset: None,
            end: None,
        }
    }
}

/// The check that failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ProblemKind {
    /// Bytes that belong to no complete record.
    Framing,
    /// The index does not match the file.
    Index,
    /// The bytes do not match their checksum.
    Checksum,
    /// The header of a record.
    Header,
    /// The image of a record.
    Image,
    /// The image of a record is of a kind that recio does not decode; it may be undamaged.
    Unsupported,
    /// The image of a record exceeds a limit; it may be undamaged.
    Limit,
}

impl ProblemKind {
    /// Returns the name in lower case.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Framing => "framing",
            Self::Index => "index",
            Self::Checksum => "checksum",
            Self::Header => "header",
            Self::Image => "image",
            Self::Unsupported => "unsupported",
            Self::Limit => "limit",
        }
    }

    /// Returns whether a problem of this kind is damage.
    #[must_use]
    pub fn is_damage(self) -> bool {
        !matches!(self, Self::Unsupported | Self::Limit)
    }
}
