//! The pass over a file that compares its records with the index and the checksums.

use std::iter::Peekable;
use std::ops::ControlFlow;
use std::slice;

use super::problem_list::ProblemList;
use crate::error::Result;
use crate::format::checksum;
use crate::format::index::Entry;
use crate::progress::{Interrupt, OnProgress};
use crate::read::record_file::RecordFile;
use crate::read::salvage::{SalvagedRecord, Segment, SkippedRegion};
use crate::tools::face_check::FaceCheck;
use crate::tools::problem::{Problem, ProblemKind};
use crate::tools::record_check::RecordLocation;
use crate::tools::sidecars::Sidecars;

/// Checks the header and the image of a record.
pub(super) type CheckRecord<'a> = dyn FnMut(RecordLocation, &mut [u8]) + 'a;

/// State of the pass.
pub(super) struct Pass<'a> {
    sidecars: &'a Sidecars,
    problems: &'a ProblemList,
    /// Entries of the index that the pass has not reached.
    entries: Peekable<slice::Iter<'a, Entry>>,
    records: u64,
    /// Entries of the index that point to a record.
    listed: u64,
    /// Entries of the index that point to none.
    dangling: u64,
    /// Records that the `.rsum` lists.
    with_checksum: u64,
    faces: FaceCheck,
}

impl<'a> Pass<'a> {
    pub(super) fn new(sidecars: &'a Sidecars, problems: &'a ProblemList) -> Self {
        Self {
            sidecars,
            problems,
            entries: sidecars
                .index
                .as_deref()
                .unwrap_or_default()
                .iter()
                .peekable(),
            records: 0,
            listed: 0,
            dangling: 0,
            with_checksum: 0,
            faces: FaceCheck::default(),
        }
    }

    /// Reads the file and calls `check` with each complete record. Breaks if the caller wants to
    /// stop.
    pub(super) fn run(
        &mut self,
        file: &RecordFile,
        on_progress: &mut OnProgress<'_>,
        check: &mut CheckRecord<'_>,
    ) -> Result<ControlFlow<()>> {
        let sidecars = self.sidecars;
        let flow = sidecars.for_each_segment(file, on_progress, |segment| {
            match segment {
                Segment::Skipped(region) => self.problems.extend([framing_problem(region)]),
                Segment::Record(record) => {
                    self.faces.add(file, record.offset, record.frame);
                    self.visit(record, check);
                }
            }
            Ok(())
        })?;
        if flow.is_continue() {
            self.skip_entries_before(u64::MAX);
        }
        Ok(flow)
    }

    fn visit(&mut self, record: SalvagedRecord<'_>, check: &mut CheckRecord<'_>) {
        self.skip_entries_before(record.offset);
        let location = RecordLocation {
            // As iterators number records: among those that the index lists, damaged ones too.
            record: match self.sidecars.index {
                Some(_) => self.listed + self.dangling,
                None => self.records,
            },
            offset: record.offset,
            len: record.frame.len(),
        };
        self.records += 1;
        let entry = self.entries.next_if(|entry| entry.offset == record.offset);
        self.listed += u64::from(entry.is_some());
        self.check_checksum(location, record.frame);
        check(location, record.frame);
    }

    /// Reports the entries of the index before an offset, at which no record begins.
    fn skip_entries_before(&mut self, offset: u64) {
        while let Some(entry) = self.entries.next_if(|entry| entry.offset < offset) {
            self.problems.extend([dangling_entry(entry)]);
            self.dangling += 1;
        }
    }

    fn check_checksum(&mut self, location: RecordLocation, frame: &[u8]) {
        let Some(checksums) = &self.sidecars.checksums else {
            return;
        };
        let reason = match checksums.get(location.offset) {
            Some(entry) => {
                self.with_checksum += 1;
                let is_wrong = entry.crc != checksum::crc(frame);
                is_wrong.then_some("the bytes of this record do not match their checksum")
            }
            None => Some("the .rsum has no checksum of this record"),
        };
        let problem =
            reason.map(|reason| location.problem(ProblemKind::Checksum, None, reason.into()));
        self.problems.extend(problem);
    }

    /// Compares the length of the file and the number of its records with the checksums.
    pub(super) fn compare_with_checksums(&self, file: &RecordFile) {
        let Some(checksums) = &self.sidecars.checksums else {
            return;
        };
        let (len, expected) = (file.len(), checksums.file_len());
        let (records, listed) = (self.with_checksum, checksums.len() as u64);
        let wrong_len = (len != expected)
            .then(|| format!("the file has {len} bytes, but its .rsum was written for {expected}"));
        let missing = (records != listed).then(|| {
            let missing = listed - records;
            format!("{missing} of the {listed} records that the .rsum lists are missing")
        });
        let reasons = [wrong_len, missing].into_iter().flatten();
        self.problems
            .extend(reasons.map(|reason| Problem::of_file(ProblemKind::Checksum, reason)));
    }

    /// Checks the layout, if this is a face data set. Returns the number of its identity records.
    pub(super) fn check_faces(
        &mut self,
        file: &RecordFile,
        interrupt: &Interrupt<'_>,
    ) -> Result<Option<usize>> {
        let faces = std::mem::take(&mut self.faces);
        let layout = faces.finish(file, self.sidecars, interrupt)?;
        self.problems.extend(layout.problem);
        Ok(layout.identities)
    }

    /// Number of complete records.
    pub(super) fn records(&self) -> u64 {
        self.records
    }

    /// Number of records that the index does not list; 0 without an index.
    pub(super) fn unlisted(&self) -> u64 {
        let index = self.sidecars.index.as_ref();
        index.map_or(0, |_| self.records - self.listed)
    }
}

fn framing_problem(region: SkippedRegion) -> Problem {
    Problem {
        offset: Some(region.begin),
        end: Some(region.end),
        ..Problem::of_file(ProblemKind::Framing, region.reason)
    }
}

/// The problem of an index entry at whose offset no record begins.
fn dangling_entry(entry: &Entry) -> Problem {
    let reason = format!(
        "the index lists key {} at this offset, where no complete record begins",
        entry.key
    );
    Problem {
        offset: Some(entry.offset),
        ..Problem::of_file(ProblemKind::Index, reason)
    }
}
