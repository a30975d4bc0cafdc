//! A thread of [`pack`](super::pack): takes lines, gives records.

use std::fs::File;
use std::io::Read;
use std::panic::{AssertUnwindSafe, catch_unwind};

use crossbeam_channel::{Receiver, Sender};

use super::Options;
use super::budget::{Budget, Reserved};
use super::recode::Recoder;
use super::root::Root;
use crate::record::frame::MAX_RECORD_LEN;
use crate::record::header;
use crate::record::list::Line;

/// A line to be packed.
pub(super) struct Job<'a> {
    /// Its place among all lines, from 0.
    pub(super) place: usize,
    pub(super) line: &'a Line,
    pub(super) answer: Sender<Outcome<'a>>,
}

/// The record that a line became, or why it became none.
pub(super) type Outcome<'a> = Result<Ready<'a>, String>;

/// A record, and the bytes reserved for it until it is written.
pub(super) struct Ready<'a> {
    pub(super) record: Vec<u8>,
    _held: Reserved<'a>,
}

/// What a thread needs.
pub(super) struct Worker<'a> {
    root: &'a Root,
    options: &'a Options,
    budget: &'a Budget,
    queue: Receiver<Job<'a>>,
    recoder: Recoder,
}

impl<'a> Worker<'a> {
    pub(super) fn new(
        root: &'a Root,
        options: &'a Options,
        budget: &'a Budget,
        queue: Receiver<Job<'a>>,
    ) -> Self {
        Self {
            root,
            options,
            budget,
            queue,
            recoder: Recoder::default(),
        }
    }

    /// Works until there are no more lines, or nobody waits for them.
    pub(super) fn run(mut self) {
        while let Ok(job) = self.queue.recv() {
            // An encoder that panics on one image must not end the thread, which has all the others to do.
            let outcome = catch_unwind(AssertUnwindSafe(|| self.pack(&job)));
            let outcome = outcome.unwrap_or_else(|_| Some(Err("packing it panicked".into())));
            let Some(outcome) = outcome else { return };
            if job.answer.send(outcome).is_err() {
                return;
            }
        }
    }

    /// `None` if the budget was closed.
    fn pack(&mut self, job: &Job<'a>) -> Option<Outcome<'a>> {
        let (file, len) = match self.open(&job.line.path) {
            Ok(opened) => opened,
            Err(reason) => return Some(Err(reason)),
        };
        let mut held = self.budget.reserve(job.place, len)?;
        let record = self.record(job.line, file, len);
        Some(record.map(|record| {
            held.resize(record.capacity());
            Ready {
                record,
                _held: held,
            }
        }))
    }

    /// Opens an image and gives its length, which a record can hold.
    fn open(&self, path: &str) -> Result<(File, usize), String> {
        let (file, len) = self.root.open(path)?;
        match usize::try_from(len) {
            Ok(0) => Err("the file is empty".into()),
            Ok(len) if len <= MAX_RECORD_LEN => Ok((file, len)),
            _ => Err(too_long(len)),
        }
    }

    fn record(&mut self, line: &Line, file: File, len: usize) -> Result<Vec<u8>, String> {
        let all = &line.labels[..];
        let labels = if self.options.pack_label {
            all
        } else {
            &all[..1]
        };
        let mut record = Vec::new();
        header::encode(labels, line.index, &mut record);
        match &self.options.recode {
            None => read(file, len, &mut record)?,
            Some(how) => {
                let mut image = Vec::new();
                read(file, len, &mut image)?;
                let recoded = self.recoder.recode(&image, how, &mut record);
                recoded.map_err(|error| error.to_string())?;
            }
        }
        match record.len() {
            ..=MAX_RECORD_LEN => Ok(record),
            len => Err(too_long(len as u64)),
        }
    }
}

fn too_long(len: u64) -> String {
    format!("{len} bytes; a record holds at most {MAX_RECORD_LEN}")
}

/// Appends `len` bytes, which is what was reserved: not what a file that is still being written has grown to.
fn read(mut file: File, len: usize, into: &mut Vec<u8>) -> Result<(), String> {
    into.reserve_exact(len);
    let read = file.by_ref().take(len as u64).read_to_end(into);
    let changed = read.and_then(|read| Ok(read < len || file.read(&mut [0])? > 0));
    if changed.map_err(|error| error.to_string())? {
        return Err("the file changed its length while it was read".into());
    }
    Ok(())
}
