//! Positions: where a consumer is, which is what a checkpoint holds, and the claims to the batches
//! after it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::error::{Error, Result};
use crate::loader::epoch::{Cursor, EpochSpec, LastBatch};

/// Epochs of which an order can be computed, and sums of them do not overflow.
const MAX_EPOCHS: u64 = 1 << 40;

/// Position of a consumer: all that is needed to go on from there in another process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Position {
    /// The epoch.
    pub epoch: u64,
    /// The epoch of the last fresh start; samples roll over from there on.
    pub base: u64,
    /// Position of the first sample of the epoch.
    pub first: Cursor,
    /// Batches of the epoch that were delivered.
    pub delivered: usize,
    /// Position of the first sample of the next batch.
    pub at: Cursor,
    /// Whether the end of the epoch was delivered too.
    pub is_over: bool,
}

impl Position {
    /// The beginning of an epoch, with nothing left over from earlier ones.
    pub(super) fn fresh(epoch: u64) -> Self {
        let first = Cursor::start(epoch);
        Self {
            epoch,
            base: epoch,
            first,
            delivered: 0,
            at: first,
            is_over: false,
        }
    }

    /// The beginning of the next epoch, whose first batch begins at `first`.
    pub(super) fn next_epoch(&self, first: Cursor) -> Self {
        Self {
            base: self.base,
            first,
            at: first,
            ..Self::fresh(self.epoch + 1)
        }
    }

    /// Returns the number of batches of the epoch, if no sample is skipped.
    pub(super) fn batches(&self, spec: &EpochSpec) -> usize {
        spec.batches(self.epoch, self.epoch - self.base, self.first)
    }

    /// Checks that epochs of `spec` have this position.
    ///
    /// # Errors
    /// They do not.
    pub(super) fn check(&self, spec: &EpochSpec) -> Result<()> {
        let Self { epoch, base, .. } = *self;
        let oldest = match spec.last_batch {
            LastBatch::RollOver => base,
            _ => epoch,
        };
        let exists = |at: Cursor| (oldest..=epoch).contains(&at.epoch) && at.index <= spec.samples;
        if base <= epoch && epoch < MAX_EPOCHS && exists(self.first) && exists(self.at) {
            return Ok(());
        }
        Err(Error::argument(format!(
            "{self:?} is no position among {} samples",
            spec.samples
        )))
    }

    /// Returns a claim to the next batch.
    pub(super) fn claim(&self) -> Claim {
        Claim {
            epoch: self.epoch,
            base: self.base,
            batch: self.delivered,
            at: self.at,
            wanted: Arc::new(AtomicBool::new(true)),
        }
    }
}

/// Claim to make one batch.
#[derive(Debug, Clone)]
pub(super) struct Claim {
    pub(super) epoch: u64,
    /// The epoch of the last fresh start; samples roll over from there on.
    pub(super) base: u64,
    /// The number of the batch in its epoch.
    pub(super) batch: usize,
    /// Position of the first sample of the batch.
    pub(super) at: Cursor,
    wanted: Arc<AtomicBool>,
}

impl Claim {
    /// The claim to the next batch of the same epoch.
    pub(super) fn next_batch(&self, at: Cursor) -> Self {
        Self {
            batch: self.batch + 1,
            at,
            wanted: Arc::new(AtomicBool::new(true)),
            ..*self
        }
    }

    /// The claim to the first batch of the next epoch.
    pub(super) fn next_epoch(&self, at: Cursor) -> Self {
        Self {
            epoch: self.epoch + 1,
            batch: 0,
            at,
            wanted: Arc::new(AtomicBool::new(true)),
            ..*self
        }
    }

    /// Whether the batch is still wanted.
    pub(super) fn is_wanted(&self) -> bool {
        self.wanted.load(Ordering::Relaxed)
    }

    /// Marks the batch as not wanted any more.
    pub(super) fn cancel(&self) {
        self.wanted.store(false, Ordering::Relaxed);
    }

    /// Whether this is the same claim, not only one to the same batch.
    pub(super) fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.wanted, &other.wanted)
    }
}
