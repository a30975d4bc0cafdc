//! Global batches: the next samples of the one order that all ranks have, of which each rank makes
//! a slice.
//!
//! Global batch k of an epoch is the k-th piece of its order, whatever the number of ranks. A
//! sample that is skipped is not replaced by the next one, as the other ranks do not know of it:
//! its slot is filled with a repeated sample, which counts as pad. So positions do not depend on
//! which samples are skipped, and a position of any rank is that of every rank, of any number of
//! them.

use std::ops::Range;

use crate::loader::batch_sampler::{BatchSamples, Sampled, SkippedSamples};
use crate::loader::epoch::{Cursor, EpochSpec, LastBatch};
use crate::loader::position::Claim;
use crate::loader::read_ahead::Key;

/// Samples this rank's slice of the global batch of a claim; `sample_at` returns the sample at a
/// position of the order.
pub(super) fn sample(
    spec: &EpochSpec,
    claim: &Claim,
    skip: &SkippedSamples,
    mut sample_at: impl FnMut(Cursor) -> usize,
) -> Sampled<Key> {
    let Some(batch) = GlobalBatch::new(spec, claim) else {
        return Sampled::End {
            next: spec.next_start(claim.epoch, claim.at),
            skipped: Vec::new(),
        };
    };
    let [carried, fresh, repeated] = batch.parts_of_slice();
    let mut samples = Samples::new(skip);
    let mut add = |samples: &mut Samples<'_>, slots: Range<usize>| {
        let positions = slots.map(|slot| batch.position(slot));
        positions.for_each(|at| samples.add(at.epoch, sample_at(at)));
        samples.keys.len()
    };
    let carried = add(&mut samples, carried);
    let not_repeated = add(&mut samples, fresh);
    if spec.last_batch != LastBatch::Zeros {
        // Those that are skipped among the repeated ones are reported where they belong.
        let skipped = samples.skipped.len();
        add(&mut samples, repeated);
        samples.skipped.truncate(skipped);
        samples.fill_up(spec, claim.epoch, sample_at);
    }
    let counted = match batch.carried {
        0 => not_repeated,
        // As in a batch of one rank: MXNet counts the new samples as pad.
        _ => carried,
    };
    Sampled::Batch(BatchSamples {
        pad: spec.batch_size - counted,
        next: batch.next(),
        samples: samples.keys,
        skipped: samples.skipped,
    })
}

/// The positions of a global batch.
struct GlobalBatch<'a> {
    spec: &'a EpochSpec,
    epoch: u64,
    at: Cursor,
    /// Samples from the beginning of the batch to the end of the epoch before.
    carried: usize,
    /// Samples from the beginning of the batch to the end of the epoch.
    left: usize,
}

impl<'a> GlobalBatch<'a> {
    /// Returns the batch of a claim; none if the epoch does not have it.
    fn new(spec: &'a EpochSpec, claim: &Claim) -> Option<Self> {
        let (epoch, at) = (claim.epoch, claim.at);
        let carried = spec.carried(epoch, at);
        let left = if at.epoch == epoch {
            spec.samples - at.index
        } else {
            carried + spec.samples
        };
        let is_left_over = left < spec.step()
            && matches!(spec.last_batch, LastBatch::Discard | LastBatch::RollOver);
        (left > 0 && !is_left_over).then_some(Self {
            spec,
            epoch,
            at,
            carried,
            left,
        })
    }

    /// Returns the slots of this rank's slice: those of samples that are left over from the epoch
    /// before, those of samples of the epoch, and those of repeated ones.
    fn parts_of_slice(&self) -> [Range<usize>; 3] {
        let Range { start, end } = self.spec.slice_of_step();
        let [carried, left] = [self.carried, self.left].map(|slot| slot.clamp(start, end));
        [start..carried, carried..left, left..end]
    }

    /// Returns the position of a slot of the batch. After the end of the epoch, its first samples
    /// are repeated.
    fn position(&self, slot: usize) -> Cursor {
        let samples = self.spec.samples;
        if slot >= self.left {
            let index = (slot - self.left) % samples;
            return Cursor {
                epoch: self.epoch,
                index,
            };
        }
        let index = self.at.index + slot;
        Cursor {
            epoch: self.at.epoch + (index / samples) as u64,
            index: index % samples,
        }
    }

