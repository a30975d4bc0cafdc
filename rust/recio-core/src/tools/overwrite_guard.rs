//! Guard against outputs that would overwrite inputs.

use std::io;
use std::path::{Path, PathBuf};

use crate::error::{Error, Result};
use crate::storage::location::Location;
use crate::write::file_system::parent_folder;

/// Refuses outputs of which the record file or the `.idx` is one of the files that are read.
///
/// # Errors
/// [`ErrorKind::Argument`](crate::error::ErrorKind::Argument) with the path of the output; `Io` if
/// a folder cannot be resolved.
pub(super) fn refuse_to_overwrite(inputs: &[Location], outputs: &[Location]) -> Result<()> {
    let inputs = inputs.iter().map(resolve);
    let inputs = inputs.collect::<Result<Vec<_>>>()?;
    for output in with_indexes(outputs) {
        if inputs.contains(&resolve(&output)?) {
            let message = "the output would overwrite an input or its index; choose another name";
            return Err(Error::argument(message).at_path(&output.shown()));
        }
    }
    Ok(())
}

/// Record files together with the `.idx` files of the same names.
pub(super) fn with_indexes(recs: &[Location]) -> Vec<Location> {
    recs.iter()
        .flat_map(|rec| [rec.clone(), rec.with_extension("idx")])
        .collect()
}

/// Resolves all symbolic links of a path. The file itself need not exist. URLs stay as they are.
fn resolve(location: &Location) -> Result<PathBuf> {
    let Some(path) = location.local() else {
        return Ok(location.path().to_path_buf());
    };
    let resolved = path.canonicalize().or_else(|_| resolve_folder(path));
    resolved.map_err(|error| Error::from(error).at_path(path))
}

fn resolve_folder(path: &Path) -> io::Result<PathBuf> {
    let folder = parent_folder(path).canonicalize()?;
    Ok(folder.join(path.file_name().unwrap_or_default()))
}
