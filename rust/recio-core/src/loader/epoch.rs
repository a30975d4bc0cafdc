//! Epochs in batches: how many an epoch has, and how the last ones are handled.
//!
//! Which samples are in a batch is decided by [`batch_sampler`](super::batch_sampler): where
//! damaged samples are skipped, a batch begins where the one before it ended, not at a multiple of
//! the batch size. Global batches do begin there, and [`global_batch`](super::global_batch) makes
//! the slices of them.

use std::ops::Range;

/// Handling of the samples at the end of an epoch that do not fill a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LastBatch {
    /// Their batch is filled with samples from the beginning of the epoch.
    Wrap,
    /// Their batch is filled with zeros.
    Zeros,
    /// They are discarded.
    Discard,
    /// They are the beginning of the first batch of the next epoch.
    RollOver,
}

/// Handling of shards of different lengths. They differ by one sample at most.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ShardPolicy {
    /// Every shard has as many batches as the longest: missing samples are repeated, and counted as
    /// pad.
    Pad,
    /// Every shard has as many samples as the shortest: an extra one is dropped; if shuffled,
    /// another one in each epoch.
    Drop,
    /// Shards may differ by one batch.
    Uneven,
}

/// How samples are divided among the ranks of distributed training.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sharding {
    /// Each rank has a contiguous range of the samples, the same in every epoch.
    Contiguous,
    /// Each rank has a slice of every global batch, of which the batches of all ranks consist. The
    /// order of an epoch is one permutation of all samples.
    Global,
}

/// A position in the order of an epoch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Cursor {
    /// The epoch.
    pub epoch: u64,
    /// The index in its order, from 0.
    pub index: usize,
}

impl Cursor {
    /// The beginning of an epoch.
    #[must_use]
    pub fn start(epoch: u64) -> Self {
        Self { epoch, index: 0 }
    }
}

/// Number of samples, batch size and policies of all epochs.
#[derive(Debug, Clone, Copy)]
pub(super) struct EpochSpec {
    /// Samples of an epoch.
    pub(super) samples: usize,
    /// Images in a batch of this rank.
    pub(super) batch_size: usize,
    pub(super) last_batch: LastBatch,
    /// Samples from which the number of batches is computed, if every shard must have as many
    /// batches.
    pub(super) equal_samples: Option<usize>,
    /// The slice of each global batch, if all ranks have the same epochs.
    pub(super) slice: Option<GlobalSlice>,
}

/// The slice of a global batch that a rank has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct GlobalSlice {
    pub(super) ranks: usize,
    pub(super) rank: usize,
}

impl EpochSpec {
    /// Epochs of all `samples`, of whose global batches a rank has a slice.
    pub(super) fn of_global_batches(
        samples: usize,
        slice: GlobalSlice,
        batch_size: usize,
        last_batch: LastBatch,
    ) -> Self {
        Self {
            samples,
            batch_size,
            last_batch,
            equal_samples: None,
            slice: Some(slice),
        }
    }

    /// Epochs of a shard that has `samples` of the `all` samples of all `shards`.
    pub(super) fn of_shard(
        samples: usize,
        (all, shards): (usize, usize),
        policy: ShardPolicy,
        batch_size: usize,
        last_batch: LastBatch,
    ) -> Self {
        let (samples, equal_samples) = match policy {
            _ if shards == 1 => (samples, None),
            ShardPolicy::Uneven => (samples, None),
            ShardPolicy::Pad => (samples, Some(all.div_ceil(shards))),
            ShardPolicy::Drop => (all / shards, Some(all / shards)),
        };
        Self {
            samples,
            batch_size,
            last_batch,
            equal_samples,
            slice: None,
        }
    }

    /// Returns the samples of the order that are passed by a batch: those of all ranks whose
    /// batches are slices of one.
    pub(super) fn step(&self) -> usize {
        self.batch_size * self.slice.map_or(1, |slice| slice.ranks)
    }

    /// Returns the range of the samples of a global batch that are in this rank's batch.
    pub(super) fn slice_of_step(&self) -> Range<usize> {
        let begin = self.batch_size * self.slice.map_or(0, |slice| slice.rank);
        begin..begin + self.batch_size
    }

    /// Returns the number of samples of an epoch that this rank has.
    pub(super) fn own_samples(&self) -> usize {
        let (steps, rest) = (self.samples / self.step(), self.samples % self.step());
        let slice = self.slice_of_step();
        steps * self.batch_size + rest.clamp(slice.start, slice.end) - slice.start
    }

