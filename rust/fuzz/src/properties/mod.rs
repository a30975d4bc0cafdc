//! What holds of recio-core whatever bytes it is given: a file for each fuzz target, and a function
//! `check` in each that panics where it does not hold.
//!
//! Nothing here knows of libFuzzer. `recio-core/tests/corpus.rs` has these files too, and asserts
//! the same of the seeds wherever the tests run; so they stand on recio-core and the standard
//! library alone.

pub mod decode_augment;
pub mod detection_label;
pub mod header;
pub mod index;
pub mod list;
pub mod record_random;
pub mod record_stream;
pub mod reference;
pub mod salvage;

use std::fs::File;
use std::io::{Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

/// One file that holds one input after another: what recio-core reads, it reads by path.
#[derive(Debug)]
pub struct Desk {
    file: File,
    path: PathBuf,
}

impl Desk {
    /// A file that is open for writing, and by which path it is opened for reading.
    pub fn new(file: File, path: PathBuf) -> Self {
        Self { file, path }
    }

    /// Puts these bytes in place of what the file held.
    pub fn lay(&mut self, bytes: &[u8]) -> &Path {
        let written = self
            .file
            .set_len(0)
            .and_then(|()| self.file.seek(SeekFrom::Start(0)))
            .and_then(|_| self.file.write_all(bytes));
        written.expect("there is room for a small file");
        &self.path
    }
}
