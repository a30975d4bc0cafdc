//! Several `.rec` files as one numbered sequence of records: what an iterator reads from.
//!
//! The records are numbered in the order of the files, and within a file in the order in which they stand. Their offsets
//! are kept as positions in the files laid end to end, 8 bytes a record, and that is also what one `.idx` for several
//! files means by an offset (as in MXNet).

use std::path::PathBuf;

use crate::dataset::record_offsets::{indexed, scanned};
use crate::error::{Error, Result};
use crate::format::image_header::{Header, ImageRecord};
use crate::read::header;
use crate::read::record_file::RecordFile;

/// Open files, and where their records are.
#[derive(Debug)]
pub struct RecordSet {
    files: Vec<RecordFile>,
    /// Where each file begins in the sequence of all bytes, and at the end where that ends.
    starts: Vec<u64>,
    /// Where each record begins in that sequence, ascending.
    offsets: Vec<u64>,
    /// The number of the first record of each file, and at the end the number of records.
    firsts: Vec<usize>,
}

impl RecordSet {
    /// Opens `files`. Their records are those that the index files list: one for all files, or one for each. Without
    /// an index they are those that the checksums beside a file list, and without these too the file is scanned.
    ///
    /// # Errors
    /// I/O errors; damage in an index, or in a file that is scanned; a number of indexes that does not fit; a file of
    /// another length than its checksums were written for.
    pub fn open(files: &[PathBuf], indexes: &[PathBuf]) -> Result<Self> {
        Self::open_with(files, indexes, None)
    }

    /// Opens files. With `lost`, of those that are damaged and have no index the whole records; what lies between these goes
    /// there, as errors.
    ///
    /// # Errors
    /// As [`open`](Self::open); with `lost`, not for damaged frames.
    pub fn open_with(
        files: &[PathBuf],
        indexes: &[PathBuf],
        lost: Option<&mut Vec<Error>>,
    ) -> Result<Self> {
        let files = files
            .iter()
            .map(|path| RecordFile::open(path))
            .collect::<Result<Vec<_>>>()?;
        files.iter().try_for_each(RecordFile::check_len)?;
        let starts: Vec<u64> = std::iter::once(0)
            .chain(running_sum(files.iter().map(RecordFile::len)))
            .collect();
        if let (Some(first), Some(0)) = (files.first(), starts.last()) {
            return Err(Error::corrupt("the file is empty").at_path(first.path()));
        }
        let offsets = match indexes {
            [] => scanned(&files, &starts, lost)?,
            [one] => indexed(one, Some(starts[files.len()]), 0)?,
            each if each.len() == files.len() => {
                let mut offsets = Vec::new();
                for ((path, file), &start) in each.iter().zip(&files).zip(&starts) {
                    offsets.extend(indexed(path, Some(file.len()), start)?);
                }
                offsets
            }
            _ => {
                let (indexes, files) = (indexes.len(), files.len());
                return Err(Error::argument(format!(
                    "{indexes} index files for {files} record files; give one, or one for each"
                )));
            }
        };
        let firsts = starts
            .iter()
            .map(|start| offsets.partition_point(|offset| offset < start))
            .collect();
        Ok(Self {
            files,
            starts,
            offsets,
            firsts,
        })
    }

    /// The number of records.
    #[must_use]
    pub fn len(&self) -> usize {
        self.offsets.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.offsets.is_empty()
    }

