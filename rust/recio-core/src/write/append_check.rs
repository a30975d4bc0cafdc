//! Whether a `.rec`, its `.idx` and its `.rsum` end as they should: what is certain before records are appended behind them,
//! and before files of an earlier run are taken for complete.
//!
//! Damage further ahead is not looked for; that takes reading the whole file, which `recio verify` does.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;

use crate::error::{Error, ErrorKind, Result};
use crate::format::checksum::Checksums;
use crate::read::record_file::RecordFile;
use crate::read::sidecar::load_index;

/// Whether `rec` and the `.idx` beside it are complete and list just these keys, in this order, and so is the `.rsum`; which
/// need not be there unless it is `wanted`.
pub(crate) fn is_complete(rec: &Path, keys: &[u64], wanted: bool) -> bool {
    let look = || -> Result<bool> {
        let file = RecordFile::open(rec)?;
        let idx = rec.with_extension("idx");
        let entries = load_index(&idx, Some(file.len()))?.in_file_order();
        let last = entries.last().map(|entry| entry.offset);
        check(&file, &idx, last)?;
        let summed = file.checksums().map_or(!wanted, |sums| {
            let offsets = entries.iter().map(|entry| entry.offset);
            offsets.eq(sums.offsets().iter().copied())
        });
        Ok(summed
            && entries
                .iter()
                .map(|entry| entry.key)
                .eq(keys.iter().copied()))
    };
    // Whatever is wrong with them, they are not complete.
    look().unwrap_or(false)
}

/// Makes certain that the record at `last`, the last one that `idx` lists, is whole and ends
/// where `rec` does, and that `idx` ends with a whole line. An index that lists no record fits an empty file only.
///
/// # Errors
/// [`ErrorKind::Corrupt`] with what is wrong and which command helps; [`ErrorKind::Io`].
pub(super) fn check(rec: &RecordFile, idx: &Path, last: Option<u64>) -> Result<()> {
    rec.check_len()?;
    if !ends_with_a_line(idx).map_err(|error| Error::from(error).at_path(idx))? {
        return Err(
            Error::corrupt("ends within a line; `recio index` writes it anew").at_path(idx),
        );
    }
    let end = match last {
        Some(last) => end_of(rec, last)
            .map_err(|error| advise(error, "`recio repair` saves the records that are whole"))?,
        None => 0,
    };
    if end == rec.len() {
        return Ok(());
    }
    let unlisted = Error::corrupt(format!(
        "{} bytes behind the last record that {} lists",
        rec.len() - end,
        idx.display()
    ));
    let advice = match end_of(rec, end) {
        Ok(_) => "`recio index` lists them",
        Err(_) => "`recio repair` saves the records that are whole",
    };
    Err(advise(unlisted.at_offset(end).at_path(rec.path()), advice))
}

/// Where the record at `offset` ends, which is read, and must be sound.
fn end_of(rec: &RecordFile, offset: u64) -> Result<u64> {
    let mut buffer = Vec::new();
    match rec.read_frame(offset, None, &mut buffer)? {
        Some(frames) => Ok(offset + frames.len() as u64),
        None => Err(Error::corrupt("the file ends here")
            .at_offset(offset)
            .at_path(rec.path())),
    }
}

fn ends_with_a_line(path: &Path) -> io::Result<bool> {
    let mut file = File::open(path)?;
    if file.metadata()?.len() == 0 {
        return Ok(true);
    }
    file.seek(SeekFrom::End(-1))?;
    let mut last = [0];
    file.read_exact(&mut last)?;
    Ok(last == *b"\n")
}

/// Adds to an error about damage what the user may do about it.
fn advise(error: Error, advice: &str) -> Error {
    if matches!(error.kind(), ErrorKind::Io(_)) {
        return error;
    }
    let advised = Error::corrupt(format!("{}; {advice}", error.kind()));
    let position = error.position();
    let advised = match position.offset {
        Some(offset) => advised.at_offset(offset),
        None => advised,
    };
    match &position.path {
        Some(path) => advised.at_path(path),
        None => advised,
    }
}

/// The checksums of all records, which are read, and must be sound.
///
/// # Errors
/// As [`RecordFile::read_frame`].
pub(super) fn sum_up(rec: &RecordFile) -> Result<Checksums> {
    let (mut sums, mut buffer, mut offset) = (Checksums::default(), Vec::new(), 0);
    while let Some(frames) = rec.read_frame(offset, None, &mut buffer)? {
        sums.push(offset, frames);
        offset += frames.len() as u64;
    }
    Ok(sums)
}
