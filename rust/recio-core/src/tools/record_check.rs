//! One record: whether its header and its image are sound.

use std::panic::{AssertUnwindSafe, catch_unwind};

use super::{Kind, Problem};
use crate::decode::{Pixels, Scratch, Source};
use crate::error::{Error, Result};
use crate::format::frame;
use crate::format::image_header::ImageRecord;
use crate::image::Image;
use crate::limits::Limits;

/// Bytes of each buffer that are kept between images.
const KEEP: usize = 4 << 20;

/// A whole record of the file.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place {
    /// Its ordinal: among the records that the index lists, if there is one.
    pub(super) record: u64,
    /// Where it begins.
    pub(super) offset: u64,
    /// Its bytes, headers and padding included.
    pub(super) len: usize,
}

impl Place {
    /// A problem of this record.
    pub(super) fn problem(self, kind: Kind, id: Option<u64>, reason: String) -> Problem {
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

/// Looks at records; a thread's own, for its memory is used again.
pub(super) struct Examiner {
    limits: Limits,
    decode: bool,
    picture: Image,
    scratch: Scratch,
}

impl Examiner {
    pub(super) fn new(limits: Limits, decode: bool) -> Self {
        Self {
            limits,
            decode,
            picture: Image::default(),
            scratch: Scratch::default(),
        }
    }

    /// What is wrong with a record, whose frames are overwritten.
    pub(super) fn examine(&mut self, place: Place, frames: &mut [u8]) -> Option<Problem> {
        let payload = frame::join_fragments(frames);
        let record = match ImageRecord::parse(&frames[payload]) {
            Ok(record) => record,
            Err(error) => return Some(place.problem(Kind::Header, None, error.kind().to_string())),
        };
        // Face data sets begin with records that have none.
        if !self.decode || record.image.is_empty() {
            return None;
        }
        let outcome = catch_unwind(AssertUnwindSafe(|| self.decode(record.image)));
        let outcome = outcome.unwrap_or_else(|_| Err(Error::image("a panic while it was decoded")));
        let error = outcome.err()?;
        Some(place.problem(
            Kind::Image,
            Some(record.header.id),
            error.kind().to_string(),
        ))
    }

    fn decode(&mut self, image: &[u8]) -> Result<()> {
        let source = Source::open(image, &self.limits)?.strict();
        let outcome = source.decode(Pixels::Rgb, &mut self.picture, &mut self.scratch);
        self.scratch.trim(KEEP);
        outcome
    }
}
