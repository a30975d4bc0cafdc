//! Writing the file `property` beside record files of face data sets.

use std::collections::BTreeSet;
use std::io::Write;
use std::path::{Path, PathBuf};

use crate::error::{Error, Result};
use crate::read::face_property::FaceProperty;
use crate::write::atomic::AtomicFile;
use crate::write::file_system::sync_folder;

/// Files `property` that are complete but not under their names yet.
pub(super) struct PreparedProperties(Vec<AtomicFile>);

/// Writes the file `property` beside each of `recs` under a temporary name, unless it is there.
///
/// # Errors
/// [`ErrorKind::Argument`](crate::error::ErrorKind::Argument) if another one is there, which
/// belongs to other record files; I/O.
pub(super) fn prepare_properties<'a>(
    property: Option<FaceProperty>,
    recs: impl IntoIterator<Item = &'a Path>,
) -> Result<PreparedProperties> {
    let Some(property) = property else {
        return Ok(PreparedProperties(Vec::new()));
    };
    let recs: BTreeSet<(PathBuf, &Path)> = recs
        .into_iter()
        .map(|rec| (FaceProperty::path_for(rec), rec))
        .collect();
    let mut files: Vec<AtomicFile> = Vec::new();
    for (path, rec) in recs {
        let is_prepared = files.last().is_some_and(|file| file.target() == path);
        if is_prepared || is_there(&path, rec, property)? {
            continue;
        }
        let file = AtomicFile::create(&path)?;
        let mut handle = file.file();
        handle
            .write_all(property.to_text().as_bytes())
            .map_err(|error| file.with_path(error))?;
        file.sync()?;
        files.push(file);
    }
    Ok(PreparedProperties(files))
}

/// Whether the file is there with the same numbers.
fn is_there(path: &Path, rec: &Path, property: FaceProperty) -> Result<bool> {
    match FaceProperty::load(rec) {
        Ok(None) => Ok(false),
        Ok(Some(present)) if present == property => Ok(true),
        Ok(Some(_)) => Err(refusal(path, property)),
        Err(error) if error.is_damage() => Err(refusal(path, property)),
        Err(error) => Err(error),
    }
}

fn refusal(path: &Path, property: FaceProperty) -> Error {
    let text = property.to_text();
    Error::argument(format!(
        "another data set's file is there; that of the new one is {:?}: write it to another folder",
        text.trim_end()
    ))
    .at_path(path)
}

impl PreparedProperties {
    /// Renames the files to their names.
    ///
    /// # Errors
    /// I/O.
    pub(super) fn persist(self) -> Result<()> {
        self.0
            .into_iter()
            .try_for_each(|file| sync_folder(&file.persist()?))
    }
}
