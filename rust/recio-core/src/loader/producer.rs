//! Makes batches: claims one, hands a task for each image to the pool, waits, delivers.
//!
//! Where damaged samples are passed over, a batch with one is picked again without it, and made again: rare, and what comes of
//! it does not depend on who met the damage first.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crossbeam_channel::{Receiver, Sender};

use crate::error::{Error, Result};
use crate::loader::batch_sampler::{BatchSampler, BatchSamples, Sampled, SkippedSamples};
use crate::loader::buffer_pool::{Batch, BufferPool, BufferPools};
use crate::loader::epoch::{Cursor, EpochSpec, LastBatch};
use crate::loader::epoch_order::{EpochOrder, OrderCache};
use crate::loader::queue::{Claim, Produced, Queue};
use crate::loader::sample_task::{SampleTask, Slot};
use crate::render::normalize::Element;

/// What all producers of an iterator share.
#[derive(Debug)]
pub(super) struct BatchProducer<T: Element> {
    task: SampleTask<T>,
    pool: rayon::ThreadPool,
    buffers: BufferPools<T>,
    spec: EpochSpec,
    seed: Option<u64>,
    orders: Mutex<OrderCache>,
    /// The samples that are passed over, if they are.
    damaged: Option<Mutex<SkippedSamples>>,
    /// Who has the claim_token may claim a batch. It is passed on by the batch's last task when that begins: so the pool always
    /// has work, tasks run in the order of batches, and no memory is taken for a batch before there is a thread for it.
    claim_token: (Sender<()>, Receiver<()>),
}

/// Leave to claim a batch. Wherever it is dropped, it goes to the next producer.
struct ClaimToken<'a>(&'a Sender<()>);

impl Drop for ClaimToken<'_> {
    fn drop(&mut self) {
        // There is one claim_token and one place for it, and both ends of the channel live as long as the producers.
        _ = self.0.send(());
    }
}

/// The samples of a batch that could not be made: their places in it, and why.
#[derive(Debug, Default)]
struct Failures(Mutex<Vec<(usize, Error)>>);

impl<T: Element> BatchProducer<T> {
    pub(super) fn new(
        task: SampleTask<T>,
        pool: rayon::ThreadPool,
        buffers: BufferPools<T>,
        spec: EpochSpec,
        seed: Option<u64>,
        skip_damaged: bool,
    ) -> Self {
        let this = Self {
            task,
            pool,
            buffers,
            spec,
            seed,
            orders: Mutex::default(),
            damaged: skip_damaged.then(Mutex::default),
            claim_token: crossbeam_channel::bounded(1),
        };
        drop(ClaimToken(&this.claim_token.0));
        this
    }

    /// What is done to each image.
    pub(super) fn task(&self) -> &SampleTask<T> {
        &self.task
    }

    /// Why this sample is passed over.
    pub(super) fn damage(&self, sample: usize) -> Option<Arc<Error>> {
        self.damaged()?.get(&sample).cloned()
    }

    /// Makes batches until the pipeline is closed.
    pub(super) fn run(&self, queue: &Queue<T>) {
        while self.claim_token.1.recv().is_ok() {
            let claim_token = ClaimToken(&self.claim_token.0);
            let Some((claim, picked)) = self.claim(queue) else {
                return;
            };
            let make = AssertUnwindSafe(|| self.make(&claim, queue, picked, claim_token));
            // Whatever happens, the batch must be delivered: the consumer waits for it.
            let made = catch_unwind(make).unwrap_or_else(|_| {
                Some(Produced {
                    batch: Err(Error::image("a panic while this batch was made")),
                    passed: Vec::new(),
                })
            });
            if let Some(made) = made {
                queue.deliver(&claim, made);
            }
        }
    }

    /// Claims the next batch, telling of the ends of epochs on the way; none when the pipeline has been closed.
    fn claim(&self, queue: &Queue<T>) -> Option<(Claim, BatchSamples)> {
        loop {
            let claim = queue.claim()?;
            let pick = self.pick(&claim);
            if queue.take(&claim, &pick)
                && let Sampled::Batch(picked) = pick
            {
                return Some((claim, picked));
            }
        }
    }

    fn pick(&self, claim: &Claim) -> Sampled {
        let mut orders = self.orders.lock().unwrap_or_else(PoisonError::into_inner);
        let none = SkippedSamples::new();
        let damaged = self.damaged();
        let sampler = BatchSampler {
            spec: &self.spec,
            damaged: damaged.as_deref().unwrap_or(&none),
            sample: |Cursor { epoch, place }| {
                let order = orders.of(epoch, || {
                    EpochOrder::new(self.task.part(), self.seed, epoch)
                });
                self.task.sample(order.record(place))
            },
        };
        sampler.pick(claim)
    }

