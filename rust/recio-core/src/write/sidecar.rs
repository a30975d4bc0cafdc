//! Writers of the complete files beside a record file: `.idx` and `.rsum`.

use std::io::{self, BufWriter, Write};

use super::pending_file::PendingFile;
use crate::error::{Error, Result};
use crate::format::checksum::Checksums;
use crate::format::index::{self, Entry};
use crate::storage::location::Location;

/// Bytes that are written at a time.
const BUFFER_LEN: usize = 256 << 10;

/// Writes a `.idx` file atomically and syncs it.
///
/// # Errors
/// [`ErrorKind::Io`](crate::error::ErrorKind::Io) with the path.
pub fn save_index(entries: &[Entry], location: impl Into<Location>) -> Result<()> {
    prepare_index(entries, &location.into())?.persist()
}

/// Writes a `.idx` file that does not have its name yet.
pub(crate) fn prepare_index(entries: &[Entry], location: &Location) -> Result<PendingFile> {
    prepare(location, |out| index::write_to(entries, out))
}

/// Writes a `.rsum` file that does not have its name yet.
pub(crate) fn prepare_checksums(checksums: &Checksums, location: &Location) -> Result<PendingFile> {
    prepare(location, |out| checksums.write_to(out))
}

/// Writes a file that does not have its name yet, and brings it to the disk or to the store.
///
/// # Errors
/// [`ErrorKind::Io`](crate::error::ErrorKind::Io) with the path.
pub(crate) fn prepare(
    location: &Location,
    write: impl FnOnce(&mut BufWriter<&mut PendingFile>) -> io::Result<()>,
) -> Result<PendingFile> {
    let mut file = PendingFile::create(location)?;
    let mut out = BufWriter::with_capacity(BUFFER_LEN, &mut file);
    let outcome = write(&mut out).and_then(|()| out.flush());
    drop(out);
    outcome.map_err(|error| Error::from(error).at_path(&location.shown()))?;
    file.prepare()?;
    Ok(file)
}
