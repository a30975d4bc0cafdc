//! What makers and consumer share: which batches are claimed, which are ready, which were delivered.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::augment::finish::Element;
use crate::batch::Batch;
use crate::error::{Error, Result};
use crate::pipeline::Next;
use crate::pipeline::cut::{Cut, LastBatch};

/// Leave to make one batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Ticket {
    generation: u64,
    /// The epoch since the start.
    pub(super) epoch: u64,
    /// The epoch from which on samples roll over.
    pub(super) base: u64,
    pub(super) batch: usize,
}

/// The state machine.
#[derive(Debug)]
pub(super) struct State<T: Element> {
    cut: Cut,
    /// Batches that may be claimed and not delivered.
    prefetch: usize,
    /// Grows when what was claimed is no longer wanted. Written under the lock, read without.
    generation: AtomicU64,
    places: Mutex<Places<T>>,
    /// A batch was delivered, or all changed: makers may go on.
    room: Condvar,
    /// A batch is ready.
    ready: Condvar,
}

#[derive(Debug)]
struct Places<T: Element> {
    /// The consumer's epoch, and how many batches of it were delivered.
    epoch: u64,
    delivered: usize,
    /// The epoch of the last fresh start, from which on samples roll over.
    base: u64,
    /// The batch to be claimed next: its epoch, and its place in it.
    claim: (u64, usize),
    /// Claimed batches that are made.
    ready: BTreeMap<(u64, usize), Result<Batch<T>>>,
    closed: bool,
}

impl<T: Element> State<T> {
    pub(super) fn new(cut: Cut, prefetch: usize) -> Self {
        let places = Places {
            epoch: 0,
            delivered: 0,
            base: 0,
            claim: (0, 0),
            ready: BTreeMap::new(),
            closed: false,
        };
        Self {
            cut,
            prefetch,
            generation: AtomicU64::new(0),
            places: Mutex::new(places),
            room: Condvar::new(),
            ready: Condvar::new(),
        }
    }

    /// Waits until another batch may be made. None when the pipeline has been closed.
    pub(super) fn claim(&self) -> Option<Ticket> {
        let full = |places: &mut Places<T>| !places.closed && !self.has_room(places);
        let mut places = self
            .room
            .wait_while(self.lock(), full)
            .unwrap_or_else(PoisonError::into_inner);
        if places.closed {
            return None;
        }
        let (epoch, batch) = self.next_claim(&places);
        places.claim = (epoch, batch + 1);
        Some(Ticket {
            generation: self.generation.load(Ordering::Relaxed),
            epoch,
            base: places.base,
            batch,
        })
    }

    /// The first batch that is not claimed: its epoch, and its place in it.
    fn next_claim(&self, places: &Places<T>) -> (u64, usize) {
        let (epoch, batch) = places.claim;
        if batch < self.batches(places, epoch) {
            return (epoch, batch);
        }
        let has_one = |epoch: &u64| self.batches(places, *epoch) > 0;
        let mut later = (epoch + 1..).take(self.cut.batch_size);
        let next = later.find(has_one);
        (
            next.expect("as many epochs as a batch has samples have one"),
            0,
        )
    }

    /// Batches are made no further ahead than into the epoch after the consumer's.
    fn has_room(&self, places: &Places<T>) -> bool {
        if self.cut.is_empty() {
            return false;
        }
        let (epoch, batch) = self.next_claim(places);
        let claimed = match epoch - places.epoch {
            0 => batch,
            1 => self.batches(places, places.epoch) + batch,
            _ => return false,
        };
        claimed - places.delivered < self.prefetch
    }

    fn batches(&self, places: &Places<T>, epoch: u64) -> usize {
        self.cut.batches(epoch - places.base)
    }

    /// Batches of the present epoch.
    pub(super) fn batches_of_epoch(&self) -> usize {
        let places = self.lock();
        self.batches(&places, places.epoch)
    }

    /// Whether the batch of this ticket is still wanted.
    pub(super) fn wants(&self, ticket: Ticket) -> bool {
        self.generation.load(Ordering::Relaxed) == ticket.generation
    }

    /// Takes a batch that was made, if it is still wanted.
    pub(super) fn deliver(&self, ticket: Ticket, batch: Result<Batch<T>>) {
        let mut places = self.lock();
        if self.wants(ticket) {
            places.ready.insert((ticket.epoch, ticket.batch), batch);
            self.ready.notify_all();
        }
    }

    pub(super) fn next(&self, patience: Duration) -> Result<Next<T>> {
        let deadline = Instant::now() + patience;
        let mut places = self.lock();
        loop {
            if places.closed {
                return Err(Error::argument("the iterator is closed"));
            }
            if places.delivered == self.batches(&places, places.epoch) {
                return Ok(Next::End);
            }
            let place = (places.epoch, places.delivered);
            if let Some(batch) = places.ready.remove(&place) {
                places.delivered += 1;
                self.room.notify_all();
                return batch.map(Next::Batch);
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Ok(Next::Pending);
            }
            places = self
                .ready
                .wait_timeout(places, left)
                .unwrap_or_else(PoisonError::into_inner)
                .0;
        }
    }

