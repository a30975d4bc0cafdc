//! Several files, one behind another, as one.

use std::path::{Path, PathBuf};

use super::Written;
use super::overwrite_guard::{refuse_to_overwrite, with_indexes};
use super::record_copier::RecordCopier;
use super::source::Source;
use crate::error::{Error, Result};
use crate::progress::OnProgress;
use crate::write::record_output::{RecordOutput, commit};

/// What was merged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Merged {
    /// The file.
    pub written: Written,
    /// Whether two records had the same key, so that all have got new ones: 0, 1, 2 …
    pub renumbered: bool,
}

/// Copies the records of `files`, in their order, into `out`; `None` if `on_progress` broke off, and then nothing is there.
///
/// # Errors
/// [`ErrorKind::Argument`](crate::error::ErrorKind::Argument) if there are no files, or `out` is one of them; damage, and I/O.
pub fn merge(
    files: &[PathBuf],
    out: &Path,
    checksum: bool,
    on_progress: &mut OnProgress<'_>,
) -> Result<Option<Merged>> {
    if files.is_empty() {
        return Err(Error::argument("no files to merge"));
    }
    refuse_to_overwrite(&with_indexes(files), &[out.to_path_buf()])?;
    let sources = files.iter().map(|file| Source::open(file));
    let sources = sources.collect::<Result<Vec<_>>>()?;
    let renumbered = !all_differ(sources.iter().flat_map(Source::keys).collect());
    let mut output = RecordOutput::create(out, checksum)?;
    let mut copier = RecordCopier::new(sources.iter().map(Source::len).sum(), on_progress);
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
    let written = Written::from(&output);
    commit(vec![output.prepare()?])?;
    Ok(Some(Merged {
        written,
        renumbered,
    }))
}

fn all_differ(mut keys: Vec<u64>) -> bool {
    keys.sort_unstable();
    keys.windows(2).all(|pair| pair[0] != pair[1])
}