    /// Bytes of all files.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.starts[self.files.len()]
    }

    /// CRC32C of where the records stand, and of the beginning of each file: whether another set has the same records, as far
    /// as that can be told without reading them.
    ///
    /// # Errors
    /// [`ErrorKind::Io`](crate::error::ErrorKind::Io), or `Corrupt` if a file was truncated.
    pub fn digest(&self) -> Result<u32> {
        let mut digest = 0;
        for number in self.starts.iter().chain(&self.offsets) {
            digest = crc32c::crc32c_append(digest, &number.to_le_bytes());
        }
        let mut beginning = Vec::new();
        for file in &self.files {
            beginning.resize(file.len().min(BEGINNING) as usize, 0);
            file.read_exact_at(&mut beginning, 0)
                .map_err(|error| error.at_path(file.path()))?;
            digest = crc32c::crc32c_append(digest, &beginning);
        }
        Ok(digest)
    }

    /// Reads record `i` into `buffer` and takes it apart.
    ///
    /// # Errors
    /// As [`RecordFile::read`] and [`ImageRecord::parse`], with path, record, id and offset.
    ///
    /// # Panics
    /// If there is no record `i`.
    pub fn read<'b>(&self, i: usize, buffer: &'b mut Vec<u8>) -> Result<ImageRecord<'b>> {
        let Span { file, offset, next } = self.span(i);
        match file.read(offset, Some(next), buffer) {
            Ok(Some(record)) => {
                ImageRecord::parse(record.payload).map_err(|error| self.locate(error, i))
            }
            Ok(None) => Err(self.locate(Error::corrupt("the file ends here"), i)),
            Err(error) => Err(self.locate(error, i)),
        }
    }

    /// Reads the header of record `i`, and no more of it than need be, so that its checksum is not looked at; `buffer` is
    /// overwritten.
    ///
    /// # Errors
    /// As [`read`](Self::read).
    ///
    /// # Panics
    /// If there is no record `i`.
    pub fn header(&self, i: usize, buffer: &mut Vec<u8>) -> Result<Header> {
        match self.peek(i, buffer)? {
            Some(header) => Ok(header),
            // Reading it whole says why there is none.
            None => self.read(i, buffer).map(|record| record.header),
        }
    }

    /// Reads the header and the labels of record `i`; its image is left out, but where the record is split, and so its
    /// checksum is not looked at.
    ///
    /// # Errors
    /// As [`read`](Self::read).
    ///
    /// # Panics
    /// If there is no record `i`.
    pub fn label<'b>(&self, i: usize, buffer: &'b mut Vec<u8>) -> Result<ImageRecord<'b>> {
        let Span { file, offset, .. } = self.span(i);
        header::read_labels(file, offset, buffer).map_err(|error| self.locate(error, i))
    }

    /// The most labels that any record has, found by reading all headers.
    ///
    /// # Errors
    /// As [`read`](Self::read).
    pub fn max_label_width(&self, skip_damaged: bool) -> Result<usize> {
        let mut buffer = Vec::new();
        (0..self.len()).try_fold(0, |widest, i| {
            let header = match self.peek(i, &mut buffer) {
                Err(error) if skip_damaged && error.is_damage() => None,
                header => header?,
            };
            Ok(widest.max(header.map_or(0, |header| header.label_width())))
        })
    }

    fn peek(&self, i: usize, buffer: &mut Vec<u8>) -> Result<Option<Header>> {
        let Span { file, offset, .. } = self.span(i);
        header::read_header(file, offset, buffer).map_err(|error| self.locate(error, i))
    }

    /// Adds to an error about record `i` where that stands.
    #[must_use]
    pub fn locate(&self, error: Error, i: usize) -> Error {
        let Span { file, offset, .. } = self.span(i);
        let record = i - self.firsts[self.file_of(i)];
        error
            .at_record(record as u64)
            .at_offset(offset)
            .at_path(file.path())
    }

    fn file_of(&self, i: usize) -> usize {
        self.firsts.partition_point(|&first| first <= i) - 1
    }

    fn span(&self, i: usize) -> Span<'_> {
        let file = self.file_of(i);
        let next = self.offsets.get(i + 1).map_or(u64::MAX, |&next| next);
        let (start, end) = (self.starts[file], self.starts[file + 1]);
        Span {
            file: &self.files[file],
            offset: self.offsets[i] - start,
            next: next.min(end) - start,
        }
    }
}

