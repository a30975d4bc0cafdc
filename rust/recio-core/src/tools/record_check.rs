//! Check of one record: its header and its image.

use std::panic::{AssertUnwindSafe, catch_unwind};

use super::problem::{Problem, ProblemKind};
use crate::decode::{Pixels, Scratch, Source};
use crate::error::{Error, ErrorKind, Result};
use crate::format::frame;
use crate::format::image_header::ImageRecord;
use crate::image::Image;
use crate::limits::Limits;
use crate::memory;

/// Bytes of each buffer that are kept between images.
const MAX_KEPT_BYTES: usize = 4 << 20;

/// Location of a complete record in a file.
#[derive(Debug, Clone, Copy)]
pub(super) struct RecordLocation {
    /// Number of the record: among those that the index lists, if there is one.
    pub(super) record: u64,
    /// Offset of its frame.
    pub(super) offset: u64,
    /// Length of its frame.
    pub(super) len: usize,
}

impl RecordLocation {
    /// A problem of this record.
    pub(super) fn problem(self, kind: ProblemKind, id: Option<u64>, reason: String) -> Problem {
        Problem {
            kind,
            reason,
            record: Some(self.record),
            id,
            offset: Some(self.offset),
            end: Some(self.offset + self.len as u64),
        }
    }
}

/// Checks records, one thread each, and reuses its buffers.
pub(super) struct RecordChecker {
    limits: Limits,
    decode: bool,
    image: Image,
    scratch: Scratch,
}

impl RecordChecker {
    /// Creates a checker that decodes images only if asked to.
    pub(super) fn new(limits: Limits, decode: bool) -> Self {
        Self {
            limits,
            decode,
            image: Image::default(),
            scratch: Scratch::default(),
        }
    }

    /// Returns the problem of a record, if it has one. The frame is overwritten.
    pub(super) fn check(&mut self, location: RecordLocation, frame: &mut [u8]) -> Option<Problem> {
        let payload = frame::join_fragments(frame);
        let record = match ImageRecord::parse(&frame[payload]) {
            Ok(record) => record,
            Err(error) => {
                let reason = error.reason();
                return Some(location.problem(ProblemKind::Header, None, reason));
            }
        };
        // Face data sets begin with records without an image.
        if !self.decode || record.image.is_empty() {
            return None;
        }
        let outcome = catch_unwind(AssertUnwindSafe(|| self.decode(record.image)));
        let outcome = outcome.unwrap_or_else(|panic| {
            let memory = memory::error_of(&*panic);
            Err(memory.unwrap_or_else(|| Error::image("the decoder panicked")))
        });
        let error = outcome.err()?;
        let kind = match error.kind() {
            ErrorKind::Unsupported(_) => ProblemKind::Unsupported,
            ErrorKind::Limit(_) | ErrorKind::Memory(_) => ProblemKind::Limit,
            _ => ProblemKind::Image,
        };
        Some(location.problem(kind, Some(record.header.id), error.reason()))
    }

    fn decode(&mut self, image: &[u8]) -> Result<()> {
        let source = Source::open(image, &self.limits)?.strict();
        let outcome = source.decode(Pixels::Rgb, &mut self.image, &mut self.scratch);
        self.scratch.trim(MAX_KEPT_BYTES);
        outcome
    }
}
