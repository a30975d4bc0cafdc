//! Several `.rec` files as one sequence of records.
//!
//! The records are numbered in the order of the files, and in each file by their offsets. An offset
//! is a position in the concatenation of the files, as in one `.idx` for several files (and in
//! MXNet). It takes 4 bytes per record.

use std::ops::Range;

use crate::dataset::offsets::Offsets;
use crate::dataset::record_offsets::{RecordOffsets, find_keys, find_records};
use crate::error::{Error, Result};
use crate::format::image_header::{Header, ImageRecord};
use crate::limits::check_label_count;
use crate::memory;
use crate::progress::Interrupt;
use crate::read::record_file::{RecordFile, explain_listed};
use crate::read::{header, parallel};
use crate::storage::location::Location;
use crate::storage::open_files::MAX_OPEN;
use crate::storage::store::OnRead;

/// Open files, and the offsets of their records.
#[derive(Debug)]
pub struct RecordSet {
    files: Vec<RecordFile>,
    indexes: Vec<Location>,
    /// Offset of each file in the concatenation, and the total length.
    starts: Vec<u64>,
    /// Offset of each record in the concatenation.
    offsets: Offsets,
    /// Number of the first record of each file, and the number of records.
    firsts: Vec<usize>,
    /// Offsets of the listed records that are not in the set: the header records and identity
    /// records of face data sets. Ascending.
    ranges: Vec<u64>,
    identities: usize,
    /// Number of files whose records are those of the index beside them.
    indexes_beside: usize,
    /// CRC32C of the starts of the files and the offsets of the records.
    offsets_digest: u32,
    /// Offsets at which skipped regions begin, ascending: the records before them end there.
    gaps: Vec<u64>,
}

impl RecordSet {
    /// Opens `files`. Their records are those that the indexes list: one for all files, or one for
    /// each. Without indexes, a file's checksums list its records; without these too, the file is
    /// scanned. Of a face data set, only the images are records of the set.
    ///
    /// # Errors
    /// I/O errors; damage in an index, or in a file that is scanned; an invalid number of indexes;
    /// a file whose length is not that of its checksums.
    pub fn open(files: &[Location], indexes: &[Location]) -> Result<Self> {
        Self::open_with(files, indexes, None, &Interrupt::never())
    }

    /// Opens files. With `skipped`, a damaged file without an index is salvaged, and an error for
    /// each skipped region appended to `skipped`.
    ///
    /// # Errors
    /// As [`open`](Self::open); with `skipped`, damaged frames are no error; `Interrupted`.
    pub fn open_with(
        files: &[Location],
        indexes: &[Location],
        skipped: Option<&mut Vec<Error>>,
        interrupt: &Interrupt<'_>,
    ) -> Result<Self> {
        let files = open_all(files, interrupt)?;
        files.iter().try_for_each(RecordFile::check_len)?;
        let starts: Vec<u64> = std::iter::once(0)
            .chain(running_sum(files.iter().map(RecordFile::len)))
            .collect();
        if let (Some(first), Some(0)) = (files.first(), starts.last()) {
            return Err(Error::corrupt("the file is empty").at_path(first.path()));
        }
        let RecordOffsets {
            samples: offsets,
            ranges,
            identities,
            indexes_beside,
            gaps,
        } = find_records(&files, &starts, indexes, skipped, interrupt)?;
        let offsets_digest = append_digest(append_digest(0, &starts), &offsets);
        let offsets = Offsets::new(offsets);
        let firsts = starts
            .iter()
            .map(|&start| offsets.count_before(start))
            .collect();
        Ok(Self {
            files,
            indexes: indexes.to_vec(),
            starts,
            offsets,
            firsts,
            ranges,
            identities,
            indexes_beside,
            offsets_digest,
            gaps,
        })
    }

    /// Returns whether indexes list the records.
    #[must_use]
    pub fn has_indexes(&self) -> bool {
        !self.indexes.is_empty()
    }

    /// Returns the key of each record in the indexes, which are read again.
    ///
    /// # Errors
    /// As [`open`](Self::open); two records with the same key; an index that no longer lists a
    /// record.
    pub fn keys(&self) -> Result<Vec<u64>> {
        find_keys(
            &self.files,
            &self.starts,
            &self.indexes,
            self.offsets.iter(),
            &Interrupt::never(),
        )
    }

