//! Positions: where a consumer is, which is what a checkpoint holds, and the claims to the batches
//! after it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

use crate::error::{Error, Result};
use crate::loader::epoch::{Cursor, EpochSpec, LastBatch};
use crate::loader::epoch_order::EPOCH_BITS;

/// Epochs of which an order can be computed, and sums of them do not overflow.
const MAX_EPOCHS: u64 = 1 << EPOCH_BITS;

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
        if self.is_possible(spec) {
            return Ok(());
        }
        Err(Error::argument(format!(
            "{self:?} is no position among {} samples",
            spec.samples
        )))
    }

    fn is_possible(&self, spec: &EpochSpec) -> bool {
        let Self { epoch, base, .. } = *self;
        // At least one sample of each epoch rolls over, and at most a batch of them in all.
        let oldest = match spec.last_batch {
            LastBatch::RollOver => base.max(epoch.saturating_sub(spec.step() as u64)),
            _ => epoch,
        };
        let exists = |at: Cursor| (oldest..=epoch).contains(&at.epoch) && at.index <= spec.samples;
        base <= epoch
            && epoch < MAX_EPOCHS
            && exists(self.first)
            && exists(self.at)
            && self.delivered <= self.batches(spec)
            && self.has_delivered(spec)
    }

    /// Whether as many samples were passed as the batches have that were delivered.
    fn has_delivered(&self, spec: &EpochSpec) -> bool {
        let passed = self.index_in_run(self.at, spec) - self.index_in_run(self.first, spec);
        let needed = self.delivered as i128 * spec.step() as i128;
        match self.delivered {
            0 => passed == 0,
            _ => passed >= needed || self.at.epoch == self.epoch && self.at.index == spec.samples,
        }
    }

    /// Index of a sample among those of all epochs since the last fresh start.
    fn index_in_run(&self, at: Cursor, spec: &EpochSpec) -> i128 {
        i128::from(at.epoch - self.base) * spec.samples as i128 + at.index as i128
    }

    /// Returns the position of another shard, of `ours`, that has delivered as many batches as a
    /// shard of `theirs` at this position.
    ///
    /// # Errors
    /// Epochs of `theirs` do not have this position; or some samples were skipped before it, or
    /// samples roll over and the shards have different lengths, so that the position of one shard
    /// does not tell that of another.
    pub(super) fn of_other_shard(&self, theirs: &EpochSpec, ours: &EpochSpec) -> Result<Self> {
        self.check(theirs)?;
        let rolls_over = theirs.last_batch == LastBatch::RollOver;
        if rolls_over && theirs.samples != ours.samples {
            return Err(Error::argument(
                "the state is of another part_index, and with last_batch_handle=\"roll_over\" parts of different lengths \
                 have different positions: save a state of each part",
            ));
        }
        if (self.first, self.at) != self.without_skips(theirs) {
            return Err(Error::argument(
                "the state is of another part_index, where samples were skipped: save a state of each part",
            ));
        }
        let (first, at) = self.without_skips(ours);
        Ok(Self { first, at, ..*self })
    }

    /// Returns the positions of the first sample of the epoch and of the next batch if no sample is
    /// skipped.
    fn without_skips(&self, spec: &EpochSpec) -> (Cursor, Cursor) {
        let (samples, size) = (spec.samples as u128, spec.batch_size as u128);
        if spec.last_batch != LastBatch::RollOver {
            let index = (self.delivered as u128 * size).min(samples) as usize;
            let epoch = self.epoch;
            return (Cursor::start(epoch), Cursor { epoch, index });
        }
        let cursor = |index: u128| Cursor {
            epoch: self.base + (index / samples.max(1)) as u64,
            index: (index % samples.max(1)) as usize,
        };
        let before = u128::from(self.epoch - self.base) * samples / size * size;
        let end = u128::from(self.epoch - self.base + 1) * samples;
        let at = before + self.delivered as u128 * size;
        let at = match at {
            _ if self.delivered == 0 => cursor(before),
            at if at == end => Cursor {
                epoch: self.epoch,
                index: spec.samples,
            },
            at => cursor(at),
        };
        (cursor(before), at)
    }

    /// Returns a claim to the next batch.
    pub(super) fn claim(&self) -> Claim {
        Claim {
            epoch: self.epoch,
            base: self.base,
            batch: self.delivered,
            at: self.at,
            demand: Arc::default(),
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
    demand: Arc<AtomicU8>,
}

/// Values of [`Claim::demand`], in the order in which they follow each other.
const WANTED: u8 = 0;
/// The consumer waits for the batch.
const AWAITED: u8 = 1;
const CANCELLED: u8 = 2;

impl Claim {
    /// The claim to the next batch of the same epoch.
    pub(super) fn next_batch(&self, at: Cursor) -> Self {
        Self {
            batch: self.batch + 1,
            at,
            demand: Arc::default(),
            ..*self
        }
    }

    /// The claim to the first batch of the next epoch.
    pub(super) fn next_epoch(&self, at: Cursor) -> Self {
        Self {
            epoch: self.epoch + 1,
            batch: 0,
            at,
            demand: Arc::default(),
            ..*self
        }
    }

    /// Whether the batch is still wanted.
    pub(super) fn is_wanted(&self) -> bool {
        self.demand.load(Ordering::Relaxed) != CANCELLED
    }

    /// Whether the batch may wait for memory: the consumer has not asked for it yet.
    pub(super) fn may_wait(&self) -> bool {
        self.demand.load(Ordering::Relaxed) == WANTED
    }

    /// Notes that the consumer waits for the batch.
    pub(super) fn expect(&self) {
        self.demand.fetch_max(AWAITED, Ordering::Relaxed);
    }

    /// Marks the batch as not wanted any more.
    pub(super) fn cancel(&self) {
        self.demand.store(CANCELLED, Ordering::Relaxed);
    }

    /// Whether this is a claim to the same batch, which begins at the same sample.
    pub(super) fn is_at(&self, other: &Self) -> bool {
        let position = |claim: &Self| (claim.epoch, claim.base, claim.batch, claim.at);
        position(self) == position(other)
    }

    /// Whether this is the same claim, not only one to the same batch.
    pub(super) fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.demand, &other.demand)
    }
}
