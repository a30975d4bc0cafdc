//! The headers of many records in arrays, without their images: what a data set's labels are read from.
//!
//! One small read a record, a second one for the labels of a record that has several. The images in between, nearly all
//! of the file, are neither read nor checked, and so checksums are not looked at.

use crate::error::{Error, Result};
use crate::format::frame;
use crate::format::image_header::{HEADER_LEN, ImageRecord};
use crate::format::index::Index;
use crate::read::header;
use crate::read::record_file::RecordFile;

/// A column for each field, an entry a record.
#[derive(Debug, Default, PartialEq)]
pub struct HeaderTable {
    /// As in the header: the number of labels, or 0 if there is one and it stands in the header itself.
    pub flags: Vec<u32>,
    /// The records' ids.
    pub ids: Vec<u64>,
    /// Bytes behind header and labels: the image, if it is not 0.
    pub image_lens: Vec<u32>,
    /// The labels of all records, one after another: [`label_width`](crate::format::image_header::Header::label_width) of each.
    pub labels: Vec<f32>,
}

impl HeaderTable {
    /// Appends the headers of the records with these keys, which are all different.
    ///
    /// # Errors
    /// As [`Index::offset`], [`RecordFile::read`] and [`ImageRecord::parse`], with path, ordinal and offset.
    pub fn extend(&mut self, file: &RecordFile, index: &Index, keys: &[u64]) -> Result<()> {
        let mut buffer = Vec::new();
        for &key in keys {
            let offset = index.offset(key)?;
            self.push(file, offset, &mut buffer).map_err(|error| {
                let error = error.at_offset(offset).at_path(file.path());
                error.at_record(index.rank(offset))
            })?;
        }
        Ok(())
    }

    fn push(&mut self, file: &RecordFile, offset: u64, buffer: &mut Vec<u8>) -> Result<()> {
        let (header, image_len) = match header::single_fragment(file, offset)? {
            Some((part, Some(header))) if ends_within(file, offset, part) => {
                header.check(part.len)?;
                let labels_len = 4 * header.flag as usize;
                buffer.resize(labels_len, 0);
                file.read_exact_at(buffer, offset + (frame::HEADER_LEN + HEADER_LEN) as u64)?;
                self.labels.extend(header.labels(buffer));
                (header, part.len - HEADER_LEN - labels_len)
            }
            // Split, or damaged, or without a header: reading it whole joins it, or says what is wrong.
            _ => {
                let payload = header::read_record(file, offset, buffer)?.payload;
                let record = ImageRecord::parse(payload)?;
                self.labels.extend(record.labels());
                (record.header, record.image.len())
            }
        };
        self.flags.push(header.flag);
        self.ids.push(header.id);
        self.image_lens.push(image_len as u32);
        self.refuse_more_than(file)
    }

    /// Refuses labels that are together longer than the file: offsets into other records, and each counted again.
    fn refuse_more_than(&self, file: &RecordFile) -> Result<()> {
        if 4 * self.labels.len() as u64 <= file.len() {
            return Ok(());
        }
        Err(Error::corrupt(format!(
            "the labels so far are larger than the file of {} bytes; the index has offsets inside records",
            file.len()
        )))
    }
}

fn ends_within(file: &RecordFile, offset: u64, part: frame::FragmentHeader) -> bool {
    offset + (frame::HEADER_LEN + part.len) as u64 <= file.len()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::frame::MAGIC;
    use crate::format::image_header::encode;
    use crate::format::index::Entry;

    /// A file of these records, indexed by their numbers.
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
    fn headers_are_those_of_the_records_in_the_order_asked_for() {
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
        };
        assert_eq!(headers, expected);
    }

    #[test]
    fn what_is_no_image_record_is_an_error_with_its_place() {
        let mut lying = record(&[1.0, 2.0], 1, b"");
        lying[0] = 200;
        let (_folder, file, _) = file_of(&[lying, b"short".to_vec()]);
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
    fn a_record_cut_short_is_an_error_before_its_labels_are_allocated() {
        let (folder, _, index) = file_of(&[record(&vec![1.0; 50_000], 1, b"")]);
        let path = folder.path().join("a.rec");
        let bytes = std::fs::read(&path).unwrap();
        std::fs::write(&path, &bytes[..100]).unwrap();
        let error = error(&RecordFile::open(&path).unwrap(), &index, &[0]);
        assert!(error.contains("a fragment of 200024 bytes"), "{error}");
    }

    #[test]
    fn one_record_asked_for_over_and_over_does_not_fill_the_memory() {
        let (_folder, file, index) = file_of(&[record(&vec![1.0; 1000], 1, b"")]);
        let error = error(&file, &index, &[0; 1000]);
        assert!(
            error.contains("larger than the file of 4032 bytes"),
            "{error}"
        );
    }
}
