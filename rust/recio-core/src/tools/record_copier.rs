//! Copying records from source files to outputs.

use std::ops::ControlFlow;

use super::source_file::SourceFile;
use crate::error::Result;
use crate::progress::{OnProgress, Progress, Throttle};
use crate::write::record_output::RecordOutput;

/// Copies records one by one and reports progress.
pub(super) struct RecordCopier<'a> {
    progress: Progress,
    throttle: Throttle<'a>,
    buffer: Vec<u8>,
}

impl<'a> RecordCopier<'a> {
    /// Creates a copier for an operation that copies `total` records in all.
    pub(super) fn new(total: usize, on_progress: &'a mut OnProgress<'a>) -> Self {
        Self {
            progress: Progress::new(0, total as u64),
            throttle: Throttle::new(on_progress),
            buffer: Vec::new(),
        }
    }

    /// Appends record `i` of `source` to `output` under `key`. Breaks if the caller wants to stop.
    ///
    /// # Errors
    /// As [`SourceFile::read_frame`] and [`RecordOutput::append_frame`].
    pub(super) fn copy(
        &mut self,
        source: &SourceFile,
        i: usize,
        key: u64,
        output: &mut RecordOutput,
    ) -> Result<ControlFlow<()>> {
        output.append_frame(key, source.read_frame(i, &mut self.buffer)?)?;
        Ok(self.advance())
    }

    /// Reports that one more record is copied. Breaks if the caller wants to stop.
    pub(super) fn advance(&mut self) -> ControlFlow<()> {
        self.progress.done += 1;
        self.throttle.report(self.progress)
    }
}
