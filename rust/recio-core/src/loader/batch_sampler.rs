//! Batch sampler: the samples of a batch.
//!
//! They are the next samples of the epoch's order, without those that are skipped. They depend on
//! where the batch begins and on which samples are skipped, never on when these were found to be
//! damaged: a batch in which one is found is sampled again, and a loader that knew of it before
//! samples the same batch.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::error::{Error, Result};
use crate::loader::epoch::{Cursor, EpochSpec, LastBatch};
use crate::loader::position::Claim;
use crate::loader::read_ahead::Key;

/// Samples that are skipped, and why.
pub(super) type SkippedSamples = BTreeMap<usize, Arc<Error>>;

/// Samples taken one by one.
pub(super) trait SampleStream {
    type Sample;

    /// Takes the next sample of the epoch of `at`, and moves `at` past it; none at the end of that
    /// epoch.
    fn take(&mut self, at: &mut Cursor) -> Result<Option<Self::Sample>>;

    /// Prepares for taking the samples of an epoch again, to fill a batch.
    fn start_over(&mut self) {}

    /// Takes the list of the samples that were skipped.
    fn take_skipped(&mut self) -> Vec<usize>;
}

/// A batch, or the end of its epoch in place of it.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Sampled<S> {
    /// A batch.
    Batch(BatchSamples<S>),
    /// The end of the epoch.
    End {
        /// Position of the first sample of the next epoch.
        next: Cursor,
        /// Samples skipped on the way to the end.
        skipped: Vec<usize>,
    },
}

/// The samples of a batch.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct BatchSamples<S> {
    /// The samples; fewer than the batch size if the rest is zeros.
    pub(super) samples: Vec<S>,
    /// Slots that are not filled by new samples of the epoch.
    pub(super) pad: usize,
    /// Position of the first sample of the next batch.
    pub(super) next: Cursor,
    /// Samples skipped for this batch.
    pub(super) skipped: Vec<usize>,
}

/// Sampler of one batch.
pub(super) struct BatchSampler<'a, S> {
    pub(super) spec: &'a EpochSpec,
    pub(super) stream: S,
}

impl<S: SampleStream> BatchSampler<'_, S> {
    /// Samples the batch of a claim.
    pub(super) fn sample(mut self, claim: &Claim) -> Result<Sampled<S::Sample>> {
        let required = self.spec.required_batches(claim.epoch - claim.base);
        if required.is_some_and(|required| claim.batch >= required) {
            return Ok(self.end(claim, Vec::new()));
        }
        let mut batch = self.new_samples(claim)?;
        let (size, new) = (self.spec.batch_size, batch.samples.len());
        if new == size {
            return Ok(Sampled::Batch(batch));
        }
        let is_over = new == 0 && !self.is_all_skipped(claim, &batch.skipped);
        if required.is_none() && (is_over || new > 0 && self.leaves_incomplete()) {
            return Ok(self.end(claim, batch.skipped));
        }
        batch.pad = size - new;
        if self.spec.last_batch != LastBatch::Zeros {
            self.fill_up(claim.epoch, &mut batch.samples)?;
        }
        Ok(Sampled::Batch(batch))
    }

    fn end(&self, claim: &Claim, skipped: Vec<usize>) -> Sampled<S::Sample> {
        Sampled::End {
            next: self.spec.next_start(claim.epoch, claim.at),
            skipped,
        }
    }

    /// Whether an epoch has samples and all are skipped: then it has a batch without samples, whose
    /// making is an error.
    fn is_all_skipped(&self, claim: &Claim, skipped: &[usize]) -> bool {
        claim.batch == 0 && !skipped.is_empty() && skipped.len() >= self.spec.samples
    }

    /// Whether samples that do not fill a batch are not delivered in this epoch.
    fn leaves_incomplete(&self) -> bool {
        matches!(
            self.spec.last_batch,
            LastBatch::Discard | LastBatch::RollOver
        )
    }

    /// Takes the epoch's samples, after those left over from earlier epochs: a batch of them at
    /// most.
    fn new_samples(&mut self, claim: &Claim) -> Result<BatchSamples<S::Sample>> {
        let (mut samples, mut carried) = (Vec::new(), 0);
        let mut next = claim.at;
        while samples.len() < self.spec.batch_size {
            match self.stream.take(&mut next)? {
                Some(sample) => samples.push(sample),
                None if next.epoch < claim.epoch => {
                    carried = samples.len();
                    next = Cursor::start(next.epoch + 1);
                }
                None => break,
            }
        }
        let pad = match carried {
            0 => 0,
            carried => self.spec.batch_size - carried,
        };
        let skipped = self.stream.take_skipped();
        Ok(BatchSamples {
            samples,
            pad,
            next,
            skipped,
        })
    }

    /// Repeats the epoch's samples from its beginning, as often as needed; none if all are skipped.
    fn fill_up(&mut self, epoch: u64, samples: &mut Vec<S::Sample>) -> Result<()> {
        while samples.len() < self.spec.batch_size {
            let before = samples.len();
            let mut at = Cursor::start(epoch);
            self.stream.start_over();
            while samples.len() < self.spec.batch_size
                && let Some(sample) = self.stream.take(&mut at)?
            {
                samples.push(sample);
            }
            if samples.len() == before {
                break;
            }
        }
        Ok(())
    }
}

