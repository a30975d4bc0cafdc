//! Global batches: the next samples of the one order that all ranks have, of which each rank makes
//! a slice.
//!
//! Global batch k of an epoch is the k-th piece of its order, whatever the number of ranks. A
//! sample that is skipped is not replaced by the next one, as the other ranks do not know of it:
//! its slot is filled with a repeated sample, which counts as pad. So positions do not depend on
//! which samples are skipped, and a position of any rank is that of every rank, of any number of
//! them.

use std::ops::Range;

use crate::error::Result;
use crate::loader::batch_sampler::{BatchSamples, Sampled, SkippedSamples};
use crate::loader::epoch::{Cursor, EpochSpec, LastBatch};
use crate::loader::position::Claim;
use crate::loader::read_ahead::Key;

/// Samples this rank's slice of the global batch of a claim; `key_at` returns the sample at a
/// position of the order.
///
/// # Errors
/// That of `key_at`.
pub(super) fn sample(
    spec: &EpochSpec,
    claim: &Claim,
    skip: &SkippedSamples,
    mut key_at: impl FnMut(Cursor) -> Result<Key>,
) -> Result<Sampled<Key>> {
    let Some(batch) = GlobalBatch::new(spec, claim) else {
        return Ok(end(spec, claim));
    };
    let [carried, fresh, repeated] = batch.parts_of_slice();
    let mut samples = Samples::new(skip);
    let mut add = |samples: &mut Samples<'_>, slots: Range<usize>| -> Result<usize> {
        for slot in slots {
            samples.add(key_at(batch.position(slot))?);
        }
        Ok(samples.keys.len())
    };
    let carried = add(&mut samples, carried)?;
    let not_repeated = add(&mut samples, fresh)?;
    if spec.last_batch != LastBatch::Zeros {
        // Those that are skipped among the repeated ones are reported where they belong.
        let skipped = samples.skipped.len();
        add(&mut samples, repeated)?;
        samples.skipped.truncate(skipped);
        samples.fill_up(spec, claim.epoch, key_at)?;
    }
    let counted = match batch.carried {
        0 => not_repeated,
        // As in a batch of one rank: MXNet counts the new samples as pad.
        _ => carried,
    };
    Ok(Sampled::Batch(BatchSamples {
        pad: spec.batch_size - counted,
        next: batch.next(),
        samples: samples.keys,
        skipped: samples.skipped,
    }))
}

/// Returns what [`sample`] returns, without the samples: where the batch after that of a claim
/// begins.
pub(super) fn without_samples(spec: &EpochSpec, claim: &Claim) -> Sampled<Key> {
    match GlobalBatch::new(spec, claim) {
        None => end(spec, claim),
        Some(batch) => Sampled::Batch(BatchSamples {
            next: batch.next(),
            ..BatchSamples::default()
        }),
    }
}

fn end(spec: &EpochSpec, claim: &Claim) -> Sampled<Key> {
    Sampled::End {
        next: spec.next_start(claim.epoch, claim.at),
        skipped: Vec::new(),
    }
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

    fn add(&mut self, key: Key) {
        if self.skip.contains_key(&key.1) {
            self.skipped.push(key.1);
        } else {
            self.keys.push(key);
        }
    }

    /// Repeats the first samples of the epoch in the slots of skipped samples; none if all are
    /// skipped.
    fn fill_up(
        &mut self,
        spec: &EpochSpec,
        epoch: u64,
        mut key_at: impl FnMut(Cursor) -> Result<Key>,
    ) -> Result<()> {
        while self.keys.len() < spec.batch_size {
            let before = self.keys.len();
            for index in 0..spec.samples {
                let key = key_at(Cursor { epoch, index })?;
                if !self.skip.contains_key(&key.1) && self.keys.len() < spec.batch_size {
                    self.keys.push(key);
                }
            }
            if self.keys.len() == before {
                break;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
