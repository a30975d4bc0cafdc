//! How many bytes of images may be in memory while they wait for their turn to be written.
//!
//! The threads of [`pack`](super::pack) finish in any order, but records leave in the list's. Behind one slow image all
//! the others would pile up; so a thread reserves an image's bytes before it reads them, and waits while too many are
//! held. The image whose turn it is never waits: all others wait for it.
//!
//! Nothing is known here of images or files.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

/// The bytes that all threads together may hold.
pub(super) struct Budget {
    state: Mutex<State>,
    changed: Condvar,
    capacity: usize,
}

struct State {
    /// Bytes held. Beyond the capacity only by the image whose turn it is, and by what images grew by.
    held: usize,
    /// The place in the list that is to be written next.
    turn: usize,
    closed: bool,
}

impl Budget {
    /// A budget of so many bytes; the turn is at place 0.
    pub(super) fn new(capacity: usize) -> Self {
        let state = State {
            held: 0,
            turn: 0,
            closed: false,
        };
        Self {
            state: Mutex::new(state),
            changed: Condvar::new(),
            capacity,
        }
    }

    /// Waits until so many bytes may be held for the image at this place; `None` if the budget was closed.
    pub(super) fn reserve(&self, place: usize, bytes: usize) -> Option<Reserved<'_>> {
        let must_wait = |state: &mut State| {
            let fits = state.held.saturating_add(bytes) <= self.capacity;
            !(fits || state.turn == place || state.closed)
        };
        let state = self.changed.wait_while(self.lock(), must_wait);
        let mut state = state.unwrap_or_else(PoisonError::into_inner);
        if state.closed {
            return None;
        }
        state.held = state.held.saturating_add(bytes);
        Some(Reserved {
            budget: self,
            bytes,
        })
    }

    /// Passes the turn to the next place.
    pub(super) fn next_turn(&self) {
        self.lock().turn += 1;
        self.changed.notify_all();
    }

    /// Ends all waiting, now and later.
    pub(super) fn close(&self) {
        self.lock().closed = true;
        self.changed.notify_all();
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Bytes held; dropping it gives them back.
pub(super) struct Reserved<'a> {
    budget: &'a Budget,
    bytes: usize,
}

impl Reserved<'_> {
    /// Holds so many bytes instead. This never waits: they exist already.
    pub(super) fn resize(&mut self, bytes: usize) {
        let mut state = self.budget.lock();
        state.held = state.held.saturating_sub(self.bytes).saturating_add(bytes);
        self.bytes = bytes;
        drop(state);
        self.budget.changed.notify_all();
    }
}

impl Drop for Reserved<'_> {
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

    /// What `reserve` gave to another thread, or `None` if that thread still waits after a while.
    fn reserved_in_time(budget: &Budget, place: usize, bytes: usize) -> Option<bool> {
        let (done, outcome) = mpsc::channel();
        thread::scope(|scope| {
            scope.spawn(move || done.send(budget.reserve(place, bytes).is_some()));
            let in_time = outcome.recv_timeout(Duration::from_millis(50));
            budget.close();
            in_time.ok()
        })
    }

    #[test]
    fn what_fits_does_not_wait() {
        let budget = Budget::new(10);
        let _held = budget.reserve(1, 4).unwrap();
        assert_eq!(reserved_in_time(&budget, 2, 6), Some(true));
    }

    #[test]
    fn what_does_not_fit_waits_and_closing_ends_it() {
        let budget = Budget::new(10);
        let _held = budget.reserve(1, 4).unwrap();
        assert_eq!(reserved_in_time(&budget, 2, 7), None);
        assert!(budget.reserve(0, 0).is_none());
    }

    #[test]
    fn the_one_whose_turn_it_is_never_waits() {
        let budget = Budget::new(10);
        let _held = budget.reserve(1, 10).unwrap();
        budget.next_turn();
        budget.next_turn();
        assert_eq!(reserved_in_time(&budget, 2, usize::MAX), Some(true));
    }

    #[test]
    fn dropping_and_shrinking_give_bytes_back() {
        let budget = Budget::new(10);
        let mut shrunk = budget.reserve(1, 5).unwrap();
        shrunk.resize(2);
        drop(budget.reserve(2, 5).unwrap());
        assert_eq!(reserved_in_time(&budget, 3, 8), Some(true));
    }
}
