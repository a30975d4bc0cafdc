//! Offsets of all records of a file, found by reading only the headers; and the index built from
//! them.
//!
//! The bytes between the headers of a record of one fragment are not read, so its checksum is not
//! verified.

use std::collections::HashSet;

use crate::error::{Error, Result};
use crate::format::frame::{self, FragmentHeader};
use crate::format::image_header::{HEADER_LEN, Header};
use crate::format::index::{Entry, Index};
use crate::progress::Interrupt;
use crate::read::face_set::{self, FaceSet, Layout, MAX_RANGE_LABELS, RANGE_LABELS, Role};
use crate::read::header::{HEADERS_LEN, parse_headers, single_fragment};
use crate::read::record_file::RecordFile;
use crate::read::window::Window;

/// Offset and header of a record.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ScannedRecord {
    /// Offset of its first fragment header.
    pub offset: u64,
    /// Header of the image record; `None` if the record is too short for one.
    pub header: Option<Header>,
    /// Whether bytes follow the header and its labels.
    pub has_image: bool,
}

impl ScannedRecord {
    /// A record of `len` bytes.
    fn new(offset: u64, header: Option<Header>, len: usize) -> Self {
        let labels_end = |header: Header| HEADER_LEN as u64 + 4 * u64::from(header.flag);
        Self {
            offset,
            header,
            has_image: header.is_some_and(|header| len as u64 > labels_end(header)),
        }
    }

    /// Whether this may be the header record or an identity record of a face data set.
    #[must_use]
    pub fn may_be_range(&self) -> bool {
        let is_wide =
            |header: Header| (RANGE_LABELS..=MAX_RANGE_LABELS).contains(&(header.flag as usize));
        !self.has_image && self.header.is_some_and(is_wide)
    }
}

/// Calls `on_record` for each record of `file`, in order. Returns the number of records.
///
/// # Errors
/// As [`RecordFile::read`], with the record's ordinal; `Interrupted`.
pub fn scan(
    file: &RecordFile,
    interrupt: &Interrupt<'_>,
    mut on_record: impl FnMut(ScannedRecord),
) -> Result<u64> {
    let (mut window, mut buffer) = (Window::new(file, interrupt), Vec::new());
    let (mut offset, mut records) = (0, 0);
    while offset < file.len() {
        let (record, next) = next_record(&mut window, offset, &mut buffer)
            .map_err(|error| error.at_record(records))?;
        on_record(record);
        records += 1;
        offset = next;
    }
    Ok(records)
}

/// Returns the ordinal of the record at `offset`; `None` if no record begins there, or if there is
/// damage before it.
///
/// # Errors
/// `Interrupted`.
pub fn ordinal(file: &RecordFile, offset: u64, interrupt: &Interrupt<'_>) -> Result<Option<u64>> {
    let (mut window, mut buffer) = (Window::new(file, interrupt), Vec::new());
    let (mut position, mut records) = (0, 0);
    while position < offset {
        match next_record(&mut window, position, &mut buffer) {
            Err(error) if error.is_interrupted() => return Err(error),
            Err(_) => return Ok(None),
            Ok((_, next)) => (position, records) = (next, records + 1),
        }
    }
    Ok((position == offset).then_some(records))
}

/// Reads the header of the record at `offset`. What follows the record is not checked.
///
/// # Errors
/// As [`RecordFile::read_existing`].
pub fn record_at(file: &RecordFile, offset: u64) -> Result<ScannedRecord> {
    match single_fragment(file, offset)? {
        Some((fragment, header)) => Ok(ScannedRecord::new(offset, header, fragment.len)),
        None => read_record(file, offset, &mut Vec::new()).map(|(record, _)| record),
    }
}

/// Reads the header of the record at `offset`, and returns it with the offset of the next record.
///
/// # Errors
/// As [`RecordFile::read_existing`].
pub fn record_with_next(file: &RecordFile, offset: u64) -> Result<(ScannedRecord, u64)> {
    let never = Interrupt::never();
    next_record(&mut Window::new(file, &never), offset, &mut Vec::new())
}

