//! Offsets of the records of several files: from their indexes, their checksums, or by reading
//! them.
//!
//! All offsets are positions in the concatenation of the files.

use std::collections::{HashMap, HashSet};

use crate::dataset::index_beside;
use crate::error::{Error, Result};
use crate::format::index::{Entry, Index};
use crate::progress::Interrupt;
use crate::read::face_set::{FaceSet, Layout, Role};
use crate::read::record_file::RecordFile;
use crate::read::salvage::{SalvageReader, Segment, SkippedRegion, has_complete_image};
use crate::read::sidecar::load_index_of;
use crate::read::{parallel, scan};
use crate::storage::location::Location;

/// Offsets of records, ascending in each file.
#[derive(Debug, Default)]
pub(super) struct RecordOffsets {
    /// The records of the data set.
    pub(super) samples: Vec<u64>,
    /// The header records and identity records of face data sets.
    pub(super) ranges: Vec<u64>,
    /// Number of identity records.
    pub(super) identities: usize,
    /// Number of files whose records are those of the index beside them.
    pub(super) indexes_beside: usize,
    /// Where skipped regions begin.
    pub(super) gaps: Vec<u64>,
}

impl RecordOffsets {
    /// Appends the records that the index of `files` lists.
    fn add_listed(&mut self, index: &Index, files: &[RecordFile], starts: &[u64]) -> Result<()> {
        let (begin, start) = (self.samples.len(), starts[0]);
        let entries = index.in_file_order();
        let offsets = entries.iter().map(|entry| start + entry.offset);
        self.samples.extend(offsets);
        if !files.iter().any(RecordFile::may_be_face_set) {
            return Ok(());
        }
        let role = |offset: u64| {
            let offset = start + offset;
            let i = starts[..files.len()].partition_point(|&start| start <= offset) - 1;
            Role::read(&files[i], offset - starts[i])
        };
        match FaceSet::find_with(index.entries(), &role)? {
            Layout::Plain => {}
            Layout::Faces(faces) => self.separate(begin, index.entries(), start, &faces),
            Layout::Contradictory(reason) => {
                let (header, rest) = (index.entries()[0], &index.entries()[1..]);
                if let Some(faces) = FaceSet::after_damaged_header(index.entries(), role)? {
                    self.separate(begin, rest, start, &faces);
                    return Ok(());
                }
                let offset = start + header.offset;
                let i = starts[..files.len()].partition_point(|&start| start <= offset) - 1;
                return Err(FaceSet::contradiction(&reason)
                    .at_offset(offset - starts[i])
                    .at_path(files[i].path()));
            }
        }
        Ok(())
    }

    /// Moves the records of a face data set that are no images from `samples`, of which these are
    /// the last ones, to `ranges`. `entries` are sorted by key.
    fn separate(&mut self, begin: usize, entries: &[Entry], start: u64, faces: &FaceSet) {
        let header = entries.iter().take(usize::from(faces.has_header));
        let identities = &entries[faces.identities.clone()];
        let mut ranges: Vec<u64> = header
            .chain(identities)
            .map(|entry| start + entry.offset)
            .collect();
        ranges.sort_unstable();
        let mut samples = self.samples.split_off(begin);
        samples.retain(|offset| ranges.binary_search(offset).is_err());
        self.samples.extend(samples);
        self.ranges.extend(ranges);
        self.identities += identities.len();
    }
}

/// Returns the offsets of all records.
///
/// `starts` are the offsets of the files, and the end of the last. With `skipped`, damaged files
/// without an index are salvaged, and the skipped regions appended to it.
pub(super) fn find_records(
    files: &[RecordFile],
    starts: &[u64],
    indexes: &[Location],
    skipped: Option<&mut Vec<Error>>,
    interrupt: &Interrupt<'_>,
) -> Result<RecordOffsets> {
    if indexes.is_empty() {
        return without_index(files, starts, skipped, interrupt);
    }
    let mut offsets = RecordOffsets::default();
    for_each_index(files, starts, indexes, interrupt, |index, files, starts| {
        offsets.add_listed(index, files, starts)
    })?;
    Ok(offsets)
}

