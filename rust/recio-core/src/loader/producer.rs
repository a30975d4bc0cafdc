//! Batch producers: threads that claim a batch, make its images or hand a task for each to the
//! thread pool and wait, and deliver.
//!
//! Where a sample is skipped, its batch is sampled again without it and made again. That is rare,
//! and the result does not depend on which batch met the damage first.

use std::ops::RangeInclusive;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crossbeam_channel::{Receiver, Sender};

use crate::error::{Error, Result};
use crate::loader::batch_sampler::{
    BatchSampler, BatchSamples, IndexStream, SampleStream, Sampled, SkippedSamples,
};
use crate::loader::buffer_pool::{Batch, BufferPool, BufferPools, PooledBuffer};
use crate::loader::coming_batches::ComingBatches;
use crate::loader::epoch::{Cursor, EpochSpec, LastBatch};
use crate::loader::epoch_order::EpochOrders;
use crate::loader::filler::Filler;
use crate::loader::global_batch;
use crate::loader::position::Claim;
use crate::loader::queue::{Produced, Queue};
use crate::loader::read_ahead::{Key, ReadAhead};
use crate::loader::sample_task::{SampleTask, Slot};
use crate::loader::threads::Makers;
use crate::memory;
use crate::render::normalize::Element;

/// Epoch and index of each sample of a batch.
type Indices = BatchSamples<Key>;

/// State that all producers of a loader share.
#[derive(Debug)]
pub(super) struct BatchProducer<T: Element> {
    task: SampleTask<T>,
    buffers: BufferPools<T>,
    /// Buffers for the first images of batches that wait for one of `buffers`.
    early_buffers: BufferPools<T>,
    spec: EpochSpec,
    orders: EpochOrders,
    /// Whether damaged samples are skipped.
    skip_damaged: bool,
    skipped: Mutex<SkippedSamples>,
    read_ahead: Arc<ReadAhead>,
    /// The producer that holds the token may claim a batch. The last task of the batch passes it on
    /// when it begins: so the thread pool always has work, tasks run in the order of batches, and
    /// no memory is taken for a batch before there is a thread for it. A producer that makes the
    /// batch itself passes it on at once.
    claim_token: (Sender<()>, Receiver<()>),
}

/// Permission to claim a batch. When dropped, it goes to the next producer.
pub(super) struct ClaimToken<'a>(&'a Sender<()>);

impl Drop for ClaimToken<'_> {
    fn drop(&mut self) {
        // There is one token and one place for it, and both ends of the channel live as long as the
        // producers.
        _ = self.0.send(());
    }
}

impl<T: Element> BatchProducer<T> {
    pub(super) fn new(
        task: SampleTask<T>,
        (buffers, early_buffers): (BufferPools<T>, BufferPools<T>),
        (spec, orders): (EpochSpec, EpochOrders),
        skip_damaged: bool,
        read_ahead: Arc<ReadAhead>,
    ) -> Self {
        let this = Self {
            task,
            buffers,
            early_buffers,
            spec,
            orders,
            skip_damaged,
            skipped: Mutex::default(),
            read_ahead,
            claim_token: crossbeam_channel::bounded(1),
        };
        drop(ClaimToken(&this.claim_token.0));
        this
    }

    /// Returns what is read ahead.
    pub(super) fn read_ahead(&self) -> &ReadAhead {
        &self.read_ahead
    }

    /// Returns the task of each sample.
    pub(super) fn task(&self) -> &SampleTask<T> {
        &self.task
    }

    /// Returns the epochs that batches are made of.
    pub(super) fn spec(&self) -> &EpochSpec {
        &self.spec
    }

    /// Whether a sample is skipped for this error.
    pub(super) fn is_skippable(&self, error: &Error) -> bool {
        error.is_rejection() || self.skip_damaged && (error.is_damage() || error.is_undelivered())
    }

    /// Notes that a sample is to be skipped, unless it is noted already.
    pub(super) fn note_skipped(&self, sample: usize, error: Error) {
        let mut skipped = self.skipped();
        skipped.entry(sample).or_insert_with(|| Arc::new(error));
    }

    /// Returns why a sample is skipped.
    pub(super) fn skip_reason(&self, sample: usize) -> Option<Arc<Error>> {
        self.skipped().get(&sample).cloned()
    }

    /// Makes batches until the queue is closed.
    pub(super) fn run(self: &Arc<Self>, queue: &Arc<Queue<T>>, makers: Makers<'_>) {
        while self.claim_token.1.recv().is_ok() {
            let token = ClaimToken(&self.claim_token.0);
            let Some((claim, samples)) = self.claim(queue) else {
                return;
            };
            let make = AssertUnwindSafe(|| self.make(&claim, queue, makers, samples, token));
            // Whatever happens, the batch must be delivered: the consumer waits for it.
            let produced = catch_unwind(make).unwrap_or_else(|panic| {
                let memory = memory::error_of(&*panic);
                Some(Produced {
                    batch: Err(
                        memory.unwrap_or_else(|| Error::image("a panic while this batch was made"))
                    ),
                    skipped: Vec::new(),
                })
            });
            if let Some(produced) = produced {
                queue.complete(&claim, produced);
            }
        }
    }

