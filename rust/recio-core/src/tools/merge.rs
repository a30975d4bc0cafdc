//! Merging record files into one.

use super::copy_report::CopyReport;
use super::face_property_file::prepare_property;
use super::face_writer::{FaceWriter, Identities, property_of};
use super::keys::all_unique;
use super::overwrite_guard::{refuse_to_overwrite, with_indexes};
use super::record_copier::RecordCopier;
use super::source_file::SourceFile;
use crate::error::{Error, Result};
use crate::progress::{OnProgress, before_progress, none_if_interrupted};
use crate::read::face_property::FaceProperty;
use crate::storage::location::Location;
use crate::write::record_output::{RecordOutput, commit};

/// Copies the records of `files`, one file after another, into `out`.
///
/// If two records have the same key, all are numbered from 0. Face data sets become one face data
/// set, whose identities are those of the files, one after another. Returns `None`, and writes
/// nothing, if `on_progress` stops it.
///
/// # Errors
/// [`ErrorKind::Argument`](crate::error::ErrorKind::Argument) if there are no files, if `out` is
/// one of them, or if some files are face data sets and others are not; damage; I/O.
pub fn merge(
    files: &[Location],
    out: &Location,
    checksum: bool,
    on_progress: &mut OnProgress<'_>,
) -> Result<Option<CopyReport>> {
    if files.is_empty() {
        return Err(Error::argument("no files to merge"));
    }
    refuse_to_overwrite(&with_indexes(files), std::slice::from_ref(out))?;
    let sources = before_progress(on_progress, |interrupt| {
        let sources = files.iter().map(|file| SourceFile::open(file, interrupt));
        sources.collect::<Result<Vec<_>>>().map(Some)
    });
    let Some(sources) = none_if_interrupted(sources)? else {
        return Ok(None);
    };
    let Some(properties) = face_properties(&sources)? else {
        return copy_all(&sources, out, checksum, on_progress);
    };
    let complete = before_progress(on_progress, |interrupt| {
        let complete = sources
            .iter()
            .map(|source| source.check_complete(interrupt));
        complete.collect::<Result<()>>().map(Some)
    });
    match none_if_interrupted(complete)? {
        None => Ok(None),
        Some(()) => merge_faces(&sources, &properties, out, checksum, on_progress),
    }
}

/// Copies the records of the sources into `out`.
fn copy_all(
    sources: &[SourceFile],
    out: &Location,
    checksum: bool,
    on_progress: &mut OnProgress<'_>,
) -> Result<Option<CopyReport>> {
    let renumbered = !all_unique(sources.iter().flat_map(SourceFile::keys).collect());
    let mut output = RecordOutput::create(out, checksum)?;
    let total = sources.iter().map(SourceFile::len).sum();
    let mut copier = RecordCopier::new(total, on_progress);
    for source in sources {
        let copied = copier.copy_range(source, 0..source.len(), renumbered, &mut output)?;
        if copied.is_break() {
            return Ok(None);
        }
    }
    let report = CopyReport {
        renumbered,
        ..CopyReport::of(&output)
    };
    commit(vec![output.prepare()?])?;
    Ok(Some(report))
}

/// Returns the contents of the file `property` beside each source if they are to be merged as face
/// data sets: if they have that layout, or if all have such a file.
fn face_properties(sources: &[SourceFile]) -> Result<Option<Vec<Option<FaceProperty>>>> {
    let with_layout = sources.iter().find(|source| source.is_face_set());
    let without_layout = sources.iter().find(|source| !source.is_face_set());
    if let Some((faces, plain)) = with_layout.zip(without_layout) {
        return Err(Error::argument(format!(
            "a face data set, but {} is none: it has neither a header record nor identity records; \
             merge face data sets with each other",
            plain.path().display()
        ))
        .at_path(faces.path()));
    }
    if with_layout.is_some() {
        let properties = sources
            .iter()
            .map(|source| FaceProperty::load(source.location()));
        let properties = properties.collect::<Result<Vec<_>>>()?;
        check_image_sizes(sources, &properties)?;
        return Ok(Some(properties));
    }
    let is_one_set = sources
        .windows(2)
        .all(|pair| share_property(&pair[0], &pair[1]));
    let load = |source: &SourceFile| FaceProperty::load(source.location()).ok().flatten();
    let properties: Vec<_> = sources.iter().map(load).collect();
    let are_faces = !is_one_set && properties.iter().all(Option::is_some);
    if are_faces {
        check_image_sizes(sources, &properties)?;
    }
    Ok(are_faces.then_some(properties))
}

