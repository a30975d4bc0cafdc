//! A thread of [`pack`](super::pack): takes lines, gives records.

use std::fs::File;
use std::io::{ErrorKind::NotFound, Read};
use std::panic::{AssertUnwindSafe, catch_unwind};

use crossbeam_channel::{Receiver, Sender};

use super::Options;
use super::masks::{self, MaskFolder};
use super::memory_budget::{Budget, Reserved};
use super::seekable::seekable;
use super::transcode::Recoder;
use crate::error::{Error, ErrorKind, Result};
use crate::format::frame::MAX_RECORD_LEN;
use crate::format::image_header;
use crate::format::list::Line;
use crate::limits::Limits;
use crate::storage::sandboxed_folder::SandboxedFolder;

/// A line to be packed.
pub(super) struct Job<'a> {
    /// Its place among all lines, from 0.
    pub(super) place: usize,
    pub(super) line: &'a Line,
    pub(super) answer: Sender<Outcome<'a>>,
}

/// The record that a line became, or why it became none.
pub(super) type Outcome<'a> = Result<Ready<'a>, String>;

/// A record, its mask's if it has one, and the bytes reserved for them until they are written.
pub(super) struct Ready<'a> {
    pub(super) record: Vec<u8>,
    pub(super) mask: Option<Vec<u8>>,
    _held: Reserved<'a>,
}

/// What a thread needs.
pub(super) struct Worker<'a> {
    root: &'a SandboxedFolder,
    masks: Option<&'a MaskFolder<'a>>,
    options: &'a Options,
    budget: &'a Budget,
    queue: Receiver<Job<'a>>,
    recoder: Recoder,
}

impl<'a> Worker<'a> {
    pub(super) fn new(
        root: &'a SandboxedFolder,
        masks: Option<&'a MaskFolder<'a>>,
        options: &'a Options,
        budget: &'a Budget,
        queue: Receiver<Job<'a>>,
    ) -> Self {
        Self {
            root,
            masks,
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
        let (image, mask) = match self.open(&job.line.path) {
            Ok(opened) => opened,
            Err(reason) => return Some(Err(reason)),
        };
        let bytes = image.len + mask.as_ref().map_or(0, |mask| mask.len);
        let mut held = self.budget.reserve(job.place, bytes)?;
        let records = self.record(job.line, image).and_then(|record| {
            let mask = mask.map(|mask| self.mask_record(job.line, mask, &record));
            Ok((record, mask.transpose()?))
        });
        Some(records.map(|(record, mask)| {
            held.resize(record.capacity() + mask.as_ref().map_or(0, Vec::capacity));
            Ready {
                record,
                mask,
                _held: held,
            }
        }))
    }

    /// Opens an image and, if there are masks, its mask.
    fn open(&self, path: &str) -> Result<(Opened, Option<Opened>), String> {
        let image = Opened::new(self.root.open(path))?;
        let mask = self.masks.map(|masks| {
            let path = masks.path_of(path);
            Opened::new(masks.open(&path)).map_err(|reason| format!("its mask {path}: {reason}"))
        });
        Ok((image, mask.transpose()?))
    }

    /// The header of a line's records.
    fn head(&self, line: &Line) -> Vec<u8> {
        let all = &line.labels[..];
        let labels = if self.options.pack_label {
            all
        } else {
            &all[..1]
        };
        let mut record = Vec::new();
        image_header::encode(labels, line.index, &mut record);
        record
    }

    /// The record of a mask whose image has this record, with a header of the same length.
    fn mask_record(&self, line: &Line, mask: Opened, image: &[u8]) -> Result<Vec<u8>, String> {
        let mut record = self.head(line);
        let start = record.len();
        mask.read(&mut record)?;
        masks::check(&record[start..], &image[start..])?;
        checked_len(record)
    }

    fn record(&mut self, line: &Line, file: Opened) -> Result<Vec<u8>, String> {
        let mut record = self.head(line);
        let start = record.len();
        match &self.options.recode {
            None => file.read(&mut record)?,
            Some(how) => {
                let mut image = Vec::new();
                file.read(&mut image)?;
                let recoded = self.recoder.recode(&image, how, &mut record);
                recoded.map_err(|error| error.to_string())?;
            }
        }
        if self.options.seekable
            && let Some(made) = seekable(&record[start..], &Limits::default())
        {
            record.truncate(start);
            record.extend(made);
        }
        checked_len(record)
    }
}

fn checked_len(record: Vec<u8>) -> Result<Vec<u8>, String> {
    match record.len() {
        ..=MAX_RECORD_LEN => Ok(record),
        len => Err(too_long(len as u64)),
    }
}

fn reason(error: &Error) -> String {
    match error.kind() {
        ErrorKind::Io(error) if error.kind() == NotFound => "no such file".into(),
        _ => error.to_string(),
    }
}

fn too_long(len: u64) -> String {
    format!("{len} bytes; a record holds at most {MAX_RECORD_LEN}")
}

/// A file, and its length, which a record can hold.
struct Opened {
    file: File,
    len: usize,
}

impl Opened {
    fn new(opened: Result<(File, u64)>) -> Result<Self, String> {
        let (file, len) = opened.map_err(|error| reason(&error))?;
        match usize::try_from(len) {
            Ok(0) => Err("the file is empty".into()),
            Ok(len) if len <= MAX_RECORD_LEN => Ok(Self { file, len }),
            _ => Err(too_long(len)),
        }
    }

    /// Appends `len` bytes, which is what was reserved: not what a file that is still being written has grown to.
    fn read(mut self, into: &mut Vec<u8>) -> Result<(), String> {
        into.reserve_exact(self.len);
        let read = self.file.by_ref().take(self.len as u64).read_to_end(into);
        let changed = read.and_then(|read| Ok(read < self.len || self.file.read(&mut [0])? > 0));
        if changed.map_err(|error| error.to_string())? {
            return Err("the file changed its length while it was read".into());
        }
        Ok(())
    }
}
