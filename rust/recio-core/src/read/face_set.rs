//! Layout of InsightFace's record files: images, identity records and a header record.
//!
//! The record with the key 0 is the header record: it has no image, and its first two labels are
//! the key of the first identity record and one past the key of the last. The images have smaller
//! keys. An identity record has no image either; its two labels are the key of the first image of
//! the identity and one past the key of the last.
//!
//! The labels are float32, which has no odd integers past 2²⁴: in a set of 42 million images, they
//! are off by up to two. So the boundary is found by looking at the records around it. A few reads
//! are enough, whatever the size of the file. A record file whose header record is missing is still
//! recognized, if its identity records cover all of its images.

use std::ops::{Range, RangeInclusive};

use crate::error::{Error, Result};
use crate::format::index::{Entry, Index};
use crate::progress::Interrupt;
use crate::read::header::read_labels;
use crate::read::header_table::HeaderTable;
use crate::read::record_file::RecordFile;
use crate::read::scan::{self, ScannedRecord};

/// Number of labels of an identity record, and the least of a header record.
pub(super) const RANGE_LABELS: usize = 2;
/// Maximum number of labels of a header record that is recognized.
pub(super) const MAX_RANGE_LABELS: usize = 64;
/// Key of the header record.
const HEADER_KEY: u64 = 0;

/// Layout of a record file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Layout {
    /// Records without a header record and identity records.
    Plain,
    /// A face data set.
    Faces(FaceSet),
    /// A header record that the other records contradict, and how. The last record has no image
    /// either.
    Contradictory(String),
}

/// Face data set: positions of its records in [`Index::entries`], which are sorted by key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FaceSet {
    /// Whether the first entry is the header record.
    pub has_header: bool,
    /// The images.
    pub images: Range<usize>,
    /// The identity records.
    pub identities: Range<usize>,
    /// Key that ends the images: that of the first identity record, if there is one.
    pub images_end: u64,
}

/// What a record says about its role.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Role {
    /// A record with an image, or another one that is no identity record.
    Other,
    /// A record without an image whose first two labels are these: a header record or an identity
    /// record.
    Range(f32, f32),
}

impl Role {
    /// Reads the role of the record at `offset`; `None` if the record is damaged.
    ///
    /// # Errors
    /// [`ErrorKind::Io`](crate::error::ErrorKind::Io).
    pub fn read(file: &RecordFile, offset: u64) -> Result<Option<Self>> {
        match Self::try_read(file, offset) {
            Err(error) if error.is_damage() => Ok(None),
            role => role.map(Some),
        }
    }

    fn try_read(file: &RecordFile, offset: u64) -> Result<Self> {
        if !scan::record_at(file, offset)?.may_be_range() {
            return Ok(Self::Other);
        }
        let mut buffer = Vec::new();
        let mut labels = read_labels(file, offset, None, &mut buffer)?.labels();
        let both = labels.next().zip(labels.next());
        Ok(both.map_or(Self::Other, |(first, second)| Self::Range(first, second)))
    }

    fn is_range(self) -> bool {
        matches!(self, Self::Range(..))
    }
}

impl FaceSet {
    /// Finds the layout of a file.
    ///
    /// # Errors
    /// [`ErrorKind::Io`](crate::error::ErrorKind::Io). Damaged records are no error.
    pub fn find(file: &RecordFile, index: &Index) -> Result<Layout> {
        if !file.may_be_face_set() {
            return Ok(Layout::Plain);
        }
        Self::find_with(index.entries(), |offset| Role::read(file, offset))
    }

