//! Result of packing.

use crate::write::record_output::RecordOutput;

/// Result of [`pack`](super::pack).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PackReport {
    /// Number of records. If it is 0, no files were written.
    pub records: usize,
    /// The record file of images.
    pub images: PackedFile,
    /// The record file of masks, if there are masks.
    pub masks: Option<PackedFile>,
    /// Number of lines of the part before the first one that is in no file: all, unless the record
    /// file is full.
    pub end: usize,
    /// The skipped lines in the order of the list.
    pub skipped: Vec<SkippedLine>,
    /// Warnings about labels: the first line of each kind.
    pub warnings: Vec<String>,
}

/// A record file that was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PackedFile {
    /// Size in bytes.
    pub bytes: u64,
    /// CRC32C of all bytes.
    pub crc32c: u32,
}

impl PackedFile {
    pub(super) fn of(output: &RecordOutput) -> Self {
        Self {
            bytes: output.bytes(),
            crc32c: output.crc32c(),
        }
    }
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
