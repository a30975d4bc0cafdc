//! Copying records from source files to outputs.

use std::cell::RefCell;
use std::ops::{ControlFlow, Range};

use super::block_writer::append_blocks;
use super::gather::Window;
use super::source_file::{BLOCK, SourceFile};
use crate::error::{Error, Result};
use crate::progress::{Interrupt, OnProgress, Progress, Throttle};
use crate::write::record_output::RecordOutput;

/// Bytes of records that are brought into another order at a time.
const WINDOW: u64 = 256 << 20;

/// Copies records and reports progress.
pub(super) struct RecordCopier<'a> {
    progress: Progress,
    throttle: Throttle<'a>,
}

impl<'a> RecordCopier<'a> {
    /// Creates a copier for an operation that copies `total` records in all.
    pub(super) fn new(total: usize, on_progress: &'a mut OnProgress<'a>) -> Self {
        Self {
            progress: Progress::new(0, total as u64),
            throttle: Throttle::new(on_progress),
        }
    }

    /// Appends consecutive records of `source` to `output` under their keys or, if they are
    /// `renumbered`, their numbers in the output. Breaks if the caller wants to stop.
    ///
    /// # Errors
    /// As [`SourceFile::read_frames`], [`SourceFile::check_complete`] and
    /// [`RecordOutput::append_frames`].
    pub(super) fn copy_range(
        &mut self,
        source: &SourceFile,
        mut records: Range<usize>,
        renumbered: bool,
        output: &mut RecordOutput,
    ) -> Result<ControlFlow<()>> {
        let (begin, number) = (records.start, output.records());
        let key = |i: usize| {
            if renumbered {
                (number + i - begin) as u64
            } else {
                source.key(i)
            }
        };
        append_blocks(output, |blocks| {
            while !records.is_empty() {
                let ControlFlow::Continue(mut block) = blocks.next(|| self.report()) else {
                    return Ok(ControlFlow::Break(()));
                };
                let first = records.start;
                let read = source.read_frames(records.clone(), &mut block.buffer);
                let read = read.map(|(frames, count)| (frames.len(), count));
                let (len, count) = read.map_err(|error| self.explain(error, source))?;
                let start = |i: usize| (source.offset(i) - source.offset(first)) as usize;
                block.len = len;
                block.records.clear();
                let copied = first..first + count;
                block.records.extend(copied.map(|i| (key(i), start(i))));
                blocks.send(block);
                if self.advance(count).is_break() {
                    return Ok(ControlFlow::Break(()));
                }
                records.start += count;
            }
            Ok(ControlFlow::Continue(()))
        })
    }

    /// Appends records of `source` to `output` in the order of `numbers`. Breaks if the caller
    /// wants to stop.
    ///
    /// # Errors
    /// As [`copy_range`](Self::copy_range).
    pub(super) fn copy_in_order(
        &mut self,
        source: &SourceFile,
        numbers: impl Iterator<Item = usize>,
        output: &mut RecordOutput,
    ) -> Result<ControlFlow<()>> {
        let (mut numbers, mut window) = (numbers.peekable(), Window::new()?);
        while numbers.peek().is_some() {
            let filled = window.fill(source, &mut numbers, WINDOW, &mut || self.report());
            let filled = filled.map_err(|error| self.explain(error, source))?;
            if filled.is_break() || self.append(&window, output)?.is_break() {
                return Ok(ControlFlow::Break(()));
            }
        }
        Ok(ControlFlow::Continue(()))
    }

    /// Appends the records in a window.
    fn append(&mut self, window: &Window, output: &mut RecordOutput) -> Result<ControlFlow<()>> {
        append_blocks(output, |blocks| {
            let mut frames = window.frames().peekable();
            while frames.peek().is_some() {
                let ControlFlow::Continue(mut block) = blocks.next(|| self.report()) else {
                    return Ok(ControlFlow::Break(()));
                };
                block.buffer.clear();
                block.records.clear();
                while block.buffer.len() < BLOCK as usize
                    && let Some((key, frame)) = frames.next()
                {
                    block.records.push((key, block.buffer.len()));
                    block.buffer.extend_from_slice(frame);
                }
                block.len = block.buffer.len();
                let count = block.records.len();
                blocks.send(block);
                if self.advance(count).is_break() {
                    return Ok(ControlFlow::Break(()));
                }
            }
            Ok(ControlFlow::Continue(()))
        })
    }

    /// Returns why a record cannot be read: a record that the index does not list may follow it.
    fn explain(&mut self, error: Error, source: &SourceFile) -> Error {
        if !error.is_damage() {
            return error;
        }
        let copier = RefCell::new(self);
        let is_stopped = || copier.borrow_mut().report().is_break();
        let checked = source.check_complete(&Interrupt::new(&is_stopped));
        checked.err().unwrap_or(error)
    }

    /// Reports that more records are copied. Breaks if the caller wants to stop.
    pub(super) fn advance(&mut self, records: usize) -> ControlFlow<()> {
        self.progress.done += records as u64;
        self.report()
    }

    fn report(&mut self) -> ControlFlow<()> {
        self.throttle.report(self.progress)
    }
}