/// Whether two record files have the same file `property`.
fn share_property(a: &SourceFile, b: &SourceFile) -> bool {
    let resolved = |source: &SourceFile| {
        let property = FaceProperty::path_for(source.location());
        match property.local() {
            Some(path) => path.canonicalize().ok(),
            None => property.exists().then(|| property.path().to_path_buf()),
        }
    };
    let first = resolved(a);
    first.is_some() && first == resolved(b)
}

fn check_image_sizes(sources: &[SourceFile], properties: &[Option<FaceProperty>]) -> Result<()> {
    let mut known = sources
        .iter()
        .zip(properties)
        .filter_map(|(source, property)| Some((source, (*property)?)));
    let Some((first, expected)) = known.next() else {
        return Ok(());
    };
    let size = |property: FaceProperty| (property.height, property.width);
    let other = known.find(|&(_, property)| size(property) != size(expected));
    other.map_or(Ok(()), |(source, property)| {
        let ((height, width), (other_height, other_width)) = (size(expected), size(property));
        Err(Error::argument(format!(
            "images of {other_height}x{other_width} pixels, but those of {} have {height}x{width}",
            first.path().display()
        ))
        .at_path(&FaceProperty::path_for(source.location()).shown()))
    })
}

/// Returns the further labels that are equal to the first one, the identity, in all images.
fn identity_columns(sources: &[SourceFile], images: &[Vec<usize>]) -> Result<Vec<usize>> {
    let mut columns: Option<Vec<usize>> = None;
    let mut buffer = Vec::new();
    for (source, images) in sources.iter().zip(images) {
        for &i in images {
            let labels: Vec<f32> = source.labels(i, &mut buffer)?;
            let repeats = |&column: &usize| labels.get(column) == labels.first();
            let kept = columns
                .take()
                .unwrap_or_else(|| (1..labels.len()).collect());
            let kept: Vec<usize> = kept.into_iter().filter(repeats).collect();
            if kept.is_empty() {
                return Ok(kept);
            }
            columns = Some(kept);
        }
    }
    Ok(columns.unwrap_or_default())
}

/// Merges face data sets. Files beside the same file `property` share their identities.
fn merge_faces(
    sources: &[SourceFile],
    properties: &[Option<FaceProperty>],
    out: &Location,
    checksum: bool,
    on_progress: &mut OnProgress<'_>,
) -> Result<Option<CopyReport>> {
    let has_layout = sources.iter().any(SourceFile::is_face_set);
    let images: Vec<Vec<usize>> = sources.iter().map(|source| source.images().0).collect();
    let mut copier = RecordCopier::new(images.iter().map(Vec::len).sum(), on_progress);
    let mut writer = FaceWriter::create(out, checksum, has_layout)?
        .with_identity_columns(identity_columns(sources, &images)?);
    let mut shifts: Vec<(Identities, u64)> = Vec::new();
    for (number, (source, images)) in sources.iter().zip(&images).enumerate() {
        let count = properties[number].map(|property| property.identities);
        let shared =
            (0..number).find(|&before| count.is_some() && share_property(&sources[before], source));
        let end = shifts.iter().map(|&(_, end)| end).max().unwrap_or(0);
        let shift = shared.map_or(end, |before| shifts[before].0.shift);
        let identities = Identities { shift, count };
        let mut max_label = None;
        for &i in images {
            max_label = max_label.max(Some(writer.copy(source, i, identities)?));
            if copier.advance(1).is_break() {
                return Ok(None);
            }
        }
        let count = count.unwrap_or_else(|| max_label.map_or(0, |label| label + 1));
        shifts.push((identities, shift + count));
    }
    let identities = shifts.iter().map(|&(_, end)| end).max().unwrap_or(0);
    let known = properties.iter().find_map(|&property| property);
    let property = property_of(identities, known, writer.image_size());
    let property = prepare_property(property, out)?;
    let (report, output) = writer.prepare()?;
    commit(vec![output])?;
    property.persist()?;
    Ok(Some(report))
}
