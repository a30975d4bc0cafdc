//! What is known of a record file besides its bytes: its index and its checksums.

use std::path::Path;

use super::{Kind, Problem};
use crate::error::{Error, ErrorKind, Result};
use crate::format::checksum::Checksums;
use crate::format::frame;
use crate::format::image_header::ImageRecord;
use crate::format::index::Entry;
use crate::read::record_file::RecordFile;
use crate::read::salvage::{SalvageReader, UnconfirmedRecord};
use crate::read::sidecar::{load_checksums, load_index};

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
    /// Where the records begin, ascending, as the checksums or else the index have it.
    pub(super) listed: Vec<u64>,
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
            if matches!(error.kind(), ErrorKind::Io(_)) {
                return Err(error);
            }
            problems.push(about_file(kind, error.to_string()));
            Ok(())
        };
        let mut known = Self::default();
        if let Some(path) = index {
            match load_index(path, Some(file.len())) {
                Ok(index) => known.index = Some(index.in_file_order()),
                Err(error) => noted(Kind::Index, error)?,
            }
        }
        match load_checksums(file.path()) {
            Ok(sums) => known.sums = sums,
            Err(error) => noted(Kind::Checksum, error)?,
        }
        known.listed = match (&known.sums, &known.index) {
            (Some(sums), _) => sums.offsets().to_vec(),
            (None, Some(index)) => index.iter().map(|entry| entry.offset).collect(),
            (None, None) => Vec::new(),
        };
        Ok(known)
    }

    /// A walk over the file that knows all this.
    pub(super) fn walk<'a>(
        &'a self,
        file: &'a RecordFile,
    ) -> SalvageReader<'a, fn(UnconfirmedRecord<'_>) -> bool> {
        SalvageReader::new(file, &self.listed, ends_as_an_image)
    }

    /// The key that the index has for the record at `offset`.
    pub(super) fn key(&self, offset: u64) -> Option<u64> {
        let index = self.index.as_deref()?;
        let place = index.binary_search_by_key(&offset, |entry| entry.offset);
        place.ok().map(|place| index[place].key)
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
fn ends_as_an_image(doubtful: UnconfirmedRecord<'_>) -> bool {
    let mut frames = doubtful.frame.to_vec();
    let payload = frame::join_fragments(&mut frames);
    ImageRecord::parse(&frames[payload]).is_ok_and(|record| {
        let image = record.image;
        [(JPEG_BEGIN, JPEG_END), (PNG_BEGIN, PNG_END)]
            .iter()
            .any(|(begin, end)| image.starts_with(begin) && image.ends_with(end))
    })
}
