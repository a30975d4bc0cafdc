//! Makes batches: claims one, hands a task for each image to the pool, waits, delivers.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, PoisonError};

use crossbeam_channel::{Receiver, Sender};

use crate::augment::finish::Element;
use crate::batch::{Batch, Rings, Slots};
use crate::error::{Error, Result};
use crate::pipeline::cut::{Cut, Span};
use crate::pipeline::order::Order;
use crate::pipeline::state::{State, Ticket};
use crate::pipeline::worker::{Slot, Task};

/// What all makers of an iterator share.
#[derive(Debug)]
pub(super) struct Maker<T: Element> {
    task: Task<T>,
    pool: rayon::ThreadPool,
    rings: Rings<T>,
    cut: Cut,
    seed: Option<u64>,
    /// Who has the baton may claim a batch. It is passed on by the batch's last task when that begins: so the pool always
    /// has work, tasks run in the order of batches, and no memory is taken for a batch before there is a thread for it.
    baton: (Sender<Orders>, Receiver<Orders>),
}

/// Leave to claim a batch. Wherever it is dropped, it goes to the next maker.
struct Baton<'a> {
    orders: Orders,
    next: &'a Sender<Orders>,
}

impl Drop for Baton<'_> {
    fn drop(&mut self) {
        // There is one baton and one place for it, and both ends of the channel live as long as the makers.
        _ = self.next.send(std::mem::take(&mut self.orders));
    }
}

/// The orders of the epochs that are being made: two, and one that is left over from.
#[derive(Debug, Default)]
struct Orders([Option<(u64, Arc<Order>)>; 3]);

/// The error of the image that comes first in the batch, whichever thread met its own first.
#[derive(Debug, Default)]
struct FirstError(Mutex<Option<(usize, Error)>>);

impl<T: Element> Maker<T> {
    pub(super) fn new(
        task: Task<T>,
        pool: rayon::ThreadPool,
        rings: Rings<T>,
        cut: Cut,
        seed: Option<u64>,
    ) -> Self {
        let this = Self {
            task,
            pool,
            rings,
            cut,
            seed,
            baton: crossbeam_channel::bounded(1),
        };
        drop(Baton {
            orders: Orders::default(),
            next: &this.baton.0,
        });
        this
    }

    /// What is done to each image.
    pub(super) fn task(&self) -> &Task<T> {
        &self.task
    }

    /// Makes batches until the pipeline is closed.
    pub(super) fn run(&self, state: &State<T>) {
        while let Ok(orders) = self.baton.1.recv() {
            let baton = Baton {
                orders,
                next: &self.baton.0,
            };
            let Some(ticket) = state.claim() else { return };
            let make = AssertUnwindSafe(|| self.make(ticket, state, baton));
            // Whatever happens, the batch must be delivered: the consumer waits for it.
            let panicked = |_| Err(Error::image("a panic while this batch was made"));
            state.deliver(ticket, catch_unwind(make).unwrap_or_else(panicked));
        }
    }

    fn make(&self, ticket: Ticket, state: &State<T>, mut baton: Baton<'_>) -> Result<Batch<T>> {
        let span = self.cut.span(ticket.epoch - ticket.base, ticket.batch);
        let records = &self.records(ticket, span, &mut baton.orders);
        let mut batch = self.blank(span);
        let first_error = &FirstError::default();
        let Batch {
            data,
            labels,
            masks,
            ids,
            ..
        } = &mut batch;
        let slots = data.chunks_exact_mut(self.task.slot_len());
        let labels = labels.chunks_exact_mut(self.task.labels().width());
        let places = slots.zip(labels).zip(ids).take(span.filled).enumerate();
        let mut masks = masks
            .as_mut()
            .zip(self.task.masks())
            .map(|(numbers, masks)| numbers.chunks_exact_mut(masks.slot_len()));
        let mut baton = Some(baton);
        self.pool.in_place_scope_fifo(|scope| {
            for (place, ((data, labels), id)) in places {
                let baton = if place + 1 == span.filled {
                    baton.take()
                } else {
                    None
                };
                let mask = masks.as_mut().and_then(Iterator::next);
                scope.spawn_fifo(move |_| {
                    drop(baton);
                    if state.wants(ticket) {
                        let (epoch, record) = records[place];
                        let slot = Slot {
                            data,
                            labels,
                            mask,
                            id,
                        };
                        first_error.keep(place, self.task.fill(record, epoch, slot));
                    }
                });
            }
        });
        first_error.take().map_or(Ok(batch), Err)
    }

    /// The records of a batch, and the epochs that they are of.
    fn records(&self, ticket: Ticket, span: Span, orders: &mut Orders) -> Vec<(u64, usize)> {
        let places = span.first..span.first + span.filled as u64;
        places
            .map(|place| {
                let (epoch, place) = self.cut.place(ticket.epoch - ticket.base, place);
                let epoch = ticket.base + epoch;
                let order = orders.of(epoch, || Order::new(self.task.part(), self.seed, epoch));
                (epoch, self.task.sample(order.record(place)))
            })
            .collect()
    }

    /// A batch whose places without a sample are empty.
    fn blank(&self, span: Span) -> Batch<T> {
        let mut data = self.rings.data.take();
        data[span.filled * self.task.slot_len()..].fill(T::default());
        Batch {
            data,
            labels: vec![0.0; self.cut.batch_size * self.task.labels().width()],
            masks: self.blank_masks(span),
            ids: vec![0; self.cut.batch_size],
            pad: span.pad,
        }
    }

    fn blank_masks(&self, span: Span) -> Option<Slots<u8>> {
        let mut numbers = self.rings.masks.as_ref()?.take();
        let masks = self.task.masks()?;
        numbers[span.filled * masks.slot_len()..].fill(masks.fill());
        Some(numbers)
    }
}

impl Orders {
    /// The order of an epoch, made if it is not there. Epochs come in ascending order, so the older one makes room.
    fn of(&mut self, epoch: u64, make: impl FnOnce() -> Order) -> Arc<Order> {
        if let Some((_, order)) = self.0.iter().flatten().find(|(of, _)| *of == epoch) {
            return Arc::clone(order);
        }
        let order = Arc::new(make());
        self.0.rotate_left(1);
        self.0[1] = Some((epoch, Arc::clone(&order)));
        order
    }
}

impl FirstError {
    fn keep(&self, place: usize, outcome: Result<()>) {
        let Err(error) = outcome else { return };
        let mut first = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if first.as_ref().is_none_or(|(earlier, _)| place < *earlier) {
            *first = Some((place, error));
        }
    }

    fn take(&self) -> Option<Error> {
        let mut first = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        first.take().map(|(_, error)| error)
    }
}
