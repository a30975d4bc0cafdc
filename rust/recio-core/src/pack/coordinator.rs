//! The calling thread's part of packing: sends lines to workers, writes records in list order.

use std::collections::VecDeque;

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, bounded};

use super::failure::Failure;
use super::label_check::LabelCheck;
use super::list::ListEntry;
use super::memory_budget::MemoryBudget;
use super::outputs::Outputs;
use super::report::{PackReport, SkippedLine};
use super::worker::{Job, Outcome};
use crate::error::Result;
use crate::format::frame;
use crate::progress::{OnProgress, Progress, REPORT_INTERVAL, Throttle};

pub(super) struct Coordinator<'a> {
    entries: &'a [ListEntry],
    jobs: Sender<Job<'a>>,
    budget: &'a MemoryBudget,
    outputs: Outputs,
    /// Length that the record file of images must not exceed, unless it has one record.
    max_bytes: u64,
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
        max_bytes: u64,
        labels: LabelCheck,
        on_progress: &'a mut OnProgress<'a>,
    ) -> Self {
        Self {
            entries,
            jobs,
            budget,
            outputs,
            max_bytes,
            skipped: Vec::new(),
            labels,
            throttle: Throttle::new(on_progress),
        }
    }

    /// Packs the lines until the record file is full, at most `window` of them at a time; `None` if
    /// the caller stops it.
    pub(super) fn run(mut self, window: usize) -> Result<Option<PackReport>> {
        let entries = self.entries;
        let mut outcomes = VecDeque::with_capacity(window);
        for (done, entry) in entries.iter().enumerate() {
            let next = done + outcomes.len();
            let unsent = entries.iter().enumerate().skip(next);
            for (position, entry) in unsent.take(window - outcomes.len()) {
                outcomes.push_back(self.send(position, entry));
            }
            let outcome = outcomes.pop_front().expect("the window is not empty");
            let Some(outcome) = self.wait_for(&outcome, done) else {
                return Ok(None);
            };
            if self.is_full_for(&outcome) {
                return self.finish(done);
            }
            self.write(entry, outcome)?;
            self.budget.next_turn();
        }
        self.finish(entries.len())
    }

    /// Whether the record of a line would make the record file too long.
    fn is_full_for(&self, outcome: &Outcome<'_>) -> bool {
        let Ok(packed) = outcome else {
            return false;
        };
        let len = frame::encoded_len(&packed.record) as u64;
        self.outputs.records() > 0 && self.outputs.bytes() + len > self.max_bytes
    }

    /// Sends a line to the workers and returns the channel of its outcome.
    fn send(&self, position: usize, entry: &'a ListEntry) -> Receiver<Outcome<'a>> {
        let (answer, outcome) = bounded(1);
        // A send that fails drops `answer`, which the receiver notices.
        match entry.packable() {
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

    fn write(&mut self, entry: &ListEntry, outcome: Outcome<'_>) -> Result<()> {
        match (&entry.line, outcome) {
            (Ok(line), Ok(packed)) => {
                self.labels.add(entry.number, line);
                let mask = packed.mask.as_deref();
                self.outputs.append(line.index, &packed.record, mask)
            }
            (_, Err(Failure::Store(error))) => Err(error),
            (line, Err(Failure::Skipped(reason))) => {
                let line = line.as_ref().ok();
                self.skipped.push(SkippedLine {
                    line: entry.number,
                    image: line.map(|line| (line.index, line.path.clone())),
                    reason,
                });
                Ok(())
            }
            (Err(_), Ok(_)) => unreachable!("an invalid line is not packed"),
        }
    }

    /// Completes the files, which have the lines before `end`.
    fn finish(mut self, end: usize) -> Result<Option<PackReport>> {
        if self.report(end).is_none() {
            return Ok(None);
        }
        let report = PackReport {
            records: self.outputs.records(),
            images: self.outputs.images(),
            masks: self.outputs.masks(),
            end,
            skipped: self.skipped,
            warnings: self.labels.into_warnings(),
        };
        if report.records > 0 {
            self.outputs.commit()?;
        }
        Ok(Some(report))
    }
}
