//! Makes batches: claims one, hands a task for each image to the pool, waits, delivers.
//!
//! Where damaged samples are passed over, a batch with one is picked again without it, and made again: rare, and what comes of
//! it does not depend on who met the damage first.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crossbeam_channel::{Receiver, Sender};

use crate::error::{Error, Result};
use crate::loader::batch_sampler::{Damaged, Pick, Picked, Picker};
use crate::loader::buffer_pool::{Batch, Ring, Rings};
use crate::loader::epoch::{Cursor, Cut, LastBatch};
use crate::loader::epoch_order::{Order, Orders};
use crate::loader::queue::{Made, State, Ticket};
use crate::loader::sample_task::{Slot, Task};
use crate::render::normalize::Element;

/// What all makers of an iterator share.
#[derive(Debug)]
pub(super) struct Maker<T: Element> {
    task: Task<T>,
    pool: rayon::ThreadPool,
    rings: Rings<T>,
    cut: Cut,
    seed: Option<u64>,
    orders: Mutex<Orders>,
    /// The samples that are passed over, if they are.
    damaged: Option<Mutex<Damaged>>,
    /// Who has the baton may claim a batch. It is passed on by the batch's last task when that begins: so the pool always
    /// has work, tasks run in the order of batches, and no memory is taken for a batch before there is a thread for it.
    baton: (Sender<()>, Receiver<()>),
}

/// Leave to claim a batch. Wherever it is dropped, it goes to the next maker.
struct Baton<'a>(&'a Sender<()>);

impl Drop for Baton<'_> {
    fn drop(&mut self) {
        // There is one baton and one place for it, and both ends of the channel live as long as the makers.
        _ = self.0.send(());
    }
}

/// The samples of a batch that could not be made: their places in it, and why.
#[derive(Debug, Default)]
struct Failures(Mutex<Vec<(usize, Error)>>);

impl<T: Element> Maker<T> {
    pub(super) fn new(
        task: Task<T>,
        pool: rayon::ThreadPool,
        rings: Rings<T>,
        cut: Cut,
        seed: Option<u64>,
        skip_damaged: bool,
    ) -> Self {
        let this = Self {
            task,
            pool,
            rings,
            cut,
            seed,
            orders: Mutex::default(),
            damaged: skip_damaged.then(Mutex::default),
            baton: crossbeam_channel::bounded(1),
        };
        drop(Baton(&this.baton.0));
        this
    }

    /// What is done to each image.
    pub(super) fn task(&self) -> &Task<T> {
        &self.task
    }

    /// Why this sample is passed over.
    pub(super) fn damage(&self, sample: usize) -> Option<Arc<Error>> {
        self.damaged()?.get(&sample).cloned()
    }

    /// Makes batches until the pipeline is closed.
    pub(super) fn run(&self, state: &State<T>) {
        while self.baton.1.recv().is_ok() {
            let baton = Baton(&self.baton.0);
            let Some((ticket, picked)) = self.claim(state) else {
                return;
            };
            let make = AssertUnwindSafe(|| self.make(&ticket, state, picked, baton));
            // Whatever happens, the batch must be delivered: the consumer waits for it.
            let made = catch_unwind(make).unwrap_or_else(|_| {
                Some(Made {
                    batch: Err(Error::image("a panic while this batch was made")),
                    passed: Vec::new(),
                })
            });
            if let Some(made) = made {
                state.deliver(&ticket, made);
            }
        }
    }

    /// Claims the next batch, telling of the ends of epochs on the way; none when the pipeline has been closed.
    fn claim(&self, state: &State<T>) -> Option<(Ticket, Picked)> {
        loop {
            let ticket = state.claim()?;
            let pick = self.pick(&ticket);
            if state.take(&ticket, &pick)
                && let Pick::Batch(picked) = pick
            {
                return Some((ticket, picked));
            }
        }
    }

    fn pick(&self, ticket: &Ticket) -> Pick {
        let mut orders = self.orders.lock().unwrap_or_else(PoisonError::into_inner);
        let none = Damaged::new();
        let damaged = self.damaged();
        let picker = Picker {
            cut: &self.cut,
            damaged: damaged.as_deref().unwrap_or(&none),
            sample: |Cursor { epoch, place }| {
                let order = orders.of(epoch, || Order::new(self.task.part(), self.seed, epoch));
                self.task.sample(order.record(place))
            },
        };
        picker.pick(ticket)
    }

    /// Makes a batch, and again until no sample of it is damaged; none if it turns out to be the end of its epoch.
    fn make(
        &self,
        ticket: &Ticket,
        state: &State<T>,
        mut picked: Picked,
        baton: Baton<'_>,
    ) -> Option<Made<T>> {
        let mut batch = self.blank();
        let mut baton = Some(baton);
        loop {
            let failures = self.fill(&mut batch, ticket, &picked, baton.take());
            let passed = std::mem::take(&mut picked.passed);
            match self.pass_over(failures, &picked) {
                Ok(true) => {}
                Ok(false) => {
                    batch.pad = picked.pad;
                    let batch = self.check_any(&picked, &passed).map(|()| batch);
                    return Some(Made { batch, passed });
                }
                Err(error) => {
                    return Some(Made {
                        batch: Err(error),
                        passed,
                    });
                }
            }
            let again = self.pick(ticket);
            state.take_again(ticket, &again);
            match again {
                Pick::Batch(other) => picked = other,
                Pick::End(..) => return None,
            }
        }
    }

    /// Makes the images of a batch.
    fn fill(
        &self,
        batch: &mut Batch<T>,
        ticket: &Ticket,
        picked: &Picked,
        mut baton: Option<Baton<'_>>,
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
                let baton = if is_last { baton.take() } else { None };
                let mask = masks.as_mut().and_then(Iterator::next);
                scope.spawn_fifo(move |_| {
                    drop(baton);
                    if ticket.is_wanted() {
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
    fn pass_over(&self, mut failures: Vec<(usize, Error)>, picked: &Picked) -> Result<bool> {
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
    fn check_any(&self, picked: &Picked, passed: &[usize]) -> Result<()> {
        let is_blank = self.cut.last == LastBatch::Zeros && passed.is_empty();
        if !picked.samples.is_empty() || is_blank {
            return Ok(());
        }
        let first = passed.first().and_then(|&sample| self.damage(sample));
        let first = first.map_or_else(String::new, |error| format!("; the first: {error}"));
        Err(Error::image(format!(
            "none of the {} samples can be read{first}",
            self.cut.samples
        )))
    }

    fn damaged(&self) -> Option<MutexGuard<'_, Damaged>> {
        let damaged = self.damaged.as_ref()?;
        // Whoever panicked with it has added an entry or has not.
        Some(damaged.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// A batch to be filled.
    fn blank(&self) -> Batch<T> {
        Batch {
            data: self.rings.data.take(),
            labels: vec![0.0; self.cut.batch_size * self.task.labels().width()],
            masks: self.rings.masks.as_ref().map(Ring::take),
            ids: vec![0; self.cut.batch_size],
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
