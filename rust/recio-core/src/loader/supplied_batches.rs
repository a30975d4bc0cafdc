//! Batches of samples that the caller supplies one by one, in place of those that threads read and
//! decode.
//!
//! Their order, number and padding are those of all batches: [`BatchSampler`] takes samples from
//! the caller as it takes indices from an epoch's order.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};

use crate::dataset::source::StoredSample;
use crate::error::{Error, Result};
use crate::loader::batch_sampler::{BatchSampler, Sampled};
use crate::loader::epoch::LastBatch;
use crate::loader::lock::lock;
use crate::loader::position::Claim;
use crate::loader::producer::BatchProducer;
use crate::loader::queue::{Produced, Queue};
use crate::loader::sample_cursors::{SampleCursors, SampleOrigin};
use crate::loader::supply::{LeftOver, PartialBatch, Supplier, SupplyStream};
use crate::render::normalize::Element;

/// State of batches of supplied samples.
#[derive(Debug)]
pub(super) struct SuppliedBatches<T> {
    /// Held by the thread that makes a batch.
    turn: Mutex<()>,
    cursors: Mutex<SampleCursors>,
    left_over: Mutex<Option<LeftOver<T>>>,
    /// The epoch whose end the supplier has reached.
    ended: Mutex<Option<u64>>,
    has_foreign: AtomicBool,
}

/// The right to make batches of supplied samples.
pub(super) struct Turn<'a> {
    cursors: &'a Mutex<SampleCursors>,
    _turn: MutexGuard<'a, ()>,
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        lock(self.cursors).end_batch();
    }
}

impl<T> Default for SuppliedBatches<T> {
    fn default() -> Self {
        Self {
            turn: Mutex::default(),
            cursors: Mutex::default(),
            left_over: Mutex::default(),
            ended: Mutex::default(),
            has_foreign: AtomicBool::new(false),
        }
    }
}

