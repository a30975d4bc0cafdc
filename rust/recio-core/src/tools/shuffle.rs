//! Shuffling the records of a file.

use super::copy_report::CopyReport;
use super::face_property_file::prepare_property;
use super::overwrite_guard::{refuse_to_overwrite, with_indexes};
use super::record_copier::RecordCopier;
use super::source_file::SourceFile;
use crate::error::{Error, Result};
use crate::progress::{OnProgress, before_progress, none_if_interrupted};
use crate::read::face_property::FaceProperty;
use crate::rng::Rng;
use crate::storage::location::Location;
use crate::write::record_output::{RecordOutput, commit};

/// Copies the records of `rec` into `out` in random order.
///
/// The order depends only on `seed` and on the number of records; all orders are equally likely. Of
/// a face data set, the images are shuffled, and the other records follow them. Windows of 256 MiB
/// of the output, or of one larger record, are gathered in memory. Returns `None`, and writes
/// nothing, if `on_progress` stops it.
///
/// # Errors
/// [`ErrorKind::Argument`](crate::error::ErrorKind::Argument) if `out` is `rec`; `Limit` if there
/// are more than 2³² − 1 records; damage; I/O.
pub fn shuffle(
    rec: &Location,
    out: &Location,
    seed: u64,
    checksum: bool,
    on_progress: &mut OnProgress<'_>,
) -> Result<Option<CopyReport>> {
    refuse_to_overwrite(
        &with_indexes(std::slice::from_ref(rec)),
        std::slice::from_ref(out),
    )?;
    let source = before_progress(on_progress, |interrupt| {
        SourceFile::open(rec, interrupt).map(Some)
    });
    let Some(source) = none_if_interrupted(source)? else {
        return Ok(None);
    };
    if u32::try_from(source.len()).is_err() {
        let message = format!("{} records; shuffle supports at most 2^32-1", source.len());
        return Err(Error::limit(message).at_path(&rec.shown()));
    }
    let (images, others) = source.images();
    let mut output = RecordOutput::create(out, checksum)?;
    let mut copier = RecordCopier::new(source.len(), on_progress);
    let permutation = Rng::new(seed, 0, 0).permutation(images.len() as u32);
    let shuffled = permutation.into_iter().map(|i| images[i as usize]);
    let order = shuffled.chain(others.iter().copied());
    if copier
        .copy_in_order(&source, order, &mut output)?
        .is_break()
    {
        return Ok(None);
    }
    let identities = source.identities();
    let report = CopyReport {
        identities,
        ..CopyReport::of(&output)
    };
    let property = match identities {
        Some(_) => FaceProperty::load(rec)?,
        None => None,
    };
    let property = prepare_property(property, out)?;
    commit(vec![output.prepare()?])?;
    property.persist()?;
    Ok(Some(report))
}
