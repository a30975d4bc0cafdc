//! Limit of the bytes in memory while images wait for their turn to be written.
//!
//! Workers finish in any order, but records are written in the order of the list. After one slow
//! image all others would pile up. So a worker reserves the bytes of an image before it reads them,
//! and waits while too many are reserved. The image whose turn it is never waits, as all others
//! wait for it.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

/// Bytes that all threads together may have in memory.
pub(super) struct MemoryBudget {
    state: Mutex<State>,
    changed: Condvar,
    capacity: usize,
    /// Whether it is closed, for threads that wait for something else than memory.
    is_closed: Arc<AtomicBool>,
}

struct State {
    /// Reserved bytes. They exceed the capacity only by the image whose turn it is, and by what
    /// images grew while they were packed.
    reserved: usize,
    /// Position in the list of the image that is written next.
    turn: usize,
    closed: bool,
}

impl MemoryBudget {
    /// Creates a budget of `capacity` bytes. The first turn is that of position 0.
    pub(super) fn new(capacity: usize) -> Self {
        let state = State {
            reserved: 0,
            turn: 0,
            closed: false,
        };
        Self {
            state: Mutex::new(state),
            changed: Condvar::new(),
            capacity,
            is_closed: Arc::default(),
        }
    }

    /// Waits until the image at `position` may use so many bytes; `None` if the budget is closed.
    pub(super) fn reserve(&self, position: usize, bytes: usize) -> Option<Reservation<'_>> {
        let must_wait = |state: &mut State| {
            let fits = state.reserved.saturating_add(bytes) <= self.capacity;
            !(fits || state.turn == position || state.closed)
        };
        let state = self.changed.wait_while(self.lock(), must_wait);
        let mut state = state.unwrap_or_else(PoisonError::into_inner);
        if state.closed {
            return None;
        }
        state.reserved = state.reserved.saturating_add(bytes);
        Some(Reservation {
            budget: self,
            bytes,
        })
    }

    /// Passes the turn to the next position.
    pub(super) fn next_turn(&self) {
        self.lock().turn += 1;
        self.changed.notify_all();
    }

    /// Returns a function that returns whether the budget is closed.
    pub(super) fn is_closed(&self) -> impl Fn() -> bool + use<> {
        let is_closed = Arc::clone(&self.is_closed);
        move || is_closed.load(Ordering::Relaxed)
    }

    /// Ends all waits, now and later.
    fn close(&self) {
        self.is_closed.store(true, Ordering::Relaxed);
        self.lock().closed = true;
        self.changed.notify_all();
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Closes a budget when it is dropped.
pub(super) struct CloseOnDrop<'a>(pub(super) &'a MemoryBudget);

impl Drop for CloseOnDrop<'_> {
    fn drop(&mut self) {
        self.0.close();
    }
}

/// Reserved bytes. Dropping it releases them.
pub(super) struct Reservation<'a> {
    budget: &'a MemoryBudget,
    bytes: usize,
}

impl Reservation<'_> {
    /// Changes the number of bytes. This never waits, as the bytes exist already.
    pub(super) fn resize(&mut self, bytes: usize) {
        let mut state = self.budget.lock();
        let others = state.reserved.saturating_sub(self.bytes);
        state.reserved = others.saturating_add(bytes);
        self.bytes = bytes;
        drop(state);
        self.budget.changed.notify_all();
    }
}

impl Drop for Reservation<'_> {
    fn drop(&mut self) {
        self.resize(0);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;
    use std::thread;
    use std::time::Duration;

    use super::*;

    /// Returns whether another thread gets the bytes, or `None` if it still waits after a while.
    fn reserved_in_time(budget: &MemoryBudget, position: usize, bytes: usize) -> Option<bool> {
        let (done, outcome) = mpsc::channel();
        thread::scope(|scope| {
            scope.spawn(move || done.send(budget.reserve(position, bytes).is_some()));
            let in_time = outcome.recv_timeout(Duration::from_millis(50));
            budget.close();
            in_time.ok()
        })
    }

    #[test]
    fn reservation_that_fits_does_not_wait() {
        let budget = MemoryBudget::new(10);
        let _held = budget.reserve(1, 4).unwrap();
        assert_eq!(reserved_in_time(&budget, 2, 6), Some(true));
    }

    #[test]
    fn reservation_over_capacity_waits_until_closed() {
        let budget = MemoryBudget::new(10);
        let _held = budget.reserve(1, 4).unwrap();
        assert_eq!(reserved_in_time(&budget, 2, 7), None);
        assert!(budget.reserve(0, 0).is_none());
    }

    #[test]
    fn image_whose_turn_it_is_never_waits() {
        let budget = MemoryBudget::new(10);
        let _held = budget.reserve(1, 10).unwrap();
        budget.next_turn();
        budget.next_turn();
        assert_eq!(reserved_in_time(&budget, 2, usize::MAX), Some(true));
    }

    #[test]
    fn dropping_and_shrinking_release_bytes() {
        let budget = MemoryBudget::new(10);
        let mut shrunk = budget.reserve(1, 5).unwrap();
        shrunk.resize(2);
        drop(budget.reserve(2, 5).unwrap());
        assert_eq!(reserved_in_time(&budget, 3, 8), Some(true));
    }
}
