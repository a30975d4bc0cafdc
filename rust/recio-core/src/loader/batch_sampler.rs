//! Which samples a batch is made of: those at the next places of its epoch's order, less those that are known to be damaged.
//!
//! A function of the place where the batch begins and of which samples are damaged, never of when that came to be known: so a
//! batch that turns out to have a damaged sample is picked again, and an iterator that knew before picks the same.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::error::Error;
use crate::loader::epoch::{Cursor, EpochSpec, LastBatch};
use crate::loader::queue::Claim;

/// Samples that cannot be used, and why.
pub(super) type SkippedSamples = BTreeMap<usize, Arc<Error>>;

/// What comes at a claim's place.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Sampled {
    /// A batch.
    Batch(BatchSamples),
    /// The end of the epoch: where the first batch of the next one begins, and the damaged samples passed over.
    End(Cursor, Vec<usize>),
}

/// The samples of a batch.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct BatchSamples {
    /// Each sample's epoch and number; fewer than the batch has places if the rest is zeros.
    pub(super) samples: Vec<(u64, usize)>,
    /// How many places of the batch are not this epoch's own samples, or not yet.
    pub(super) pad: usize,
    /// Where the next batch begins.
    pub(super) next: Cursor,
    /// The damaged samples that were passed over.
    pub(super) passed: Vec<usize>,
}

/// Gathers the samples of one batch.
pub(super) struct BatchSampler<'a, F> {
    pub(super) spec: &'a EpochSpec,
    pub(super) damaged: &'a SkippedSamples,
    /// The number of the sample at a place of an epoch's order.
    pub(super) sample: F,
}

