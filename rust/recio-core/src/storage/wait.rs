//! Waiting for a store, which ends when the thread is asked to stop.
//!
//! A read of a local file returns soon. One of an object may take minutes, while a server does not
//! answer: a loader that is closed, or Ctrl-C, must not wait for that. So a thread declares what
//! stops it, and all its waits look at that.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use crossbeam_channel::{Receiver, RecvTimeoutError};

use crate::error::{Error, ErrorKind, Result};

/// Time between two looks at whether to stop.
const INTERVAL: Duration = Duration::from_millis(50);

type IsStopped = Rc<dyn Fn() -> bool>;

thread_local! {
    static IS_STOPPED: RefCell<Option<IsStopped>> = const { RefCell::new(None) };
}

/// Runs work that waits for storage only until `is_stopped` returns true; then its reads end with
/// [`ErrorKind::Interrupted`]. The function is called about every 50 ms while a read waits.
pub fn stoppable<T>(is_stopped: impl Fn() -> bool + 'static, work: impl FnOnce() -> T) -> T {
    let previous = IS_STOPPED.replace(Some(Rc::new(is_stopped)));
    let _restored = Restore(previous);
    work()
}

/// Makes all waits of this thread, from now on, end when `is_stopped` returns true. For threads of
/// a loader.
pub fn stop_this_thread_when(is_stopped: impl Fn() -> bool + 'static) {
    IS_STOPPED.set(Some(Rc::new(is_stopped)));
}

/// Restores what stopped the thread before, also after a panic.
struct Restore(Option<IsStopped>);

impl Drop for Restore {
    fn drop(&mut self) {
        IS_STOPPED.set(self.0.take());
    }
}

/// Waits for a result. `None` if its sender is gone.
///
/// # Errors
/// [`ErrorKind::Interrupted`] if the thread is asked to stop.
pub fn receive<T>(receiver: &Receiver<T>) -> Result<Option<T>> {
    let Some(is_stopped) = IS_STOPPED.with_borrow(Clone::clone) else {
        return Ok(receiver.recv().ok());
    };
    loop {
        match receiver.recv_timeout(INTERVAL) {
            Ok(received) => return Ok(Some(received)),
            Err(RecvTimeoutError::Disconnected) => return Ok(None),
            Err(RecvTimeoutError::Timeout) if is_stopped() => {
                return Err(Error::new(ErrorKind::Interrupted));
            }
            Err(RecvTimeoutError::Timeout) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, Ordering};

    use super::*;

    #[test]
    fn a_wait_ends_when_the_thread_is_stopped() {
        let (_sender, receiver) = crossbeam_channel::bounded::<()>(1);
        let is_stopped = Arc::new(AtomicBool::new(false));
        let flag = Arc::clone(&is_stopped);
        let waiting = std::thread::spawn(move || {
            stoppable(move || flag.load(Ordering::Relaxed), || receive(&receiver)).is_err()
        });
        is_stopped.store(true, Ordering::Relaxed);
        assert!(waiting.join().unwrap());
    }

    #[test]
    fn results_arrive_also_if_nothing_stops_the_thread() {
        let (sender, receiver) = crossbeam_channel::bounded(1);
        sender.send(7).unwrap();
        assert_eq!(receive(&receiver).unwrap(), Some(7));
        sender.send(8).unwrap();
        assert_eq!(stoppable(|| true, || receive(&receiver)).unwrap(), Some(8));
        drop(sender);
        assert_eq!(receive(&receiver).unwrap(), None);
    }
}