    /// Finds the layout of records, whose entries are sorted by key. `role` reads the role of the
    /// record at an offset; `None` if it is damaged.
    ///
    /// # Errors
    /// Those of `role`.
    pub fn find_with(
        entries: &[Entry],
        role: impl FnMut(u64) -> Result<Option<Role>>,
    ) -> Result<Layout> {
        let mut records = Records { entries, role };
        let Some(first) = entries.first() else {
            return Ok(Layout::Plain);
        };
        if first.key != HEADER_KEY {
            return records.without_header(0);
        }
        match records.role(0)? {
            Some(Role::Range(images_end, end)) => records.with_header(images_end, end),
            Some(Role::Other) => records.without_header(0),
            None => records.without_header(1),
        }
    }

    /// Finds the layout of the records after a damaged header record, whose labels contradict them:
    /// the identity records after the images cover all of these. `None` if that is not so, such as
    /// for several sets in one file. The positions are those after the first entry.
    ///
    /// # Errors
    /// Those of `role`.
    pub fn after_damaged_header(
        entries: &[Entry],
        mut role: impl FnMut(u64) -> Result<Option<Role>>,
    ) -> Result<Option<Self>> {
        let Layout::Faces(faces) = Self::find_with(&entries[1..], &mut role)? else {
            return Ok(None);
        };
        for entry in &entries[1..][faces.identities.clone()] {
            if !role(entry.offset)?.is_some_and(Role::is_range) {
                return Ok(None);
            }
        }
        Ok(Some(faces))
    }

    /// Returns the error for a face data set whose header record contradicts its records.
    #[must_use]
    pub fn contradiction(reason: &str) -> Error {
        Error::corrupt(format!(
            "this is the header record of a face data set, but {reason}; sets are joined by `recio merge`, not by \
             appending one file to another"
        ))
    }

    /// Reads the range of the images of each identity record, as keys.
    ///
    /// # Errors
    /// Damage; [`ErrorKind::Corrupt`](crate::error::ErrorKind::Corrupt) if an identity record has
    /// labels that are no range of images; `Interrupted`.
    pub fn identity_ranges(
        &self,
        file: &RecordFile,
        index: &Index,
        interrupt: &Interrupt<'_>,
    ) -> Result<Vec<Range<u64>>> {
        let entries = &index.entries()[self.identities.clone()];
        let first = u64::from(self.has_header);
        let range = |entry: &Entry| {
            interrupt.poll()?;
            let mut table = HeaderTable::default();
            table.extend(file, index, &[entry.key])?;
            self.range_of(&table, first).ok_or_else(|| {
                Error::corrupt("its labels are no range of images")
                    .at_record(index.rank(entry.offset))
                    .at_offset(entry.offset)
                    .at_path(file.path())
            })
        };
        entries.iter().map(range).collect()
    }

    /// Returns the images of the identity record in a table of one row. `first` is the least
    /// key of an image.
    fn range_of(&self, table: &HeaderTable, first: u64) -> Option<Range<u64>> {
        let [start, end] = table.labels[..] else {
            return None;
        };
        let is_valid = table.flags[0] as usize == RANGE_LABELS
            && start <= end
            && start.fract() == 0.0
            && *rounded_to(start).end() >= first
            && !rounded_to(end).is_empty()
            && *rounded_to(end).start() <= self.images_end;
        is_valid.then_some(start as u64..end as u64)
    }
}

/// Records by key, and a function that reads their roles.
struct Records<'a, F> {
    entries: &'a [Entry],
    role: F,
}

