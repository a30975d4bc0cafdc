//! The calling thread's part of packing: sends lines to workers, writes records in list order.

use std::collections::{HashSet, VecDeque};

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, bounded};

use super::failure::Failure;
use super::label_check::LabelCheck;
use super::memory_budget::MemoryBudget;
use super::outputs::Outputs;
use super::report::{PackReport, SkippedLine};
use super::worker::{Job, Outcome};
use crate::error::Result;
use crate::format::list::Line;
use crate::progress::{OnProgress, Progress, REPORT_INTERVAL, Throttle};

/// Number of a line of the list, and the line or why it is invalid.
type ListEntry = (u64, Result<Line, String>);

pub(super) struct Coordinator<'a> {
    entries: &'a [ListEntry],
    jobs: Sender<Job<'a>>,
    budget: &'a MemoryBudget,
    outputs: Outputs,
    /// The indices so far.
    indices: HashSet<u64>,
    skipped: Vec<SkippedLine>,
    labels: LabelCheck,
    throttle: Throttle<'a>,
}

impl<'a> Coordinator<'a> {
    pub(super) fn new(
        entries: &'a [ListEntry],
        jobs: Sender<Job<'a>>,
        budget: &'a MemoryBudget,
        outputs: Outputs,
        labels: LabelCheck,
        on_progress: &'a mut OnProgress<'a>,
    ) -> Self {
        Self {
            entries,
            jobs,
            budget,
            outputs,
            indices: HashSet::new(),
            skipped: Vec::new(),
            labels,
            throttle: Throttle::new(on_progress),
        }
    }

    /// Packs all lines, at most `window` of them at a time; `None` if the caller stops it.
    pub(super) fn run(mut self, window: usize) -> Result<Option<PackReport>> {
        let entries = self.entries;
        let mut outcomes = VecDeque::with_capacity(window);
        for (done, entry) in entries.iter().enumerate() {
            let next = done + outcomes.len();
            let unsent = entries.iter().enumerate().skip(next);
            for (position, (_, line)) in unsent.take(window - outcomes.len()) {
                outcomes.push_back(self.send(position, line));
            }
            let outcome = outcomes.pop_front().expect("the window is not empty");
            let Some(outcome) = self.wait_for(&outcome, done) else {
                return Ok(None);
            };
            self.write(entry, outcome)?;
            self.budget.next_turn();
        }
        self.finish()
    }

    /// Sends a line to the workers and returns the channel of its outcome.
    fn send(&mut self, position: usize, line: &'a Result<Line, String>) -> Receiver<Outcome<'a>> {
        let (answer, outcome) = bounded(1);
        let line = line.as_ref().map_err(Clone::clone);
        // A send that fails drops `answer`, which the receiver notices.
        match line.and_then(|line| self.check_unique(line)) {
            Ok(line) => drop(self.jobs.send(Job {
                position,
                line,
                files: None,
                answer,
            })),
            Err(reason) => drop(answer.send(Err(reason.into()))),
        }
        outcome
    }

    /// Refuses an index that an earlier line has, as keys must be unique.
    fn check_unique<'b>(&mut self, line: &'b Line) -> Result<&'b Line, String> {
        if self.indices.insert(line.index) {
            Ok(line)
        } else {
            Err(format!("duplicate index {}", line.index))
        }
    }

    /// Waits for an outcome and reports progress; `None` if the caller wants to stop.
    fn wait_for(&mut self, outcome: &Receiver<Outcome<'a>>, done: usize) -> Option<Outcome<'a>> {
        loop {
            self.report(done)?;
            match outcome.recv_timeout(REPORT_INTERVAL) {
                Ok(outcome) => return Some(outcome),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => {
                    return Some(Err("its worker thread ended early".to_string().into()));
                }
            }
        }
    }

    /// Reports progress; `None` if the caller wants to stop.
    fn report(&mut self, done: usize) -> Option<()> {
        let progress = Progress {
            done: done as u64,
            total: self.entries.len() as u64,
            skipped: self.skipped.len() as u64,
        };
        self.throttle.report(progress).continue_value()
    }

    fn write(&mut self, (number, line): &ListEntry, outcome: Outcome<'_>) -> Result<()> {
        match (line, outcome) {
            (Ok(line), Ok(packed)) => {
                self.labels.add(*number, line);
                let mask = packed.mask.as_deref();
                self.outputs.append(line.index, &packed.record, mask)
            }
            (_, Err(Failure::Store(error))) => Err(error),
            (line, Err(Failure::Skipped(reason))) => {
                let line = line.as_ref().ok();
                self.skipped.push(SkippedLine {
                    line: *number,
                    image: line.map(|line| (line.index, line.path.clone())),
                    reason,
                });
                Ok(())
            }
            (Err(_), Ok(_)) => unreachable!("an invalid line is not packed"),
        }
    }

    fn finish(mut self) -> Result<Option<PackReport>> {
        if self.report(self.entries.len()).is_none() {
            return Ok(None);
        }
        let report = PackReport {
            records: self.outputs.records(),
            bytes: self.outputs.bytes(),
            skipped: self.skipped,
            warnings: self.labels.into_warnings(),
        };
        if report.records > 0 {
            self.outputs.commit()?;
        }
        Ok(Some(report))
    }
}
