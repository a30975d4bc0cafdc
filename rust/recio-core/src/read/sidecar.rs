//! Reads the files beside a `.rec` file: its `.idx` and its `.rsum`.

use std::io::{self, Read, Seek, SeekFrom};

use crate::error::{Error, ErrorKind, Result};
use crate::format::checksum::{self, Checksums};
use crate::format::content::{self, Content};
use crate::format::index::{Index, PAST_END};
use crate::progress::Interrupt;
use crate::read::record_file::RecordFile;
use crate::storage::location::{Location, is_not_found};
use crate::storage::stored_file::Reader;

/// Reads a `.idx` file.
///
/// `rec_len` is the length of the `.rec` file, if known: an offset beyond it is an error.
///
/// # Errors
/// [`ErrorKind::Io`](crate::error::ErrorKind::Io), or `Corrupt` with path and line.
pub fn load_index(location: impl Into<Location>, rec_len: Option<u64>) -> Result<Index> {
    let location = location.into();
    let index = load(&location, rec_len, &Interrupt::never());
    index.map_err(|error| error.at_path(&location.shown()))
}

/// Reads the `.idx` file of record files, whose offsets are those in their concatenation.
///
/// # Errors
/// As [`load_index`], with what the user can do; `Corrupt` if one of the two is another kind of
/// file; `Interrupted`.
pub fn load_index_of(
    recs: &[RecordFile],
    location: &Location,
    interrupt: &Interrupt<'_>,
) -> Result<Index> {
    let rec_len = recs.iter().map(RecordFile::len).sum();
    load(location, Some(rec_len), interrupt)
        .map_err(|error| explain(error, recs, location).at_path(&location.shown()))
}

fn load(location: &Location, rec_len: Option<u64>, interrupt: &Interrupt<'_>) -> Result<Index> {
    let file = location.open()?;
    let mut reader = InterruptibleFile {
        file: file.reader()?,
        interrupt,
        is_interrupted: false,
    };
    Index::from_reader(&mut reader, rec_len).map_err(|error| {
        if reader.is_interrupted {
            Error::new(ErrorKind::Interrupted)
        } else {
            error
        }
    })
}

/// Explains why an index cannot be read: it may be missing, or one of the files may be of another
/// kind, or the record file may have been cut.
fn explain(error: Error, recs: &[RecordFile], idx: &Location) -> Error {
    let names = recs.iter().map(|rec| rec.path().display().to_string());
    let names = names.collect::<Vec<_>>().join(", ");
    if is_not_found(&error) {
        return error.advise(format!("`recio index` writes it from {names}"));
    }
    let ErrorKind::Corrupt(reason) = error.kind() else {
        return error;
    };
    if let Err(other) = recs.iter().try_for_each(RecordFile::check_content) {
        return other;
    }
    if let Some(Content { name, advice }) = other_content(idx) {
        let error = Error::corrupt(format!(
            "this is {name}, not the index of {names}: {reason}"
        ));
        return error.advise(advice.unwrap_or("`recio index` writes one"));
    }
    let advice = if reason.contains(PAST_END) {
        format!(
            "was {names} cut short, or is this the index of another file? `recio verify` compares them, \
             `recio repair` saves the complete records, `recio index` rebuilds the index"
        )
    } else {
        format!("`recio index` rebuilds it from {names}")
    };
    error.advise(advice)
}

/// Returns what a file is, if it is known not to be an index.
fn other_content(location: &Location) -> Option<Content> {
    let file = location.open().ok()?;
    let mut start = vec![0; content::IDENTIFYING_LEN.min(file.len() as usize)];
    file.read_exact_at(&mut start, 0).ok()?;
    let is_other = |content: &Content| !matches!(content.name, "an index (.idx)" | "text");
    content::identify(&start).filter(is_other)
}

/// A file whose reading can be interrupted.
struct InterruptibleFile<'a> {
    file: Reader<'a>,
    interrupt: &'a Interrupt<'a>,
    is_interrupted: bool,
}

impl Read for InterruptibleFile<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.interrupt.poll().is_err() {
            self.is_interrupted = true;
            return Err(io::Error::other("interrupted"));
        }
        self.file.read(buffer)
    }
}

impl Seek for InterruptibleFile<'_> {
    fn seek(&mut self, position: SeekFrom) -> io::Result<u64> {
        self.file.seek(position)
    }
}

/// Reads the `.rsum` file of a `.rec` file, if there is one. It may be another file's.
///
/// # Errors
/// [`ErrorKind::Io`](crate::error::ErrorKind::Io), or `Corrupt` if it is damaged or truncated. Both
/// have the path of the `.rsum` file.
pub fn load_checksums(rec: impl Into<Location>) -> Result<Option<Checksums>> {
    let location = rec.into().with_extension(checksum::EXTENSION);
    let Some(file) = location.open_if_exists()? else {
        return Ok(None);
    };
    let loaded = Checksums::from_reader(file.reader()?, file.len());
    loaded.map(Some).map_err(|error| error.at_path(file.path()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_name_the_file() {
        let folder = tempfile::tempdir().unwrap();
        let (rec, idx) = (folder.path().join("a.rec"), folder.path().join("a.idx"));
        assert_eq!(load_checksums(&rec).unwrap(), None);
        std::fs::write(checksum::path_for(&rec), b"RECIORS1").unwrap();
        let error = load_checksums(&rec).unwrap_err().to_string();
        assert!(
            error.ends_with(
                "a.rsum: the checksum file is damaged: 8 bytes do not match its header (truncated?)"
            ),
            "{error}"
        );
        for (text, expected) in [
            (
                "0\t0\nx\t8\n",
                "a.idx: line 2: the key must be an integer from 0 to 2^64-1, got \"x\"",
            ),
            (
                "5\t0\n5\t8\n",
                "a.idx: line 2: duplicate key 5, first in line 1",
            ),
        ] {
            std::fs::write(&idx, text).unwrap();
            let error = load_index(&idx, None).unwrap_err().to_string();
            assert!(error.contains(expected), "{error}");
        }
    }
}
