//! Checks of the ends of a record file, its `.idx` and its `.rsum`.
//!
//! They are made before records are appended, and before the files of an earlier run are taken as
//! complete. They do not find damage before the last record; `recio verify` reads the whole file.

use std::path::Path;

use crate::error::{Error, ErrorKind, Result};
use crate::format::checksum::Checksums;
use crate::progress::Interrupt;
use crate::read::record_file::RecordFile;
use crate::read::scan;
use crate::read::sidecar::load_index_of;
use crate::storage::location::Location;

/// A record file whose `.idx` and `.rsum` are complete.
pub(crate) struct CompleteFile {
    /// Keys of the records in file order.
    pub(crate) keys: Vec<u64>,
    /// Length of the record file in bytes.
    pub(crate) bytes: u64,
}

impl CompleteFile {
    /// Returns `rec` if it and its `.idx` are complete. An existing `.rsum` must be complete too;
    /// with `needs_checksums` there must be one. A file with any error is not complete.
    pub(crate) fn find(rec: &Location, needs_checksums: bool) -> Option<Self> {
        Self::check(rec, needs_checksums).ok().flatten()
    }

    fn check(rec: &Location, needs_checksums: bool) -> Result<Option<Self>> {
        let file = RecordFile::open(rec)?;
        let idx = rec.with_extension("idx");
        let index = load_index_of(std::slice::from_ref(&file), &idx, &Interrupt::never())?;
        let entries = index.in_file_order();
        file.check_len()?;
        check_index_end(&file, &idx, entries.last().map(|entry| entry.offset))?;
        let has_checksums = file.checksums().map_or(!needs_checksums, |checksums| {
            let offsets = entries.iter().map(|entry| entry.offset);
            offsets.eq(checksums.offsets().iter().copied())
        });
        Ok(has_checksums.then(|| Self {
            keys: entries.iter().map(|entry| entry.key).collect(),
            bytes: file.len(),
        }))
    }
}

/// Checks that the record at `last`, the last one that `idx` lists, ends where `rec` ends, and that
/// `idx` ends with a complete line. Without `last`, `rec` must be empty.
///
/// # Errors
/// [`ErrorKind::Corrupt`] with the command that helps; [`ErrorKind::Io`]; `Interrupted`.
pub(super) fn check_ends(
    rec: &RecordFile,
    idx: &Path,
    last: Option<u64>,
    interrupt: &Interrupt<'_>,
) -> Result<()> {
    rec.check_len()?;
    match check_index_end(rec, &idx.into(), last) {
        Err(error) if matches!(error.kind(), ErrorKind::Corrupt(_)) => {
            Err(error.advise(advice(rec, interrupt)?))
        }
        outcome => outcome,
    }
}

fn check_index_end(rec: &RecordFile, idx: &Location, last: Option<u64>) -> Result<()> {
    if !ends_with_newline(idx)? {
        return Err(Error::corrupt("ends within a line").at_path(&idx.shown()));
    }
    let end = match last {
        Some(last) => end_of_record(rec, last)?,
        None => 0,
    };
    if end == rec.len() {
        return Ok(());
    }
    let unlisted = Error::corrupt(format!(
        "{} bytes after the last record that {} lists",
        rec.len() - end,
        idx.shown().display()
    ));
    Err(unlisted.at_offset(end).at_path(rec.path()))
}

/// Returns the command that helps: an index can only be rebuilt if all records are complete.
fn advice(rec: &RecordFile, interrupt: &Interrupt<'_>) -> Result<&'static str> {
    match scan::scan(rec, interrupt, |_| ()) {
        Ok(_) => Ok("`recio index` rebuilds the index with all records"),
        Err(error) if error.is_interrupted() => Err(error),
        Err(_) => Ok("`recio repair` saves the complete records"),
    }
}

/// Reads and checks the record at `offset` and returns its end.
fn end_of_record(rec: &RecordFile, offset: u64) -> Result<u64> {
    let mut buffer = Vec::new();
    match rec.read_frame(offset, None, &mut buffer)? {
        Some(frame) => Ok(offset + frame.len() as u64),
        None => Err(Error::corrupt("the file ends here")
            .at_offset(offset)
            .at_path(rec.path())),
    }
}

fn ends_with_newline(location: &Location) -> Result<bool> {
    let file = location.open()?;
    let Some(last) = file.len().checked_sub(1) else {
        return Ok(true);
    };
    let mut byte = [0];
    file.read_exact_at(&mut byte, last)?;
    Ok(byte == *b"\n")
}

/// Reads and checks all records and returns their checksums.
///
/// # Errors
/// As [`RecordFile::read_frame`]; `Interrupted`.
pub(super) fn compute_checksums(rec: &RecordFile, interrupt: &Interrupt<'_>) -> Result<Checksums> {
    let (mut checksums, mut buffer, mut offset) = (Checksums::default(), Vec::new(), 0);
    while let Some(frame) = rec.read_frame(offset, None, &mut buffer)? {
        interrupt.poll()?;
        checksums.push(offset, frame);
        offset += frame.len() as u64;
    }
    Ok(checksums)
}
