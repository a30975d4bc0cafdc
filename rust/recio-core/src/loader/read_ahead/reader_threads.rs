//! Threads that read ahead. They are started one by one, as they are needed, and end when records
//! are not read ahead any more.

use std::sync::{Condvar, Mutex, PoisonError};
use std::thread::{Builder, JoinHandle};
use std::time::{Duration, Instant};

use super::fetch::Reader;
use crate::loader::lock::lock;
use crate::storage::wait;

/// Bytes of a reader's stack.
const STACK_SIZE: usize = 128 << 10;

/// Threads that read ahead.
#[derive(Debug, Default)]
pub(super) struct ReaderThreads {
    state: Mutex<State>,
    ended: Condvar,
}

#[derive(Debug, Default)]
struct State {
    running: usize,
    handles: Vec<JoinHandle<()>>,
    is_abandoned: bool,
}

impl ReaderThreads {
    /// Counts another reader if there is none; returns whether it is to be started.
    pub(super) fn add_first(&self) -> bool {
        self.add(1)
    }

    /// Counts another reader if there are fewer than `max`; returns whether it is to be started.
    pub(super) fn add(&self, max: usize) -> bool {
        let mut state = lock(&self.state);
        let is_needed = state.running < max;
        state.running += usize::from(is_needed);
        is_needed
    }

    /// Starts a reader that was counted. That it cannot be started is no error: those who need a
    /// sample that is not read ahead read it themselves.
    pub(super) fn start(&self, reader: Reader) {
        let ahead = std::sync::Arc::clone(&reader.ahead);
        let builder = Builder::new()
            .name("recio-reader".into())
            .stack_size(STACK_SIZE);
        let started = builder.spawn(move || {
            let _running = Running(std::sync::Arc::clone(&ahead));
            wait::stop_this_thread_when(move || ahead.is_closed());
            reader.run();
            drop(reader);
        });
        let mut state = lock(&self.state);
        match started {
            Ok(handle) => {
                state.handles.retain(|handle| !handle.is_finished());
                state.handles.push(handle);
            }
            Err(_) => state.running -= 1,
        }
    }

    /// Waits for at most this long until all have ended; returns whether they have.
    pub(super) fn wait(&self, timeout: Duration) -> bool {
        let deadline = Instant::now() + timeout.min(MAX_WAIT);
        let mut state = lock(&self.state);
        while state.running > 0 && !state.is_abandoned {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return false;
            }
            let waited = self.ended.wait_timeout(state, left);
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        if !state.is_abandoned {
            let handles = std::mem::take(&mut state.handles);
            drop(state);
            for handle in handles {
                // A thread that panicked has ended too.
                drop(handle.join());
            }
        }
        true
    }

    /// Makes later calls of [`wait`](Self::wait) return at once.
    pub(super) fn abandon(&self) {
        let mut state = lock(&self.state);
        state.is_abandoned = true;
        state.handles.clear();
    }

    fn end(&self) {
        lock(&self.state).running -= 1;
        self.ended.notify_all();
    }
}

/// Longest time that can be added to a moment.
const MAX_WAIT: Duration = Duration::from_secs(1 << 30);

/// Counts a reader as running until it is dropped.
struct Running(std::sync::Arc<super::ReadAhead>);

impl Drop for Running {
    fn drop(&mut self) {
        self.0.threads.end();
    }
}