    /// Returns the number of identity records of face data sets, which are not in the set.
    #[must_use]
    pub fn identities(&self) -> usize {
        self.identities
    }

    /// Returns the number of files whose records are those of an index beside them that the caller
    /// did not name.
    #[must_use]
    pub fn indexes_beside(&self) -> usize {
        self.indexes_beside
    }

    /// Returns the number of records.
    #[must_use]
    pub fn len(&self) -> usize {
        self.offsets.len()
    }

    /// Returns whether there are no records.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Returns the total length of the files in bytes.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.starts[self.files.len()]
    }

    /// Returns the CRC32C of the offsets of the records and the beginning of each file. It
    /// identifies the records as far as that is possible without reading them.
    ///
    /// # Errors
    /// [`ErrorKind::Io`](crate::error::ErrorKind::Io), or `Corrupt` if a file was truncated.
    pub fn digest(&self) -> Result<u32> {
        let read = |file: &RecordFile, _: &Interrupt<'_>| {
            let mut beginning = vec![0; file.len().min(BEGINNING) as usize];
            file.read_exact_at(&mut beginning, 0).map(|()| beginning)
        };
        let threads = if self.is_remote() {
            parallel::MAX_THREADS
        } else {
            1
        };
        let beginnings = parallel::map(&self.files, threads, &Interrupt::never(), read)?;
        Ok(beginnings
            .iter()
            .fold(self.offsets_digest, |digest, beginning| {
                crc32c::crc32c_append(digest, beginning)
            }))
    }

    /// Returns the CRC32C of the identities of the files that are objects; none if they have none.
    #[must_use]
    pub fn objects(&self) -> Option<u32> {
        let mut identities = self.files.iter().filter_map(RecordFile::identity);
        let first = crc32c::crc32c(identities.next()?.as_bytes());
        Some(identities.fold(first, |digest, identity| {
            crc32c::crc32c_append(crc32c::crc32c_append(digest, b"\n"), identity.as_bytes())
        }))
    }

    /// Reads record `i` into `buffer`, and parses it.
    ///
    /// # Errors
    /// As [`RecordFile::read_existing`] and [`ImageRecord::parse`], with path, record, id and
    /// offset.
    ///
    /// # Panics
    /// If there is no record `i`.
    pub fn read<'b>(&self, i: usize, buffer: &'b mut Vec<u8>) -> Result<ImageRecord<'b>> {
        self.read_loaded(i, 0, buffer)
    }

    /// Reads record `i`, of which the first `have` bytes are in `buffer` already.
    ///
    /// # Errors
    /// As [`read`](Self::read).
    ///
    /// # Panics
    /// If there is no record `i`.
    pub fn read_loaded<'b>(
        &self,
        i: usize,
        have: usize,
        buffer: &'b mut Vec<u8>,
    ) -> Result<ImageRecord<'b>> {
        let Span { file, offset, next } = self.span(i);
        file.read_loaded(offset, Some(next), have, buffer)
            .and_then(|record| ImageRecord::parse(record.bytes))
            .map_err(|error| self.locate(error, i))
    }

    /// Reads the bytes of record `i` into `buffer`, as [`RecordFile::load`] does.
    ///
    /// # Errors
    /// As [`RecordFile::load`].
    ///
    /// # Panics
    /// If there is no record `i`.
    pub fn load(
        &self,
        i: usize,
        buffer: &mut Vec<u8>,
        may_grow: &mut dyn FnMut(usize) -> bool,
    ) -> Result<usize> {
        let Span { file, offset, next } = self.span(i);
        file.load(offset, Some(next), buffer, may_grow)
    }

    /// Returns how many bytes of record `i` are needed, as [`RecordFile::required`] does.
    ///
    /// # Panics
    /// If there is no record `i`.
    #[must_use]
    pub fn required(&self, i: usize, bytes: &[u8]) -> Option<usize> {
        let Span { file, offset, next } = self.span(i);
        file.required(offset, Some(next), bytes)
    }

    /// Starts a read of bytes of record `i`, at offsets in the record, and returns.
    ///
    /// # Errors
    /// As [`StoredFile::start_read`](crate::storage::stored_file::StoredFile::start_read).
    ///
    /// # Panics
    /// If there is no record `i`.
    pub fn start_read(&self, i: usize, range: Range<usize>, done: OnRead) -> Result<(), OnRead> {
        let Span { file, offset, .. } = self.span(i);
        let range = offset + range.start as u64..offset + range.end as u64;
        file.start_read(range, done)
    }

    /// Reads bytes of record `i`, at offsets in the record, into `buffer`.
    ///
    /// # Errors
    /// As [`RecordFile::read_exact_at`].
    ///
    /// # Panics
    /// If there is no record `i`.
    pub fn read_part(&self, i: usize, range: Range<usize>, buffer: &mut Vec<u8>) -> Result<()> {
        let Span { file, offset, .. } = self.span(i);
        memory::resize(buffer, range.len(), 0)?;
        file.read_exact_at(buffer, offset + range.start as u64)
    }

    /// Whether a file is an object of a store.
    #[must_use]
    pub fn is_remote(&self) -> bool {
        self.files.iter().any(|file| !file.is_local())
    }

    /// Returns the bytes that are read at first for record `i`, at offsets in the concatenation of
    /// the files, and whether they go to the record that the index lists next.
    ///
    /// # Panics
    /// If there is no record `i`.
    #[must_use]
    pub fn first_read(&self, i: usize) -> (Range<u64>, bool) {
        let Span { file, offset, next } = self.span(i);
        let begin = self.offset(i);
        let len = file.required(offset, Some(next), &[]).unwrap_or(0) as u64;
        (begin..begin + len, offset + len == next)
    }

    /// Reads bytes of one file, at offsets in the concatenation of the files.
    ///
    /// # Errors
    /// As [`RecordFile::read_exact_at`].
    pub fn read_range(&self, range: Range<u64>, buffer: &mut Vec<u8>) -> Result<()> {
        let (file, range) = self.range_of_file(range);
        memory::resize(buffer, (range.end - range.start) as usize, 0)?;
        file.read_exact_at(buffer, range.start)
    }

    /// Starts a read of bytes of one file, at offsets in the concatenation of the files, and
    /// returns.
    ///
    /// # Errors
    /// As [`start_read`](Self::start_read).
    pub fn start_read_range(&self, range: Range<u64>, done: OnRead) -> Result<(), OnRead> {
        let (file, range) = self.range_of_file(range);
        file.start_read(range, done)
    }

    fn range_of_file(&self, range: Range<u64>) -> (&RecordFile, Range<u64>) {
        let number = self.starts.partition_point(|&start| start <= range.start) - 1;
        let start = self.starts[number];
        (&self.files[number], range.start - start..range.end - start)
    }

    /// Whether two ranges of the concatenation of the files are neighbors in one file.
    #[must_use]
    pub fn are_neighbors(&self, first: &Range<u64>, second: &Range<u64>) -> bool {
        first.end == second.start && self.starts.binary_search(&first.end).is_err()
    }

    /// Reads the header of record `i`. Its image is only read if the record is split; otherwise its
    /// checksum is not verified. `buffer` is overwritten.
    ///
    /// # Errors
    /// As [`read`](Self::read).
    ///
    /// # Panics
    /// If there is no record `i`.
    pub fn header(&self, i: usize, buffer: &mut Vec<u8>) -> Result<Header> {
        match self.read_header(i, buffer)? {
            Some(header) => Ok(header),
            // Reading all of the record returns the error.
            None => self.read(i, buffer).map(|record| record.header),
        }
    }

    /// Reads the header and the labels of record `i`. Its image is only read if the record is
    /// split; otherwise its checksum is not verified.
    ///
    /// # Errors
    /// As [`read`](Self::read).
    ///
    /// # Panics
    /// If there is no record `i`.
    pub fn label<'b>(&self, i: usize, buffer: &'b mut Vec<u8>) -> Result<ImageRecord<'b>> {
        let Span { file, offset, next } = self.span(i);
        header::read_labels(file, offset, Some(next), buffer).map_err(|error| self.locate(error, i))
    }

    /// Returns the maximum number of labels of a record, for which it reads all headers. With
    /// `skip_damaged`, records with damaged headers or too many labels do not count.
    ///
    /// # Errors
    /// As [`read`](Self::read) and [`check_label_count`].
    pub fn max_label_width(&self, skip_damaged: bool, interrupt: &Interrupt<'_>) -> Result<usize> {
        let mut buffer = Vec::new();
        (0..self.len()).try_fold(0, |max, i| {
            interrupt.poll()?;
            let width = self.read_header(i, &mut buffer).and_then(|header| {
                let width = header.map_or(0, |header| header.label_width());
                check_label_count(width).map_err(|error| self.locate(error, i))?;
                Ok(width)
            });
            match width {
                Err(error) if skip_damaged && error.is_damage() => Ok(max),
                width => Ok(max.max(width?)),
            }
        })
    }

    fn read_header(&self, i: usize, buffer: &mut Vec<u8>) -> Result<Option<Header>> {
        let Span { file, offset, next } = self.span(i);
        header::read_header(file, offset, Some(next), buffer).map_err(|error| self.locate(error, i))
    }

    /// Adds file, record and offset to an error about record `i`.
    #[must_use]
    pub fn locate(&self, error: Error, i: usize) -> Error {
        let Span { file, offset, .. } = self.span(i);
        let number = self.file_of(i);
        let before = |offset: u64| self.ranges.partition_point(|&range| range < offset);
        let ranges = before(self.offset(i)) - before(self.starts[number]);
        let record = i - self.firsts[number] + ranges;
        let index = match &self.indexes[..] {
            [] => None,
            [index] => Some(index),
            indexes => indexes.get(number),
        };
        let error = match index {
            Some(index) => explain_listed(error, offset, Some(&index.shown())),
            None => error,
        };
        error
            .at_record(record as u64)
            .at_offset(offset)
            .at_path(file.path())
    }

    fn offset(&self, i: usize) -> u64 {
        self.offsets.get(i).expect("there is such a record")
    }

    fn file_of(&self, i: usize) -> usize {
        self.firsts.partition_point(|&first| first <= i) - 1
    }

    fn span(&self, i: usize) -> Span<'_> {
        let file = self.file_of(i);
        let offset = self.offset(i);
        let (start, end) = (self.starts[file], self.starts[file + 1]);
        let after = |offsets: &[u64]| {
            offsets[offsets.partition_point(|&o| o <= offset)..]
                .first()
                .copied()
        };
        let next = [
            self.offsets.get(i + 1),
            after(&self.ranges),
            after(&self.gaps),
        ];
        let next = next.into_iter().flatten().fold(end, u64::min);
        Span {
            file: &self.files[file],
            offset: offset - start,
            next: next - start,
        }
    }
}

