//! Verification of a record file: its framing, then the checksum, header and image of each record.
//!
//! ```text
//! pass ─▶ segments, index, checksums ─┬─▶ parallel ─▶ record_check ─┬─▶ problem_list
//! (calling thread)                    └─────────────────────────────┘
//! ```

mod parallel;
mod pass;
mod problem_list;

use std::collections::BTreeMap;

use super::problem::{EMPTY, Problem, ProblemKind};
use super::record_check::RecordChecker;
use super::sidecars::Sidecars;
use crate::error::Result;
use crate::limits::Limits;
use crate::memory;
use crate::progress::{OnProgress, Progress, before_progress, none_if_interrupted, with_progress};
use crate::read::record_file::RecordFile;
use crate::storage::location::Location;
use parallel::check_in_parallel;
use pass::Pass;
use problem_list::ProblemList;

/// Options of [`verify`].
#[derive(Debug, Clone)]
pub struct VerifyOptions {
    /// The index of the file, if it has one.
    pub index: Option<Location>,
    /// Whether to decode images.
    pub decode: bool,
    /// Number of decoding threads, at least 1.
    pub threads: usize,
    /// Limits of the images.
    pub limits: Limits,
}

/// Result of [`verify`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifyReport {
    /// Number of complete records.
    pub records: u64,
    /// Size of the file.
    pub bytes: u64,
    /// Whether the file was compared with an index.
    pub has_index: bool,
    /// Whether the file was compared with checksums.
    pub has_checksums: bool,
    /// Number of records that the index does not list.
    pub unlisted: u64,
    /// Number of identity records, if it is a face data set.
    pub identities: Option<usize>,
    /// The problems in the order of the file, at most 100,000.
    pub problems: Vec<Problem>,
    /// Number of problems of each kind, including those that are not in the list.
    pub counts: BTreeMap<ProblemKind, u64>,
}

/// Returns the problem of a file that is empty, or something else than a record file.
fn problem_of_content(file: &RecordFile) -> Result<Option<Problem>> {
    let reason = match file.check_content() {
        _ if file.is_empty() => EMPTY.into(),
        Err(error) if error.is_damage() => error.reason(),
        outcome => return outcome.map(|()| None),
    };
    Ok(Some(Problem::of_file(ProblemKind::Framing, reason)))
}

/// Checks a record file. Returns `None` if `on_progress` stops it.
///
/// # Errors
/// [`ErrorKind::Io`](crate::error::ErrorKind::Io) if the file, its index or its checksums cannot be
/// read. Damage is a problem in the report and no error.
pub fn verify(
    rec: &Location,
    options: &VerifyOptions,
    on_progress: &mut OnProgress<'_>,
) -> Result<Option<VerifyReport>> {
    let file = RecordFile::open_without_checksums(rec)?;
    let mut problems = Vec::new();
    let index = options.index.as_ref();
    let sidecars = before_progress(on_progress, |interrupt| {
        Sidecars::load(&file, index, &mut problems, interrupt).map(Some)
    });
    let Some(sidecars) = none_if_interrupted(sidecars)? else {
        return Ok(None);
    };
    problems.extend(problem_of_content(&file)?);
    let problems = ProblemList::new(problems);
    let mut pass = Pass::new(&sidecars, &problems);
    let flow = if options.decode {
        let (threads, limits) = (options.threads, options.limits);
        memory::catch(|| {
            check_in_parallel(threads, limits, &problems, |check| {
                pass.run(&file, on_progress, check)
            })
        })
    } else {
        let mut checker = RecordChecker::new(options.limits, false);
        pass.run(&file, on_progress, &mut |location, frame| {
            problems.extend(checker.check(location, frame));
        })
    }?;
    if flow.is_break() {
        return Ok(None);
    }
    pass.compare_with_checksums(&file);
    let end = Progress::new(file.len(), file.len());
    let identities = with_progress(on_progress, end, |interrupt| {
        pass.check_faces(&file, interrupt).map(Some)
    });
    let Some(identities) = none_if_interrupted(identities)? else {
        return Ok(None);
    };
    let (records, unlisted) = (pass.records(), pass.unlisted());
    let (problems, counts) = problems.into_sorted(records);
    Ok(Some(VerifyReport {
        records,
        bytes: file.len(),
        has_index: sidecars.index.is_some(),
        has_checksums: sidecars.checksums.is_some(),
        unlisted,
        identities,
        problems,
        counts,
    }))
}