    /// Returns the position of the first sample of the next batch.
    fn next(&self) -> Cursor {
        if self.spec.step() < self.left {
            return self.position(self.spec.step());
        }
        Cursor {
            epoch: self.epoch,
            index: self.spec.samples,
        }
    }
}

/// Samples of a slice so far.
struct Samples<'a> {
    keys: Vec<Key>,
    skip: &'a SkippedSamples,
    skipped: Vec<usize>,
}

impl<'a> Samples<'a> {
    fn new(skip: &'a SkippedSamples) -> Self {
        Self {
            keys: Vec::new(),
            skip,
            skipped: Vec::new(),
        }
    }

    fn add(&mut self, epoch: u64, sample: usize) {
        if self.skip.contains_key(&sample) {
            self.skipped.push(sample);
        } else {
            self.keys.push((epoch, sample));
        }
    }

    /// Repeats the first samples of the epoch in the slots of skipped samples; none if all are
    /// skipped.
    fn fill_up(
        &mut self,
        spec: &EpochSpec,
        epoch: u64,
        mut sample_at: impl FnMut(Cursor) -> usize,
    ) {
        while self.keys.len() < spec.batch_size {
            let before = self.keys.len();
            let samples = (0..spec.samples).map(|index| sample_at(Cursor { epoch, index }));
            let kept = samples.filter(|sample| !self.skip.contains_key(sample));
            let missing = spec.batch_size - before;
            self.keys
                .extend(kept.take(missing).map(|sample| (epoch, sample)));
            if self.keys.len() == before {
                break;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::error::Error;
    use crate::loader::epoch::GlobalSlice;
    use crate::loader::position::Position;

    /// Samples of an epoch have numbers from 100 times the epoch.
    fn sample_at(Cursor { epoch, index }: Cursor) -> usize {
        100 * epoch as usize + index
    }

    fn spec(
        samples: usize,
        (ranks, rank): (usize, usize),
        size: usize,
        last: LastBatch,
    ) -> EpochSpec {
        EpochSpec::of_global_batches(samples, GlobalSlice { ranks, rank }, size, last)
    }

    fn skip(samples: &[usize]) -> SkippedSamples {
        let error = Arc::new(Error::image("bad"));
        samples
            .iter()
            .map(|&sample| (sample, Arc::clone(&error)))
            .collect()
    }

    /// The samples of a batch and its pad, or `None` at the end of an epoch; and the position after
    /// it.
    type Delivered = (Option<(Vec<usize>, usize)>, Position);

    /// The batches of a rank in the first epochs: their numbers without pad and their pad.
    fn batches(spec: &EpochSpec, skip: &SkippedSamples, epochs: u64) -> Vec<Delivered> {
        let mut position = Position::fresh(0);
        let mut batches = Vec::new();
        while position.epoch < epochs {
            let batch = match sample(spec, &position.claim(), skip, sample_at) {
                Sampled::Batch(batch) => {
                    position = Position {
                        delivered: position.delivered + 1,
                        at: batch.next,
                        ..position
                    };
                    position.check(spec).unwrap();
                    let numbers = batch.samples.iter().map(|&(_, sample)| sample);
                    Some((numbers.collect(), batch.pad))
                }
                Sampled::End { next, .. } => {
                    assert_eq!(position.delivered, position.batches(spec));
                    position = position.next_epoch(next);
                    None
                }
            };
            batches.push((batch, position));
        }
        batches
    }

    const LASTS: [LastBatch; 4] = [
        LastBatch::Wrap,
        LastBatch::Zeros,
        LastBatch::Discard,
        LastBatch::RollOver,
    ];

    #[test]
    fn slices_of_any_number_of_ranks_are_the_same_global_batches() {
        for last in LASTS {
            for samples in [0, 1, 5, 24, 30, 47, 48, 49] {
                let all = batches(&spec(samples, (1, 0), 24, last), &skip(&[]), 4);
                for ranks in [2, 3, 8, 24] {
                    let of_ranks: Vec<_> = (0..ranks)
                        .map(|rank| {
                            batches(
                                &spec(samples, (ranks, rank), 24 / ranks, last),
                                &skip(&[]),
                                4,
                            )
                        })
                        .collect();
                    for (k, (global, position)) in all.iter().enumerate() {
                        let slices = of_ranks.iter().map(|batches| &batches[k]);
                        assert!(slices.clone().all(|(_, other)| other == position));
                        let joined =
                            slices.fold((vec![], 0), |(mut numbers, mut pad), (slice, _)| {
                                if let Some((samples, padded)) = slice {
                                    numbers.extend(samples);
                                    pad += padded;
                                }
                                (numbers, pad)
                            });
                        let case = format!("{last:?}, {samples} samples, {ranks} ranks, batch {k}");
                        assert_eq!(global.clone().unwrap_or_default(), joined, "{case}");
                    }
                }
            }
        }
    }

    #[test]
    fn an_epoch_has_each_sample_once() {
        for last in LASTS {
            let epochs = batches(&spec(50, (1, 0), 24, last), &skip(&[]), 1);
            let mut numbers: Vec<usize> = epochs
                .iter()
                .filter_map(|(batch, _)| batch.as_ref())
                .flat_map(|(samples, pad)| &samples[..samples.len().min(24 - pad)])
                .copied()
                .collect();
            numbers.sort_unstable();
            let kept = match last {
                LastBatch::Wrap | LastBatch::Zeros => 50,
                LastBatch::Discard | LastBatch::RollOver => 48,
            };
            assert_eq!(numbers, (0..kept).collect::<Vec<_>>(), "{last:?}");
        }
    }

    #[test]
    fn skipped_samples_change_no_other_slot_and_no_position() {
        for last in LASTS {
            for ranks in [1, 2, 4] {
                for rank in 0..ranks {
                    let spec = spec(30, (ranks, rank), 8 / ranks, last);
                    let bad = [0, 1, 5, 27, 28, 29, 100, 117];
                    let (clean, skipped) = (
                        batches(&spec, &skip(&[]), 3),
                        batches(&spec, &skip(&bad), 3),
                    );
                    for ((clean, position), (skipped, other)) in clean.into_iter().zip(skipped) {
                        assert_eq!(position, other);
                        let kept = |batch: &Option<(Vec<usize>, usize)>| -> Vec<usize> {
                            let (samples, pad) = batch.clone().unwrap_or_default();
                            let new = samples.len().min(spec.batch_size.saturating_sub(pad));
                            samples
                                .into_iter()
                                .take(new)
                                .filter(|n| !bad.contains(n))
                                .collect()
                        };
                        if last != LastBatch::RollOver {
                            assert_eq!(kept(&clean), kept(&skipped), "{last:?} {ranks} {rank}");
                        }
                    }
                }
            }
        }
    }

    #[test]
    fn slots_of_skipped_samples_are_pad() {
        let skip = skip(&[1, 4, 5]);
        let first = |last| batches(&spec(6, (1, 0), 2, last), &skip, 1);
        let wrapped: Vec<_> = first(LastBatch::Wrap)
            .into_iter()
            .filter_map(|(batch, _)| batch)
            .collect();
        assert_eq!(wrapped, [(vec![0, 0], 1), (vec![2, 3], 0), (vec![0, 2], 2)]);
        let zeros: Vec<_> = first(LastBatch::Zeros)
            .into_iter()
            .filter_map(|(batch, _)| batch)
            .collect();
        assert_eq!(zeros, [(vec![0], 1), (vec![2, 3], 0), (vec![], 2)]);
    }

    #[test]
    fn if_all_samples_are_skipped_batches_are_empty() {
        let skip = skip(&[0, 1, 2]);
        let batches = batches(&spec(3, (2, 1), 1, LastBatch::Wrap), &skip, 1);
        assert_eq!(batches[0].0, Some((vec![], 1)));
    }

    #[test]
    fn ranks_have_as_many_samples_as_their_slices() {
        for samples in 0..30 {
            let own = (0..3).map(|rank| spec(samples, (3, rank), 2, LastBatch::Wrap).own_samples());
            assert_eq!(own.sum::<usize>(), samples);
        }
        let spec = spec(20, (3, 1), 2, LastBatch::Wrap);
        let indices: Vec<usize> = (0..spec.own_samples())
            .map(|own| spec.index_of(own))
            .collect();
        assert_eq!(indices, [2, 3, 8, 9, 14, 15]);
    }
}
