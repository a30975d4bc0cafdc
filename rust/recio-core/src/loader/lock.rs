//! Locking of mutexes that a panic may have poisoned, or that a fork may have left locked.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;

/// Attempts to lock a mutex that a fork may have left locked. The thread that holds it may have
/// lost the processor.
const TRIES: usize = 1000;

/// Locks a mutex, also after a thread that held it has panicked: each change of the loader's state
/// is complete before anything can panic.
pub(super) fn lock<V>(mutex: &Mutex<V>) -> MutexGuard<'_, V> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Locks a mutex, unless it stays locked: in a forked process it may be for ever. For those that
/// other threads hold for a moment only.
pub fn lock_unless_stuck<V>(mutex: &Mutex<V>) -> Option<MutexGuard<'_, V>> {
    (0..TRIES).find_map(|_| {
        let guard = mutex.try_lock().ok();
        if guard.is_none() {
            thread::yield_now();
        }
        guard
    })
}