fn open_all(files: &[Location], interrupt: &Interrupt<'_>) -> Result<Vec<RecordFile>> {
    let is_remote = files.iter().any(|file| file.local().is_none());
    let threads = if is_remote { parallel::MAX_THREADS } else { 1 };
    parallel::map(files, threads, interrupt, |location, _| {
        let file = RecordFile::open(location)?;
        match files.len() {
            ..=MAX_OPEN => Ok(file),
            _ => file.shared(),
        }
    })
}

/// Appends numbers to a CRC32C, many at a time: in a ninth of the time of one after another.
fn append_digest(digest: u32, numbers: &[u64]) -> u32 {
    const CHUNK: usize = 1024;
    let mut bytes = [0; 8 * CHUNK];
    numbers.chunks(CHUNK).fold(digest, |digest, numbers| {
        let (words, _) = bytes.as_chunks_mut();
        for (word, number) in words.iter_mut().zip(numbers) {
            *word = number.to_le_bytes();
        }
        crc32c::crc32c_append(digest, &bytes[..8 * numbers.len()])
    })
}

/// Bytes of the beginning of a file that the digest includes.
const BEGINNING: u64 = 4096;

/// Location of a record.
struct Span<'a> {
    file: &'a RecordFile,
    offset: u64,
    /// Offset of the next record, or of what follows instead.
    next: u64,
}

fn running_sum(lens: impl Iterator<Item = u64>) -> impl Iterator<Item = u64> {
    lens.scan(0u64, |sum, len| {
        *sum += len;
        Some(*sum)
    })
}

#[cfg(test)]
mod tests;
