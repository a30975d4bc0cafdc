//! Result of packing.

/// Result of [`pack`](super::pack).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PackReport {
    /// Number of records. If it is 0, no files were written.
    pub records: usize,
    /// Size of the record file.
    pub bytes: u64,
    /// The skipped lines in the order of the list.
    pub skipped: Vec<SkippedLine>,
    /// Warnings about labels: the first line of each kind.
    pub warnings: Vec<String>,
}

/// A line of the list that was skipped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SkippedLine {
    /// Number of the line, from 1.
    pub line: u64,
    /// Index and path of the image, unless the line is invalid.
    pub image: Option<(u64, String)>,
    /// Why the line was skipped.
    pub reason: String,
}
