//! How far copying has got, and whether it is to go on.

use std::ops::ControlFlow;
use std::time::{Duration, Instant};

/// The time between two reports, and the longest time until a wish to stop is heard.
const BEAT: Duration = Duration::from_millis(100);

/// How far it has got.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// Records copied.
    pub done: usize,
    /// Records to be copied.
    pub total: usize,
}

/// A copying on its way.
pub(super) struct Course<'a> {
    at: Progress,
    last_beat: Instant,
    on_progress: &'a mut dyn FnMut(Progress) -> ControlFlow<()>,
}

impl<'a> Course<'a> {
    pub(super) fn new(
        total: usize,
        on_progress: &'a mut dyn FnMut(Progress) -> ControlFlow<()>,
    ) -> Self {
        Self {
            at: Progress { done: 0, total },
            last_beat: Instant::now(),
            on_progress,
        }
    }

    /// Counts a record; tells of it about every 100 ms, and of the last one.
    pub(super) fn step(&mut self) -> ControlFlow<()> {
        self.at.done += 1;
        if self.at.done < self.at.total && self.last_beat.elapsed() < BEAT {
            return ControlFlow::Continue(());
        }
        self.last_beat = Instant::now();
        (self.on_progress)(self.at)
    }
}
