//! Writes the files beside a `.rec` file: its `.idx` and its `.rsum`.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;

use super::atomic::Staged;
use super::file_system::sync_folder;
use crate::error::Result;
use crate::format::checksum::Checksums;
use crate::format::index::{self, Entry};

/// Writes a `.idx` file atomically, and sync it.
///
/// # Errors
/// [`ErrorKind::Io`](crate::error::ErrorKind::Io), with the path.
pub fn save_index(entries: &[Entry], path: &Path) -> Result<()> {
    sync_folder(&stage_index(entries, path)?.persist()?)
}

/// Writes a `.idx` file under a temporary name.
pub(crate) fn stage_index(entries: &[Entry], path: &Path) -> Result<Staged> {
    stage(path, |out| index::write_to(entries, out))
}

/// Writes a `.rsum` file under a temporary name.
pub(crate) fn stage_checksums(checksums: &Checksums, path: &Path) -> Result<Staged> {
    stage(path, |out| checksums.write_to(out))
}

fn stage(
    path: &Path,
    write: impl FnOnce(&mut BufWriter<&File>) -> io::Result<()>,
) -> Result<Staged> {
    let staged = Staged::create(path)?;
    let mut out = BufWriter::new(staged.file());
    let written = write(&mut out).and_then(|()| out.flush());
    drop(out);
    written.map_err(|error| staged.blame(error))?;
    staged.sync()?;
    Ok(staged)
}
