//! A thread of packing: takes lines of the list and makes records of them.

use std::panic::{AssertUnwindSafe, catch_unwind};

use crossbeam_channel::{Receiver, Sender};

use super::failure::Failure;
use super::image_file::{ImageFile, check_record_len};
use super::masks;
use super::memory_budget::Reservation;
use super::opener::{LineFiles, Opener};
use super::options::PackOptions;
use super::rewrite::rewrite;
use super::transcode::Transcoder;
use crate::format::image_header;
use crate::format::list::Line;
use crate::memory;

/// A line to pack.
pub(super) struct Job<'a> {
    /// Position of the line in the list, from 0.
    pub(super) position: usize,
    pub(super) line: &'a Line,
    /// The files of the line, if they were fetched.
    pub(super) files: Option<LineFiles<'a>>,
    pub(super) answer: Sender<Outcome<'a>>,
}

/// The records of a line, or why it cannot be packed.
pub(super) type Outcome<'a> = Result<PackedLine<'a>, Failure>;

/// The records of an image and of its mask, with the memory reserved for them until they are
/// written.
pub(super) struct PackedLine<'a> {
    pub(super) record: Vec<u8>,
    pub(super) mask: Option<Vec<u8>>,
    _reservation: Reservation<'a>,
}

pub(super) struct Worker<'a> {
    opener: Opener<'a>,
    options: &'a PackOptions,
    queue: Receiver<Job<'a>>,
    transcoder: Transcoder,
}

impl<'a> Worker<'a> {
    pub(super) fn new(
        opener: Opener<'a>,
        options: &'a PackOptions,
        queue: Receiver<Job<'a>>,
    ) -> Self {
        Self {
            opener,
            options,
            queue,
            transcoder: Transcoder::default(),
        }
    }

    /// Packs lines until the queue is closed or nobody waits for an outcome.
    pub(super) fn run(mut self) {
        while let Ok(mut job) = self.queue.recv() {
            // A codec that panics on one image must not end the thread.
            let outcome = catch_unwind(AssertUnwindSafe(|| self.pack(&mut job)));
            let outcome = outcome.unwrap_or_else(|panic| {
                let memory = memory::error_of(&*panic).map(|error| error.to_string());
                let reason = memory.unwrap_or_else(|| "packing it panicked".into());
                Some(Err(reason.into()))
            });
            let Some(outcome) = outcome else { return };
            if job.answer.send(outcome).is_err() {
                return;
            }
        }
    }

    /// Packs a line; `None` if the memory budget is closed.
    fn pack(&mut self, job: &mut Job<'a>) -> Option<Outcome<'a>> {
        let files = match job.files.take() {
            Some(files) => Ok(files),
            None => self.opener.open(job)?,
        };
        Some(files.and_then(|files| self.pack_files(job.line, files)))
    }

    fn pack_files(&mut self, line: &Line, files: LineFiles<'a>) -> Outcome<'a> {
        let LineFiles {
            image,
            mask,
            mut reservation,
        } = files;
        let record = self.image_record(line, image)?;
        let mask = mask.map(|mask| self.mask_record(line, mask, &record));
        let mask = mask.transpose()?;
        reservation.resize(record.capacity() + mask.as_ref().map_or(0, Vec::capacity));
        Ok(PackedLine {
            record,
            mask,
            _reservation: reservation,
        })
    }

    /// Encodes the header of a line's records.
    fn encode_header(&self, line: &Line) -> Vec<u8> {
        let count = if self.options.pack_label {
            line.labels.len()
        } else {
            1
        };
        let labels: Vec<f32> = line.labels[..count]
            .iter()
            .map(|&label| label as f32)
            .collect();
        let mut record = Vec::new();
        image_header::encode(&labels, line.index, &mut record);
        record
    }

    fn image_record(&mut self, line: &Line, file: ImageFile) -> Result<Vec<u8>, Failure> {
        let mut record = self.encode_header(line);
        let start = record.len();
        match &self.options.transcode {
            None => file.read(&mut record)?,
            Some(options) => {
                let mut image = Vec::new();
                file.read(&mut image)?;
                let limits = &self.options.limits;
                let transcoded = self
                    .transcoder
                    .transcode(&image, options, limits, &mut record);
                transcoded.map_err(|error| error.to_string())?;
            }
        }
        if let Some(image) = rewrite(&record[start..], self.options) {
            record.truncate(start);
            record.extend(image);
        }
        Ok(check_record_len(record)?)
    }

    /// Returns the record of a mask. `image` is the record of its image, whose header has the same
    /// length.
    fn mask_record(&self, line: &Line, mask: ImageFile, image: &[u8]) -> Result<Vec<u8>, Failure> {
        let mut record = self.encode_header(line);
        let start = record.len();
        mask.read(&mut record)?;
        masks::check(&record[start..], &image[start..], &self.options.limits)?;
        Ok(check_record_len(record)?)
    }
}
