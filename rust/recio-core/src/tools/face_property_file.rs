//! Writing the file `property` of record files of a face data set.

use std::io::Write;

use crate::error::Result;
use crate::read::face_property::FaceProperty;
use crate::storage::location::Location;
use crate::write::pending_file::PendingFile;
use crate::write::sidecar::prepare;

/// A file `property` that is complete but not under its name yet, if one is to be written.
pub(super) struct PreparedProperty(Option<PendingFile>);

/// Writes the file of the record file `rec`, or of the shards of that name, under a temporary name.
/// If the folder has the file of another data set, it is not changed, and this one gets a name of
/// its own.
///
/// # Errors
/// I/O.
pub(super) fn prepare_property(
    property: Option<FaceProperty>,
    rec: &Location,
) -> Result<PreparedProperty> {
    let Some(property) = property else {
        return Ok(PreparedProperty(None));
    };
    let (of_folder, of_set) = (
        FaceProperty::path_of_folder(rec),
        FaceProperty::path_of_set(rec),
    );
    let location = if of_set.exists() {
        of_set
    } else {
        match FaceProperty::read(&of_folder) {
            Ok(None) => of_folder,
            Ok(Some(present)) if present == property => return Ok(PreparedProperty(None)),
            Ok(Some(_)) => of_set,
            Err(error) if error.is_damage() => of_set,
            Err(error) => return Err(error),
        }
    };
    let text = property.to_text();
    let file = prepare(&location, |out| out.write_all(text.as_bytes()))?;
    Ok(PreparedProperty(Some(file)))
}

impl PreparedProperty {
    /// Lets the file appear under its name.
    ///
    /// # Errors
    /// I/O.
    pub(super) fn persist(self) -> Result<()> {
        self.0.map_or(Ok(()), PendingFile::persist)
    }
}