    /// Returns the index in the order of the epoch of a sample of this rank, from its number among
    /// the samples of the rank.
    pub(super) fn index_of(&self, own: usize) -> usize {
        own / self.batch_size * self.step() + self.slice_of_step().start + own % self.batch_size
    }

    /// Returns the number of batches that an epoch must have for all shards to have as many;
    /// `number` is the epoch's, counted from the last fresh start.
    pub(super) fn required_batches(&self, number: u64) -> Option<usize> {
        let samples = self.equal_samples?;
        let before = |epoch: u64| u128::from(epoch) * samples as u128 / self.step() as u128;
        Some(match self.last_batch {
            LastBatch::Wrap | LastBatch::Zeros => samples.div_ceil(self.step()),
            LastBatch::Discard => samples / self.step(),
            LastBatch::RollOver => (before(number + 1) - before(number)) as usize,
        })
    }

    /// Returns the number of batches of an epoch whose first begins at `first`, if no sample is
    /// skipped; `number` as for [`required_batches`](Self::required_batches).
    pub(super) fn batches(&self, epoch: u64, number: u64, first: Cursor) -> usize {
        let available = || match self.last_batch {
            LastBatch::Wrap | LastBatch::Zeros => self.samples.div_ceil(self.step()),
            LastBatch::Discard => self.samples / self.step(),
            LastBatch::RollOver => (self.carried(epoch, first) + self.samples) / self.step(),
        };
        self.required_batches(number).unwrap_or_else(available)
    }

    /// Returns where the first batch of the next epoch begins, if the batch at `at` cannot be
    /// filled by this epoch.
    pub(super) fn next_start(&self, epoch: u64, at: Cursor) -> Cursor {
        let is_at_end = at.epoch == epoch && at.index >= self.samples;
        if self.last_batch == LastBatch::RollOver && !is_at_end {
            return at;
        }
        Cursor::start(epoch + 1)
    }

    /// Samples of earlier epochs at the beginning of a batch of `epoch`.
    pub(super) fn carried(&self, epoch: u64, at: Cursor) -> usize {
        let epochs = (epoch - at.epoch) as usize;
        (epochs * self.samples).saturating_sub(at.index)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of_shard(
        samples: usize,
        all: usize,
        shards: usize,
        policy: ShardPolicy,
        last: LastBatch,
    ) -> EpochSpec {
        EpochSpec::of_shard(samples, (all, shards), policy, 4, last)
    }

    fn first_epoch(spec: EpochSpec) -> usize {
        spec.batches(0, 0, Cursor::default())
    }

    #[test]
    fn shards_that_differ_by_a_sample_have_as_many_batches() {
        for (policy, last, expected) in [
            (ShardPolicy::Pad, LastBatch::Wrap, [2, 2]),
            (ShardPolicy::Pad, LastBatch::Zeros, [2, 2]),
            (ShardPolicy::Drop, LastBatch::Wrap, [1, 1]),
            (ShardPolicy::Pad, LastBatch::Discard, [1, 1]),
            (ShardPolicy::Uneven, LastBatch::Wrap, [1, 2]),
        ] {
            let batches = [4, 5].map(|samples| first_epoch(of_shard(samples, 9, 2, policy, last)));
            assert_eq!(batches, expected, "{policy:?} {last:?}");
        }
    }

    #[test]
    fn a_single_shard_has_no_required_batches() {
        let all = of_shard(9, 9, 1, ShardPolicy::Drop, LastBatch::Wrap);
        assert_eq!((all.required_batches(0), all.samples), (None, 9));
    }

    #[test]
    fn samples_that_roll_over_count_in_the_epoch_of_their_batch() {
        let alone = of_shard(10, 10, 1, ShardPolicy::Pad, LastBatch::RollOver);
        assert_eq!(first_epoch(alone), 2);
        let left_over = alone.next_start(0, Cursor { epoch: 0, index: 8 });
        assert_eq!(left_over, Cursor { epoch: 0, index: 8 });
        assert_eq!(alone.batches(1, 1, left_over), 3);
        let none = alone.next_start(
            1,
            Cursor {
                epoch: 1,
                index: 10,
            },
        );
        assert_eq!(none, Cursor::start(2));
        let shared = of_shard(10, 21, 2, ShardPolicy::Pad, LastBatch::RollOver);
        let required: Vec<_> = (0..4)
            .map(|epoch| shared.required_batches(epoch).unwrap())
            .collect();
        assert_eq!(required, [2, 3, 3, 3]);
    }
}
