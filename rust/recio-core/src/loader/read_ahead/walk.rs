//! Walk: the samples of the batches after those that producers have claimed.
//!
//! A walk knows the batches in production, and goes on from them as producers do: it samples the
//! batch of the next claim, and of the claim after that. If a producer's claim is another one, as
//! after a reset, or after a sample was skipped, the walk starts again.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::error::Result;
use crate::loader::batch_sampler::Sampled;
use crate::loader::position::Claim;

/// Epoch and index of a sample.
pub(crate) type Key = (u64, usize);

/// The batches that follow.
pub(in crate::loader) trait Upcoming {
    /// Returns the claim to the next batch that no producer has claimed.
    fn next_claim(&self) -> Claim;

    /// Returns the last epoch of which batches may be claimed now.
    fn last_epoch(&self) -> u64;

    /// Computes what [`sample`](Self::sample) needs, as far as that may take long.
    fn prepare(&self) {}

    /// Samples the batch of a claim.
    ///
    /// # Errors
    /// The order of the epoch is not known.
    fn sample(&self, claim: &Claim) -> Result<Sampled<Key>>;
}

/// A batch in production.
#[derive(Debug)]
pub(in crate::loader) struct BatchInProduction {
    claim: Claim,
    samples: Vec<Key>,
    /// Samples that are made, or being made.
    begun: AtomicUsize,
}

impl BatchInProduction {
    pub(super) fn new(claim: &Claim, samples: &[Key]) -> Self {
        Self {
            claim: claim.clone(),
            samples: samples.to_vec(),
            begun: AtomicUsize::new(0),
        }
    }

    /// Notes that a thread begins to make the next sample.
    pub(super) fn begin_sample(&self) {
        self.begun.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn samples(&self) -> &[Key] {
        &self.samples
    }

    fn rest(&self) -> &[Key] {
        let begun = self.begun.load(Ordering::Relaxed);
        self.samples.get(begun..).unwrap_or_default()
    }
}

/// The walk.
#[derive(Debug, Default)]
pub(super) struct Walk {
    in_production: Vec<Arc<BatchInProduction>>,
    /// None until it has begun.
    ahead: Option<Ahead>,
}

/// Batches that were walked.
#[derive(Debug, Default)]
struct Ahead {
    /// The claim after the last batch; none if that is the next one of a producer.
    next: Option<Claim>,
    /// Batches that no producer has claimed yet.
    batches: VecDeque<(Claim, Vec<Key>)>,
    /// Samples that are to be returned.
    samples: VecDeque<Key>,
}

impl Walk {
    /// Adds a batch that a producer has claimed. Returns whether the walk goes on; otherwise it
    /// starts again.
    pub(super) fn claim(&mut self, batch: Arc<BatchInProduction>) -> bool {
        let goes_on = self
            .ahead
            .as_mut()
            .is_none_or(|ahead| ahead.goes_on(&batch));
        self.in_production.push(batch);
        if !goes_on {
            self.stop();
        }
        goes_on
    }

    /// Removes a batch that is made.
    pub(super) fn release(&mut self, batch: &Arc<BatchInProduction>) {
        self.in_production
            .retain(|other| !Arc::ptr_eq(other, batch));
    }

    /// Forgets what was walked.
    pub(super) fn stop(&mut self) {
        self.ahead = None;
    }

