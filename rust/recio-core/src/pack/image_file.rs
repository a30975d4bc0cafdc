//! Image files that are packed: opened with a known size, then read completely.

use std::fs::File;
use std::io::{
    self,
    ErrorKind::{Interrupted, NotFound},
    Read,
};

use super::failure::Failure;
use crate::error::{Error, ErrorKind, Result};
use crate::format::frame::MAX_RECORD_LEN;
use crate::storage::folder::OpenFile;
use crate::storage::stored_file::StoredFile;

/// An open file whose size fits into a record.
pub(super) struct ImageFile {
    data: Data,
    pub(super) len: usize,
}

enum Data {
    Local(File),
    Object(StoredFile),
    Bytes(Vec<u8>),
}

impl ImageFile {
    /// Checks the size of an open file.
    ///
    /// # Errors
    /// The reason why the file cannot be packed.
    pub(super) fn new(opened: Result<OpenFile>) -> Result<Self, Failure> {
        let (data, len) = match opened.map_err(failure)? {
            OpenFile::Local(file, len) => (Data::Local(file), len),
            OpenFile::Object(file) => {
                let len = file.len();
                (Data::Object(file), len)
            }
        };
        match usize::try_from(len) {
            Ok(0) => Err("the file is empty".to_string().into()),
            Ok(len) if len <= MAX_RECORD_LEN => Ok(Self { data, len }),
            _ => Err(too_long(len).into()),
        }
    }

    /// Reads an object into memory; a local file stays open.
    pub(super) fn fetch(self) -> Result<Self, Failure> {
        let data = match self.data {
            Data::Object(file) => Data::Bytes(file.read_all().map_err(failure)?),
            data => data,
        };
        Ok(Self { data, ..self })
    }

    /// Appends the `len` bytes of the file to `out`. Memory is reserved only for these, so a file
    /// that has grown since is refused.
    pub(super) fn read(self, out: &mut Vec<u8>) -> Result<(), Failure> {
        let Self { data, len } = self.fetch()?;
        match data {
            Data::Bytes(bytes) if out.is_empty() => *out = bytes,
            Data::Bytes(bytes) => out.extend(bytes),
            Data::Local(file) => return Ok(read_file(file, len, out)?),
            Data::Object(_) => unreachable!("it was fetched"),
        }
        Ok(())
    }
}

fn read_file(mut file: File, len: usize, out: &mut Vec<u8>) -> Result<(), String> {
    out.reserve_exact(len);
    let read = file.by_ref().take(len as u64).read_to_end(out);
    let changed = read.and_then(|read| Ok(read < len || has_more(&mut file)?));
    if changed.map_err(|error| error.to_string())? {
        return Err("the size of the file changed while it was read".into());
    }
    Ok(())
}

/// Whether the file has bytes after those that were read. A signal does not end the attempt.
fn has_more(file: &mut File) -> io::Result<bool> {
    loop {
        match file.read(&mut [0]) {
            Err(error) if error.kind() == Interrupted => {}
            read => return Ok(read? > 0),
        }
    }
}

/// Refuses a record that is too long for the format.
pub(super) fn check_record_len(record: Vec<u8>) -> Result<Vec<u8>, String> {
    match record.len() {
        ..=MAX_RECORD_LEN => Ok(record),
        len => Err(too_long(len as u64)),
    }
}

fn too_long(len: u64) -> String {
    format!("{len} bytes, but a record has at most {MAX_RECORD_LEN}")
}

/// Returns why a file cannot be packed. Errors of an object have its URL.
fn failure(error: Error) -> Failure {
    let is_object = error.position().path.is_some();
    match error.kind() {
        ErrorKind::Io(error) if error.kind() == NotFound => "no such file".to_string().into(),
        ErrorKind::Io(_) | ErrorKind::UserFn(_) | ErrorKind::Interrupted
            if is_object && !error.is_damage() =>
        {
            Failure::Store(error)
        }
        _ => error.reason().into(),
    }
}
