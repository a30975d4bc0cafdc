//! Progress reports of long operations, and stopping them.
//!
//! An operation reports its progress to a callback. The callback returns
//! [`ControlFlow::Break`] to stop it; then the operation returns `None` and leaves no output files.

use std::ops::ControlFlow;
use std::time::{Duration, Instant};

/// Time between two reports. A request to stop is noticed within this time.
pub(crate) const REPORT_INTERVAL: Duration = Duration::from_millis(100);

/// Progress of an operation, in the unit that it counts: bytes, records or lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// Units processed so far, skipped ones included.
    pub done: u64,
    /// Units in all.
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
