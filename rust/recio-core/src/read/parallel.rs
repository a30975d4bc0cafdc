//! Opening many files at once.

use std::num::NonZero;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use crossbeam_channel::{Receiver, RecvTimeoutError, unbounded};

use crate::error::{Error, Result};
use crate::progress::Interrupt;
use crate::storage::location::Location;
use crate::storage::wait;

/// Objects that are opened at a time. Each waits for its store most of the time.
pub(crate) const MAX_THREADS: usize = 64;

/// Time between two looks at whether the caller wants to stop.
const INTERVAL: Duration = Duration::from_millis(50);

/// Returns the number of threads that parse files: one for each core, or [`MAX_THREADS`] for
/// objects of a store.
pub(crate) fn threads_for(files: &[Location]) -> usize {
    if files.iter().any(|file| file.local().is_none()) {
        return MAX_THREADS;
    }
    thread::available_parallelism().map_or(1, NonZero::get)
}

/// Calls `work` with each item, in up to `threads` threads; returns the results in the order of the
/// items.
///
/// # Errors
/// The first error in this order among those that were met; `Interrupted`.
pub(crate) fn map<T: Sync, R: Send>(
    items: &[T],
    threads: usize,
    interrupt: &Interrupt<'_>,
    work: impl Fn(&T, &Interrupt<'_>) -> Result<R> + Sync,
) -> Result<Vec<R>> {
    if threads < 2 || items.len() < 2 {
        return items.iter().map(|item| work(item, interrupt)).collect();
    }
    let is_stopped = Arc::new(AtomicBool::new(false));
    let next = AtomicUsize::new(0);
    let (results, received) = unbounded();
    thread::scope(|scope| {
        for number in 0..threads.min(items.len()) {
            let (results, flag) = (results.clone(), Arc::clone(&is_stopped));
            let (next, work) = (&next, &work);
            let open = move || {
                let stopped = Arc::clone(&flag);
                wait::stoppable(
                    move || stopped.load(Ordering::Relaxed),
                    || {
                        while !flag.load(Ordering::Relaxed)
                            && let at = next.fetch_add(1, Ordering::Relaxed)
                            && let Some(item) = items.get(at)
                            && results.send((at, work(item, &Interrupt::never()))).is_ok()
                        {
                        }
                    },
                );
            };
            let name = format!("recio-open-{number}");
            let spawned = thread::Builder::new().name(name).spawn_scoped(scope, open);
            if let Err(cause) = spawned
                && number == 0
            {
                return Err(Error::thread(&cause));
            }
        }
        drop(results);
        collect(&received, items.len(), &is_stopped, interrupt)
    })
}

/// Receives the results until all threads have ended; after an error they end early.
fn collect<R>(
    received: &Receiver<(usize, Result<R>)>,
    len: usize,
    is_stopped: &AtomicBool,
    interrupt: &Interrupt<'_>,
) -> Result<Vec<R>> {
    let mut results: Vec<Option<R>> = (0..len).map(|_| None).collect();
    let mut first_error: Option<(usize, Error)> = None;
    let mut fail = |at: usize, error: Error| {
        is_stopped.store(true, Ordering::Relaxed);
        let is_first = first_error.as_ref().is_none_or(|(other, _)| at < *other);
        if is_first && (first_error.is_none() || !error.is_interrupted()) {
            first_error = Some((at, error));
        }
    };
    loop {
        match received.recv_timeout(INTERVAL) {
            Ok((at, Ok(result))) => results[at] = Some(result),
            Ok((at, Err(error))) => fail(at, error),
            Err(RecvTimeoutError::Timeout) => {
                if let Err(error) = interrupt.poll() {
                    fail(0, error);
                }
            }
            Err(RecvTimeoutError::Disconnected) => break,
        }
    }
    match first_error {
        Some((_, error)) => Err(error),
        None => Ok(results.into_iter().flatten().collect()),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Barrier;

    use super::*;

    #[test]
    fn results_are_in_the_order_of_the_items() {
        for threads in [1, 64] {
            let items: Vec<usize> = (0..200).collect();
            let double = |&item: &usize, _: &Interrupt<'_>| Ok(2 * item);
            let doubled = map(&items, threads, &Interrupt::never(), double).unwrap();
            assert!(doubled.into_iter().eq((0..400).step_by(2)));
        }
    }

    #[test]
    fn many_items_are_worked_on_at_once() {
        let barrier = Barrier::new(MAX_THREADS);
        let wait = |_: &usize, _: &Interrupt<'_>| Ok(barrier.wait().is_leader());
        let leaders = map(&[0; MAX_THREADS], MAX_THREADS, &Interrupt::never(), wait).unwrap();
        assert_eq!(leaders.iter().filter(|&&is_leader| is_leader).count(), 1);
    }

    #[test]
    fn the_first_error_is_returned_and_stops_the_others() {
        let items: Vec<usize> = (0..10_000).collect();
        let started = AtomicUsize::new(0);
        let fail = |&item: &usize, _: &Interrupt<'_>| {
            started.fetch_add(1, Ordering::Relaxed);
            thread::sleep(Duration::from_millis(1));
            if item < 2 {
                return Err(Error::argument(format!("item {item}")));
            }
            Ok(item)
        };
        let error = map(&items, 8, &Interrupt::never(), fail).unwrap_err();
        assert_eq!(error.to_string(), "item 0");
        assert!(started.into_inner() < items.len());
    }

    #[test]
    fn an_interrupt_stops_threads_that_wait() {
        let wait = |_: &usize, _: &Interrupt<'_>| {
            let (_sender, receiver) = crossbeam_channel::bounded::<()>(1);
            wait::receive(&receiver)
        };
        let stop = || true;
        let error = map(&[0; 3], 3, &Interrupt::new(&stop), wait).unwrap_err();
        assert!(error.is_interrupted());
    }
}