impl<F: FnMut(u64) -> Result<Option<Role>>> Records<'_, F> {
    fn role(&mut self, i: usize) -> Result<Option<Role>> {
        (self.role)(self.entries[i].offset)
    }

    /// Whether record `i` is one without an image and with two labels.
    fn is_range(&mut self, i: usize) -> Result<bool> {
        Ok(self.role(i)?.is_some_and(Role::is_range))
    }

    /// Returns the first of these records that has no image, or the end. Images come first.
    fn first_without_image(&mut self, records: Range<usize>) -> Result<usize> {
        let Range { mut start, mut end } = records;
        while start < end {
            let middle = start.midpoint(end);
            if self.is_range(middle)? {
                end = middle;
            } else {
                start = middle + 1;
            }
        }
        Ok(start)
    }

    /// The layout of records after a header record with these labels.
    fn with_header(&mut self, images_end: f32, identities_end: f32) -> Result<Layout> {
        let near = rounded_to(images_end);
        let before = |key: u64| self.entries.partition_point(|entry| entry.key < key);
        let (low, high) = (before(*near.start()), before(near.end().saturating_add(1)));
        let boundary = self.first_without_image(low.max(1)..high.max(1))?;
        let len = self.entries.len();
        let matches = !near.is_empty()
            && (boundary == 1 || self.entries[boundary - 1].key < *near.end())
            && (boundary == 1 || !self.is_range(boundary - 1)?)
            && (boundary == len || self.is_range(boundary)?);
        if !matches {
            return self.contradiction(format!(
                "its label ends the images before the key {images_end:.0}, but the records there do not match"
            ));
        }
        let last = self.entries[len - 1].key;
        if boundary < len && last > *rounded_to(identities_end).end() {
            return self.contradiction(format!(
                "its label ends the identity records before the key {identities_end:.0}, but there is the key {last}"
            ));
        }
        let end = self.entries.get(boundary).map(|entry| entry.key);
        let end = end.unwrap_or_else(|| (self.entries[boundary - 1].key + 1).max(*near.start()));
        Ok(Layout::Faces(FaceSet {
            has_header: true,
            images: 1..boundary,
            identities: boundary..len,
            images_end: end,
        }))
    }

    /// The layout after a header record that others contradict. If the last record has an image,
    /// the first one is just a record without one.
    fn contradiction(&mut self, reason: String) -> Result<Layout> {
        Ok(if self.is_range(self.entries.len() - 1)? {
            Layout::Contradictory(reason)
        } else {
            Layout::Plain
        })
    }

    /// The layout of records from `start` on, none of which is a header record: the last ones are
    /// identity records if they cover all others.
    fn without_header(&mut self, start: usize) -> Result<Layout> {
        let len = self.entries.len();
        if start >= len {
            return Ok(Layout::Plain);
        }
        let Some(Role::Range(_, end)) = self.role(len - 1)? else {
            return Ok(Layout::Plain);
        };
        let boundary = self.first_without_image(start..len)?;
        if boundary == start {
            return Ok(Layout::Plain);
        }
        let Some(Role::Range(first, _)) = self.role(boundary)? else {
            return Ok(Layout::Plain);
        };
        let (images_start, images_end) = (self.entries[start].key, self.entries[boundary].key);
        // A damaged header record may look like an image.
        let second = self.entries[start + 1].key;
        let images_start = if images_start == HEADER_KEY {
            second
        } else {
            images_start
        };
        let first = rounded_to(first);
        let covers = !first.is_empty() && *first.start() <= images_start;
        if !covers || !rounded_to(end).contains(&images_end) {
            return Ok(Layout::Plain);
        }
        Ok(Layout::Faces(FaceSet {
            has_header: false,
            images: start..boundary,
            identities: boundary..len,
            images_end,
        }))
    }
}

