//! The index beside a record file, where the caller names none.
//!
//! It is used in place of a scan if it certainly lists all records, under the keys that a scan
//! gives them: the batches are the same. An older index, or one of some records, is not used.

use std::slice::from_ref;

use crate::error::Result;
use crate::format::index::{Entry, Index};
use crate::progress::Interrupt;
use crate::read::record_file::RecordFile;
use crate::read::scan;
use crate::read::sidecar::load_index_of;

/// Records that are compared with the index.
const SAMPLES: usize = 64;

/// Loads the index beside a local record file; none if there is none that lists all records.
///
/// # Errors
/// `Interrupted`.
pub(super) fn load(file: &RecordFile, interrupt: &Interrupt<'_>) -> Result<Option<Index>> {
    let location = file.location().with_extension("idx");
    if location.local().is_none_or(|path| !path.is_file()) {
        return Ok(None);
    }
    match load_index_of(from_ref(file), &location, interrupt) {
        Ok(index) if lists_all(file, &index) => Ok(Some(index)),
        Err(error) if error.is_interrupted() => Err(error),
        _ => Ok(None),
    }
}

/// Whether an index lists all records of a file under their ids.
///
/// The keys are consecutive, so none was removed; records begin where the file does, and end where
/// the next begins or the file ends; and their ids are the keys. The last two are true of samples,
/// of which one is the last record: a record that is missing before it would shift the ids.
fn lists_all(file: &RecordFile, index: &Index) -> bool {
    let are_consecutive = |pair: &[Entry]| pair[0].key.checked_add(1) == Some(pair[1].key);
    let entries = index.in_file_order();
    let Some(last) = entries.len().checked_sub(1) else {
        return false;
    };
    let end_of = |i: usize| entries.get(i + 1).map_or(file.len(), |next| next.offset);
    let fits = |i: usize| {
        let Entry { key, offset } = entries[i];
        let record = scan::record_with_next(file, offset);
        record.is_ok_and(|(record, next)| {
            next == end_of(i) && record.header.is_some_and(|header| header.id == key)
        })
    };
    let mut samples = (0..=last).step_by(last / SAMPLES + 1).chain([last]);
    entries[0].offset == 0 && index.entries().windows(2).all(are_consecutive) && samples.all(fits)
}
