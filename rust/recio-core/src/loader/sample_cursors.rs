//! Cursors for reading samples one by one, in epoch order.

use std::thread::{self, ThreadId};

use crate::loader::epoch::Cursor;

/// Two cursors: one for a batch that a thread makes of samples that the caller supplies, and one
/// for all other reading.
#[derive(Debug, Default)]
pub(super) struct SampleCursors {
    /// The thread that makes a batch.
    thread: Option<ThreadId>,
    batch: Reading,
    direct: Reading,
}

/// A sample that was read through a cursor.
#[derive(Debug, Default, Clone)]
pub(super) struct Reading {
    /// Position of the next sample.
    pub(super) at: Cursor,
    /// The sample that was read last.
    pub(super) last: Option<SampleOrigin>,
    /// Samples skipped on the way.
    pub(super) skipped: Vec<usize>,
}

/// A sample among those of the files.
#[derive(Debug, Clone, Copy)]
pub(super) struct SampleOrigin {
    pub(super) epoch: u64,
    pub(super) index: usize,
    /// Its id, if that could be read.
    pub(super) id: Option<u64>,
}

impl SampleCursors {
    /// Whether the current thread makes a batch.
    pub(super) fn is_making_batch(&self) -> bool {
        self.thread == Some(thread::current().id())
    }

    /// Lets the current thread read through the cursor of the batch, until
    /// [`end_batch`](Self::end_batch).
    pub(super) fn begin_batch(&mut self) {
        self.thread = Some(thread::current().id());
    }

    /// Ends the batch of the current thread.
    pub(super) fn end_batch(&mut self) {
        self.thread = None;
    }

    /// Moves the cursor of the batch.
    pub(super) fn set_batch(&mut self, at: Cursor) {
        self.batch = Reading {
            at,
            ..Reading::default()
        };
    }

    /// Takes what was read through the cursor of the batch since it was moved.
    pub(super) fn take_batch(&mut self) -> Reading {
        std::mem::take(&mut self.batch)
    }

    /// Returns the cursor of the current thread.
    pub(super) fn current(&mut self) -> &mut Reading {
        if self.is_making_batch() {
            &mut self.batch
        } else {
            &mut self.direct
        }
    }

    /// Moves the direct cursor to the beginning of its epoch, if it is the current thread's.
    pub(super) fn rewind_direct(&mut self) {
        if !self.is_making_batch() {
            self.direct.at.index = 0;
        }
    }

    /// Moves the direct cursor to the beginning of the next epoch.
    pub(super) fn next_epoch(&mut self) {
        self.set_epoch(self.direct.at.epoch + 1);
    }

    /// Moves the direct cursor to the beginning of an epoch.
    pub(super) fn set_epoch(&mut self, epoch: u64) {
        self.direct.at = Cursor::start(epoch);
    }
}
