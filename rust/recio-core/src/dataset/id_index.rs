//! Index of records by the ids in their headers, to match the records of one file with another's.
//!
//! The keys of a `.idx` file do not serve this purpose: some tools write ids there, others
//! ordinals. So all headers are read once, which takes one or two small reads per record. An entry
//! takes 16 bytes of memory.

use crate::dataset::record_set::RecordSet;
use crate::error::{Error, Result};
use crate::memory;
use crate::progress::Interrupt;

/// Record numbers by id.
#[derive(Debug)]
pub struct IdIndex {
    /// Id and number of each record, sorted.
    records: Vec<(u64, usize)>,
}

impl IdIndex {
    /// Reads the ids of all records of a set.
    ///
    /// # Errors
    /// As [`RecordSet::header`]; [`ErrorKind::Corrupt`](crate::error::ErrorKind::Corrupt) if two
    /// records have the same id; `Interrupted`.
    pub fn build(set: &RecordSet, interrupt: &Interrupt<'_>) -> Result<Self> {
        Self::build_with(set, false, interrupt)
    }

    /// With `skip_damaged`, records with damaged headers are not in the index.
    fn build_with(set: &RecordSet, skip_damaged: bool, interrupt: &Interrupt<'_>) -> Result<Self> {
        let mut buffer = Vec::new();
        let mut records = Vec::new();
        memory::reserve(&mut records, set.len())?;
        for i in 0..set.len() {
            interrupt.poll()?;
            match set.header(i, &mut buffer) {
                Err(error) if skip_damaged && error.is_damage() => {}
                header => records.push((header?.id, i)),
            }
        }
        records.sort_unstable();
        match records.windows(2).find(|pair| pair[0].0 == pair[1].0) {
            Some(&[(id, first), (_, second)]) => Err(duplicate_id(set, id, first, second)),
            _ => Ok(Self { records }),
        }
    }

    /// Returns the number of the record with this id.
    #[must_use]
    pub fn get(&self, id: u64) -> Option<usize> {
        let i = self.records.binary_search_by_key(&id, |&(id, _)| id).ok()?;
        Some(self.records[i].1)
    }
}

/// Checks that all records of a set have ids of their own.
///
/// # Errors
/// As [`IdIndex::build`]; with `skip_damaged`, damaged headers are no error.
pub fn check_unique(set: &RecordSet, skip_damaged: bool, interrupt: &Interrupt<'_>) -> Result<()> {
    IdIndex::build_with(set, skip_damaged, interrupt).map(drop)
}

fn duplicate_id(set: &RecordSet, id: u64, first: usize, second: usize) -> Error {
    let error = Error::corrupt(format!(
        "record {first} has the same id, so labels of a list, or masks, cannot be assigned by id"
    ))
    .at_id(id);
    set.locate(error, second)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::{frame, image_header};

    fn set(ids: &[u64]) -> (tempfile::TempDir, RecordSet) {
        let mut bytes = Vec::new();
        for &id in ids {
            let mut record = Vec::new();
            image_header::encode(&[0.0], id, &mut record);
            frame::encode(&record, &mut bytes).unwrap();
        }
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.rec");
        std::fs::write(&path, bytes).unwrap();
        let set = RecordSet::open(&[path.into()], &[]).unwrap();
        (folder, set)
    }

    #[test]
    fn records_are_found_by_id_in_any_order() {
        let (_folder, set) = set(&[50, 7, u64::MAX, 9]);
        let ids = IdIndex::build(&set, &Interrupt::never()).unwrap();
        let numbers = [7, 9, 50, u64::MAX, 8].map(|id| ids.get(id));
        assert_eq!(numbers, [Some(1), Some(3), Some(0), Some(2), None]);
    }

    #[test]
    fn a_duplicate_id_is_an_error_that_names_both_records() {
        let (_folder, set) = set(&[5, 7, 6, 7]);
        let text = IdIndex::build(&set, &Interrupt::never())
            .unwrap_err()
            .to_string();
        let expected = "a.rec: record 3 (id 7) at byte 96: record 1 has the same id, so labels of a list, or masks, \
                        cannot be assigned by id";
        assert!(text.ends_with(expected), "{text}");
    }
}
