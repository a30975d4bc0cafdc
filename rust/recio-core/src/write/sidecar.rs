//! Writers of the complete files beside a record file: `.idx` and `.rsum`.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;

use super::atomic::AtomicFile;
use super::file_system::sync_folder;
use crate::error::Result;
use crate::format::checksum::Checksums;
use crate::format::index::{self, Entry};

/// Writes a `.idx` file atomically and syncs it.
///
/// # Errors
/// [`ErrorKind::Io`](crate::error::ErrorKind::Io) with the path.
pub fn save_index(entries: &[Entry], path: &Path) -> Result<()> {
    sync_folder(&prepare_index(entries, path)?.persist()?)
}

/// Writes and syncs a `.idx` file under a temporary name.
pub(crate) fn prepare_index(entries: &[Entry], path: &Path) -> Result<AtomicFile> {
    prepare(path, |out| index::write_to(entries, out))
}

/// Writes and syncs a `.rsum` file under a temporary name.
pub(crate) fn prepare_checksums(checksums: &Checksums, path: &Path) -> Result<AtomicFile> {
    prepare(path, |out| checksums.write_to(out))
}

fn prepare(
    path: &Path,
    write: impl FnOnce(&mut BufWriter<&File>) -> io::Result<()>,
) -> Result<AtomicFile> {
    let file = AtomicFile::create(path)?;
    let mut out = BufWriter::new(file.file());
    let outcome = write(&mut out).and_then(|()| out.flush());
    drop(out);
    outcome.map_err(|error| file.with_path(error))?;
    file.sync()?;
    Ok(file)
}
