//! Splitting a record file into shards of consecutive records.

use std::ops::Range;
use std::path::{Path, PathBuf};

use super::copy_report::CopyReport;
use super::overwrite_guard::{refuse_to_overwrite, with_indexes};
use super::record_copier::RecordCopier;
use super::source_file::SourceFile;
use crate::dataset::shard::shard_range;
use crate::error::{Error, Result};
use crate::progress::OnProgress;
use crate::write::record_output::{PreparedOutput, RecordOutput, commit};

/// Copies the records of `rec` into the shards `outs`, whose sizes differ by one record at most.
///
/// All shards are written, or none. Returns `None`, and writes nothing, if `on_progress` stops it.
///
/// # Errors
/// [`ErrorKind::Argument`](crate::error::ErrorKind::Argument) if there are no shards, more shards
/// than records, or if `rec` is one of them; damage; I/O.
pub fn split(
    rec: &Path,
    outs: &[PathBuf],
    checksum: bool,
    on_progress: &mut OnProgress<'_>,
) -> Result<Option<Vec<CopyReport>>> {
    refuse_to_overwrite(&with_indexes(&[rec.to_path_buf()]), outs)?;
    let source = SourceFile::open(rec)?;
    let (records, shards) = (source.len(), outs.len());
    if shards == 0 || shards > records {
        let message = format!(
            "{records} records cannot be split into {shards} shards; \
             their number must be from 1 to the number of records"
        );
        return Err(Error::argument(message).at_path(rec));
    }
    let mut copier = RecordCopier::new(records, on_progress);
    let (mut reports, mut outputs) = (Vec::new(), Vec::new());
    for (shard, out) in outs.iter().enumerate() {
        let range = shard_range(records, shards, shard);
        let Some((report, output)) = copy_shard(&source, range, out, checksum, &mut copier)? else {
            return Ok(None);
        };
        reports.push(report);
        outputs.push(output);
    }
    commit(outputs)?;
    Ok(Some(reports))
}

/// Writes a shard under temporary names.
fn copy_shard(
    source: &SourceFile,
    records: Range<usize>,
    out: &Path,
    checksum: bool,
    copier: &mut RecordCopier<'_>,
) -> Result<Option<(CopyReport, PreparedOutput)>> {
    let mut output = RecordOutput::create(out, checksum)?;
    for i in records {
        let key = source.key(i);
        if copier.copy(source, i, key, &mut output)?.is_break() {
            return Ok(None);
        }
    }
    Ok(Some((CopyReport::of(&output), output.prepare()?)))
}
