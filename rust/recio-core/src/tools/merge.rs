//! Merging record files into one.

use std::path::{Path, PathBuf};

use super::copy_report::CopyReport;
use super::keys::all_unique;
use super::overwrite_guard::{refuse_to_overwrite, with_indexes};
use super::record_copier::RecordCopier;
use super::source_file::SourceFile;
use crate::error::{Error, Result};
use crate::progress::OnProgress;
use crate::write::record_output::{RecordOutput, commit};

/// Copies the records of `files`, one file after another, into `out`.
///
/// If two records have the same key, all are numbered from 0. Returns `None`, and writes nothing,
/// if `on_progress` stops it.
///
/// # Errors
/// [`ErrorKind::Argument`](crate::error::ErrorKind::Argument) if there are no files, or if `out` is
/// one of them; damage; I/O.
pub fn merge(
    files: &[PathBuf],
    out: &Path,
    checksum: bool,
    on_progress: &mut OnProgress<'_>,
) -> Result<Option<CopyReport>> {
    if files.is_empty() {
        return Err(Error::argument("no files to merge"));
    }
    refuse_to_overwrite(&with_indexes(files), &[out.to_path_buf()])?;
    let sources = files.iter().map(|file| SourceFile::open(file));
    let sources = sources.collect::<Result<Vec<_>>>()?;
    let renumbered = !all_unique(sources.iter().flat_map(SourceFile::keys).collect());
    let mut output = RecordOutput::create(out, checksum)?;
    let total = sources.iter().map(SourceFile::len).sum();
    let mut copier = RecordCopier::new(total, on_progress);
    for source in &sources {
        for i in 0..source.len() {
            let key = if renumbered {
                output.records() as u64
            } else {
                source.key(i)
            };
            if copier.copy(source, i, key, &mut output)?.is_break() {
                return Ok(None);
            }
        }
    }
    let report = CopyReport {
        renumbered,
        ..CopyReport::of(&output)
    };
    commit(vec![output.prepare()?])?;
    Ok(Some(report))
}