    /// Begins a new epoch, unless the present one has just begun. At the end of an epoch the batches of the next one
    /// are already being made; in the middle of one, all that was claimed is given up, and so is what was left over from
    /// the epoch before. With `fresh` that is given up at the end too.
    pub(super) fn reset(&self, fresh: bool) {
        let mut places = self.lock();
        let batches = self.batches(&places, places.epoch);
        let fresh = fresh && self.cut.last == LastBatch::RollOver;
        let is_at_start = places.delivered == 0 && batches > 0;
        if is_at_start && (!fresh || places.base == places.epoch) {
            return;
        }
        places.epoch += 1;
        if places.delivered < batches || fresh {
            self.generation.fetch_add(1, Ordering::Relaxed);
            places.base = places.epoch;
            places.claim = (places.epoch, 0);
            places.ready.clear();
        }
        places.delivered = 0;
        self.room.notify_all();
    }

    /// Gives everything up.
    pub(super) fn close(&self) {
        let mut places = self.lock();
        self.generation.fetch_add(1, Ordering::Relaxed);
        places.closed = true;
        places.ready.clear();
        self.room.notify_all();
        self.ready.notify_all();
    }

    fn lock(&self) -> MutexGuard<'_, Places<T>> {
        // No code that can panic runs between two related changes.
        self.places.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::batch::Ring;

    /// Batches of one sample.
    fn state<T: Element>(batches: usize, prefetch: usize) -> State<T> {
        let cut = Cut {
            samples: batches,
            batch_size: 1,
            last: LastBatch::Wrap,
        };
        State::new(cut, prefetch)
    }

    fn batch(id: u64) -> Batch<u8> {
        Batch {
            data: Ring::new(1, 1).take(),
            labels: vec![],
            masks: None,
            ids: vec![id],
            pad: 0,
        }
    }

    fn next(state: &State<u8>) -> Option<u64> {
        match state.next(Duration::ZERO).unwrap() {
            Next::Batch(batch) => Some(batch.ids[0]),
            Next::End => None,
            Next::Pending => panic!("nothing is ready"),
        }
    }

    #[test]
    fn batches_are_delivered_in_order_whoever_finishes_first() {
        let state = state(3, 3);
        let tickets = [0, 1, 2].map(|_| state.claim().unwrap());
        for i in [2, 0, 1] {
            state.deliver(tickets[i], Ok(batch(i as u64)));
        }
        assert_eq!(
            [next(&state), next(&state), next(&state), next(&state)],
            [Some(0), Some(1), Some(2), None]
        );
    }

    #[test]
    fn makers_work_ahead_into_the_next_epoch_and_no_further() {
        let state = state::<u8>(2, 9);
        let claims: Vec<_> = (0..4)
            .map(|_| state.claim().unwrap())
            .map(|t| (t.epoch, t.batch))
            .collect();
        assert_eq!(claims, [(0, 0), (0, 1), (1, 0), (1, 1)]);
        assert!(!state.has_room(&state.lock()));
    }

    #[test]
    fn a_reset_at_the_end_keeps_what_is_ready_and_one_in_the_middle_does_not() {
        let one = state(1, 2);
        for id in 0..2 {
            one.deliver(one.claim().unwrap(), Ok(batch(id)));
        }
        assert_eq!((next(&one), next(&one)), (Some(0), None));
        one.reset(false);
        assert_eq!(next(&one), Some(1));

        let state = state(2, 2);
        let (first, second) = (state.claim().unwrap(), state.claim().unwrap());
        state.deliver(first, Ok(batch(0)));
        assert_eq!(next(&state), Some(0));
        state.reset(false);
        assert!(!state.wants(second));
        state.deliver(second, Ok(batch(1)));
        assert!(matches!(state.next(Duration::ZERO).unwrap(), Next::Pending));
        assert_eq!(
            state.claim().map(|ticket| (ticket.epoch, ticket.batch)),
            Some((1, 0))
        );
    }

    #[test]
    fn an_iterator_without_batches_is_at_its_end() {
        let state = state::<u8>(0, 1);
        assert_eq!(next(&state), None);
        state.reset(false);
        assert_eq!(next(&state), None);
    }

    #[test]
    fn epochs_that_roll_over_have_their_own_numbers_of_batches() {
        let cut = Cut {
            samples: 5,
            batch_size: 2,
            last: LastBatch::RollOver,
        };
        let state = State::<u8>::new(cut, 9);
        let claims: Vec<_> = (0..5)
            .map(|_| state.claim().unwrap())
            .map(|ticket| (ticket.epoch, ticket.batch))
            .collect();
        assert_eq!(claims, [(0, 0), (0, 1), (1, 0), (1, 1), (1, 2)]);
        assert_eq!(state.batches_of_epoch(), 2);
        // A fresh start forgets what is left over.
        state.lock().delivered = 2;
        state.reset(false);
        assert_eq!(state.batches_of_epoch(), 3);
        state.reset(true);
        assert_eq!(state.batches_of_epoch(), 2);
        assert_eq!(
            state.claim().map(|ticket| (ticket.epoch, ticket.base)),
            Some((2, 2))
        );
        state.lock().delivered = 2;
        state.reset(true);
        assert_eq!(state.batches_of_epoch(), 2);
    }
}
