//! What is known of a record file besides its bytes: its index and its checksums.

use std::path::Path;

use super::{Kind, Problem};
use crate::error::{Error, Result};
use crate::record::checksum::{self, Checksums};
use crate::record::file::RecordFile;
use crate::record::frame;
use crate::record::header::ImageRecord;
use crate::record::index::{Entry, Index};
use crate::record::walk::Doubtful;

/// The end of every JPEG.
const JPEG_END: &[u8] = &[0xff, 0xd9];
const JPEG_BEGIN: &[u8] = &[0xff, 0xd8];
/// The end of every PNG: its last chunk.
const PNG_END: &[u8] = b"\0\0\0\0IEND\xae\x42\x60\x82";
const PNG_BEGIN: &[u8] = b"\x89PNG";

/// Index and checksums, as far as they are there and sound.
#[derive(Debug, Default)]
pub(super) struct Known {
    /// The index's entries in the order of the file.
    pub(super) index: Option<Vec<Entry>>,
    pub(super) sums: Option<Checksums>,
}

impl Known {
    /// Reads the index, if there is one, and the checksums beside the file, if there are some. What is wrong with them goes to
    /// `problems`.
    ///
    /// # Errors
    /// [`ErrorKind::Io`](crate::error::ErrorKind::Io): they are there and cannot be read.
    pub(super) fn load(
        file: &RecordFile,
        index: Option<&Path>,
        problems: &mut Vec<Problem>,
    ) -> Result<Self> {
        let mut noted = |kind, error: Error| {
            if !error.is_damage() {
                return Err(error);
            }
            problems.push(about_file(kind, error.to_string()));
            Ok(())
        };
        let mut known = Self::default();
        if let Some(path) = index {
            match Index::load(path, Some(file.len())) {
                Ok(index) => known.index = Some(index.in_file_order()),
                Err(error) => noted(Kind::Index, error)?,
            }
        }
        match Checksums::load(file.path()) {
            Ok(sums) => known.sums = sums,
            Err(error) => noted(Kind::Checksum, error)?,
        }
        Ok(known)
    }

    /// Whether a record is whole that is followed by damage: its checksum says so; or the index, in which the next one begins
    /// at its end; or its image, which ends as images do.
    pub(super) fn vouches(&self, doubtful: &Doubtful<'_>) -> bool {
        let Doubtful { offset, frames } = *doubtful;
        if let Some(entry) = self.sums.as_ref().and_then(|sums| sums.get(offset)) {
            return entry.sum == checksum::sum(frames);
        }
        self.lists(offset) && self.lists(offset + frames.len() as u64) || ends_as_an_image(frames)
    }

    fn lists(&self, offset: u64) -> bool {
        let index = self.index.as_deref().unwrap_or_default();
        index
            .binary_search_by_key(&offset, |entry| entry.offset)
            .is_ok()
    }
}

/// A problem that is no record's.
pub(super) fn about_file(kind: Kind, reason: String) -> Problem {
    Problem {
        kind,
        reason,
        record: None,
        id: None,
        offset: None,
        end: None,
    }
}

/// Whether these are the frames of an image record whose image is a JPEG or a PNG, to its end.
fn ends_as_an_image(frames: &[u8]) -> bool {
    let mut frames = frames.to_vec();
    let payload = frame::join(&mut frames);
    ImageRecord::parse(&frames[payload]).is_ok_and(|record| {
        let image = record.image;
        [(JPEG_BEGIN, JPEG_END), (PNG_BEGIN, PNG_END)]
            .iter()
            .any(|(begin, end)| image.starts_with(begin) && image.ends_with(end))
    })
}
