//! Headers and labels of many records in arrays, read without the images.
//!
//! This takes one small read per record, and a second one for the labels of a record that has
//! several. The images, which are nearly all of the file, are neither read nor checked, so
//! checksums are not verified.

use crate::error::{Error, Result};
use crate::format::frame::{self, FragmentHeader};
use crate::format::image_header::{HEADER_LEN, Header, ImageRecord};
use crate::format::index::Index;
use crate::read::header::single_fragment;
use crate::read::record_file::{RecordFile, explain_listed};

/// Column for each field, with an entry for each record.
#[derive(Debug, Default, PartialEq)]
pub struct HeaderTable {
    /// As in the headers: the number of labels after the header, or 0 if the label is in it.
    pub flags: Vec<u32>,
    /// Ids of the records.
    pub ids: Vec<u64>,
    /// Bytes after header and labels: those of the image.
    pub image_lens: Vec<u32>,
    /// Labels of all records, concatenated: for each,
    /// [`label_width`](crate::format::image_header::Header::label_width) labels.
    pub labels: Vec<f32>,
    /// Whether the header is the one that [`encode`](crate::format::image_header::encode) makes of
    /// the labels and the id.
    pub are_usual: Vec<bool>,
}

impl HeaderTable {
    /// Appends the headers of the records with these keys, which must be unique.
    ///
    /// # Errors
    /// As [`Index::offset`], [`RecordFile::read`] and [`ImageRecord::parse`], with path, ordinal
    /// and offset.
    pub fn extend(&mut self, file: &RecordFile, index: &Index, keys: &[u64]) -> Result<()> {
        let mut buffer = Vec::new();
        for &key in keys {
            let offset = index.offset(key)?;
            self.push(file, offset, &mut buffer).map_err(|error| {
                let error = error.at_offset(offset).at_path(file.path());
                let error = explain_listed(error, offset, None);
                error.at_record(index.rank(offset))
            })?;
        }
        Ok(())
    }

    /// Appends the header of the record at `offset`.
    pub(super) fn push(
        &mut self,
        file: &RecordFile,
        offset: u64,
        buffer: &mut Vec<u8>,
    ) -> Result<()> {
        let first = self.labels.len();
        let (header, image_len) = match single_fragment(file, offset)? {
            Some((fragment, Some(header))) if is_inside(file, offset, fragment) => {
                header.check(fragment.len)?;
                let labels_len = 4 * header.flag as usize;
                buffer.resize(labels_len, 0);
                file.read_exact_at(buffer, offset + (frame::HEADER_LEN + HEADER_LEN) as u64)?;
                self.labels.extend(header.labels(buffer));
                (header, fragment.len - HEADER_LEN - labels_len)
            }
            // Split, damaged or without a header: reading all of it joins it, or returns the error.
            _ => {
                let record = file.read_existing(offset, None, buffer)?;
                let record = ImageRecord::parse(record.bytes)?;
                self.labels.extend(record.labels());
                (record.header, record.image.len())
            }
        };
        self.flags.push(header.flag);
        self.ids.push(header.id);
        self.image_lens.push(image_len as u32);
        self.are_usual
            .push(is_usual(&header, &self.labels[first..]));
        self.check_size(file)
    }

    /// Checks that the labels are not larger than the file, as they can be if an index has offsets
    /// inside records, whose labels then count several times.
    fn check_size(&self, file: &RecordFile) -> Result<()> {
        if 4 * self.labels.len() as u64 <= file.len() {
            return Ok(());
        }
        Err(Error::corrupt(format!(
            "the labels so far are larger than the file of {} bytes; the index has offsets inside records",
            file.len()
        )))
    }
}

/// Returns whether a header has no field that its labels and its id do not determine. The one NaN
/// that numbers in text become is usual too.
fn is_usual(header: &Header, labels: &[f32]) -> bool {
    let is_number = |label: &f32| !label.is_nan() || label.to_bits() == f32::NAN.to_bits();
    let has_usual_fields = header.flag == 0 || (header.flag > 1 && header.label.to_bits() == 0);
    header.id2 == 0 && has_usual_fields && labels.iter().all(is_number)
}

