//! One file in another order.

use std::path::Path;

use super::Written;
use super::overwrite_guard::{refuse_to_overwrite, with_indexes};
use super::record_copier::RecordCopier;
use super::source::Source;
use crate::error::{Error, Result};
use crate::progress::OnProgress;
use crate::rng::Rng;
use crate::write::record_output::{RecordOutput, commit};

/// Copies the records of `rec` into `out`, in an order that depends on `seed` and their number alone, each order as likely
/// as any other; `None` if `on_progress` broke off, and then nothing is there.
///
/// # Errors
/// [`ErrorKind::Argument`](crate::error::ErrorKind::Argument) if `out` is `rec`; damage, I/O, and more than 2³² − 1 records.
pub fn shuffle(
    rec: &Path,
    out: &Path,
    seed: u64,
    checksum: bool,
    on_progress: &mut OnProgress<'_>,
) -> Result<Option<Written>> {
    refuse_to_overwrite(&with_indexes(&[rec.to_path_buf()]), &[out.to_path_buf()])?;
    let source = Source::open(rec)?;
    let records = u32::try_from(source.len()).map_err(|_| {
        Error::limit(format!("{} records; 2^32-1 are the most", source.len())).at_path(rec)
    })?;
    let mut output = RecordOutput::create(out, checksum)?;
    let mut copier = RecordCopier::new(source.len(), on_progress);
    for i in Rng::new(seed, 0, 0).permutation(records) {
        let i = i as usize;
        let key = source.key(i);
        if copier.copy(&source, i, key, &mut output)?.is_break() {
            return Ok(None);
        }
    }
    let written = Written::from(&output);
    commit(vec![output.prepare()?])?;
    Ok(Some(written))
}