    /// Claims the next batch, and the ends of epochs before it; none when the queue is closed.
    fn claim(&self, queue: &Queue<T>) -> Option<(Claim, Indices)> {
        loop {
            let claim = queue.claim()?;
            match self.sample(&claim) {
                Ok(sampled) => {
                    if queue.push(&claim, &sampled)
                        && let Sampled::Batch(samples) = sampled
                    {
                        return Some((claim, samples));
                    }
                }
                Err(error) => self.fail(queue, &claim, error),
            }
        }
    }

    /// Delivers an error in place of the batch of a claim, whose samples are not known.
    fn fail(&self, queue: &Queue<T>, claim: &Claim, error: Error) {
        // Only the orders of samplers can fail, and these are of global batches.
        queue.push(claim, &global_batch::without_samples(&self.spec, claim));
        let batch = Err(error);
        let skipped = Vec::new();
        queue.complete(claim, Produced { batch, skipped });
    }

    /// Computes the orders of epochs, if a sampler makes them. An error is that of their batches.
    pub(super) fn prepare_orders(&self, epochs: RangeInclusive<u64>) {
        self.orders.prepare(epochs);
    }

    /// Samples the batch of a claim.
    ///
    /// # Errors
    /// That of a sampler.
    pub(super) fn sample(&self, claim: &Claim) -> Result<Sampled<Key>> {
        let spec = &self.spec;
        if spec.slice.is_some() {
            return global_batch::sample(spec, claim, &self.skipped(), self.orders.key_at());
        }
        self.with_indices(|stream| BatchSampler { spec, stream }.sample(claim))
    }

    /// Takes the next sample of the epoch of `at` that is not skipped, and moves `at` past it;
    /// returns the samples skipped on the way too.
    ///
    /// # Errors
    /// That of a sampler.
    pub(super) fn next_index(&self, at: &mut Cursor) -> Result<(Option<usize>, Vec<usize>)> {
        self.with_indices(|mut stream| {
            let next = stream.take(at)?;
            Ok((next.map(|(_, index)| index), stream.take_skipped()))
        })
    }

    /// Returns the samples of an epoch in order, including those that are skipped.
    ///
    /// # Errors
    /// That of a sampler.
    pub(super) fn order(&self, epoch: u64) -> Result<Vec<usize>> {
        let mut key_at = self.orders.key_at();
        (0..self.spec.own_samples())
            .map(|own| {
                let index = self.spec.index_of(own);
                Ok(key_at(Cursor { epoch, index })?.1)
            })
            .collect()
    }

