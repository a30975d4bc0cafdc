//! Offsets of the records of several files: from their indexes, their checksums, or by reading
//! them.
//!
//! All offsets are positions in the concatenation of the files.

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};

use crate::error::{Error, Result};
use crate::format::index::Entry;
use crate::read::record_file::RecordFile;
use crate::read::salvage::{SalvageReader, Segment, SkippedRegion};
use crate::read::scan;
use crate::read::sidecar::load_index;

/// Returns the offsets of all records, ascending in each file.
///
/// `starts` are the offsets of the files, and the end of the last. With `skipped`, damaged files
/// without an index are salvaged, and the skipped regions appended to it.
pub(super) fn find_records(
    files: &[RecordFile],
    starts: &[u64],
    indexes: &[PathBuf],
    skipped: Option<&mut Vec<Error>>,
) -> Result<Vec<u64>> {
    if indexes.is_empty() {
        return without_index(files, starts, skipped);
    }
    let entries = from_indexes(files, starts, indexes)?;
    Ok(entries.iter().map(|entry| entry.offset).collect())
}

/// Returns the keys of the records at `offsets` in the indexes.
pub(super) fn find_keys(
    files: &[RecordFile],
    starts: &[u64],
    indexes: &[PathBuf],
    offsets: &[u64],
) -> Result<Vec<u64>> {
    let entries = from_indexes(files, starts, indexes)?;
    let keys: HashMap<u64, u64> = entries
        .iter()
        .map(|entry| (entry.offset, entry.key))
        .collect();
    let mut seen = HashSet::new();
    let key_of = |offset: &u64| {
        let key = *keys.get(offset).ok_or_else(|| {
            Error::corrupt(format!("the index no longer lists offset {offset}"))
                .at_path(&indexes[0])
        })?;
        if seen.insert(key) {
            return Ok(key);
        }
        Err(Error::corrupt(format!(
            "two indexes have the key {key}, so path_imglist cannot assign labels by key"
        )))
    };
    offsets.iter().map(key_of).collect()
}

/// Reads the entries of all indexes, in the order of the files, with offsets in the concatenation.
fn from_indexes(files: &[RecordFile], starts: &[u64], indexes: &[PathBuf]) -> Result<Vec<Entry>> {
    match indexes {
        [index] => from_index(index, Some(starts[files.len()]), 0),
        _ if indexes.len() == files.len() => {
            let mut entries = Vec::new();
            for ((path, file), &start) in indexes.iter().zip(files).zip(starts) {
                entries.extend(from_index(path, Some(file.len()), start)?);
            }
            Ok(entries)
        }
        _ => Err(Error::argument(format!(
            "{} index files for {} record files; pass one, or one for each",
            indexes.len(),
            files.len()
        ))),
    }
}

fn from_index(path: &Path, rec_len: Option<u64>, start: u64) -> Result<Vec<Entry>> {
    let index = load_index(path, rec_len)?;
    if index.is_empty() && rec_len != Some(0) {
        return Err(Error::corrupt("the index lists no record").at_path(path));
    }
    let mut entries = index.in_file_order();
    entries.iter_mut().for_each(|entry| entry.offset += start);
    Ok(entries)
}

/// Takes the offsets from the checksums of a file if it has some, else scans it.
fn without_index(
    files: &[RecordFile],
    starts: &[u64],
    mut skipped: Option<&mut Vec<Error>>,
) -> Result<Vec<u64>> {
    let mut offsets = Vec::new();
    for (file, start) in files.iter().zip(starts) {
        if let Some(checksums) = file.checksums() {
            offsets.extend(checksums.offsets().iter().map(|offset| start + offset));
            continue;
        }
        let before = offsets.len();
        let outcome = scan::scan(file, |record| offsets.push(start + record.offset));
        match (outcome, skipped.as_deref_mut()) {
            (Err(error), Some(skipped)) if error.is_damage() => {
                offsets.truncate(before);
                salvage(file, *start, &mut offsets, skipped)?;
            }
            (outcome, _) => _ = outcome?,
        }
    }
    Ok(offsets)
}

/// Appends the offsets of the valid records of a damaged file, and the regions between them.
fn salvage(
    file: &RecordFile,
    start: u64,
    offsets: &mut Vec<u64>,
    skipped: &mut Vec<Error>,
) -> Result<()> {
    let mut reader = SalvageReader::new(file, &[], |_| false);
    while let Some(segment) = reader.next_segment()? {
        match segment {
            Segment::Record(record) => offsets.push(start + record.offset),
            Segment::Skipped(SkippedRegion { begin, end, reason }) => {
                let text = format!("{reason}; skipped up to byte {end}");
                skipped.push(Error::corrupt(text).at_offset(begin).at_path(file.path()));
            }
        }
    }
    Ok(())
}
