//! The calling thread's part in [`pack`](super::pack): hands out lines, writes records in the list's order.

use std::collections::{HashSet, VecDeque};

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, bounded};

use super::memory_budget::Budget;
use super::outputs::Outputs;
use super::worker::{Job, Outcome};
use super::{Packed, Skipped};
use crate::error::Result;
use crate::format::list::Line;
use crate::progress::{OnProgress, Progress, REPORT_INTERVAL, Throttle};

/// An entry of a list: its line's number, and what stands there or why it cannot be read.
type Entry = (u64, Result<Line, String>);

pub(super) struct Run<'a> {
    lines: &'a [Entry],
    jobs: Sender<Job<'a>>,
    budget: &'a Budget,
    outputs: Outputs,
    /// The indices met so far.
    seen: HashSet<u64>,
    skipped: Vec<Skipped>,
    throttle: Throttle<'a>,
}

impl<'a> Run<'a> {
    pub(super) fn new(
        lines: &'a [Entry],
        jobs: Sender<Job<'a>>,
        budget: &'a Budget,
        outputs: Outputs,
        on_progress: &'a mut OnProgress<'a>,
    ) -> Self {
        Self {
            lines,
            jobs,
            budget,
            outputs,
            seen: HashSet::new(),
            skipped: Vec::new(),
            throttle: Throttle::new(on_progress),
        }
    }

    /// Packs all lines, at most `window` of them at a time; `None` if the caller broke off.
    pub(super) fn pack(mut self, window: usize) -> Result<Option<Packed>> {
        let lines = self.lines;
        let mut waiting = VecDeque::with_capacity(window);
        for (done, entry) in lines.iter().enumerate() {
            let handed_out = done + waiting.len();
            for (place, (_, line)) in lines
                .iter()
                .enumerate()
                .skip(handed_out)
                .take(window - waiting.len())
            {
                waiting.push_back(self.hand_out(place, line));
            }
            let answer = waiting.pop_front().expect("there is room for one at least");
            let Some(outcome) = self.wait_for(&answer, done) else {
                return Ok(None);
            };
            self.write(entry, outcome)?;
            self.budget.next_turn();
        }
        self.finish()
    }

    /// Gives a line to the threads; what comes of it arrives at the channel.
    fn hand_out(&mut self, place: usize, line: &'a Result<Line, String>) -> Receiver<Outcome<'a>> {
        let (answer, outcome) = bounded(1);
        // A send that fails drops `answer`, and whoever waits for it sees that.
        match line
            .as_ref()
            .map_err(Clone::clone)
            .and_then(|line| self.first(line))
        {
            Ok(line) => drop(self.jobs.send(Job {
                place,
                line,
                answer,
            })),
            Err(reason) => drop(answer.send(Err(reason))),
        }
        outcome
    }

    /// Refuses an index that an earlier line has: as a key it would stand for two records.
    fn first<'b>(&mut self, line: &'b Line) -> Result<&'b Line, String> {
        if self.seen.insert(line.index) {
            Ok(line)
        } else {
            Err(format!("duplicate index {}", line.index))
        }
    }

    /// Waits for a record; `None` if the caller broke off.
    fn wait_for(&mut self, answer: &Receiver<Outcome<'a>>, done: usize) -> Option<Outcome<'a>> {
        loop {
            self.report(done)?;
            match answer.recv_timeout(REPORT_INTERVAL) {
                Ok(outcome) => return Some(outcome),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => {
                    return Some(Err("the thread that was to pack it has ended".into()));
                }
            }
        }
    }

    /// Reports progress; `None` if the caller wants to stop.
    fn report(&mut self, done: usize) -> Option<()> {
        let progress = Progress {
            done: done as u64,
            total: self.lines.len() as u64,
            skipped: self.skipped.len() as u64,
        };
        self.throttle.report(progress).continue_value()
    }

    fn write(&mut self, (number, line): &Entry, outcome: Outcome<'_>) -> Result<()> {
        match (line, outcome) {
            (Ok(line), Ok(ready)) => {
                let mask = ready.mask.as_deref();
                self.outputs.append(line.index, &ready.record, mask)
            }
            (line, Err(reason)) => {
                self.skipped.push(Skipped {
                    line: *number,
                    image: line
                        .as_ref()
                        .ok()
                        .map(|line| (line.index, line.path.clone())),
                    reason,
                });
                Ok(())
            }
            (Err(_), Ok(_)) => unreachable!("a line that cannot be read is not packed"),
        }
    }

    fn finish(mut self) -> Result<Option<Packed>> {
        if self.report(self.lines.len()).is_none() {
            return Ok(None);
        }
        let packed = Packed {
            records: self.outputs.records(),
            bytes: self.outputs.bytes(),
            skipped: self.skipped,
        };
        if packed.records > 0 {
            self.outputs.commit()?;
        }
        Ok(Some(packed))
    }
}
