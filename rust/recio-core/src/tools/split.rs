//! One file as several, each with the records that stand together.

use std::ops::Range;
use std::path::{Path, PathBuf};

use super::Written;
use super::overwrite_guard::{refuse_to_overwrite, with_indexes};
use super::record_copier::RecordCopier;
use super::source::Source;
use crate::dataset::shard::shard_range;
use crate::error::{Error, Result};
use crate::progress::OnProgress;
use crate::write::record_output::{PreparedOutput, RecordOutput, commit};

/// Copies the records of `rec` into `outs`, in their order; the files differ by at most one record. All of them are there
/// at the end, or none; `None` if `on_progress` broke off.
///
/// # Errors
/// [`ErrorKind::Argument`](crate::error::ErrorKind::Argument) if there are no files to write, more of them than records, or
/// `rec` is one of them; damage, and I/O.
pub fn split(
    rec: &Path,
    outs: &[PathBuf],
    checksum: bool,
    on_progress: &mut OnProgress<'_>,
) -> Result<Option<Vec<Written>>> {
    refuse_to_overwrite(&with_indexes(&[rec.to_path_buf()]), outs)?;
    let source = Source::open(rec)?;
    let (records, parts) = (source.len(), outs.len());
    if parts == 0 || parts > records {
        let text =
            format!("{records} records cannot be split into {parts} parts; each has one at least");
        return Err(Error::argument(text).at_path(rec));
    }
    let mut copier = RecordCopier::new(records, on_progress);
    let (mut written, mut sealed) = (Vec::new(), Vec::new());
    for (number, out) in outs.iter().enumerate() {
        let range = shard_range(records, parts, number);
        let Some((part, whole)) = copy_part(&source, range, out, checksum, &mut copier)? else {
            return Ok(None);
        };
        written.push(part);
        sealed.push(whole);
    }
    commit(sealed)?;
    Ok(Some(written))
}

/// Writes some records, all but the names of the files.
fn copy_part(
    source: &Source,
    records: Range<usize>,
    out: &Path,
    checksum: bool,
    copier: &mut RecordCopier<'_>,
) -> Result<Option<(Written, PreparedOutput)>> {
    let mut output = RecordOutput::create(out, checksum)?;
    for i in records {
        let key = source.key(i);
        if copier.copy(source, i, key, &mut output)?.is_break() {
            return Ok(None);
        }
    }
    let written = Written::from(&output);
    Ok(Some((written, output.prepare()?)))
}