    /// Makes a batch, and again until no sample of it is damaged; none if it turns out to be the end of its epoch.
    fn make(
        &self,
        claim: &Claim,
        queue: &Queue<T>,
        mut picked: BatchSamples,
        claim_token: ClaimToken<'_>,
    ) -> Option<Produced<T>> {
        let mut batch = self.blank();
        let mut claim_token = Some(claim_token);
        loop {
            let failures = self.fill(&mut batch, claim, &picked, claim_token.take());
            let passed = std::mem::take(&mut picked.passed);
            match self.pass_over(failures, &picked) {
                Ok(true) => {}
                Ok(false) => {
                    batch.pad = picked.pad;
                    let batch = self.check_any(&picked, &passed).map(|()| batch);
                    return Some(Produced { batch, passed });
                }
                Err(error) => {
                    return Some(Produced {
                        batch: Err(error),
                        passed,
                    });
                }
            }
            let again = self.pick(claim);
            queue.take_again(claim, &again);
            match again {
                Sampled::Batch(other) => picked = other,
                Sampled::End(..) => return None,
            }
        }
    }

    /// Makes the images of a batch.
    fn fill(
        &self,
        batch: &mut Batch<T>,
        claim: &Claim,
        picked: &BatchSamples,
        mut claim_token: Option<ClaimToken<'_>>,
    ) -> Vec<(usize, Error)> {
        let samples = &picked.samples[..];
        self.clear(batch, samples.len());
        let failures = &Failures::default();
        let Batch {
            data,
            labels,
            masks,
            ids,
            ..
        } = batch;
        let slots = data.chunks_exact_mut(self.task.slot_len());
        let labels = labels.chunks_exact_mut(self.task.labels().width());
        let places = slots.zip(labels).zip(ids).take(samples.len()).enumerate();
        let mut masks = masks
            .as_mut()
            .zip(self.task.masks())
            .map(|(numbers, masks)| numbers.chunks_exact_mut(masks.slot_len()));
        self.pool.in_place_scope_fifo(|scope| {
            for (place, ((data, labels), id)) in places {
                let is_last = place + 1 == samples.len();
                let claim_token = if is_last { claim_token.take() } else { None };
                let mask = masks.as_mut().and_then(Iterator::next);
                scope.spawn_fifo(move |_| {
                    drop(claim_token);
                    if claim.is_wanted() {
                        let (epoch, sample) = samples[place];
                        let slot = Slot {
                            data,
                            labels,
                            mask,
                            id,
                        };
                        failures.keep(place, self.task.fill(sample, epoch, slot));
                    }
                });
            }
        });
        failures.take()
    }

    /// Notes the samples that failed as damaged, so that they are passed over; gives whether there are some.
    ///
    /// # Errors
    /// The first failure that is no damage, or the first of all if nothing is passed over.
    fn pass_over(&self, mut failures: Vec<(usize, Error)>, picked: &BatchSamples) -> Result<bool> {
        failures.sort_unstable_by_key(|(place, _)| *place);
        let Some(mut damaged) = self.damaged() else {
            return failures
                .into_iter()
                .next()
                .map_or(Ok(false), |(_, error)| Err(error));
        };
        if let Some(at) = failures.iter().position(|(_, error)| !error.is_damage()) {
            return Err(failures.swap_remove(at).1);
        }
        let any = !failures.is_empty();
        for (place, error) in failures {
            let (_, sample) = picked.samples[place];
            damaged.entry(sample).or_insert_with(|| Arc::new(error));
        }
        Ok(any)
    }

    /// Refuses a batch for which there is no sample, although there should be one: all are damaged.
    fn check_any(&self, picked: &BatchSamples, passed: &[usize]) -> Result<()> {
        let is_blank = self.spec.last == LastBatch::Zeros && passed.is_empty();
        if !picked.samples.is_empty() || is_blank {
            return Ok(());
        }
        let first = passed.first().and_then(|&sample| self.damage(sample));
        let first = first.map_or_else(String::new, |error| format!("; the first: {error}"));
        Err(Error::image(format!(
            "none of the {} samples can be read{first}",
            self.spec.samples
        )))
    }

    fn damaged(&self) -> Option<MutexGuard<'_, SkippedSamples>> {
        let damaged = self.damaged.as_ref()?;
        // Whoever panicked with it has added an entry or has not.
        Some(damaged.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// A batch to be filled.
    fn blank(&self) -> Batch<T> {
        Batch {
            data: self.buffers.data.take(),
            labels: vec![0.0; self.spec.batch_size * self.task.labels().width()],
            masks: self.buffers.masks.as_ref().map(BufferPool::take),
            ids: vec![0; self.spec.batch_size],
            pad: 0,
        }
    }

    /// Empties the places of a batch from `filled` on.
    fn clear(&self, batch: &mut Batch<T>, filled: usize) {
        batch.data[filled * self.task.slot_len()..].fill(T::default());
        batch.labels[filled * self.task.labels().width()..].fill(0.0);
        batch.ids[filled..].fill(0);
        if let Some((numbers, masks)) = batch.masks.as_mut().zip(self.task.masks()) {
            numbers[filled * masks.slot_len()..].fill(masks.fill());
        }
    }
}

impl Failures {
    fn keep(&self, place: usize, outcome: Result<()>) {
        if let Err(error) = outcome {
            self.lock().push((place, error));
        }
    }

    fn take(&self) -> Vec<(usize, Error)> {
        std::mem::take(&mut *self.lock())
    }

    fn lock(&self) -> MutexGuard<'_, Vec<(usize, Error)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
