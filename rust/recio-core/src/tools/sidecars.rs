//! The index and the checksums of a file that may be damaged, and a pass over it with their help.

use std::cell::{Cell, RefCell};
use std::ops::ControlFlow;

use super::problem::{Problem, ProblemKind};
use crate::error::{Error, ErrorKind, Result};
use crate::format::checksum::Checksums;
use crate::format::index::Entry;
use crate::progress::{Interrupt, OnProgress, Progress, Throttle};
use crate::read::record_file::RecordFile;
use crate::read::salvage::{SalvageReader, Segment, has_complete_image};
use crate::read::sidecar::{load_checksums, load_index_of};
use crate::storage::location::Location;

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
    /// [`ErrorKind::Io`](crate::error::ErrorKind::Io) if a file cannot be read; `Interrupted`.
    pub(super) fn load(
        file: &RecordFile,
        index: Option<&Location>,
        problems: &mut Vec<Problem>,
        interrupt: &Interrupt<'_>,
    ) -> Result<Self> {
        let mut add_problem = |kind, error: Error| {
            if matches!(error.kind(), ErrorKind::Io(_) | ErrorKind::Interrupted) {
                return Err(error);
            }
            problems.push(Problem::of_file(kind, error.to_string()));
            Ok(())
        };
        let mut sidecars = Self::default();
        if let Some(location) = index {
            match load_index_of(std::slice::from_ref(file), location, interrupt) {
                Ok(index) => sidecars.index = Some(index.into_file_order()),
                Err(error) => add_problem(ProblemKind::Index, error)?,
            }
        }
        match load_checksums(file.location()) {
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
        let (throttle, position) = (RefCell::new(Throttle::new(on_progress)), Cell::new(0));
        let is_stopped = || {
            let progress = Progress::new(position.get(), file.len());
            throttle.borrow_mut().report(progress).is_break()
        };
        let interrupt = Interrupt::new(&is_stopped);
        let reader = SalvageReader::new(file, &self.offsets, has_complete_image);
        let mut reader = reader.with_interrupt(&interrupt);
        loop {
            position.set(reader.position());
            if is_stopped() {
                return Ok(ControlFlow::Break(()));
            }
            match reader.next_segment() {
                Err(error) if error.is_interrupted() => return Ok(ControlFlow::Break(())),
                segment => match segment? {
                    Some(segment) => visit(segment)?,
                    None => return Ok(ControlFlow::Continue(())),
                },
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
