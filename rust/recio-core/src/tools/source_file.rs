//! A record file whose records are copied: their keys and checked frames.

use std::borrow::Cow;
use std::ops::Range;
use std::path::Path;

use crate::error::{Error, ErrorKind, Result};
use crate::format::index::Entry;
use crate::memory;
use crate::progress::Interrupt;
use crate::read::face_set::{FaceSet, Layout, Role};
use crate::read::header;
use crate::read::record_file::RecordFile;
use crate::read::scan;
use crate::read::sidecar::load_index_of;
use crate::storage::location::Location;

/// Maximum bytes that are read together: few enough for the caches of a core, where the records are
/// checked and copied.
pub(super) const BLOCK: u64 = 256 << 10;

/// An open record file and the entries of all its records.
pub(super) struct SourceFile {
    file: RecordFile,
    /// In the order of the file.
    entries: Vec<Entry>,
    /// The index that they are from, if there is one.
    idx: Option<Location>,
    /// Layout, if it is a face data set.
    faces: Option<FaceSet>,
}

impl SourceFile {
    /// Opens a file with its index and checksums, if they exist, and locates its records. An
    /// index may list only some of them: see [`check_complete`](Self::check_complete).
    ///
    /// # Errors
    /// I/O errors; damage in the index or the checksums or, without an index, in the framing; a
    /// header record of a face data set that others contradict; `Interrupted`.
    pub(super) fn open(rec: &Location, interrupt: &Interrupt<'_>) -> Result<Self> {
        Self::open_unadvised(rec, interrupt).map_err(advise)
    }

    fn open_unadvised(rec: &Location, interrupt: &Interrupt<'_>) -> Result<Self> {
        let file = RecordFile::open(rec)?;
        file.check_len()?;
        let idx = Some(rec.with_extension("idx")).filter(Location::exists);
        let entries = match &idx {
            Some(idx) => {
                load_index_of(std::slice::from_ref(&file), idx, interrupt)?.into_file_order()
            }
            None => scan::rebuild_index(&file, interrupt)?.0,
        };
        let mut source = Self {
            file,
            entries,
            idx,
            faces: None,
        };
        if source.offset(0) > 0 {
            source.check_complete(interrupt)?;
        }
        source.faces = source.find_faces(interrupt)?;
        Ok(source)
    }

    /// Returns the layout of a face data set.
    fn find_faces(&self, interrupt: &Interrupt<'_>) -> Result<Option<FaceSet>> {
        let mut by_key = Cow::Borrowed(&self.entries);
        if !by_key.is_sorted_by_key(|entry| entry.key) {
            by_key.to_mut().sort_unstable_by_key(|entry| entry.key);
        }
        match FaceSet::find_with(&by_key, |offset| Role::read(&self.file, offset))? {
            Layout::Plain => Ok(None),
            Layout::Faces(faces) => Ok(Some(faces)),
            Layout::Contradictory(reason) => {
                self.check_complete(interrupt)?;
                let error = FaceSet::contradiction(&reason).at_offset(by_key[0].offset);
                Err(error.at_path(self.path()))
            }
        }
    }

    /// Scans the file to check that the index lists all records. Copies of all frames, each of
    /// which must end at the next offset, need this only to explain why one does not.
    ///
    /// # Errors
    /// Damage in the framing; an index that lists only some of the records; `Interrupted`.
    pub(super) fn check_complete(&self, interrupt: &Interrupt<'_>) -> Result<()> {
        let Some(idx) = &self.idx else {
            return Ok(());
        };
        let (mut matches, mut i) = (true, 0);
        let records = scan::scan(&self.file, interrupt, |record| {
            let listed = self.entries.get(i).map(|entry| entry.offset);
            matches &= listed == Some(record.offset);
            i += 1;
        });
        let records = records.map_err(advise)?;
        if matches && records == self.len() as u64 {
            return Ok(());
        }
        let (listed, rec) = (self.len(), self.path().display());
        Err(
            Error::corrupt(format!("lists {listed} records, but {rec} has {records}"))
                .at_path(&idx.shown())
                .advise("`recio index` rebuilds it with all of them"),
        )
    }

    /// Where the record file is.
    pub(super) fn location(&self) -> &Location {
        self.file.location()
    }

    /// Path of the record file, for messages.
    pub(super) fn path(&self) -> &Path {
        self.file.path()
    }

    /// Whether this is a face data set with a header record or identity records.
    pub(super) fn is_face_set(&self) -> bool {
        self.faces.is_some()
    }

    /// Number of identity records, if this is a face data set.
    pub(super) fn identities(&self) -> Option<usize> {
        self.faces.as_ref().map(|faces| faces.identities.len())
    }

    /// Returns the numbers of the images of a face data set by ascending key, or of all records in
    /// the order of the file; and the numbers of the other records.
    pub(super) fn images(&self) -> (Vec<usize>, Vec<usize>) {
        let mut numbers: Vec<usize> = (0..self.len()).collect();
        let Some(faces) = &self.faces else {
            return (numbers, Vec::new());
        };
        numbers.sort_unstable_by_key(|&i| self.key(i));
        let images = numbers[faces.images.clone()].to_vec();
        let others = numbers.drain(..faces.images.start).collect::<Vec<_>>();
        numbers.drain(..images.len());
        (images, [others, numbers].concat())
    }

