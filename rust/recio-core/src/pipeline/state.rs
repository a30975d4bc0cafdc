//! What makers and consumer share: which batches are claimed, which are ready, which were delivered.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::augment::finish::Element;
use crate::batch::Batch;
use crate::error::{Error, Result};
use crate::pipeline::Next;

/// Leave to make one batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Ticket {
    generation: u64,
    pub(super) epoch: u64,
    pub(super) batch: usize,
}

/// The state machine.
#[derive(Debug)]
pub(super) struct State<T: Element> {
    /// Batches an epoch.
    batches: usize,
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
    /// The batch to be claimed next: its epoch, and its place in it.
    claim: (u64, usize),
    /// Claimed batches that are made.
    ready: BTreeMap<(u64, usize), Result<Batch<T>>>,
    closed: bool,
}

impl<T: Element> State<T> {
    pub(super) fn new(batches: usize, prefetch: usize) -> Self {
        let places = Places {
            epoch: 0,
            delivered: 0,
            claim: (0, 0),
            ready: BTreeMap::new(),
            closed: false,
        };
        Self {
            batches,
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
        let (epoch, batch) = places.claim;
        let is_last = batch + 1 == self.batches;
        places.claim = if is_last {
            (epoch + 1, 0)
        } else {
            (epoch, batch + 1)
        };
        Some(Ticket {
            generation: self.generation.load(Ordering::Relaxed),
            epoch,
            batch,
        })
    }

    fn has_room(&self, places: &Places<T>) -> bool {
        let epochs_ahead = places.claim.0 - places.epoch;
        let claimed = epochs_ahead as usize * self.batches + places.claim.1;
        self.batches > 0 && epochs_ahead <= 1 && claimed - places.delivered < self.prefetch
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
            if places.delivered == self.batches {
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
    /// are already being made; in the middle of one, all that was claimed is given up.
    pub(super) fn reset(&self) {
        let mut places = self.lock();
        if places.delivered == 0 {
            return;
        }
        places.epoch += 1;
        if places.delivered < self.batches {
            self.generation.fetch_add(1, Ordering::Relaxed);
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

    fn batch(id: u64) -> Batch<u8> {
        Batch {
            data: Ring::new(1, 1).take(),
            labels: vec![],
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
        let state = State::new(3, 3);
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
        let state = State::<u8>::new(2, 9);
        let claims: Vec<_> = (0..4)
            .map(|_| state.claim().unwrap())
            .map(|t| (t.epoch, t.batch))
            .collect();
        assert_eq!(claims, [(0, 0), (0, 1), (1, 0), (1, 1)]);
        assert!(!state.has_room(&state.lock()));
    }

    #[test]
    fn a_reset_at_the_end_keeps_what_is_ready_and_one_in_the_middle_does_not() {
        let state = State::new(1, 2);
        for id in 0..2 {
            state.deliver(state.claim().unwrap(), Ok(batch(id)));
        }
        assert_eq!((next(&state), next(&state)), (Some(0), None));
        state.reset();
        assert_eq!(next(&state), Some(1));

        let state = State::new(2, 2);
        let (first, second) = (state.claim().unwrap(), state.claim().unwrap());
        state.deliver(first, Ok(batch(0)));
        assert_eq!(next(&state), Some(0));
        state.reset();
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
        let state = State::<u8>::new(0, 1);
        assert_eq!(next(&state), None);
        state.reset();
        assert_eq!(next(&state), None);
    }
}