impl<F: FnMut(Cursor) -> usize> BatchSampler<'_, F> {
    /// Picks what comes at the claim's place.
    pub(super) fn pick(mut self, claim: &Claim) -> Sampled {
        let quota = self.spec.quota(claim.epoch - claim.base);
        if quota.is_some_and(|quota| claim.batch >= quota) {
            return Sampled::End(self.spec.after(claim.epoch, claim.at), Vec::new());
        }
        let mut picked = self.own(claim);
        let (size, own) = (self.spec.batch_size, picked.samples.len());
        if own == size {
            return Sampled::Batch(picked);
        }
        let is_over = own == 0 && !self.is_all_damage(claim, &picked.passed);
        if quota.is_none() && (is_over || own > 0 && self.leaves_its_end()) {
            return Sampled::End(self.spec.after(claim.epoch, claim.at), picked.passed);
        }
        picked.pad = size - own;
        if self.spec.last != LastBatch::Zeros {
            self.fill_up(claim.epoch, &mut picked.samples);
        }
        Sampled::Batch(picked)
    }

    /// Whether an epoch has samples and all are damaged: then it has a batch, without any, to say so.
    fn is_all_damage(&self, claim: &Claim, passed: &[usize]) -> bool {
        claim.batch == 0 && !passed.is_empty() && passed.len() >= self.spec.samples
    }

    /// Whether an epoch's end that fills no batch gives none.
    fn leaves_its_end(&self) -> bool {
        matches!(self.spec.last, LastBatch::Discard | LastBatch::RollOver)
    }

    /// The epoch's own samples from the claim's place on, after those that were left over: a batch of them at most.
    fn own(&mut self, claim: &Claim) -> BatchSamples {
        let mut picked = BatchSamples::default();
        let (mut at, mut carried) = (claim.at, 0);
        while picked.samples.len() < self.spec.batch_size {
            if at.place >= self.spec.samples {
                if at.epoch == claim.epoch {
                    break;
                }
                carried = picked.samples.len();
                at = Cursor {
                    epoch: at.epoch + 1,
                    place: 0,
                };
                continue;
            }
            let sample = (self.sample)(at);
            if self.damaged.contains_key(&sample) {
                picked.passed.push(sample);
            } else {
                picked.samples.push((at.epoch, sample));
            }
            at.place += 1;
        }
        picked.next = at;
        if carried > 0 {
            picked.pad = self.spec.batch_size - carried;
        }
        picked
    }

    /// Repeats the epoch's samples from its beginning, over and over if need be; none if all are damaged.
    fn fill_up(&mut self, epoch: u64, samples: &mut Vec<(u64, usize)>) {
        let sound = (0..self.spec.samples).filter_map(|place| {
            let sample = (self.sample)(Cursor { epoch, place });
            (!self.damaged.contains_key(&sample)).then_some((epoch, sample))
        });
        let wanted = self.spec.batch_size - samples.len();
        let repeats: Vec<_> = sound.take(wanted).collect();
        samples.extend(repeats.iter().cycle().take(wanted));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::loader::epoch::ShardPolicy;

    /// The epochs' batches: their samples, and their pads.
    fn epochs(spec: &EpochSpec, damaged: &[usize], epochs: u64) -> Vec<Vec<(Vec<usize>, usize)>> {
        let damaged = damaged
            .iter()
            .map(|&sample| (sample, Arc::new(Error::image("bad"))))
            .collect();
        let mut claim = Claim::new(0, 0, Cursor::default());
        let mut found = vec![vec![]];
        while claim.epoch < epochs {
            let sampler = BatchSampler {
                spec,
                damaged: &damaged,
                sample: |at: Cursor| at.place,
            };
            claim = match sampler.pick(&claim) {
                Sampled::Batch(picked) => {
                    let samples = picked.samples.iter().map(|&(_, sample)| sample).collect();
                    found.last_mut().unwrap().push((samples, picked.pad));
                    Claim::new(claim.epoch, claim.batch + 1, picked.next)
                }
                Sampled::End(next, _) => {
                    found.push(vec![]);
                    Claim::new(claim.epoch + 1, 0, next)
                }
            };
        }
        found.pop();
        found
    }

    fn alone(samples: usize, batch_size: usize, last: LastBatch) -> EpochSpec {
        EpochSpec::of_part(samples, (samples, 1), ShardPolicy::Pad, batch_size, last)
    }

    #[test]
    fn what_does_not_fill_a_batch_is_filled_up_or_left_out() {
        let last = |last| epochs(&alone(5, 3, last), &[], 2).pop().unwrap();
        let first = (vec![0, 1, 2], 0);
        assert_eq!(last(LastBatch::Wrap), [first.clone(), (vec![3, 4, 0], 1)]);
        assert_eq!(last(LastBatch::Zeros), [first.clone(), (vec![3, 4], 1)]);
        assert_eq!(last(LastBatch::Discard), [first]);
    }

    /// MXNet's `ImageIter` gives these batches, and as pad the number of new samples in the first batch of an epoch.
    #[test]
    fn what_is_left_over_begins_the_next_epoch() {
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
    fn batches_stay_full_where_samples_are_damaged_and_each_other_one_comes_once() {
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
    fn an_epoch_of_nothing_but_damage_has_a_batch_without_samples() {
        for last in [LastBatch::Wrap, LastBatch::Discard, LastBatch::RollOver] {
            let found = epochs(&alone(3, 2, last), &[0, 1, 2], 2);
            assert_eq!(found, [[(vec![], 2)], [(vec![], 2)]], "{last:?}");
        }
    }

    #[test]
    fn parts_have_as_many_batches_whatever_is_damaged() {
        for last in [
            LastBatch::Wrap,
            LastBatch::Zeros,
            LastBatch::Discard,
            LastBatch::RollOver,
        ] {
            for policy in [ShardPolicy::Pad, ShardPolicy::Drop] {
                let counts = |own, damaged: &[usize]| {
                    let spec = EpochSpec::of_part(own, (17, 2), policy, 4, last);
                    let found = epochs(&spec, damaged, 6);
                    found.iter().map(Vec::len).collect::<Vec<_>>()
                };
                let expected = counts(9, &[]);
                for damaged in [&[][..], &[0], &[1, 2, 3, 4], &[7]] {
                    assert_eq!(
                        counts(8, damaged),
                        expected,
                        "{last:?} {policy:?} {damaged:?}"
                    );
                    assert_eq!(
                        counts(9, damaged),
                        expected,
                        "{last:?} {policy:?} {damaged:?}"
                    );
                }
            }
        }
    }

    #[test]
    fn a_part_with_too_few_samples_repeats_some_and_counts_them_as_pad() {
        let spec = EpochSpec::of_part(4, (9, 2), ShardPolicy::Pad, 4, LastBatch::Wrap);
        assert_eq!(
            epochs(&spec, &[], 1)[0],
            [(vec![0, 1, 2, 3], 0), (vec![0, 1, 2, 3], 4)]
        );
        let spec = EpochSpec::of_part(4, (9, 2), ShardPolicy::Pad, 4, LastBatch::Zeros);
        assert_eq!(
            epochs(&spec, &[], 1)[0],
            [(vec![0, 1, 2, 3], 0), (vec![], 4)]
        );
    }
}
