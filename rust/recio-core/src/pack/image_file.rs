//! Image files that are packed: opened with a known size, then read completely.

use std::fs::File;
use std::io::{
    self,
    ErrorKind::{Interrupted, NotFound},
    Read,
};

use crate::error::{Error, ErrorKind, Result};
use crate::format::frame::MAX_RECORD_LEN;

/// An open file whose size fits into a record.
pub(super) struct ImageFile {
    file: File,
    pub(super) len: usize,
}

impl ImageFile {
    /// Checks the size of an open file.
    ///
    /// # Errors
    /// The reason why the file cannot be packed.
    pub(super) fn new(opened: Result<(File, u64)>) -> Result<Self, String> {
        let (file, len) = opened.map_err(|error| reason(&error))?;
        match usize::try_from(len) {
            Ok(0) => Err("the file is empty".into()),
            Ok(len) if len <= MAX_RECORD_LEN => Ok(Self { file, len }),
            _ => Err(too_long(len)),
        }
    }

    /// Appends the `len` bytes of the file to `out`. Memory is reserved only for these, so a file
    /// that has grown since is refused.
    pub(super) fn read(mut self, out: &mut Vec<u8>) -> Result<(), String> {
        out.reserve_exact(self.len);
        let read = self.file.by_ref().take(self.len as u64).read_to_end(out);
        let changed = read.and_then(|read| Ok(read < self.len || self.has_more()?));
        if changed.map_err(|error| error.to_string())? {
            return Err("the size of the file changed while it was read".into());
        }
        Ok(())
    }

    /// Whether the file has bytes after those that were read. A signal does not end the attempt.
    fn has_more(&mut self) -> io::Result<bool> {
        loop {
            match self.file.read(&mut [0]) {
                Err(error) if error.kind() == Interrupted => {}
                read => return Ok(read? > 0),
            }
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

fn reason(error: &Error) -> String {
    match error.kind() {
        ErrorKind::Io(error) if error.kind() == NotFound => "no such file".into(),
        _ => error.to_string(),
    }
}