/// Reads the header of the record at `offset` of a window, as [`record_at`] does.
fn record_in(window: &mut Window<'_>, offset: u64) -> Result<ScannedRecord> {
    match parse_headers(window.bytes(offset, HEADERS_LEN)?) {
        Some((fragment, header)) => Ok(ScannedRecord::new(offset, header, fragment.len)),
        None => read_record(window.file(), offset, &mut Vec::new()).map(|(record, _)| record),
    }
}

/// Reads the header of the record at `offset`, and returns it with the offset of the next record.
///
/// Of a record of one fragment, only the headers and its end are read; a split one is read
/// completely, as its header may be split.
fn next_record(
    window: &mut Window<'_>,
    offset: u64,
    buffer: &mut Vec<u8>,
) -> Result<(ScannedRecord, u64)> {
    let headers = window
        .bytes(offset, HEADERS_LEN)
        .map_err(|error| error.at_offset(offset))?;
    match parse_headers(headers) {
        Some((fragment, header)) if is_end_valid(window, offset, fragment)? => Ok((
            ScannedRecord::new(offset, header, fragment.len),
            offset + (frame::HEADER_LEN + fragment.padded_len()) as u64,
        )),
        // If the record is damaged, this returns the error.
        _ => read_record(window.file(), offset, buffer),
    }
}

/// Reads all of the record at `offset`, and returns its header with the offset of the next record.
fn read_record(
    file: &RecordFile,
    offset: u64,
    buffer: &mut Vec<u8>,
) -> Result<(ScannedRecord, u64)> {
    let record = file.read_existing(offset, None, buffer)?;
    let header = record.bytes.first_chunk().map(Header::parse);
    let scanned = ScannedRecord::new(offset, header, record.bytes.len());
    Ok((scanned, record.next))
}

/// Returns whether the padding of a fragment is zero and followed by the header of a record.
fn is_end_valid(window: &mut Window<'_>, offset: u64, fragment: FragmentHeader) -> Result<bool> {
    let data_end = offset + (frame::HEADER_LEN + fragment.len) as u64;
    if data_end > window.file().len() {
        return Ok(false);
    }
    let padding = fragment.padded_len() - fragment.len;
    let tail = window
        .bytes(data_end, padding + frame::HEADER_LEN)
        .map_err(|error| error.at_offset(offset))?;
    let Some((padding, next_header)) = tail.split_at_checked(padding) else {
        return Ok(false);
    };
    Ok(padding.iter().all(|&byte| byte == 0) && frame::check_next_header(next_header).is_ok())
}

/// Source of the keys of a rebuilt index.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeySource {
    /// The ids in the headers of the records, which are unique.
    Ids,
    /// 0, 1, 2 …, because a record has no id, or two have the same; in a face data set, 0 for the
    /// header record, then the images, then the identity records.
    Ordinals,
}

/// Rebuilds the index of a file. The keys are the ids of the records if these are unique, else
/// their ordinals.
///
/// # Errors
/// As [`scan`].
pub fn rebuild_index(
    file: &RecordFile,
    interrupt: &Interrupt<'_>,
) -> Result<(Vec<Entry>, KeySource)> {
    let mut records = Vec::new();
    scan(file, interrupt, |record| records.push(record))?;
    keys_of(file, &records)
}

/// Rebuilds the index of the records with an image; of a face data set, the images. The keys are
/// those of the complete index.
///
/// # Errors
/// As [`scan`] and [`check_layout`];
/// [`ErrorKind::Corrupt`](crate::error::ErrorKind::Corrupt) if no record has an image.
pub fn rebuild_index_of_images(
    file: &RecordFile,
    interrupt: &Interrupt<'_>,
) -> Result<(Vec<Entry>, KeySource)> {
    let mut records = Vec::new();
    scan(file, interrupt, |record| records.push(record))?;
    let (mut entries, source) = keys_of(file, &records)?;
    check_layout(file, entries.clone())?;
    let without_image: HashSet<u64> = records
        .iter()
        .filter(|record| !record.has_image)
        .map(|record| record.offset)
        .collect();
    entries.retain(|entry| !without_image.contains(&entry.offset));
    if entries.is_empty() {
        return Err(Error::corrupt("no record has an image").at_path(file.path()));
    }
    Ok((entries, source))
}

