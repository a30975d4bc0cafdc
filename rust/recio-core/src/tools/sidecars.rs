//! The index and the checksums of a file that may be damaged, and a pass over it with their help.

use std::ops::ControlFlow;
use std::path::Path;

use super::problem::{Problem, ProblemKind};
use crate::error::{Error, ErrorKind, Result};
use crate::format::checksum::Checksums;
use crate::format::frame;
use crate::format::image_header::ImageRecord;
use crate::format::index::Entry;
use crate::progress::{OnProgress, Progress, Throttle};
use crate::read::record_file::RecordFile;
use crate::read::salvage::{SalvageReader, Segment, UnconfirmedRecord};
use crate::read::sidecar::{load_checksums, load_index};

const JPEG_BEGIN: &[u8] = &[0xff, 0xd8];
const JPEG_END: &[u8] = &[0xff, 0xd9];
const PNG_BEGIN: &[u8] = b"\x89PNG";
/// The last chunk of a PNG.
const PNG_END: &[u8] = b"\0\0\0\0IEND\xae\x42\x60\x82";

/// Index and checksums of a record file, as far as they exist and are valid.
#[derive(Debug, Default)]
pub(super) struct Sidecars {
    /// Entries of the index in the order of the file.
    pub(super) index: Option<Vec<Entry>>,
    pub(super) checksums: Option<Checksums>,
    /// Offsets of the records, ascending, from the checksums or else the index.
    offsets: Vec<u64>,
}

impl Sidecars {
    /// Loads the index, if given, and the checksums, if they exist. Damage of either is added to
    /// `problems`.
    ///
    /// # Errors
    /// [`ErrorKind::Io`](crate::error::ErrorKind::Io) if a file cannot be read.
    pub(super) fn load(
        file: &RecordFile,
        index: Option<&Path>,
        problems: &mut Vec<Problem>,
    ) -> Result<Self> {
        let mut add_problem = |kind, error: Error| {
            if matches!(error.kind(), ErrorKind::Io(_)) {
                return Err(error);
            }
            problems.push(Problem::of_file(kind, error.to_string()));
            Ok(())
        };
        let mut sidecars = Self::default();
        if let Some(path) = index {
            match load_index(path, Some(file.len())) {
                Ok(index) => sidecars.index = Some(index.in_file_order()),
                Err(error) => add_problem(ProblemKind::Index, error)?,
            }
        }
        match load_checksums(file.path()) {
            Ok(checksums) => sidecars.checksums = checksums,
            Err(error) => add_problem(ProblemKind::Checksum, error)?,
        }
        sidecars.offsets = match (&sidecars.checksums, &sidecars.index) {
            (Some(checksums), _) => checksums.offsets().to_vec(),
            (None, Some(index)) => index.iter().map(|entry| entry.offset).collect(),
            (None, None) => Vec::new(),
        };
        Ok(sidecars)
    }

    /// Reads all segments of the file and reports progress. Breaks if the caller wants to stop.
    ///
    /// # Errors
    /// Those of reading and of `visit`.
    pub(super) fn for_each_segment(
        &self,
        file: &RecordFile,
        on_progress: &mut OnProgress<'_>,
        mut visit: impl FnMut(Segment<'_>) -> Result<()>,
    ) -> Result<ControlFlow<()>> {
        let mut throttle = Throttle::new(on_progress);
        let mut reader = SalvageReader::new(file, &self.offsets, has_complete_image);
        loop {
            let progress = Progress::new(reader.position(), file.len());
            if throttle.report(progress).is_break() {
                return Ok(ControlFlow::Break(()));
            }
            match reader.next_segment()? {
                Some(segment) => visit(segment)?,
                None => return Ok(ControlFlow::Continue(())),
            }
        }
    }

    /// Returns the key that the index has for the record at `offset`.
    pub(super) fn key_at(&self, offset: u64) -> Option<u64> {
        let index = self.index.as_deref()?;
        let i = index.binary_search_by_key(&offset, |entry| entry.offset);
        i.ok().map(|i| index[i].key)
    }
}

/// Whether a record is an image record whose JPEG or PNG ends with the record.
fn has_complete_image(record: UnconfirmedRecord<'_>) -> bool {
    let mut frame = record.frame.to_vec();
    let payload = frame::join_fragments(&mut frame);
    ImageRecord::parse(&frame[payload]).is_ok_and(|record| {
        let image = record.image;
        [(JPEG_BEGIN, JPEG_END), (PNG_BEGIN, PNG_END)]
            .iter()
            .any(|(begin, end)| image.starts_with(begin) && image.ends_with(end))
    })
}
