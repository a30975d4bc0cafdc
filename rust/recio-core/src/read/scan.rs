//! The offsets of a file's records, by hopping from header to header without reading what lies between: the index of a
//! file that has none.
//!
//! Checksums are of whole records, so what is read here of a record in one fragment is not held to them.

use crate::error::Result;
use crate::format::frame;
use crate::format::image_header::Header;
use crate::format::index::{Entry, Index};
use crate::read::header::{read_record, single_fragment};
use crate::read::record_file::RecordFile;

/// A record met on the way.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ScannedRecord {
    /// The offset of its first header.
    pub offset: u64,
    /// Its image record's header; none if it is too short to have one.
    pub header: Option<Header>,
}

/// Calls `found` for each record of `file`, in order, and gives their number.
///
/// # Errors
/// As [`RecordFile::read`], with the record's ordinal.
pub fn scan(file: &RecordFile, mut found: impl FnMut(ScannedRecord)) -> Result<u64> {
    let mut buffer = Vec::new();
    let (mut offset, mut records) = (0, 0);
    while offset < file.len() {
        let (header, next) =
            next_record(file, offset, &mut buffer).map_err(|error| error.at_record(records))?;
        found(ScannedRecord { offset, header });
        records += 1;
        offset = next;
    }
    Ok(records)
}

/// How many records stand before the one at `offset`; none if none begins there, or there is damage on the way.
#[must_use]
pub fn ordinal(file: &RecordFile, offset: u64) -> Option<u64> {
    let mut buffer = Vec::new();
    let (mut at, mut records) = (0, 0);
    while at < offset {
        at = next_record(file, at, &mut buffer).ok()?.1;
        records += 1;
    }
    (at == offset).then_some(records)
}

/// Reads the header of the record at `offset`, and finds where the next one begins.
///
/// A record of one fragment is hopped over, by two small reads; a split one is read whole, as its header may be split.
fn next_record(
    file: &RecordFile,
    offset: u64,
    buffer: &mut Vec<u8>,
) -> Result<(Option<Header>, u64)> {
    match single_fragment(file, offset)? {
        Some((fragment, header)) if is_end_valid(file, offset, fragment)? => Ok((
            header,
            offset + (frame::HEADER_LEN + fragment.padded_len()) as u64,
        )),
        _ => {
            let record = read_record(file, offset, buffer)?;
            Ok((record.payload.first_chunk().map(Header::parse), record.next))
        }
    }
}

/// Whether a fragment's padding is zero and what follows it the head of a record; if not, reading it whole says why.
fn is_end_valid(file: &RecordFile, offset: u64, fragment: frame::FragmentHeader) -> Result<bool> {
    let data_end = offset + (frame::HEADER_LEN + fragment.len) as u64;
    let Some(left) = file.len().checked_sub(data_end) else {
        return Ok(false);
    };
    let pad = fragment.padded_len() - fragment.len;
    let mut tail = [0; 3 + frame::HEADER_LEN];
    let tail = &mut tail[..left.min((pad + frame::HEADER_LEN) as u64) as usize];
    file.read_exact_at(tail, data_end)
        .map_err(|error| error.at_offset(offset).at_path(file.path()))?;
    let Some((pad, follow)) = tail.split_at_checked(pad) else {
        return Ok(false);
    };
    Ok(pad.iter().all(|&byte| byte == 0) && frame::check_next_header(follow).is_ok())
}

/// Where the keys of a rebuilt index come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeySource {
    /// The ids in the records' own headers, which all differ.
    Ids,
    /// 0, 1, 2 …, because some record has no id, or two have the same.
    Ordinals,
}

/// Rebuilds the index of a file: the records' own ids as keys where they are unique, else their ordinals.
///
/// # Errors
/// As [`scan`].
pub fn rebuild_index(file: &RecordFile) -> Result<(Vec<Entry>, KeySource)> {
    let mut found = Vec::new();
    scan(file, |record| found.push(record))?;
    let by_id = || -> Option<Vec<Entry>> {
        let entry = |found: &ScannedRecord| {
            Some(Entry {
                key: found.header?.id,
                offset: found.offset,
            })
        };
        found.iter().map(entry).collect()
    };
    if let Some(entries) = by_id().filter(|entries| Index::new(entries.clone()).is_ok()) {
        return Ok((entries, KeySource::Ids));
    }
    let entry = |(key, found): (usize, &ScannedRecord)| Entry {
        key: key as u64,
        offset: found.offset,
    };
    Ok((
        found.iter().enumerate().map(entry).collect(),
        KeySource::Ordinals,
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::frame::MAGIC;
    use crate::format::image_header::encode;

    fn file_of(records: &[Vec<u8>]) -> (tempfile::TempDir, RecordFile) {
        let mut bytes = Vec::new();
        records
            .iter()
            .for_each(|record| frame::encode(record, &mut bytes).unwrap());
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.rec");
        std::fs::write(&path, bytes).unwrap();
        let file = RecordFile::open(&path).unwrap();
        (folder, file)
    }

    fn record(id: u64, image: &[u8]) -> Vec<u8> {
        let mut bytes = Vec::new();
        encode(&[1.0], id, &mut bytes);
        bytes.extend_from_slice(image);
        bytes
    }

    #[test]
    fn unique_ids_become_the_keys() {
        let magic = u64::from(MAGIC);
        let (_folder, file) = file_of(&[
            record(5, b"a"),
            record(magic, b"split in its id"),
            record(2, b""),
        ]);
        let (entries, keys) = rebuild_index(&file).unwrap();
        assert_eq!(keys, KeySource::Ids);
        assert_eq!(
            entries.iter().map(|entry| entry.key).collect::<Vec<_>>(),
            [5, magic, 2]
        );
        let mut buffer = Vec::new();
        for entry in entries {
            assert!(
                file.read(entry.offset, None, &mut buffer)
                    .unwrap()
                    .is_some()
            );
        }
    }

    #[test]
    fn other_records_are_numbered() {
        for records in [
            [record(1, b""), record(1, b"")],
            [record(1, b""), b"short".to_vec()],
        ] {
            let (_folder, file) = file_of(&records);
            let (entries, keys) = rebuild_index(&file).unwrap();
            assert_eq!((keys, entries[1].key), (KeySource::Ordinals, 1));
        }
    }

    #[test]
    fn damage_is_found_where_reading_would_find_it() {
        let (folder, file) = file_of(&[record(1, b"abc"), record(2, b"abc")]);
        let path = folder.path().join("a.rec");
        let mut bytes = std::fs::read(&path).unwrap();
        bytes[36] ^= 1;
        std::fs::write(&path, bytes).unwrap();
        let error = scan(&file, |_| ()).unwrap_err().to_string();
        assert!(error.contains("record 0 at byte 0: followed by"), "{error}");
    }
}