    /// Number of records.
    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    /// Returns the key of record `i`.
    pub(super) fn key(&self, i: usize) -> u64 {
        self.entries[i].key
    }

    /// Returns the offset of record `i`; the length of the file after the last.
    pub(super) fn offset(&self, i: usize) -> u64 {
        let entry = self.entries.get(i);
        entry.map_or(self.file.len(), |entry| entry.offset)
    }

    /// Returns the keys of all records in the order of the file.
    pub(super) fn keys(&self) -> impl Iterator<Item = u64> {
        self.entries.iter().map(|entry| entry.key)
    }

    /// Returns the length of the frame of record `i`, if the index lists all records.
    pub(super) fn frame_len(&self, i: usize) -> u64 {
        self.offset(i + 1) - self.offset(i)
    }

    /// Reads and checks the frame of record `i`, which must end where the next listed one begins.
    ///
    /// # Errors
    /// As [`read_frame`](Self::read_frame).
    pub(super) fn read_listed_frame<'b>(
        &self,
        i: usize,
        buffer: &'b mut Vec<u8>,
    ) -> Result<&'b [u8]> {
        let frame = self.read_frame(i, buffer)?;
        if frame.len() as u64 == self.frame_len(i) {
            return Ok(frame);
        }
        let error = Error::corrupt("the file was changed while it was read");
        Err(self.locate(error, i))
    }

    /// Reads and checks the frame of record `i`.
    ///
    /// # Errors
    /// As [`RecordFile::read_frame`].
    pub(super) fn read_frame<'b>(&self, i: usize, buffer: &'b mut Vec<u8>) -> Result<&'b [u8]> {
        let offset = self.entries[i].offset;
        let next = self.entries.get(i + 1).map(|entry| entry.offset);
        let error = match self.file.read_frame(offset, next, buffer) {
            Ok(Some(frame)) => return Ok(frame),
            Ok(None) => Error::corrupt("the file ends here"),
            Err(error) => error,
        };
        Err(advise(self.locate(error, i)))
    }

    /// Reads and checks the frames of the first of consecutive records: of as many as fit into a
    /// block, and are not damaged, but of one at least. Returns their bytes and their number.
    ///
    /// # Errors
    /// As [`read_listed_frame`](Self::read_listed_frame).
    pub(super) fn read_frames<'b>(
        &self,
        records: Range<usize>,
        buffer: &'b mut Vec<u8>,
    ) -> Result<(&'b [u8], usize)> {
        let first = records.start;
        let fits = |&i: &usize| self.offset(i + 1) - self.offset(first) <= BLOCK;
        let fitting = records.take_while(fits).count();
        let block = self.read_block(first..first + fitting, buffer)?;
        let is_valid = |&i: &usize| self.frame_in(block, first, i).is_some();
        match (first..first + fitting).take_while(is_valid).count() {
            // Reading one frame returns the error, if there is one.
            0 => self
                .read_listed_frame(first, buffer)
                .map(|frame| (frame, 1)),
            valid => {
                let len = self.offset(first + valid) - self.offset(first);
                Ok((&buffer[..len as usize], valid))
            }
        }
    }

    /// Reads the bytes of consecutive records, which are not checked; none if they cannot be read.
    ///
    /// # Errors
    /// `Interrupted`; no memory.
    pub(super) fn read_block<'b>(
        &self,
        records: Range<usize>,
        buffer: &'b mut Vec<u8>,
    ) -> Result<&'b [u8]> {
        let begin = self.offset(records.start);
        let len = (self.offset(records.end) - begin) as usize;
        if buffer.len() < len {
            memory::resize(buffer, len, 0)?;
        }
        let block = &mut buffer[..len];
        match self.file.read_exact_at(block, begin) {
            Err(error) if error.is_interrupted() => Err(error),
            Err(_) => Ok(&[]),
            Ok(()) => Ok(block),
        }
    }

    /// Returns the frame of record `i` in a block that begins with record `first`; none if it is
    /// damaged.
    pub(super) fn frame_in<'b>(&self, block: &'b [u8], first: usize, i: usize) -> Option<&'b [u8]> {
        let [begin, offset, next] = [first, i, i + 1].map(|i| self.offset(i));
        let frame = block.get((offset - begin) as usize..(next - begin) as usize)?;
        let len = self.file.frame_in(frame, offset, Some(next));
        (len == Some(frame.len())).then_some(frame)
    }

    /// Reads the labels of record `i`.
    ///
    /// # Errors
    /// As [`header::read_labels`].
    pub(super) fn labels(&self, i: usize, buffer: &mut Vec<u8>) -> Result<Vec<f32>> {
        let record = header::read_labels(&self.file, self.entries[i].offset, None, buffer);
        let record = record.map_err(|error| self.locate(error, i))?;
        Ok(record.labels().collect())
    }

    /// Adds file, record and offset to an error about record `i`.
    pub(super) fn locate(&self, error: Error, i: usize) -> Error {
        error
            .at_record(i as u64)
            .at_offset(self.entries[i].offset)
            .at_path(self.path())
    }
}

/// Adds to damage what the user can do, unless that is known.
fn advise(error: Error) -> Error {
    match error.kind() {
        ErrorKind::Corrupt(_) => error.advise("`recio repair` saves the complete records"),
        _ => error,
    }
}
