//! How epochs are spec into batches: how many an epoch has, and what becomes of its end.
//!
//! Which samples a batch has is [`pick`](super::pick)'s business: where damaged samples are passed over, a batch begins where
//! the one before it has ended, not at a multiple of its size.

/// What becomes of the samples at the end of an epoch that do not fill a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LastBatch {
    /// Their batch is filled up with samples of the epoch's beginning.
    Wrap,
    /// Their batch is filled up with zeros.
    Zeros,
    /// They are left out.
    Discard,
    /// They are the beginning of the next epoch's first batch.
    RollOver,
}

/// What is done so that the parts of a data set, which may differ by a record, have as many batches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ShardPolicy {
    /// Each has as many as the largest: what a part lacks is filled up, and counted as pad.
    Pad,
    /// Each has as many samples as the smallest: what a part has more is left out, in each epoch something else if they are
    /// shuffled.
    Drop,
    /// Nothing: they may differ by a batch.
    Uneven,
}

/// A place in the order of an epoch's samples.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Cursor {
    /// The epoch.
    pub epoch: u64,
    /// The place, from 0.
    pub place: usize,
}

/// Samples, and how many of them are a batch.
#[derive(Debug, Clone, Copy)]
pub(super) struct EpochSpec {
    /// Samples of an epoch.
    pub(super) samples: usize,
    pub(super) batch_size: usize,
    pub(super) last: LastBatch,
    /// The samples that count for the number of batches, if each part must have as many.
    pub(super) quota: Option<usize>,
}

impl EpochSpec {
    /// How part `index` of `parts` is spec that has `own` of `all` samples.
    pub(super) fn of_part(
        own: usize,
        (all, parts): (usize, usize),
        policy: ShardPolicy,
        batch_size: usize,
        last: LastBatch,
    ) -> Self {
        let (samples, quota) = match policy {
            _ if parts == 1 => (own, None),
            ShardPolicy::Uneven => (own, None),
            ShardPolicy::Pad => (own, Some(all.div_ceil(parts))),
            ShardPolicy::Drop => (all / parts, Some(all / parts)),
        };
        Self {
            samples,
            batch_size,
            last,
            quota,
        }
    }

    /// The number of batches that epoch `number`, counted from the last fresh start, must have for all parts to have as many.
    pub(super) fn quota(&self, number: u64) -> Option<usize> {
        let samples = self.quota?;
        let before = |epoch: u64| u128::from(epoch) * samples as u128 / self.batch_size as u128;
        Some(match self.last {
            LastBatch::Wrap | LastBatch::Zeros => samples.div_ceil(self.batch_size),
            LastBatch::Discard => samples / self.batch_size,
            LastBatch::RollOver => (before(number + 1) - before(number)) as usize,
        })
    }

    /// Batches of an epoch whose first begins at `first`, if no sample is passed over; `number` as for the quota.
    pub(super) fn batches(&self, epoch: u64, number: u64, first: Cursor) -> usize {
        let whole = || match self.last {
            LastBatch::Wrap | LastBatch::Zeros => self.samples.div_ceil(self.batch_size),
            LastBatch::Discard => self.samples / self.batch_size,
            LastBatch::RollOver => (self.carried(epoch, first) + self.samples) / self.batch_size,
        };
        self.quota(number).unwrap_or_else(whole)
    }

    /// Where the next epoch's first batch begins, if the batch that this epoch cannot fill would begin at `at`.
    pub(super) fn after(&self, epoch: u64, at: Cursor) -> Cursor {
        let is_at_end = at.epoch == epoch && at.place >= self.samples;
        if self.last == LastBatch::RollOver && !is_at_end {
            return at;
        }
        Cursor {
            epoch: epoch + 1,
            place: 0,
        }
    }

    /// The samples of earlier epochs that a batch of `epoch` begins with.
    fn carried(&self, epoch: u64, at: Cursor) -> usize {
        let epochs = (epoch - at.epoch) as usize;
        (epochs * self.samples).saturating_sub(at.place)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spec(
        own: usize,
        all: usize,
        parts: usize,
        policy: ShardPolicy,
        last: LastBatch,
    ) -> EpochSpec {
        EpochSpec::of_part(own, (all, parts), policy, 4, last)
    }

    fn first_epoch(spec: EpochSpec) -> usize {
        spec.batches(0, 0, Cursor::default())
    }

    #[test]
    fn parts_that_differ_by_a_record_have_as_many_batches() {
        for (policy, last, expected) in [
            (ShardPolicy::Pad, LastBatch::Wrap, [2, 2]),
            (ShardPolicy::Pad, LastBatch::Zeros, [2, 2]),
            (ShardPolicy::Drop, LastBatch::Wrap, [1, 1]),
            (ShardPolicy::Pad, LastBatch::Discard, [1, 1]),
            (ShardPolicy::Uneven, LastBatch::Wrap, [1, 2]),
        ] {
            let batches = [4, 5].map(|own| first_epoch(spec(own, 9, 2, policy, last)));
            assert_eq!(batches, expected, "{policy:?} {last:?}");
        }
    }

    #[test]
    fn a_single_part_has_no_quota() {
        let all = spec(9, 9, 1, ShardPolicy::Drop, LastBatch::Wrap);
        assert_eq!((all.quota(0), all.samples), (None, 9));
    }

    #[test]
    fn what_rolls_over_is_counted_in_the_epoch_that_has_it() {
        let alone = spec(10, 10, 1, ShardPolicy::Pad, LastBatch::RollOver);
        assert_eq!(first_epoch(alone), 2);
        let left_over = alone.after(0, Cursor { epoch: 0, place: 8 });
        assert_eq!(left_over, Cursor { epoch: 0, place: 8 });
        assert_eq!(alone.batches(1, 1, left_over), 3);
        let none = alone.after(
            1,
            Cursor {
                epoch: 1,
                place: 10,
            },
        );
        assert_eq!(none, Cursor { epoch: 2, place: 0 });
        let shared = spec(10, 21, 2, ShardPolicy::Pad, LastBatch::RollOver);
        let quotas: Vec<_> = (0..4).map(|epoch| shared.quota(epoch).unwrap()).collect();
        assert_eq!(quotas, [2, 3, 3, 3]);
    }
}
