//! Writer of a record file that its caller fills record by record, wherever the file is.

use std::io;

use super::in_place::InPlaceWriter;
use super::object_writer::ObjectWriter;
use crate::error::{Error, Result};
use crate::progress::Interrupt;
use crate::storage::location::Location;

/// Writer of a record file, and of its `.idx` and `.rsum`.
pub enum FileWriter {
    /// Of a local file, which grows in place.
    Local(Box<InPlaceWriter>),
    /// Of an object, which appears when the writer is closed.
    Object(Box<ObjectWriter>),
}

impl FileWriter {
    /// Creates `rec` and `idx`, or replaces them.
    ///
    /// # Errors
    /// As [`InPlaceWriter::create`] and [`ObjectWriter::create`].
    pub fn create(rec: &Location, idx: Option<&Location>, checksum: bool) -> Result<Self> {
        let Some(path) = rec.local() else {
            let writer = ObjectWriter::create(rec, idx, checksum)?;
            return Ok(Self::Object(Box::new(writer)));
        };
        let idx = idx.map(|idx| {
            idx.local().ok_or_else(|| {
                unsupported(idx, "the index of a local record file must be a local file")
            })
        });
        let writer = InPlaceWriter::create(path, idx.transpose()?, checksum)?;
        Ok(Self::Local(Box::new(writer)))
    }

    /// Opens local files to append records.
    ///
    /// # Errors
    /// As [`InPlaceWriter::append`]; `Unsupported` for objects.
    pub fn append(
        rec: &Location,
        idx: &Location,
        last: Option<u64>,
        checksum: bool,
        interrupt: &Interrupt<'_>,
    ) -> Result<Self> {
        let local = |location: &'_ Location| {
            let path = location.local().map(std::path::Path::to_path_buf);
            path.ok_or_else(|| {
                let text = "objects cannot be appended to: write the records to another file, and merge both with \
                            recio.files.merge (recio merge)";
                unsupported(location, text)
            })
        };
        let (rec, idx) = (local(rec)?, local(idx)?);
        let writer = InPlaceWriter::append(&rec, &idx, last, checksum, interrupt)?;
        Ok(Self::Local(Box::new(writer)))
    }

    /// Appends a record and returns its offset. The index lists it if it has a key.
    ///
    /// # Errors
    /// As [`RecordWriter::write`](super::record_writer::RecordWriter::write).
    pub fn write(&mut self, key: Option<&str>, record: &[u8]) -> Result<u64> {
        match self {
            Self::Local(writer) => writer.write(key, record),
            Self::Object(writer) => writer.write(key, record),
        }
    }

    /// Returns whether [`write`](Self::write) of so many bytes is a copy in memory, which does not
    /// wait for a disk or a store.
    #[must_use]
    pub fn has_room(&self, len: usize) -> bool {
        match self {
            Self::Local(writer) => writer.has_room(len),
            Self::Object(_) => false,
        }
    }

    /// Returns the number of bytes so far, which is the offset of the next record.
    #[must_use]
    pub fn tell(&self) -> u64 {
        match self {
            Self::Local(writer) => writer.tell(),
            Self::Object(writer) => writer.tell(),
        }
    }

    /// Writes what is buffered, and completes the files.
    ///
    /// # Errors
    /// As [`InPlaceWriter::close`] and [`ObjectWriter::close`].
    pub fn close(self) -> Result<()> {
        match self {
            Self::Local(writer) => writer.close(),
            Self::Object(writer) => writer.close(),
        }
    }

    /// Completes local files, which have their names already. Objects do not appear.
    ///
    /// # Errors
    /// As [`InPlaceWriter::close`].
    pub fn discard(self) -> Result<()> {
        match self {
            Self::Local(writer) => writer.close(),
            Self::Object(_) => Ok(()),
        }
    }
}

fn unsupported(location: &Location, text: &str) -> Error {
    Error::from(io::Error::new(io::ErrorKind::Unsupported, text)).at_path(&location.shown())
}
