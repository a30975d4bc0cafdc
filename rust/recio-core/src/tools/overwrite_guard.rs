//! Where files are written: never where one is that is read.

use std::io;
use std::path::{Path, PathBuf};

use crate::error::{Error, Result};

/// Refuses to write a file where an input is, or its index or checksums are.
///
/// # Errors
/// [`ErrorKind::Argument`](crate::error::ErrorKind::Argument); `Io` if a folder cannot be looked up.
pub(super) fn refuse_inputs(inputs: &[PathBuf], outs: &[PathBuf]) -> Result<()> {
    let inputs = places(inputs)?;
    for (out, place) in outs.iter().zip(places(outs)?) {
        if inputs.contains(&place) {
            let text = "it would take the place of an input, or of the index of one";
            return Err(Error::argument(text).at_path(out));
        }
    }
    Ok(())
}

/// The paths without links, and without the ending, in which a file and its index differ.
fn places(paths: &[PathBuf]) -> Result<Vec<PathBuf>> {
    let place = |path: &PathBuf| {
        let whole = resolved(path).map_err(|error| Error::from(error).at_path(path))?;
        Ok(whole.with_extension(""))
    };
    paths.iter().map(place).collect()
}

/// A path without links, whether or not there is a file.
fn resolved(path: &Path) -> io::Result<PathBuf> {
    path.canonicalize().or_else(|_| {
        let folder = match path.parent() {
            Some(folder) if folder != Path::new("") => folder,
            _ => Path::new("."),
        };
        Ok(folder
            .canonicalize()?
            .join(path.file_name().unwrap_or_default()))
    })
}
