//! Progress reports of long operations, and stopping them.
//!
//! An operation reports its progress to a callback. The callback returns
//! [`ControlFlow::Break`] to stop it; then the operation returns `None` and leaves no output files.

use std::cell::{Cell, RefCell};
use std::ops::ControlFlow;
use std::time::{Duration, Instant};

use crate::error::{Error, ErrorKind, Result};

/// Time between two reports. A request to stop is noticed within this time.
pub(crate) const REPORT_INTERVAL: Duration = Duration::from_millis(100);

/// Progress of an operation, in the unit that it counts: bytes, records or lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// Units processed so far, skipped ones included.
    pub done: u64,
    /// Units in all; 0 while the number is unknown.
    pub total: u64,
    /// Units skipped so far. Only packing skips lines.
    pub skipped: u64,
}

impl Progress {
    /// Progress of an operation that skips nothing.
    #[must_use]
    pub fn new(done: u64, total: u64) -> Self {
        Self {
            done,
            total,
            skipped: 0,
        }
    }
}

/// Callback for progress reports, called about every 100 ms and at the end.
pub type OnProgress<'a> = dyn FnMut(Progress) -> ControlFlow<()> + 'a;

/// Question of an operation without progress reports whether to stop.
#[derive(Debug, Clone, Default)]
pub struct Interrupt<'a> {
    is_requested: Option<IsRequested<'a>>,
    /// Time of the last question.
    last: Cell<Option<Instant>>,
}

#[derive(Clone, Copy)]
struct IsRequested<'a>(&'a dyn Fn() -> bool);

impl std::fmt::Debug for IsRequested<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("IsRequested")
    }
}

impl<'a> Interrupt<'a> {
    /// Never stops.
    #[must_use]
    pub fn never() -> Self {
        Self::default()
    }

    /// Stops when `is_requested` returns true. It is called about every 100 ms.
    #[must_use]
    pub fn new(is_requested: &'a dyn Fn() -> bool) -> Self {
        Self {
            is_requested: Some(IsRequested(is_requested)),
            last: Cell::new(Some(Instant::now())),
        }
    }

    /// Asks whether to stop, unless it asked less than 100 ms ago. Operations call this after each
    /// record, or after each read of a megabyte.
    ///
    /// # Errors
    /// [`ErrorKind::Interrupted`] if the operation shall stop.
    pub fn poll(&self) -> Result<()> {
        let (Some(IsRequested(is_requested)), Some(last)) = (self.is_requested, self.last.get())
        else {
            return Ok(());
        };
        if last.elapsed() < REPORT_INTERVAL {
            return Ok(());
        }
        self.last.set(Some(Instant::now()));
        if is_requested() {
            return Err(Error::new(ErrorKind::Interrupted));
        }
        Ok(())
    }
}

/// Runs work of which the amount is unknown, such as scanning a file, and reports that nothing of
/// the operation is done yet, with a total of 0.
pub(crate) fn before_progress<T>(
    on_progress: &mut OnProgress<'_>,
    work: impl FnOnce(&Interrupt<'_>) -> Result<T>,
) -> Result<T> {
    with_progress(on_progress, Progress::new(0, 0), work)
}

/// Runs work of which the amount is unknown, and reports the same progress all the time.
pub(crate) fn with_progress<T>(
    on_progress: &mut OnProgress<'_>,
    progress: Progress,
    work: impl FnOnce(&Interrupt<'_>) -> Result<T>,
) -> Result<T> {
    let on_progress = RefCell::new(on_progress);
    let is_requested = || (on_progress.borrow_mut())(progress).is_break();
    work(&Interrupt::new(&is_requested))
}

/// Turns an interruption into `None`, the result of an operation that was stopped.
pub(crate) fn none_if_interrupted<T>(outcome: Result<Option<T>>) -> Result<Option<T>> {
    match outcome {
        Err(error) if error.is_interrupted() => Ok(None),
        outcome => outcome,
    }
}

/// Limits the rate of progress reports.
pub(crate) struct Throttle<'a> {
    on_progress: &'a mut OnProgress<'a>,
    last_report: Instant,
}

impl<'a> Throttle<'a> {
    pub(crate) fn new(on_progress: &'a mut OnProgress<'a>) -> Self {
        Self {
            on_progress,
            last_report: Instant::now(),
        }
    }

    /// Reports progress if the last report is old enough or the operation is complete.
    pub(crate) fn report(&mut self, progress: Progress) -> ControlFlow<()> {
        if progress.done < progress.total && self.last_report.elapsed() < REPORT_INTERVAL {
            return ControlFlow::Continue(());
        }
        self.last_report = Instant::now();
        (self.on_progress)(progress)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_end_is_reported_within_an_interval() {
        let mut reports = Vec::new();
        let mut on_progress = |progress: Progress| {
            reports.push(progress.done);
            ControlFlow::Break(())
        };
        let mut throttle = Throttle::new(&mut on_progress);
        let outcomes = (1..=3).map(|done| throttle.report(Progress::new(done, 3)).is_break());
        assert!(outcomes.eq([false, false, true]));
        assert_eq!(reports, [3]);
    }

    #[test]
    fn an_interrupt_is_noticed_after_an_interval() {
        let interrupt = Interrupt::new(&|| true);
        assert!(interrupt.poll().is_ok());
        std::thread::sleep(REPORT_INTERVAL);
        assert!(interrupt.poll().unwrap_err().is_interrupted());
        assert!(Interrupt::never().poll().is_ok());
    }

    #[test]
    fn progress_is_reported_after_an_interval() {
        let mut reports = 0;
        let mut on_progress = |_| {
            reports += 1;
            ControlFlow::Continue(())
        };
        let mut throttle = Throttle::new(&mut on_progress);
        let progress = Progress::new(0, 2);
        assert!(throttle.report(progress).is_continue());
        throttle.last_report -= REPORT_INTERVAL;
        assert!(throttle.report(progress).is_continue());
        assert!(throttle.report(progress).is_continue());
        assert_eq!(reports, 1);
    }
}
