//! The images of one batch: made by its producer, or by the workers.
//!
//! Large batches share few buffers. One that has none yet has its first images made elsewhere, and
//! copied later: so the workers go on while the batch before it is completed and the consumer drops
//! the one before that.

use std::sync::{Arc, Mutex};

use rayon::{ScopeFifo, ThreadPool};

use crate::error::{Error, Result};
use crate::loader::buffer_pool::Batch;
use crate::loader::lock::lock;
use crate::loader::position::Claim;
use crate::loader::producer::{BatchProducer, ClaimToken};
use crate::loader::queue::Queue;
use crate::loader::read_ahead::{BatchReads, Key};
use crate::loader::sample_task::Slot;
use crate::loader::threads::Makers;
use crate::render::normalize::Element;

/// What the tasks of one batch share.
pub(super) struct Filler<'a, T: Element> {
    producer: &'a Arc<BatchProducer<T>>,
    claim: &'a Claim,
    queue: &'a Arc<Queue<T>>,
    samples: &'a [Key],
    reads: BatchReads<'a>,
    /// The slots of the images that could not be made, and the errors.
    failures: Mutex<Vec<(usize, Error)>>,
}

impl<'a, T: Element> Filler<'a, T> {
    pub(super) fn new(
        producer: &'a Arc<BatchProducer<T>>,
        (claim, queue): (&'a Claim, &'a Arc<Queue<T>>),
        samples: &'a [Key],
    ) -> Self {
        Self {
            producer,
            claim,
            queue,
            samples,
            reads: producer.read_ahead().begin_batch(claim, samples),
            failures: Mutex::default(),
        }
    }

    /// Returns the slots of the images that could not be made, and the errors.
    pub(super) fn into_failures(self) -> Vec<(usize, Error)> {
        std::mem::take(&mut *lock(&self.failures))
    }

    /// Makes the images of a batch in a buffer for it. The token goes to the next producer when the
    /// last of them begins.
    ///
    /// # Errors
    /// There is no memory for it.
    pub(super) fn make_batch(&self, makers: Makers<'_>, token: ClaimToken<'_>) -> Result<Batch<T>> {
        match makers {
            Makers::Pool(pool) => match self.producer.try_blank()? {
                Some(mut batch) => {
                    self.share(&mut batch, 0, pool, Some(token));
                    Ok(batch)
                }
                None => self.make_while_waiting(pool, token),
            },
            Makers::This(_) => {
                let mut batch = self.producer.blank()?;
                drop(token);
                self.fill(&mut batch, makers);
                Ok(batch)
            }
        }
    }

    /// Makes the images of a batch in its buffer.
    pub(super) fn fill(&self, batch: &mut Batch<T>, makers: Makers<'_>) {
        match makers {
            Makers::Pool(pool) => self.share(batch, 0, pool, None),
            Makers::This(thread) => {
                self.producer.clear(batch, self.samples.len());
                let slots = self.producer.slots(batch).zip(self.samples).enumerate();
                slots.for_each(|(number, (slot, key))| self.make(number, slot, key, thread));
            }
        }
    }

    /// Makes the first images of a batch elsewhere until there is a buffer for it.
    fn make_while_waiting(&self, pool: &ThreadPool, token: ClaimToken<'_>) -> Result<Batch<T>> {
        let mut early = self.producer.early_blank()?;
        let slots = early.ids.len();
        let count = slots.min(self.samples.len());
        let mut batch = pool.in_place_scope_fifo(|scope| -> Result<_> {
            self.spawn(scope, 0, self.producer.slots(&mut early).take(count), None);
            let mut batch = self.producer.wait_for_blank(self.claim)?;
            self.share(&mut batch, count, pool, Some(token));
            Ok(batch)
        })?;
        batch.copy_first(count, &early, batch.ids.len());
        Ok(batch)
    }

    /// Makes the images of a batch from number `first` on, by the workers.
    fn share(
        &self,
        batch: &mut Batch<T>,
        first: usize,
        pool: &ThreadPool,
        token: Option<ClaimToken<'_>>,
    ) {
        self.producer.clear(batch, self.samples.len());
        let slots = self.producer.slots(batch).take(self.samples.len());
        pool.in_place_scope_fifo(|scope| self.spawn(scope, first, slots.skip(first), token));
    }

    /// Submits a task for each of some slots, of which the first is that of image `first`.
    fn spawn<'s>(
        &'s self,
        scope: &ScopeFifo<'s>,
        first: usize,
        slots: impl Iterator<Item = Slot<'s, T>>,
        mut token: Option<ClaimToken<'s>>,
    ) {
        for ((number, key), slot) in self.samples.iter().enumerate().skip(first).zip(slots) {
            let is_last = number + 1 == self.samples.len();
            let token = if is_last { token.take() } else { None };
            scope.spawn_fifo(move |_| {
                drop(token);
                let thread = rayon::current_thread_index().unwrap_or_default();
                self.make(number, slot, key, thread);
            });
        }
    }

    /// Makes an image, if the batch is still wanted.
    fn make(&self, number: usize, slot: Slot<'_, T>, key: &Key, thread: usize) {
        if self.claim.is_wanted() {
            self.reads.begin_sample();
            let ahead = self.producer.read_ahead();
            let outcome = self.producer.task().fill(*key, ahead, thread, slot);
            if let Err(error) = outcome {
                lock(&self.failures).push((number, error));
            }
            self.producer.ensure_reader(self.queue);
        }
    }
}