/// Epoch and index of each sample of the epoch's order that is not skipped.
pub(super) struct IndexStream<'a, F> {
    /// Samples of an epoch.
    len: usize,
    skip: &'a SkippedSamples,
    key_at: F,
    skipped: Vec<usize>,
}

impl<'a, F: FnMut(Cursor) -> Result<Key>> IndexStream<'a, F> {
    /// The samples of epochs of `len`, of which `key_at` returns the key of the one at a cursor.
    pub(super) fn new(len: usize, skip: &'a SkippedSamples, key_at: F) -> Self {
        Self {
            len,
            skip,
            key_at,
            skipped: Vec::new(),
        }
    }
}

impl<F: FnMut(Cursor) -> Result<Key>> SampleStream for IndexStream<'_, F> {
    type Sample = Key;

    fn take(&mut self, at: &mut Cursor) -> Result<Option<Key>> {
        while at.index < self.len {
            let key = (self.key_at)(*at)?;
            at.index += 1;
            if !self.skip.contains_key(&key.1) {
                return Ok(Some(key));
            }
            self.skipped.push(key.1);
        }
        Ok(None)
    }

    fn take_skipped(&mut self) -> Vec<usize> {
        std::mem::take(&mut self.skipped)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::loader::epoch::ShardPolicy;
    use crate::loader::position::Position;

    /// The batches of the first epochs: their samples and pads.
    fn epochs(spec: &EpochSpec, skipped: &[usize], epochs: u64) -> Vec<Vec<(Vec<usize>, usize)>> {
        let skip = skipped
            .iter()
            .map(|&sample| (sample, Arc::new(Error::image("bad"))))
            .collect();
        let mut claim = Position::fresh(0).claim();
        let mut batches = vec![vec![]];
        while claim.epoch < epochs {
            let stream =
                IndexStream::new(spec.samples, &skip, |at: Cursor| Ok((at.epoch, at.index)));
            let sampled = BatchSampler { spec, stream }.sample(&claim).unwrap();
            claim = match sampled {
                Sampled::Batch(batch) => {
                    let samples = batch.samples.iter().map(|&(_, sample)| sample).collect();
                    batches.last_mut().unwrap().push((samples, batch.pad));
                    claim.next_batch(batch.next)
                }
                Sampled::End { next, .. } => {
                    batches.push(vec![]);
                    claim.next_epoch(next)
                }
            };
        }
        batches.pop();
        batches
    }

    fn alone(samples: usize, batch_size: usize, last: LastBatch) -> EpochSpec {
        EpochSpec::of_shard(samples, (samples, 1), ShardPolicy::Pad, batch_size, last)
    }

    #[test]
    fn an_incomplete_last_batch_is_filled_up_or_discarded() {
        let last = |last| epochs(&alone(5, 3, last), &[], 2).pop().unwrap();
        let first = (vec![0, 1, 2], 0);
        assert_eq!(last(LastBatch::Wrap), [first.clone(), (vec![3, 4, 0], 1)]);
        assert_eq!(last(LastBatch::Zeros), [first.clone(), (vec![3, 4], 1)]);
        assert_eq!(last(LastBatch::Discard), [first]);
    }

    /// Batches of MXNet's `ImageIter`, whose pad is the number of new samples in the first batch of
    /// an epoch.
    #[test]
    fn samples_that_roll_over_begin_the_next_epoch() {
        assert_eq!(
            epochs(&alone(10, 4, LastBatch::RollOver), &[], 3),
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
        let counts: Vec<usize> = epochs(&alone(2, 5, LastBatch::RollOver), &[], 5)
            .iter()
            .map(Vec::len)
            .collect();
        assert_eq!(counts, [0, 0, 1, 0, 1]);
        assert_eq!(
            epochs(&alone(2, 5, LastBatch::Wrap), &[], 1)[0],
            [(vec![0, 1, 0, 1, 0], 3)]
        );
    }

    #[test]
    fn batches_stay_full_where_samples_are_skipped_and_each_other_one_comes_once() {
        assert_eq!(
            epochs(&alone(8, 3, LastBatch::Wrap), &[1, 7], 1)[0],
            [(vec![0, 2, 3], 0), (vec![4, 5, 6], 0)]
        );
        assert_eq!(
            epochs(&alone(8, 3, LastBatch::Wrap), &[0, 1], 1)[0],
            [(vec![2, 3, 4], 0), (vec![5, 6, 7], 0)]
        );
        assert_eq!(
            epochs(&alone(7, 3, LastBatch::Wrap), &[0, 2], 1)[0],
            [(vec![1, 3, 4], 0), (vec![5, 6, 1], 1)]
        );
        assert_eq!(
            epochs(&alone(7, 4, LastBatch::RollOver), &[3], 2),
            [
                vec![(vec![0, 1, 2, 4], 0)],
                vec![(vec![5, 6, 0, 1], 2), (vec![2, 4, 5, 6], 0)],
            ]
        );
    }

    #[test]
    fn an_epoch_of_skipped_samples_alone_has_a_batch_without_samples() {
        for last in [LastBatch::Wrap, LastBatch::Discard, LastBatch::RollOver] {
            let batches = epochs(&alone(3, 2, last), &[0, 1, 2], 2);
            assert_eq!(batches, [[(vec![], 2)], [(vec![], 2)]], "{last:?}");
        }
    }

    #[test]
    fn shards_have_as_many_batches_whichever_samples_are_skipped() {
        for last in [
            LastBatch::Wrap,
            LastBatch::Zeros,
            LastBatch::Discard,
            LastBatch::RollOver,
        ] {
            for policy in [ShardPolicy::Pad, ShardPolicy::Drop] {
                let counts = |samples, skipped: &[usize]| {
                    let spec = EpochSpec::of_shard(samples, (17, 2), policy, 4, last);
                    let batches = epochs(&spec, skipped, 6);
                    batches.iter().map(Vec::len).collect::<Vec<_>>()
                };
                let expected = counts(9, &[]);
                for skipped in [&[][..], &[0], &[1, 2, 3, 4], &[7]] {
                    for samples in [8, 9] {
                        assert_eq!(
                            counts(samples, skipped),
                            expected,
                            "{last:?} {policy:?} {skipped:?}"
                        );
                    }
                }
            }
        }
    }

    #[test]
    fn a_shard_with_too_few_samples_repeats_some_and_counts_them_as_pad() {
        let spec = EpochSpec::of_shard(4, (9, 2), ShardPolicy::Pad, 4, LastBatch::Wrap);
        assert_eq!(
            epochs(&spec, &[], 1)[0],
            [(vec![0, 1, 2, 3], 0), (vec![0, 1, 2, 3], 4)]
        );
        let spec = EpochSpec::of_shard(4, (9, 2), ShardPolicy::Pad, 4, LastBatch::Zeros);
        assert_eq!(
            epochs(&spec, &[], 1)[0],
            [(vec![0, 1, 2, 3], 0), (vec![], 4)]
        );
    }
}