    /// Returns the next samples, at most this many; none if those of the last epoch that may be
    /// claimed now have been returned.
    pub(super) fn take(&mut self, max: usize, upcoming: &dyn Upcoming) -> Vec<Key> {
        let in_production = &self.in_production;
        let ahead = self.ahead.get_or_insert_with(|| Ahead {
            samples: in_production
                .iter()
                .flat_map(|batch| batch.rest())
                .copied()
                .collect(),
            ..Ahead::default()
        });
        while ahead.samples.is_empty() {
            let claim = ahead.next.take().unwrap_or_else(|| upcoming.next_claim());
            if claim.epoch > upcoming.last_epoch() {
                ahead.next = Some(claim);
                break;
            }
            let Ok(sampled) = upcoming.sample(&claim) else {
                // The producer of the batch reports it.
                ahead.next = Some(claim);
                break;
            };
            ahead.next = Some(match sampled {
                Sampled::Batch(batch) => {
                    let next = claim.next_batch(batch.next);
                    ahead.samples.extend(&batch.samples);
                    ahead.batches.push_back((claim, batch.samples));
                    next
                }
                Sampled::End { next, .. } => claim.next_epoch(next),
            });
        }
        let len = ahead.samples.len().min(max);
        ahead.samples.drain(..len).collect()
    }
}

impl Ahead {
    /// Whether a batch that was claimed is the next one.
    fn goes_on(&mut self, batch: &BatchInProduction) -> bool {
        if let Some((claim, samples)) = self.batches.pop_front() {
            return claim.is_at(&batch.claim) && samples == batch.samples;
        }
        // It was claimed before the walk came to it.
        let next = self.next.take();
        self.samples.extend(&batch.samples);
        next.is_none_or(|claim| claim.is_at(&batch.claim))
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;
    use crate::loader::batch_sampler::BatchSamples;
    use crate::loader::epoch::Cursor;
    use crate::loader::position::Position;

    /// Epochs of three batches of two samples, of which the first one may be skipped.
    struct Batches {
        next: Cell<usize>,
        skip: bool,
    }

    fn claim(batch: usize) -> Claim {
        let at = Cursor {
            epoch: 0,
            index: 2 * batch,
        };
        let mut claim = Position::fresh(0).claim();
        for _ in 0..batch {
            claim = claim.next_batch(at);
        }
        claim
    }

    impl Upcoming for Batches {
        fn next_claim(&self) -> Claim {
            claim(self.next.get())
        }

        fn last_epoch(&self) -> u64 {
            1
        }

        fn sample(&self, claim: &Claim) -> Result<Sampled<Key>> {
            if claim.batch == 3 {
                return Ok(Sampled::End {
                    next: Cursor::start(claim.epoch + 1),
                    skipped: vec![],
                });
            }
            let first = 2 * claim.batch + usize::from(self.skip);
            let epoch = claim.epoch;
            Ok(Sampled::Batch(BatchSamples {
                samples: vec![(epoch, first), (epoch, first + 1)],
                pad: 0,
                next: Cursor {
                    epoch,
                    index: 2 * claim.batch + 2,
                },
                skipped: vec![],
            }))
        }
    }

    fn batches(next: usize) -> Batches {
        Batches {
            next: Cell::new(next),
            skip: false,
        }
    }

    fn batch(number: usize) -> Arc<BatchInProduction> {
        let samples = [(0, 2 * number), (0, 2 * number + 1)];
        Arc::new(BatchInProduction::new(&claim(number), &samples))
    }

    #[test]
    fn a_walk_goes_on_to_the_end_of_the_next_epoch() {
        let mut walk = Walk::default();
        let samples: Vec<Key> = std::iter::repeat_with(|| walk.take(5, &batches(0)))
            .take_while(|samples| !samples.is_empty())
            .flatten()
            .collect();
        let expected: Vec<Key> = (0..2)
            .flat_map(|epoch| (0..6).map(move |i| (epoch, i)))
            .collect();
        assert_eq!(samples, expected);
    }

    #[test]
    fn a_walk_begins_with_what_is_left_of_the_batches_in_production() {
        let mut walk = Walk::default();
        let first = batch(0);
        first.begin_sample();
        assert!(walk.claim(Arc::clone(&first)));
        assert_eq!(walk.take(9, &batches(1)), [(0, 1)]);
        assert_eq!(walk.take(9, &batches(1)), [(0, 2), (0, 3)]);
        walk.release(&first);
        walk.stop();
        assert_eq!(walk.take(1, &batches(1)), [(0, 2)]);
    }

    #[test]
    fn a_walk_goes_on_with_a_batch_that_was_claimed_before_it_was_walked() {
        let mut walk = Walk::default();
        assert!(walk.claim(batch(0)));
        assert_eq!(walk.take(1, &batches(1)), [(0, 0)]);
        assert!(walk.claim(batch(1)));
        assert_eq!(walk.take(9, &batches(2)), [(0, 1), (0, 2), (0, 3)]);
        assert_eq!(walk.take(9, &batches(2)), [(0, 4), (0, 5)]);
    }

    #[test]
    fn claims_that_were_walked_change_nothing_and_others_start_again() {
        let mut walk = Walk::default();
        for _ in 0..2 {
            walk.take(9, &batches(0));
        }
        assert!(walk.claim(batch(0)) && walk.claim(batch(1)));
        assert_eq!(walk.take(9, &batches(2)), [(0, 4), (0, 5)]);
        assert!(!walk.claim(batch(1)));
        let again = Batches {
            next: Cell::new(2),
            skip: true,
        };
        // All three batches are in production.
        assert_eq!(walk.take(9, &again).len(), 6);
        assert_eq!(walk.take(9, &again), [(0, 5), (0, 6)]);
        assert!(!walk.claim(batch(2)));
    }
}
