//! Properties of recio-core for any bytes: one file per fuzz target, with a function `check` that
//! panics if the property is violated.
//!
//! This code does not depend on libFuzzer. `recio-core/tests/corpus.rs` includes it and checks the
//! same properties for the seeds wherever the tests run. So it uses recio-core and the standard
//! library only.

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

/// File for one input after another, because recio-core reads by path.
#[derive(Debug)]
pub struct InputFile {
    file: File,
    path: PathBuf,
}

impl InputFile {
    /// Create an input file from a file that is open for writing, and its path.
    pub fn new(file: File, path: PathBuf) -> Self {
        Self { file, path }
    }

    /// Replace the content of the file.
    pub fn write(&mut self, bytes: &[u8]) -> &Path {
        let written = self
            .file
            .set_len(0)
            .and_then(|()| self.file.seek(SeekFrom::Start(0)))
            .and_then(|_| self.file.write_all(bytes));
        written.expect("the file can be written");
        &self.path
    }
}
