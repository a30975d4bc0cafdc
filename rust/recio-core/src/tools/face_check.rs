//! Check of the layout of a face data set.

use super::problem::{Problem, ProblemKind};
use super::sidecars::Sidecars;
use crate::error::{Error, Result};
use crate::format::index::{Entry, Index};
use crate::progress::Interrupt;
use crate::read::face_set::{FaceSet, Layout, Role};
use crate::read::record_file::RecordFile;
use crate::read::scan;

/// Maximum length of the frame of an identity record.
const MAX_RANGE_FRAME: usize = 64;

/// The records that a pass over a file finds, as far as the layout depends on them.
#[derive(Debug, Default)]
pub(super) struct FaceCheck {
    offsets: Vec<u64>,
    may_be_faces: bool,
}

/// Layout of a file that a pass has read.
#[derive(Debug, Default)]
pub(super) struct CheckedLayout {
    /// Number of identity records, if it is a face data set.
    pub(super) identities: Option<usize>,
    /// How its records contradict each other.
    pub(super) problem: Option<Problem>,
}

impl FaceCheck {
    /// Adds a complete record.
    pub(super) fn add(&mut self, file: &RecordFile, offset: u64, frame: &[u8]) {
        self.offsets.push(offset);
        self.may_be_faces =
            self.may_be_faces || frame.len() <= MAX_RANGE_FRAME && scan::may_be_range(file, offset);
    }

    /// Finds the layout of the records that the index lists or, without one, of all.
    ///
    /// # Errors
    /// [`ErrorKind::Io`](crate::error::ErrorKind::Io); `Interrupted`.
    pub(super) fn finish(
        self,
        file: &RecordFile,
        sidecars: &Sidecars,
        interrupt: &Interrupt<'_>,
    ) -> Result<CheckedLayout> {
        if !self.may_be_faces {
            return Ok(CheckedLayout::default());
        }
        let (entries, layout) = match &sidecars.index {
            Some(listed) => {
                let mut entries = listed.clone();
                entries.sort_unstable_by_key(|entry| entry.key);
                let layout = FaceSet::find_with(&entries, |offset| Role::read(file, offset))?;
                (entries, layout)
            }
            None => scan::layout_of(file, self.offsets.into_iter(), interrupt)?,
        };
        match layout {
            Layout::Plain => Ok(CheckedLayout::default()),
            Layout::Contradictory(reason) => Ok(CheckedLayout {
                identities: None,
                problem: Some(problem(&FaceSet::contradiction(&reason), entries[0].offset)),
            }),
            Layout::Faces(faces) => check_ranges(file, &faces, entries, interrupt),
        }
    }
}

/// Checks the labels of all identity records.
fn check_ranges(
    file: &RecordFile,
    faces: &FaceSet,
    entries: Vec<Entry>,
    interrupt: &Interrupt<'_>,
) -> Result<CheckedLayout> {
    let index = Index::new(entries)?;
    let problem = match faces.identity_ranges(file, &index, interrupt) {
        Err(error) if error.is_damage() => {
            let offset = error.position().offset.unwrap_or_default();
            Some(problem(&error, offset))
        }
        ranges => ranges.map(|_| None)?,
    };
    Ok(CheckedLayout {
        identities: Some(faces.identities.len()),
        problem,
    })
}

fn problem(error: &Error, offset: u64) -> Problem {
    Problem {
        offset: Some(offset),
        ..Problem::of_file(ProblemKind::Header, error.kind().to_string())
    }
}
