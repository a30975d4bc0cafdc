//! The offsets of a file's records: from its index, its checksums, a scan, or a salvage.

use std::path::Path;

use crate::error::{Error, Result};
use crate::read::record_file::RecordFile;
use crate::read::salvage::{SalvageReader, Segment, SkippedRegion};
use crate::read::scan;
use crate::read::sidecar::load_index;

pub(super) fn scanned(
    files: &[RecordFile],
    starts: &[u64],
    mut lost: Option<&mut Vec<Error>>,
) -> Result<Vec<u64>> {
    let mut offsets = Vec::new();
    for (file, start) in files.iter().zip(starts) {
        if let Some(sums) = file.checksums() {
            offsets.extend(sums.offsets().iter().map(|offset| start + offset));
            continue;
        }
        let before = offsets.len();
        let outcome = scan::scan(file, |found| offsets.push(start + found.offset));
        match (outcome, lost.as_deref_mut()) {
            (Err(error), Some(lost)) if error.is_damage() => {
                offsets.truncate(before);
                salvage(file, *start, &mut offsets, lost)?;
            }
            (outcome, _) => _ = outcome?,
        }
    }
    Ok(offsets)
}

/// The offsets of the whole records of a damaged file; what lies between them is lost.
fn salvage(
    file: &RecordFile,
    start: u64,
    offsets: &mut Vec<u64>,
    lost: &mut Vec<Error>,
) -> Result<()> {
    let mut walk = SalvageReader::new(file, &[], |_| false);
    while let Some(segment) = walk.next_segment()? {
        match segment {
            Segment::Record(record) => offsets.push(start + record.offset),
            Segment::Skipped(SkippedRegion { begin, end, reason }) => {
                let text = format!("{reason}; skipped up to byte {end}");
                lost.push(Error::corrupt(text).at_offset(begin).at_path(file.path()));
            }
        }
    }
    Ok(())
}

pub(super) fn indexed(path: &Path, rec_len: Option<u64>, start: u64) -> Result<Vec<u64>> {
    let index = load_index(path, rec_len)?;
    if index.is_empty() && rec_len != Some(0) {
        return Err(Error::corrupt("the index lists no record").at_path(path));
    }
    Ok(index
        .in_file_order()
        .iter()
        .map(|entry| start + entry.offset)
        .collect())
}
