//! Splitting a record file into shards of consecutive records.

use std::ops::Range;

use super::copy_report::CopyReport;
use super::face_property_file::prepare_property;
use super::face_writer::{FaceWriter, Identities, property_of};
use super::overwrite_guard::{refuse_to_overwrite, with_indexes};
use super::record_copier::RecordCopier;
use super::source_file::SourceFile;
use crate::dataset::shard::shard_range;
use crate::error::{Error, Result};
use crate::progress::{OnProgress, before_progress, none_if_interrupted};
use crate::read::face_property::FaceProperty;
use crate::storage::location::Location;
use crate::write::record_output::{PreparedOutput, RecordOutput, commit_set};

/// Copies the records of `rec` into the shards `outs`, whose sizes differ by one record at most.
///
/// The shards of a face data set are face data sets: the images are divided, and each shard gets
/// new keys, identity records and a header record. Labels stay the same. All shards are written, or
/// none; an older `manifest` is removed before they appear, and the caller writes the new one.
/// Returns `None`, and writes nothing, if `on_progress` stops it.
///
/// # Errors
/// [`ErrorKind::Argument`](crate::error::ErrorKind::Argument) if there are no shards, more shards
/// than records (images of a face data set), or if `rec` is one of them; damage; I/O.
pub fn split(
    rec: &Location,
    outs: &[Location],
    manifest: &Location,
    checksum: bool,
    on_progress: &mut OnProgress<'_>,
) -> Result<Option<Vec<CopyReport>>> {
    refuse_to_overwrite(&with_indexes(std::slice::from_ref(rec)), outs)?;
    let source = before_progress(on_progress, |interrupt| {
        let source = SourceFile::open(rec, interrupt)?;
        // Records that are copied frame by frame are checked on the way, if there are enough.
        if source.is_face_set() || source.len() < outs.len() {
            source.check_complete(interrupt)?;
        }
        Ok(Some(source))
    });
    let Some(source) = none_if_interrupted(source)? else {
        return Ok(None);
    };
    if source.is_face_set() {
        return split_faces(&source, outs, manifest, checksum, on_progress);
    }
    let (records, shards) = (source.len(), outs.len());
    check_shards(source.path(), records, "records", shards)?;
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
    commit_set(outputs, std::slice::from_ref(manifest))?;
    Ok(Some(reports))
}

fn check_shards(rec: &std::path::Path, records: usize, noun: &str, shards: usize) -> Result<()> {
    if shards > 0 && shards <= records {
        return Ok(());
    }
    let message = format!(
        "{records} {noun} cannot be split into {shards} shards; \
         their number must be from 1 to the number of {noun}"
    );
    Err(Error::argument(message).at_path(rec))
}

/// Splits a face data set into face data sets.
fn split_faces(
    source: &SourceFile,
    outs: &[Location],
    manifest: &Location,
    checksum: bool,
    on_progress: &mut OnProgress<'_>,
) -> Result<Option<Vec<CopyReport>>> {
    let property = FaceProperty::load(source.location())?;
    let (images, _) = source.images();
    check_shards(source.path(), images.len(), "images", outs.len())?;
    let identities = Identities {
        shift: 0,
        count: property.map(|property| property.identities),
    };
    let mut copier = RecordCopier::new(images.len(), on_progress);
    let (mut reports, mut outputs) = (Vec::new(), Vec::new());
    let (mut max_label, mut image_size) = (0, None);
    for (shard, out) in outs.iter().enumerate() {
        let mut writer = FaceWriter::create(out, checksum, true)?;
        for &i in &images[shard_range(images.len(), outs.len(), shard)] {
            max_label = max_label.max(writer.copy(source, i, identities)?);
            if copier.advance(1).is_break() {
                return Ok(None);
            }
        }
        image_size = image_size.or(writer.image_size());
        let (report, output) = writer.prepare()?;
        reports.push(report);
        outputs.push(output);
    }
    let property = property.or(property_of(max_label + 1, None, image_size));
    let rec = FaceProperty::without_shard(&outs[0]).unwrap_or_else(|| outs[0].clone());
    let property = prepare_property(property, &rec)?;
    commit_set(outputs, std::slice::from_ref(manifest))?;
    property.persist()?;
    Ok(Some(reports))
}

/// Writes a shard under temporary names.
fn copy_shard(
    source: &SourceFile,
    records: Range<usize>,
    out: &Location,
    checksum: bool,
    copier: &mut RecordCopier<'_>,
) -> Result<Option<(CopyReport, PreparedOutput)>> {
    let mut output = RecordOutput::create(out, checksum)?;
    let copied = copier.copy_range(source, records, false, &mut output)?;
    if copied.is_break() {
        return Ok(None);
    }
    Ok(Some((CopyReport::of(&output), output.prepare()?)))
}