/// Returns keys for records in the order of the file that have none, if they are a face data set:
/// the header record gets 0, then the images 1, 2 …, then the identity records. Of several sets in
/// one file, the first header record gets 0, so that its labels contradict the other records.
///
/// # Errors
/// Those of `role`, which reads the role of a record without an image.
pub(super) fn number(
    records: &[ScannedRecord],
    mut role: impl FnMut(u64) -> Result<Option<Role>>,
) -> Result<Option<Vec<Entry>>> {
    let (mut images, mut ranges, mut headers) = (Vec::new(), Vec::new(), Vec::new());
    for record in records {
        match role_of(record, &mut role)? {
            Role::Other => images.push(record.offset),
            Role::Range(start, end) => ranges.push((record.offset, start, end)),
        }
    }
    let (first, last) = (images.len() as u64 + 1, records.len() as u64);
    let is_header = |&&(_, start, end): &&(u64, f32, f32)| {
        rounded_to(start).contains(&first) && rounded_to(end).contains(&last)
    };
    headers.extend(ranges.iter().filter(is_header).map(|&(offset, ..)| offset));
    let header = match headers[..] {
        [header] => header,
        _ => match first_of_several(records, &ranges) {
            Some(header) => header,
            None => return Ok(None),
        },
    };
    let identities = ranges.iter().map(|&(offset, ..)| offset);
    let offsets = std::iter::once(header)
        .chain(images)
        .chain(identities.filter(|&offset| offset != header));
    let entry = |(key, offset): (usize, u64)| Entry {
        key: key as u64,
        offset,
    };
    Ok(Some(offsets.enumerate().map(entry).collect()))
}

/// Returns the first header record of several sets in one file: the records with the id 0 are
/// records without an image whose labels are a range of keys, and there are images too.
fn first_of_several(records: &[ScannedRecord], ranges: &[(u64, f32, f32)]) -> Option<u64> {
    let has_header_id =
        |record: &&ScannedRecord| record.header.is_some_and(|header| header.id == HEADER_KEY);
    let is_range_of_keys = |offset: u64| {
        let range = ranges.binary_search_by_key(&offset, |&(offset, ..)| offset);
        range.is_ok_and(|i| {
            let (_, start, end) = ranges[i];
            !rounded_to(start).is_empty()
                && !rounded_to(end).is_empty()
                && 1.0 <= start
                && start <= end
        })
    };
    let headers: Vec<u64> = records
        .iter()
        .filter(has_header_id)
        .map(|record| record.offset)
        .collect();
    let are_headers = headers.len() > 1 && headers.iter().all(|&offset| is_range_of_keys(offset));
    (are_headers && ranges.len() < records.len()).then(|| headers[0])
}

/// Returns the role of a record, which is only read if it has no image.
fn role_of(
    record: &ScannedRecord,
    role: &mut impl FnMut(u64) -> Result<Option<Role>>,
) -> Result<Role> {
    if record.may_be_range() {
        Ok(role(record.offset)?.unwrap_or(Role::Other))
    } else {
        Ok(Role::Other)
    }
}

