//! Tests of global batches.

use std::sync::Arc;

use super::*;
use crate::error::Error;
use crate::loader::epoch::GlobalSlice;
use crate::loader::position::Position;

/// Samples of an epoch have numbers from 100 times the epoch.
fn key_at(Cursor { epoch, index }: Cursor) -> Key {
    (epoch, 100 * epoch as usize + index)
}

fn spec(samples: usize, (ranks, rank): (usize, usize), size: usize, last: LastBatch) -> EpochSpec {
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
        let batch = match sample(spec, &position.claim(), skip, |at| Ok(key_at(at))).unwrap() {
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
                    let joined = slices.fold((vec![], 0), |(mut numbers, mut pad), (slice, _)| {
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