/// Returns whether a fragment ends inside the file.
fn is_inside(file: &RecordFile, offset: u64, fragment: FragmentHeader) -> bool {
    offset + (frame::HEADER_LEN + fragment.len) as u64 <= file.len()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::frame::MAGIC;
    use crate::format::image_header::{encode, encode_header};
    use crate::format::index::Entry;

    /// Writes a file of these records. Its index has their ordinals as keys.
    fn file_of(records: &[Vec<u8>]) -> (tempfile::TempDir, RecordFile, Index) {
        let (mut bytes, mut offsets) = (Vec::new(), Vec::new());
        for record in records {
            offsets.push(bytes.len() as u64);
            frame::encode(record, &mut bytes).unwrap();
        }
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.rec");
        std::fs::write(&path, bytes).unwrap();
        (folder, RecordFile::open(&path).unwrap(), index_of(&offsets))
    }

    fn index_of(offsets: &[u64]) -> Index {
        let entry = |(key, &offset): (usize, &u64)| Entry {
            key: key as u64,
            offset,
        };
        Index::new(offsets.iter().enumerate().map(entry).collect()).unwrap()
    }

    fn record(labels: &[f32], id: u64, image: &[u8]) -> Vec<u8> {
        let mut bytes = Vec::new();
        encode(labels, id, &mut bytes);
        bytes.extend_from_slice(image);
        bytes
    }

    fn error(file: &RecordFile, index: &Index, keys: &[u64]) -> String {
        let mut headers = HeaderTable::default();
        let error = headers.extend(file, index, keys).unwrap_err();
        error.to_string()
    }

    #[test]
    fn headers_are_in_the_order_of_the_keys() {
        let (_folder, file, index) = file_of(&[
            record(&[7.0], 1, b"image"),
            record(&[1.0, 2.0, 3.0], 2, b""),
            record(&[4.0, 5.0], u64::from(MAGIC), b"split in its id"),
            record(&[], 4, &[9; 10_000]),
        ]);
        let mut headers = HeaderTable::default();
        headers.extend(&file, &index, &[3, 1]).unwrap();
        headers.extend(&file, &index, &[2, 0]).unwrap();
        let expected = HeaderTable {
            flags: vec![0, 3, 2, 0],
            ids: vec![4, 2, u64::from(MAGIC), 1],
            image_lens: vec![10_000, 0, 15, 5],
            labels: vec![0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 7.0],
            are_usual: vec![true; 4],
        };
        assert_eq!(headers, expected);
    }

    #[test]
    fn unusual_headers_are_found() {
        let of = |flag: u32, label: f32, id2: u64, labels: &[f32]| {
            let header = Header {
                flag,
                label,
                id: 7,
                id2,
            };
            let mut bytes = Vec::new();
            encode_header(&header, labels, &mut bytes);
            bytes
        };
        let other_nan = f32::from_bits(0x7fc0_0001);
        let (_folder, file, index) = file_of(&[
            of(0, 1.0, 0, &[]),
            of(0, -0.0, 0, &[]),
            of(0, f32::NAN, 0, &[]),
            of(2, 0.0, 0, &[1.0, 2.0]),
            of(0, 1.0, 1, &[]),
            of(1, 0.0, 0, &[1.0]),
            of(2, 1.0, 0, &[1.0, 2.0]),
            of(2, -0.0, 0, &[1.0, 2.0]),
            of(0, other_nan, 0, &[]),
            of(2, 0.0, 0, &[1.0, other_nan]),
        ]);
        let mut headers = HeaderTable::default();
        let keys: Vec<u64> = (0..10).collect();
        headers.extend(&file, &index, &keys).unwrap();
        let expected: Vec<bool> = (0..10).map(|number| number < 4).collect();
        assert_eq!(headers.are_usual, expected);
    }

    #[test]
    fn errors_name_record_and_offset() {
        let mut invalid = record(&[1.0, 2.0], 1, b"");
        invalid[0] = 200;
        let (_folder, file, _) = file_of(&[invalid, b"short".to_vec()]);
        let index = index_of(&[0, 4, 40, 56]);
        for (key, reason) in [
            (0, "a.rec: record 0 at byte 0: the header claims 200 labels"),
            (1, "record 1 at byte 4: magic"),
            (2, "record 2 at byte 40: 5 bytes are too short"),
            (3, "record 3 at byte 56: the file ends here"),
            (4, "no record has the key 4"),
        ] {
            let error = error(&file, &index, &[key]);
            assert!(error.contains(reason), "{error}");
        }
    }

    #[test]
    fn a_truncated_record_is_an_error_before_its_labels_are_allocated() {
        let (folder, _, index) = file_of(&[record(&vec![1.0; 50_000], 1, b"")]);
        let path = folder.path().join("a.rec");
        let bytes = std::fs::read(&path).unwrap();
        std::fs::write(&path, &bytes[..100]).unwrap();
        let error = error(&RecordFile::open(&path).unwrap(), &index, &[0]);
        assert!(error.contains("a fragment of 200024 bytes"), "{error}");
    }

    #[test]
    fn repeated_keys_do_not_exhaust_memory() {
        let (_folder, file, index) = file_of(&[record(&vec![1.0; 1000], 1, b"")]);
        let error = error(&file, &index, &[0; 1000]);
        assert!(
            error.contains("larger than the file of 4032 bytes"),
            "{error}"
        );
    }
}
