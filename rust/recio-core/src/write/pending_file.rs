//! A file that is being written and appears under its name when it is complete: a local file, or an
//! object of a store.

use std::io::{self, Write};

use super::atomic::{AtomicFile, remove_leftovers};
use super::background_sync::BackgroundSync;
use super::file_system::sync_folder;
use crate::error::{Error, Result};
use crate::storage::location::Location;
use crate::storage::store::Upload;

/// A file that does not have its name yet. Dropping it leaves nothing.
///
/// Errors of [`Write`] have no path; those of all methods are
/// [`ErrorKind::Io`](crate::error::ErrorKind::Io) with the path.
pub struct PendingFile {
    location: Location,
    data: Data,
}

/// Where the bytes go.
enum Data {
    Local(AtomicFile, Option<BackgroundSync>),
    Object(Box<dyn Upload>),
}

impl PendingFile {
    /// Starts to write a file. For a local one, this removes what killed processes left there.
    ///
    /// # Errors
    /// The file cannot be created.
    pub fn create(location: &Location) -> Result<Self> {
        let data = match location.store() {
            None => Data::Local(AtomicFile::create(location.path())?, None),
            Some(store) => {
                let upload = store.create(location.path());
                Data::Object(upload.map_err(|error| error.at_path(&location.shown()))?)
            }
        };
        Ok(Self {
            location: location.clone(),
            data,
        })
    }

    /// Starts to write a large file, which has `sidecars` beside it. A local one is refused while
    /// another run is writing it: the files of both could be mixed. Of a store, that is not known.
    ///
    /// # Errors
    /// As [`create`](Self::create).
    pub(super) fn create_alone(location: &Location, sidecars: &[Location]) -> Result<Self> {
        sidecars
            .iter()
            .filter_map(Location::local)
            .for_each(remove_leftovers);
        let mut pending = Self::create(location)?;
        if let Data::Local(file, background_sync) = &mut pending.data {
            if !file.is_only_writer() {
                let busy = io::Error::new(io::ErrorKind::ResourceBusy, "another run is writing it");
                return Err(file.with_path(busy));
            }
            let handle = file.file().try_clone();
            let handle = handle.map_err(|error| file.with_path(error))?;
            *background_sync = Some(BackgroundSync::start(handle)?);
        }
        Ok(pending)
    }

    /// Returns where the file appears.
    #[must_use]
    pub fn location(&self) -> &Location {
        &self.location
    }

    /// Brings all data to the disk or to the store. After this, little can fail.
    ///
    /// # Errors
    /// The data cannot be written.
    pub fn prepare(&mut self) -> Result<()> {
        match &mut self.data {
            Data::Local(file, background_sync) => {
                let synced = background_sync.take().map(BackgroundSync::finish);
                let synced = synced.transpose().map_err(|error| file.with_path(error))?;
                file.sync()?;
                drop(synced);
                Ok(())
            }
            Data::Object(upload) => upload.prepare().map_err(|error| self.with_path(error)),
        }
    }

    /// Lets the file appear under its name, in place of an older one. The folder of a local file is
    /// not synced yet.
    pub(super) fn rename(self) -> Result<Location> {
        let Self { location, data } = self;
        match data {
            Data::Local(file, _) => drop(file.persist()?),
            Data::Object(upload) => upload
                .finish()
                .map_err(|error| error.at_path(&location.shown()))?,
        }
        Ok(location)
    }

    /// Lets the file appear under its name, in place of an older one, after
    /// [`prepare`](Self::prepare).
    ///
    /// # Errors
    /// The file cannot appear.
    pub fn persist(self) -> Result<()> {
        sync_folder_of(&self.rename()?)
    }

    fn with_path(&self, error: Error) -> Error {
        error.at_path(&self.location.shown())
    }
}

/// Syncs the folder of a local file.
pub(super) fn sync_folder_of(location: &Location) -> Result<()> {
    location.local().map_or(Ok(()), sync_folder)
}

impl Write for PendingFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match &mut self.data {
            Data::Local(file, background_sync) => {
                let written = file.file().write(bytes)?;
                if let Some(background_sync) = background_sync {
                    background_sync.file_has_grown(written as u64);
                }
                Ok(written)
            }
            Data::Object(upload) => {
                upload.write_all(bytes)?;
                Ok(bytes.len())
            }
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::storage::memory_store::MemoryStore;

    #[test]
    fn an_object_appears_when_it_is_finished() {
        let store = MemoryStore::default();
        let location = store.at("s3://b/a");
        let mut file = PendingFile::create(&location).unwrap();
        file.write_all(b"text").unwrap();
        file.prepare().unwrap();
        assert_eq!(store.get("s3://b/a"), None);
        file.persist().unwrap();
        assert_eq!(store.get("s3://b/a").unwrap(), b"text");
        drop(PendingFile::create(&store.at("s3://b/b")).unwrap());
        assert_eq!(store.urls(), ["s3://b/a"]);
    }

    #[test]
    fn errors_of_a_store_have_the_url() {
        let store = MemoryStore::default();
        for number in [0, 1] {
            store.fail_at(number);
            let mut file = PendingFile::create(&store.at("https://me:secret@b/a")).unwrap();
            let error = file.prepare().and_then(|()| file.persist()).unwrap_err();
            assert_eq!(error.to_string(), "https://b/a: injected");
        }
    }
}