    fn with_indices<R>(
        &self,
        work: impl FnOnce(IndexStream<'_, &mut dyn FnMut(Cursor) -> Result<Key>>) -> R,
    ) -> R {
        let mut key_at = self.orders.key_at();
        let mut key_at = |Cursor { epoch, index }| {
            let index = self.spec.index_of(index);
            key_at(Cursor { epoch, index })
        };
        let skip = self.skipped();
        work(IndexStream::new(
            self.spec.own_samples(),
            &skip,
            &mut key_at,
        ))
    }

    /// Makes a batch, and again as long as a sample of it is skipped; none if that leaves the end
    /// of its epoch.
    fn make(
        self: &Arc<Self>,
        claim: &Claim,
        queue: &Arc<Queue<T>>,
        makers: Makers<'_>,
        mut samples: Indices,
        token: ClaimToken<'_>,
    ) -> Option<Produced<T>> {
        let filler = Filler::new(self, (claim, queue), &samples.samples);
        let mut batch = match filler.make_batch(makers, token) {
            Ok(batch) => batch,
            Err(error) => {
                return Some(Produced {
                    batch: Err(error),
                    skipped: samples.skipped,
                });
            }
        };
        let mut failures = filler.into_failures();
        loop {
            let skipped = std::mem::take(&mut samples.skipped);
            match self.skip(failures, &samples) {
                Ok(true) => {}
                Ok(false) => {
                    batch.pad = samples.pad;
                    let batch = self
                        .check_not_empty(samples.samples.len(), &skipped)
                        .map(|()| batch);
                    return Some(Produced { batch, skipped });
                }
                Err(error) => {
                    let batch = Err(error);
                    return Some(Produced { batch, skipped });
                }
            }
            let again = match self.sample(claim) {
                Ok(again) => again,
                Err(error) => {
                    let batch = Err(error);
                    return Some(Produced { batch, skipped });
                }
            };
            queue.replace(claim, &again);
            match again {
                Sampled::Batch(other) => samples = other,
                Sampled::End { .. } => return None,
            }
            let filler = Filler::new(self, (claim, queue), &samples.samples);
            filler.fill(&mut batch, makers);
            failures = filler.into_failures();
        }
    }

    /// Starts to read ahead, if reads are slow.
    pub(super) fn ensure_reader(self: &Arc<Self>, queue: &Arc<Queue<T>>) {
        self.read_ahead.ensure_reader(|| {
            Arc::new(ComingBatches {
                producer: Arc::clone(self),
                queue: Arc::clone(queue),
            })
        });
    }

    /// Returns the slots of a batch.
    pub(super) fn slots<'a>(&self, batch: &'a mut Batch<T>) -> impl Iterator<Item = Slot<'a, T>> {
        let Batch {
            data,
            labels,
            masks,
            ids,
            ..
        } = batch;
        let data = data.chunks_exact_mut(self.task.slot_len());
        let labels = labels.chunks_exact_mut(self.task.labels().width());
        let mut masks = masks
            .as_mut()
            .zip(self.task.masks())
            .map(|(values, masks)| values.chunks_exact_mut(masks.slot_len()));
        data.zip(labels)
            .zip(ids)
            .map(move |((data, labels), id)| Slot {
                data,
                labels,
                mask: masks.as_mut().and_then(Iterator::next),
                id,
            })
    }

    /// Notes the samples that failed, so that they are skipped; returns whether there are any.
    ///
    /// # Errors
    /// The first failure for which no sample is skipped.
    fn skip(&self, mut failures: Vec<(usize, Error)>, samples: &Indices) -> Result<bool> {
        failures.sort_unstable_by_key(|(slot, _)| *slot);
        let is_fatal = |(_, error): &(usize, Error)| !self.is_skippable(error);
        if let Some(at) = failures.iter().position(is_fatal) {
            return Err(failures.swap_remove(at).1);
        }
        let any = !failures.is_empty();
        for (slot, error) in failures {
            let (_, sample) = samples.samples[slot];
            self.note_skipped(sample, error);
        }
        Ok(any)
    }

    /// Checks that a batch has samples, unless it is one of zeros.
    ///
    /// # Errors
    /// All samples are skipped.
    pub(super) fn check_not_empty(&self, samples: usize, skipped: &[usize]) -> Result<()> {
        let is_slice = self.spec.slice.is_some();
        let is_zeros = self.spec.last_batch == LastBatch::Zeros && (is_slice || skipped.is_empty());
        if samples > 0 || is_zeros {
            return Ok(());
        }
        let first = skipped.first().and_then(|&sample| self.skip_reason(sample));
        let first = first.map_or_else(String::new, |error| format!("; the first: {error}"));
        Err(Error::image(format!(
            "none of the {} samples can be read{first}",
            self.spec.samples
        )))
    }

    fn skipped(&self) -> MutexGuard<'_, SkippedSamples> {
        // A thread that panicked with the lock has added an entry or has not.
        self.skipped.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns a batch to be filled.
    ///
    /// # Errors
    /// [`ErrorKind::Memory`](crate::error::ErrorKind::Memory).
    pub(super) fn blank(&self) -> Result<Batch<T>> {
        self.blank_in(&self.buffers, self.buffers.data.take()?)
    }

    /// Returns a batch to be filled, if there is a buffer for it.
    ///
    /// # Errors
    /// [`ErrorKind::Memory`](crate::error::ErrorKind::Memory).
    pub(super) fn try_blank(&self) -> Result<Option<Batch<T>>> {
        let data = self.buffers.data.try_take()?;
        data.map(|data| self.blank_in(&self.buffers, data))
            .transpose()
    }

    /// Returns a batch to be filled, when there is a buffer for it or the consumer waits for it.
    ///
    /// # Errors
    /// [`ErrorKind::Memory`](crate::error::ErrorKind::Memory).
    pub(super) fn wait_for_blank(&self, claim: &Claim) -> Result<Batch<T>> {
        let data = self.buffers.data.wait(|| claim.may_wait())?;
        self.blank_in(&self.buffers, data)
    }

    /// Returns a batch for the first images of one that waits for its buffer.
    ///
    /// # Errors
    /// [`ErrorKind::Memory`](crate::error::ErrorKind::Memory).
    pub(super) fn early_blank(&self) -> Result<Batch<T>> {
        self.blank_in(&self.early_buffers, self.early_buffers.data.take()?)
    }

    fn blank_in(&self, pools: &BufferPools<T>, data: PooledBuffer<T>) -> Result<Batch<T>> {
        let masks = pools.masks.as_ref();
        Ok(Batch {
            data,
            labels: memory::filled(0.0, pools.slots * self.task.labels().width())?,
            masks: masks.map(BufferPool::take).transpose()?,
            ids: memory::filled(0, pools.slots)?,
            pad: 0,
        })
    }

    /// Clears the slots of a batch from `filled` on.
    pub(super) fn clear(&self, batch: &mut Batch<T>, filled: usize) {
        batch.data[filled * self.task.slot_len()..].fill(T::default());
        batch.labels[filled * self.task.labels().width()..].fill(0.0);
        batch.ids[filled..].fill(0);
        if let Some((values, masks)) = batch.masks.as_mut().zip(self.task.masks()) {
            values[filled * masks.slot_len()..].fill(masks.fill());
        }
    }
}