/// Bytes of a file's beginning that count for the digest of a set.
const BEGINNING: u64 = 4096;

/// Where a record stands, and where the next one that is listed does.
struct Span<'a> {
    file: &'a RecordFile,
    offset: u64,
    next: u64,
}

fn running_sum(lens: impl Iterator<Item = u64>) -> impl Iterator<Item = u64> {
    lens.scan(0u64, |sum, len| {
        *sum += len;
        Some(*sum)
    })
}

#[cfg(test)]
mod tests {
    use std::ops::Range;
    use std::path::Path;

    use super::*;
    use crate::format::index::Entry;
    use crate::format::{frame, image_header};
    use crate::write::sidecar::save_index;

    fn write(folder: &Path, name: &str, ids: Range<u64>) -> PathBuf {
        let mut bytes = Vec::new();
        for id in ids {
            let mut record = Vec::new();
            image_header::encode(&[id as f32], id, &mut record);
            record.resize(record.len() + id as usize * 100, b'x');
            frame::encode(&record, &mut bytes).unwrap();
        }
        let path = folder.join(name);
        std::fs::write(&path, bytes).unwrap();
        path
    }

    fn ids(set: &RecordSet) -> Vec<u64> {
        let mut buffer = Vec::new();
        (0..set.len())
            .map(|i| set.read(i, &mut buffer).unwrap().header.id)
            .collect()
    }

    #[test]
    fn files_are_read_as_one_with_and_without_an_index() {
        let folder = tempfile::tempdir().unwrap();
        let files = [
            write(folder.path(), "a.rec", 0..3),
            write(folder.path(), "b.rec", 3..7),
        ];
        let set = RecordSet::open(&files, &[]).unwrap();
        assert_eq!(ids(&set), [0, 1, 2, 3, 4, 5, 6]);
        let index = folder.path().join("all.idx");
        let reversed = set.offsets.iter().rev();
        let entries: Vec<Entry> = reversed
            .map(|&offset| Entry {
                key: offset,
                offset,
            })
            .collect();
        save_index(&entries, &index).unwrap();
        assert_eq!(
            ids(&RecordSet::open(&files, &[index]).unwrap()),
            [0, 1, 2, 3, 4, 5, 6]
        );
    }

    #[test]
    fn an_index_of_some_records_gives_those_and_no_others() {
        let folder = tempfile::tempdir().unwrap();
        let file = write(folder.path(), "a.rec", 0..6);
        let all = RecordSet::open(std::slice::from_ref(&file), &[]).unwrap();
        let index = folder.path().join("some.idx");
        std::fs::write(
            &index,
            format!("0\t{}\n1\t{}\n", all.offsets[1], all.offsets[4]),
        )
        .unwrap();
        assert_eq!(ids(&RecordSet::open(&[file], &[index]).unwrap()), [1, 4]);
    }

    #[test]
    fn errors_count_records_within_their_file() {
        let folder = tempfile::tempdir().unwrap();
        let files = [
            write(folder.path(), "a.rec", 0..3),
            write(folder.path(), "b.rec", 3..5),
        ];
        let set = RecordSet::open(&files, &[]).unwrap();
        let text = set.locate(Error::corrupt("bad"), 4).to_string();
        assert!(text.contains("b.rec: record 1 at byte 332: bad"), "{text}");
    }

    #[test]
    fn a_header_that_claims_more_labels_than_there_are_does_not_set_their_width() {
        let folder = tempfile::tempdir().unwrap();
        let path = write(folder.path(), "a.rec", 0..3);
        let mut bytes = std::fs::read(&path).unwrap();
        bytes[8..12].fill(0xff);
        std::fs::write(&path, bytes).unwrap();
        let error = RecordSet::open(&[path], &[])
            .unwrap()
            .max_label_width(false)
            .unwrap_err()
            .to_string();
        assert!(
            error.contains("record 0 at byte 0: the header claims 4294967295 labels"),
            "{error}"
        );
    }
}
