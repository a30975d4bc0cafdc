//! Copying records from source files to outputs.

use std::ops::{ControlFlow, Range};

use super::gather::{self, Slot};
use super::source_file::SourceFile;
use crate::error::Result;
use crate::memory;
use crate::progress::{OnProgress, Progress, Throttle};
use crate::write::record_output::RecordOutput;

/// Bytes of records that are brought into another order at a time.
const WINDOW: u64 = 256 << 20;
/// Bytes of them that are written at a time.
const WRITE_LEN: usize = 1 << 20;

/// Copies records and reports progress.
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

    /// Appends consecutive records of `source` to `output` under their keys or, if they are
    /// `renumbered`, their numbers in the output. Breaks if the caller wants to stop.
    ///
    /// # Errors
    /// As [`SourceFile::read_frames`] and [`RecordOutput::append_frames`].
    pub(super) fn copy_range(
        &mut self,
        source: &SourceFile,
        mut records: Range<usize>,
        renumbered: bool,
        output: &mut RecordOutput,
    ) -> Result<ControlFlow<()>> {
        while !records.is_empty() {
            let first = records.start;
            let (frames, count) = source.read_frames(records.clone(), &mut self.buffer)?;
            let number = output.records();
            let entry = |i: usize| {
                let key = if renumbered {
                    (number + i - first) as u64
                } else {
                    source.key(i)
                };
                (key, (source.offset(i) - source.offset(first)) as usize)
            };
            output.append_frames(frames, (first..first + count).map(entry))?;
            if self.advance(count).is_break() {
                return Ok(ControlFlow::Break(()));
            }
            records.start += count;
        }
        Ok(ControlFlow::Continue(()))
    }

    /// Appends records of `source` to `output` in the order of `numbers`. Breaks if the caller
    /// wants to stop.
    ///
    /// # Errors
    /// As [`SourceFile::read_frame`] and [`RecordOutput::append_frames`].
    pub(super) fn copy_in_order(
        &mut self,
        source: &SourceFile,
        numbers: impl Iterator<Item = usize>,
        output: &mut RecordOutput,
    ) -> Result<ControlFlow<()>> {
        let (mut numbers, mut window) = (numbers.peekable(), Vec::new());
        while numbers.peek().is_some() {
            let (slots, len) = gather::next_slots(source, &mut numbers, WINDOW);
            if window.len() < len {
                memory::resize(&mut window, len, 0)?;
            }
            let mut poll = || self.throttle.report(self.progress);
            if gather::fill(source, &slots, &mut window, &mut self.buffer, &mut poll)?.is_break()
                || self
                    .append(source, &slots, &window[..len], output)?
                    .is_break()
            {
                return Ok(ControlFlow::Break(()));
            }
        }
        Ok(ControlFlow::Continue(()))
    }

    /// Appends the records in a window.
    fn append(
        &mut self,
        source: &SourceFile,
        mut slots: &[Slot],
        window: &[u8],
        output: &mut RecordOutput,
    ) -> Result<ControlFlow<()>> {
        while let Some(first) = slots.first() {
            let count = slots.partition_point(|slot| slot.start < first.start + WRITE_LEN);
            let (now, later) = slots.split_at(count);
            let end = later.first().map_or(window.len(), |slot| slot.start);
            let entry = |slot: &Slot| (source.key(slot.record), slot.start - first.start);
            output.append_frames(&window[first.start..end], now.iter().map(entry))?;
            if self.advance(count).is_break() {
                return Ok(ControlFlow::Break(()));
            }
            slots = later;
        }
        Ok(ControlFlow::Continue(()))
    }

    /// Reports that more records are copied. Breaks if the caller wants to stop.
    pub(super) fn advance(&mut self, records: usize) -> ControlFlow<()> {
        self.progress.done += records as u64;
        self.throttle.report(self.progress)
    }
}
