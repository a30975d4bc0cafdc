//! How epochs are cut into batches.
//!
//! All is a function of the epoch's number, counted from the last fresh start: so an epoch's batches can be made before
//! those of the epoch before it are delivered.

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

/// Samples, and how many of them are a batch.
#[derive(Debug, Clone, Copy)]
pub(super) struct Cut {
    pub(super) samples: usize,
    pub(super) batch_size: usize,
    pub(super) last: LastBatch,
}

/// What a batch is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Span {
    /// Its first sample's place, counted from the beginning of the first epoch if they roll over, or else of its own.
    pub(super) first: u64,
    /// How many samples it has; the rest is zeros.
    pub(super) filled: usize,
    /// How many of its places are not this epoch's own samples, or not yet.
    pub(super) pad: usize,
}

impl Cut {
    /// Batches of an epoch.
    pub(super) fn batches(&self, epoch: u64) -> usize {
        match self.last {
            LastBatch::Wrap | LastBatch::Zeros => self.samples.div_ceil(self.batch_size),
            LastBatch::Discard => self.samples / self.batch_size,
            LastBatch::RollOver => {
                (self.batches_before(epoch + 1) - self.batches_before(epoch)) as usize
            }
        }
    }

    /// Whether no epoch has a batch.
    pub(super) fn is_empty(&self) -> bool {
        self.samples == 0 || (self.last == LastBatch::Discard && self.samples < self.batch_size)
    }

    /// What a batch of an epoch is made of.
    pub(super) fn span(&self, epoch: u64, batch: usize) -> Span {
        let size = self.batch_size;
        if self.last == LastBatch::RollOver {
            let first = (self.batches_before(epoch) + batch as u64) * size as u64;
            let carried = (epoch * self.samples as u64).saturating_sub(first) as usize;
            let pad = if carried == 0 {
                0
            } else {
                size - carried.min(size)
            };
            return Span {
                first,
                filled: size,
                pad,
            };
        }
        let pad = ((batch + 1) * size).saturating_sub(self.samples);
        let is_short = self.last == LastBatch::Zeros;
        Span {
            first: (batch * size) as u64,
            filled: if is_short { size - pad } else { size },
            pad,
        }
    }

    /// The epoch of a sample of a batch of `epoch`, and its place there.
    pub(super) fn place(&self, epoch: u64, place: u64) -> (u64, usize) {
        let samples = self.samples as u64;
        match self.last {
            LastBatch::RollOver => (place / samples, (place % samples) as usize),
            _ => (epoch, (place % samples) as usize),
        }
    }

    /// Batches of all epochs before this one, if they roll over.
    fn batches_before(&self, epoch: u64) -> u64 {
        (u128::from(epoch) * self.samples as u128 / self.batch_size as u128) as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn epochs(
        samples: usize,
        batch_size: usize,
        last: LastBatch,
        epochs: u64,
    ) -> Vec<Vec<(Vec<usize>, usize)>> {
        let cut = Cut {
            samples,
            batch_size,
            last,
        };
        let batch = |epoch, batch| {
            let span = cut.span(epoch, batch);
            let places = (0..span.filled as u64).map(|i| cut.place(epoch, span.first + i).1);
            (places.collect(), span.pad)
        };
        (0..epochs)
            .map(|epoch| (0..cut.batches(epoch)).map(|i| batch(epoch, i)).collect())
            .collect()
    }

    #[test]
    fn what_does_not_fill_a_batch_is_filled_up_or_left_out() {
        let last = |last| epochs(5, 3, last, 2).pop().unwrap();
        let first = (vec![0, 1, 2], 0);
        assert_eq!(last(LastBatch::Wrap), [first.clone(), (vec![3, 4, 0], 1)]);
        assert_eq!(last(LastBatch::Zeros), [first.clone(), (vec![3, 4], 1)]);
        assert_eq!(last(LastBatch::Discard), [first]);
    }

    /// MXNet's `ImageIter` gives these batches, and as pad the number of new samples in the first batch of an epoch.
    #[test]
    fn what_is_left_over_begins_the_next_epoch() {
        assert_eq!(
            epochs(10, 4, LastBatch::RollOver, 3),
            [
                vec![(vec![0, 1, 2, 3], 0), (vec![4, 5, 6, 7], 0)],
                vec![
                    (vec![8, 9, 0, 1], 2),
                    (vec![2, 3, 4, 5], 0),
                    (vec![6, 7, 8, 9], 0)
                ],
                vec![(vec![0, 1, 2, 3], 0), (vec![4, 5, 6, 7], 0)],
            ]
        );
    }

    #[test]
    fn an_epoch_smaller_than_a_batch_may_have_none() {
        let counts: Vec<usize> = epochs(2, 5, LastBatch::RollOver, 5)
            .iter()
            .map(Vec::len)
            .collect();
        assert_eq!(counts, [0, 0, 1, 0, 1]);
        assert_eq!(
            epochs(2, 5, LastBatch::Wrap, 1)[0],
            [(vec![0, 1, 0, 1, 0], 3)]
        );
    }
}