/// Returns all integers that float32 rounds to a label; none if it is no key.
fn rounded_to(label: f32) -> RangeInclusive<u64> {
    if !(label >= 0.0 && label < (1u64 << 63) as f32) {
        return RangeInclusive::new(1, 0);
    }
    let label64 = f64::from(label);
    let low = f64::midpoint(label64, label.next_down().max(0.0).into()).ceil();
    let high = f64::midpoint(label64, label.next_up().into()).floor();
    low as u64..=high as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    const IMAGE: Role = Role::Other;

    /// The layout of records with these keys.
    fn layout(records: &[(u64, Role)]) -> Layout {
        let mut records = records.to_vec();
        records.sort_unstable_by_key(|&(key, _)| key);
        let entry = |(i, &(key, _)): (usize, &(u64, Role))| Entry {
            key,
            offset: i as u64,
        };
        let entries: Vec<Entry> = records.iter().enumerate().map(entry).collect();
        FaceSet::find_with(&entries, |offset| Ok(Some(records[offset as usize].1))).unwrap()
    }

    fn faces(has_header: bool, images: Range<usize>, len: usize, images_end: u64) -> Layout {
        Layout::Faces(FaceSet {
            has_header,
            identities: images.end..len,
            images,
            images_end,
        })
    }

    fn range(start: u64, end: u64) -> Role {
        Role::Range(start as f32, end as f32)
    }

    #[test]
    fn a_header_record_separates_images_and_identity_records() {
        let records = [
            (0, range(4, 6)),
            (1, IMAGE),
            (2, IMAGE),
            (3, IMAGE),
            (4, range(1, 3)),
            (5, range(3, 4)),
        ];
        assert_eq!(layout(&records), faces(true, 1..4, 6, 4));
        assert_eq!(layout(&records[1..]), faces(false, 0..3, 5, 4));
        assert_eq!(layout(&records[..4]), faces(true, 1..4, 4, 4));
        assert_eq!(layout(&records[..5]), faces(true, 1..4, 5, 4));
    }

    #[test]
    fn ordinary_records_are_no_face_data_set() {
        for records in [
            &[][..],
            &[(0, IMAGE), (1, IMAGE)],
            &[(1, IMAGE), (2, IMAGE)],
            // A detection label without objects, of a record without an image.
            &[(0, IMAGE), (1, IMAGE), (2, range(2, 5))],
            &[(3, IMAGE), (4, range(2, 5)), (5, range(2, 5))],
            &[(0, IMAGE), (1, range(0, 2)), (2, IMAGE)],
            &[(5, range(2, 5))],
        ] {
            assert_eq!(layout(records), Layout::Plain, "{records:?}");
        }
    }

    #[test]
    fn a_header_record_that_others_contradict_is_reported() {
        let rest = [(1, IMAGE), (2, IMAGE), (3, range(1, 3)), (4, range(2, 3))];
        for header in [
            range(2, 5),
            range(4, 5),
            range(5, 5),
            range(9, 9),
            range(0, 5),
            range(3, 3),
            Role::Range(f32::NAN, 5.0),
            Role::Range(2.5, 5.0),
            Role::Range(-1.0, 5.0),
            Role::Range(f32::INFINITY, f32::INFINITY),
        ] {
            let records = [&[(0, header)], &rest[..]].concat();
            let layout = layout(&records);
            assert!(matches!(layout, Layout::Contradictory(_)), "{header:?}");
        }
    }

    #[test]
    fn a_first_record_without_an_image_does_not_make_a_face_data_set() {
        assert_eq!(
            layout(&[(0, range(2, 5)), (1, IMAGE), (2, IMAGE)]),
            Layout::Plain
        );
    }

    #[test]
    fn identity_records_are_found_after_a_header_record_that_looks_like_an_image() {
        let records = [(0, IMAGE), (1, IMAGE), (2, IMAGE), (3, range(1, 3))];
        assert_eq!(layout(&records), faces(false, 0..3, 4, 3));
    }

    #[test]
    fn two_sets_in_one_file_are_a_contradiction() {
        let set = |first: u64| {
            [
                (first, range(3, 4)),
                (first + 1, IMAGE),
                (first + 2, IMAGE),
                (first + 3, range(1, 3)),
            ]
        };
        let records = [set(0), set(4)].concat();
        assert!(matches!(layout(&records), Layout::Contradictory(_)));
    }

    #[test]
    fn labels_past_2_to_the_24_are_not_exact() {
        for images_end in (1 << 25) - 3..(1 << 25) + 6 {
            let records = [
                (0, range(images_end, images_end + 2)),
                (images_end - 2, IMAGE),
                (images_end - 1, IMAGE),
                (images_end, range(images_end - 2, images_end - 1)),
                (images_end + 1, range(images_end - 1, images_end)),
            ];
            assert_eq!(layout(&records), faces(true, 1..3, 5, images_end));
            assert_eq!(layout(&records[1..]), faces(false, 0..2, 4, images_end));
        }
    }

    #[test]
    fn all_integers_that_are_rounded_to_a_label_are_candidates() {
        assert_eq!(rounded_to(0.0), 0..=0);
        assert_eq!(rounded_to(7.0), 7..=7);
        assert_eq!(rounded_to(16_777_218.0), 16_777_217..=16_777_219);
        for label in [-1.0, 2.5, f32::NAN, f32::INFINITY, 1e30] {
            assert!(rounded_to(label).is_empty(), "{label}");
        }
    }
}