/// Returns the keys of the records at `offsets` in the indexes.
pub(super) fn find_keys(
    files: &[RecordFile],
    starts: &[u64],
    indexes: &[Location],
    offsets: impl Iterator<Item = u64>,
    interrupt: &Interrupt<'_>,
) -> Result<Vec<u64>> {
    let mut keys: HashMap<u64, u64> = HashMap::new();
    for_each_index(files, starts, indexes, interrupt, |index, _, starts| {
        let entries = index.entries().iter();
        keys.extend(entries.map(|entry| (starts[0] + entry.offset, entry.key)));
        Ok(())
    })?;
    let mut seen = HashSet::new();
    let key_of = |offset: u64| {
        let key = *keys.get(&offset).ok_or_else(|| {
            Error::corrupt(format!("the index no longer lists offset {offset}"))
                .at_path(&indexes[0].shown())
        })?;
        if seen.insert(key) {
            return Ok(key);
        }
        Err(Error::corrupt(format!(
            "two indexes have the key {key}, so path_imglist cannot assign labels by key"
        )))
    };
    offsets.map(key_of).collect()
}

/// Loads each index, and calls `visit` with it, its files, and their offsets in the concatenation.
fn for_each_index(
    files: &[RecordFile],
    starts: &[u64],
    indexes: &[Location],
    interrupt: &Interrupt<'_>,
    mut visit: impl FnMut(&Index, &[RecordFile], &[u64]) -> Result<()>,
) -> Result<()> {
    match indexes {
        [path] => visit(&load(path, files, interrupt)?, files, starts),
        _ if indexes.len() == files.len() => {
            let threads = parallel::threads_for(indexes);
            let numbers: Vec<usize> = (0..files.len()).collect();
            // An index takes four times the memory of its offsets: few are there at a time.
            numbers.chunks(threads.max(16)).try_for_each(|numbers| {
                let loaded = parallel::map(numbers, threads, interrupt, |&i, interrupt| {
                    load(&indexes[i], &files[i..=i], interrupt)
                })?;
                let mut loaded = loaded.iter().zip(numbers);
                loaded.try_for_each(|(index, &i)| visit(index, &files[i..=i], &starts[i..]))
            })
        }
        _ => Err(Error::argument(format!(
            "{} index files for {} record files; pass one, or one for each",
            indexes.len(),
            files.len()
        ))),
    }
}

/// Compares the number of records that an index lists with the one that a manifest states.
fn check_count(file: &RecordFile, index: &Index, location: &Location) -> Result<()> {
    let listed = index.entries().len() as u64;
    let stated = file.location().shard().map(|shard| shard.records);
    match stated.filter(|&stated| stated != listed) {
        None => Ok(()),
        Some(stated) => Err(Error::corrupt(format!(
            "the index lists {listed} records, but the manifest of its set states {stated}"
        ))
        .advise("`recio verify` compares them, `recio index` rebuilds an index")
        .at_path(&location.shown())),
    }
}

/// Loads the index of files, whose offsets are relative to the first of them.
fn load(location: &Location, files: &[RecordFile], interrupt: &Interrupt<'_>) -> Result<Index> {
    let index = load_index_of(files, location, interrupt)?;
    if let [file] = files {
        check_count(file, &index, location)?;
    }
    if index.is_empty() && files.iter().any(|file| !file.is_empty()) {
        let error = Error::corrupt("the index lists no record").at_path(&location.shown());
        return Err(error.advise("`recio index` rebuilds it"));
    }
    Ok(index)
}