/// Checks that the header record of a face data set matches the other entries of its index.
///
/// # Errors
/// [`ErrorKind::Corrupt`](crate::error::ErrorKind::Corrupt) if it does not.
pub fn check_layout(file: &RecordFile, mut entries: Vec<Entry>) -> Result<()> {
    entries.sort_unstable_by_key(|entry| entry.key);
    match FaceSet::find_with(&entries, |offset| Role::read(file, offset))? {
        Layout::Contradictory(reason) => Err(FaceSet::contradiction(&reason)
            .at_offset(entries[0].offset)
            .at_path(file.path())),
        Layout::Plain | Layout::Faces(_) => Ok(()),
    }
}

/// Whether the record at `offset` may be the header record or an identity record of a face data
/// set.
#[must_use]
pub fn may_be_range(file: &RecordFile, offset: u64) -> bool {
    record_at(file, offset).is_ok_and(|record| record.may_be_range())
}

/// Finds the layout of the records at `offsets`, with the keys of a rebuilt index. Returns their
/// entries too, sorted by key. Damaged records do not count.
///
/// # Errors
/// [`ErrorKind::Io`](crate::error::ErrorKind::Io); `Interrupted`.
pub fn layout_of(
    file: &RecordFile,
    offsets: impl Iterator<Item = u64>,
    interrupt: &Interrupt<'_>,
) -> Result<(Vec<Entry>, Layout)> {
    let (mut window, mut intact) = (Window::new(file, interrupt), Vec::new());
    for offset in offsets {
        match record_in(&mut window, offset) {
            Err(error) if error.is_interrupted() => return Err(error),
            record => intact.extend(record),
        }
    }
    let (mut entries, _) = keys_of(file, &intact)?;
    entries.sort_unstable_by_key(|entry| entry.key);
    let layout = FaceSet::find_with(&entries, |offset| Role::read(file, offset))?;
    Ok((entries, layout))
}

/// Returns the keys of records, as [`rebuild_index`] chooses them.
///
/// # Errors
/// [`ErrorKind::Io`](crate::error::ErrorKind::Io).
pub fn keys_of(file: &RecordFile, records: &[ScannedRecord]) -> Result<(Vec<Entry>, KeySource)> {
    let by_id = || -> Option<Vec<Entry>> {
        let entry = |record: &ScannedRecord| {
            Some(Entry {
                key: record.header?.id,
                offset: record.offset,
            })
        };
        records.iter().map(entry).collect()
    };
    if let Some(entries) = by_id().filter(|entries| Index::new(entries.clone()).is_ok()) {
        return Ok((entries, KeySource::Ids));
    }
    if let Some(entries) = face_set::number(records, |offset| Role::read(file, offset))? {
        return Ok((entries, KeySource::Ordinals));
    }
    let entry = |(key, record): (usize, &ScannedRecord)| Entry {
        key: key as u64,
        offset: record.offset,
    };
    Ok((
        records.iter().enumerate().map(entry).collect(),
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
    fn unique_ids_are_the_keys() {
        let magic = u64::from(MAGIC);
        let (_folder, file) = file_of(&[
            record(5, b"a"),
            record(magic, b"split in its id"),
            record(2, b""),
        ]);
        let (entries, keys) = rebuild_index(&file, &Interrupt::never()).unwrap();
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
    fn ordinals_are_the_keys_if_ids_are_missing_or_repeated() {
        for records in [
            [record(1, b""), record(1, b"")],
            [record(1, b""), b"short".to_vec()],
        ] {
            let (_folder, file) = file_of(&records);
            let (entries, keys) = rebuild_index(&file, &Interrupt::never()).unwrap();
            assert_eq!((keys, entries[1].key), (KeySource::Ordinals, 1));
        }
    }

    #[test]
    fn damage_is_the_same_error_as_when_reading() {
        let (folder, file) = file_of(&[record(1, b"abc"), record(2, b"abc")]);
        let path = folder.path().join("a.rec");
        let mut bytes = std::fs::read(&path).unwrap();
        bytes[36] ^= 1;
        std::fs::write(&path, bytes).unwrap();
        let error = scan(&file, &Interrupt::never(), |_| ())
            .unwrap_err()
            .to_string();
        assert!(error.contains("record 0 at byte 0: followed by"), "{error}");
    }
}
