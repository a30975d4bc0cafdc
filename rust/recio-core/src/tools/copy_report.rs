//! Result of merge, split and shuffle.

use crate::write::record_output::RecordOutput;

/// A record file that was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CopyReport {
    /// Number of records.
    pub records: usize,
    /// Size of the record file.
    pub bytes: u64,
    /// CRC32C of the record file.
    pub crc32c: u32,
    /// Whether the records have new keys: 0, 1, 2 …, because two had the same, or those of a face
    /// data set.
    pub renumbered: bool,
    /// Number of identity records, if it is a face data set.
    pub identities: Option<usize>,
}

impl CopyReport {
    /// Describes an output whose records keep their keys.
    pub(super) fn of(output: &RecordOutput) -> Self {
        Self {
            records: output.records(),
            bytes: output.bytes(),
            crc32c: output.crc32c(),
            renumbered: false,
            identities: None,
        }
    }
}