impl<T: Element> SuppliedBatches<T> {
    /// Waits until no other thread makes a batch.
    ///
    /// # Errors
    /// The current thread does already: a supplier asks for a batch.
    pub(super) fn turn(&self) -> Result<Turn<'_>> {
        if lock(&self.cursors).is_making_batch() {
            return Err(Error::argument(
                "a function that makes a batch asks its own iterator for one",
            ));
        }
        let turn = lock(&self.turn);
        lock(&self.cursors).begin_batch();
        Ok(Turn {
            cursors: &self.cursors,
            _turn: turn,
        })
    }

    /// Whether some supplied samples were not from the files, so that positions do not tell which
    /// ones follow.
    pub(super) fn has_foreign(&self) -> bool {
        self.has_foreign.load(Ordering::Relaxed)
    }

    /// Reads the next sample in epoch order; none at the end of the epoch, after which its first
    /// sample follows again.
    pub(super) fn next_sample(&self, producer: &BatchProducer<T>) -> Result<Option<StoredSample>> {
        let origin = {
            let mut cursors = lock(&self.cursors);
            let reading = cursors.current();
            let epoch = reading.at.epoch;
            let (index, skipped) = producer.next_index(&mut reading.at)?;
            reading.skipped.extend(skipped);
            reading.last = index.map(|index| SampleOrigin {
                epoch,
                index,
                id: None,
            });
            let Some(origin) = reading.last else {
                cursors.rewind_direct();
                return Ok(None);
            };
            origin
        };
        let sample = producer.task().stored(origin.index)?;
        if let Some(last) = &mut lock(&self.cursors).current().last {
            last.id = Some(sample.id);
        }
        Ok(Some(sample))
    }

    /// Forgets what was reached and left over, as the consumer goes on from another position.
    pub(super) fn clear(&self) {
        *lock(&self.ended) = None;
        *lock(&self.left_over) = None;
    }

    /// Forgets what was reached and left over, and moves the cursor of
    /// [`next_sample`](Self::next_sample) to an epoch.
    pub(super) fn set_epoch(&self, epoch: u64) {
        self.clear();
        lock(&self.cursors).set_epoch(epoch);
    }

    /// Moves the cursor of [`next_sample`](Self::next_sample) to the next epoch.
    pub(super) fn next_epoch(&self) {
        lock(&self.cursors).next_epoch();
    }

    /// Makes the next batch and adds it to the queue, or the end of the epoch; returns errors of
    /// skipped samples that are not from the files.
    ///
    /// # Errors
    /// The error of a sample, if the samples that the files have do not make a batch in its place.
    pub(super) fn make(
        &self,
        producer: &BatchProducer<T>,
        queue: &Queue<T>,
        supplier: &mut Supplier<'_>,
    ) -> Result<Vec<Arc<Error>>> {
        let Some(claim) = queue.claim() else {
            return Ok(Vec::new());
        };
        let (partial, left_over) = self.begin(producer, &claim)?;
        let mut stream = SupplyStream {
            producer,
            cursors: &self.cursors,
            supplier,
            claim: &claim,
            partial,
            left_over,
            ended: *lock(&self.ended),
            is_repeating: false,
            skipped: Vec::new(),
            foreign_errors: Vec::new(),
        };
        let sampler = BatchSampler {
            spec: producer.spec(),
            stream: &mut stream,
        };
        let sampled = sampler.sample(&claim);
        let SupplyStream {
            partial,
            ended,
            skipped,
            foreign_errors,
            ..
        } = stream;
        *lock(&self.ended) = ended;
        self.has_foreign
            .fetch_or(partial.has_foreign, Ordering::Relaxed);
        match sampled {
            Ok(sampled) => self.finish(producer, queue, &claim, sampled, partial),
            Err(error) => fail(producer, queue, &claim, (error, skipped))?,
        }
        Ok(foreign_errors)
    }

    /// Returns the batch to be filled, and the number of samples that are left over in it from the
    /// epoch before.
    fn begin(
        &self,
        producer: &BatchProducer<T>,
        claim: &Claim,
    ) -> Result<(PartialBatch<T>, Option<usize>)> {
        let left_over = lock(&self.left_over).take();
        if let Some(LeftOver { partial, .. }) = left_over.filter(|left| left.belongs_to(claim)) {
            let filled = partial.filled;
            return Ok((partial, Some(filled)));
        }
        Ok((PartialBatch::new(producer)?, None))
    }

    /// Adds what was sampled to the queue, unless it is no longer wanted.
    fn finish(
        &self,
        producer: &BatchProducer<T>,
        queue: &Queue<T>,
        claim: &Claim,
        sampled: Sampled<()>,
        partial: PartialBatch<T>,
    ) {
        if !queue.push(claim, &sampled) {
            return;
        }
        match sampled {
            Sampled::Batch(samples) => {
                let skipped = samples.skipped;
                let batch = producer
                    .check_not_empty(samples.samples.len(), &skipped)
                    .map(|()| partial.finish(producer, samples.pad));
                queue.complete(claim, Produced { batch, skipped });
            }
            Sampled::End { .. }
                if partial.filled > 0 && producer.spec().last_batch == LastBatch::RollOver =>
            {
                *lock(&self.left_over) = Some(LeftOver {
                    partial,
                    epoch: claim.epoch,
                    at: claim.at,
                });
            }
            Sampled::End { .. } => {}
        }
    }
}

/// Adds the error of a sample to the queue, in place of the batch that the samples of the files
/// would make.
///
/// # Errors
/// The error itself, if they would not make one.
fn fail<T: Element>(
    producer: &BatchProducer<T>,
    queue: &Queue<T>,
    claim: &Claim,
    (error, skipped): (Error, Vec<usize>),
) -> Result<()> {
    let sampled = producer.sample(claim)?;
    let Sampled::Batch(_) = sampled else {
        return Err(error);
    };
    queue.push(claim, &sampled);
    let batch = Err(error);
    queue.complete(claim, Produced { batch, skipped });
    Ok(())
}