/// Takes the offsets from the checksums of a file if it has some, or from the index beside it if
/// that lists all records; else scans it.
///
/// With `skipped`, all bytes of the file are read instead of the headers only: a damaged length may
/// end at another record by chance, and hide the records up to there.
fn without_index(
    files: &[RecordFile],
    starts: &[u64],
    mut skipped: Option<&mut Vec<Error>>,
    interrupt: &Interrupt<'_>,
) -> Result<RecordOffsets> {
    let mut offsets = RecordOffsets::default();
    for (file, &start) in files.iter().zip(starts) {
        let begin = offsets.samples.len();
        if skipped.is_none()
            && file.checksums().is_none()
            && let Some(index) = index_beside::load(file, interrupt)?
        {
            offsets.indexes_beside += 1;
            offsets.add_listed(&index, std::slice::from_ref(file), &[start])?;
            continue;
        }
        let may_be_faces = if let Some(checksums) = file.checksums() {
            let listed = checksums.offsets();
            let samples = listed.iter().map(|offset| start + offset);
            offsets.samples.extend(samples);
            may_be_faces(file, listed)
        } else if let Some(skipped) = skipped.as_deref_mut() {
            salvage(file, start, &mut offsets, skipped, interrupt)?
        } else {
            scan_file(file, start, &mut offsets.samples, interrupt)?
        };
        if may_be_faces {
            separate_faces(file, start, begin, &mut offsets, interrupt)?;
        }
    }
    if offsets.samples.is_empty() && offsets.ranges.is_empty() {
        // Nothing is left, so the reason must not be skipped.
        files.iter().try_for_each(RecordFile::check_content)?;
        return match skipped.and_then(Vec::pop) {
            Some(error) => Err(error),
            None => Ok(offsets),
        };
    }
    Ok(offsets)
}

/// Whether the first or the last record may be one of a face data set without an image.
fn may_be_faces(file: &RecordFile, offsets: &[u64]) -> bool {
    [offsets.first(), offsets.last()]
        .into_iter()
        .flatten()
        .any(|&offset| scan::may_be_range(file, offset))
}

/// Appends the offsets of all records of a file. Returns whether one of them may be one of a face
/// data set without an image.
fn scan_file(
    file: &RecordFile,
    start: u64,
    offsets: &mut Vec<u64>,
    interrupt: &Interrupt<'_>,
) -> Result<bool> {
    let mut may_be_faces = false;
    scan::scan(file, interrupt, |record| {
        offsets.push(start + record.offset);
        may_be_faces |= record.may_be_range();
    })?;
    Ok(may_be_faces)
}

/// Moves the records without images of a face data set without an index, whose records begin at
/// `begin`.
fn separate_faces(
    file: &RecordFile,
    start: u64,
    begin: usize,
    offsets: &mut RecordOffsets,
    interrupt: &Interrupt<'_>,
) -> Result<()> {
    let records = offsets.samples[begin..].iter();
    let records = records.map(|offset| offset - start);
    let (entries, layout) = scan::layout_of(file, records, interrupt)?;
    match layout {
        Layout::Plain => {}
        Layout::Faces(faces) => offsets.separate(begin, &entries, start, &faces),
        Layout::Contradictory(reason) => {
            let role = |offset| Role::read(file, offset);
            if let Some(faces) = FaceSet::after_damaged_header(&entries, role)? {
                offsets.separate(begin, &entries[1..], start, &faces);
                return Ok(());
            }
            let error = FaceSet::contradiction(&reason).at_offset(entries[0].offset);
            return Err(error.at_path(file.path()));
        }
    }
    Ok(())
}

/// Appends the offsets of the valid records of a file that may be damaged, and the regions between
/// them. Returns as [`scan_file`].
fn salvage(
    file: &RecordFile,
    start: u64,
    offsets: &mut RecordOffsets,
    skipped: &mut Vec<Error>,
    interrupt: &Interrupt<'_>,
) -> Result<bool> {
    let mut may_be_faces = false;
    let reader = SalvageReader::new(file, &[], has_complete_image);
    let mut reader = reader.with_interrupt(interrupt);
    while let Some(segment) = reader.next_segment()? {
        match segment {
            Segment::Record(record) => {
                offsets.samples.push(start + record.offset);
                may_be_faces |= scan::may_be_range(file, record.offset);
            }
            Segment::Skipped(SkippedRegion { begin, end, reason }) => {
                offsets.gaps.push(start + begin);
                let text = format!("{reason}; skipped up to byte {end}");
                skipped.push(Error::corrupt(text).at_offset(begin).at_path(file.path()));
            }
        }
    }
    Ok(may_be_faces)
}
