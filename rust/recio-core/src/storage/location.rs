//! Locations of files: a path of the local file system, or the URL of an object in a store.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::address;
#[cfg(unix)]
use super::cache::{Cache, CachedStore};
use super::store::{OnListed, Store};
use super::stored_file::StoredFile;
use super::url;
use super::url_store::UrlStore;
use crate::error::{Error, ErrorKind, Result};

/// What the manifest of a set states of a record file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shard {
    /// Length in bytes.
    pub bytes: u64,
    /// Number of records.
    pub records: u64,
    /// Whether there is a `.rsum` beside it.
    pub has_checksums: bool,
    /// Whether some records are the identities of a face data set.
    pub has_identities: bool,
}

/// Where a file is.
#[derive(Debug, Clone)]
pub struct Location {
    /// A path, or the URL of an object.
    path: PathBuf,
    /// The store of the object; none for a local file.
    store: Option<Arc<dyn Store>>,
    /// What is known of the file, if it is in a set with a manifest.
    shard: Option<Shard>,
}

impl Location {
    /// Returns the location of a path, or of a URL that a store opens. A URL of a local file is its
    /// path.
    #[must_use]
    pub fn new(path: PathBuf, urls: &UrlStore) -> Self {
        let local = match url::scheme(&path) {
            None => Some(path.clone()),
            // One that names another host is an error when it is opened.
            Some(_) => address::local_path(&path).ok().flatten(),
        };
        match local {
            Some(path) => Self {
                path,
                store: None,
                shard: None,
            },
            None => Self::in_store(path, Arc::new(urls.clone())),
        }
    }

    /// Returns the location of a record file of which a manifest states this. If it is an object,
    /// it is opened at its first read.
    #[must_use]
    pub fn of_shard(self, shard: Shard) -> Self {
        Self {
            shard: Some(shard),
            ..self
        }
    }

    /// Returns what a manifest states of the file.
    #[must_use]
    pub fn shard(&self) -> Option<Shard> {
        self.shard
    }

    /// Returns the location of an object in a store.
    #[must_use]
    pub fn in_store(url: PathBuf, store: Arc<dyn Store>) -> Self {
        Self {
            path: url,
            store: Some(store),
            shard: None,
        }
    }

    /// Returns the location whose reads go through a cache. That of a local file stays as it is.
    #[cfg(unix)]
    #[must_use]
    pub fn cached(self, cache: Cache) -> Self {
        let cached = |store| -> Arc<dyn Store> { Arc::new(CachedStore::new(store, cache)) };
        Self {
            store: self.store.map(cached),
            ..self
        }
    }

    /// Returns the path or the URL, as the caller passed it. It may have credentials.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Returns the path or the URL without credentials, for messages.
    #[must_use]
    pub fn shown(&self) -> PathBuf {
        match self.store {
            Some(_) => url::without_credentials(&self.path),
            None => self.path.clone(),
        }
    }

    /// Returns the path of a local file.
    #[must_use]
    pub fn local(&self) -> Option<&Path> {
        self.store.is_none().then_some(&self.path)
    }

    /// Returns the store of an object.
    #[must_use]
    pub fn store(&self) -> Option<&Arc<dyn Store>> {
        self.store.as_ref()
    }

    /// Returns another location in the same store.
    #[must_use]
    pub fn with_path(&self, path: PathBuf) -> Self {
        Self {
            path,
            store: self.store.clone(),
            shard: None,
        }
    }

    /// Returns the location of a file in this folder.
    #[must_use]
    pub fn join(&self, name: &str) -> Self {
        self.map_name(|path| {
            let mut joined = path.as_os_str().to_owned();
            let has_slash = joined.as_encoded_bytes().ends_with(b"/");
            joined.push(if has_slash { "" } else { "/" });
            joined.push(name);
            joined.into()
        })
    }

    /// Returns the location of the file with another extension.
    #[must_use]
    pub fn with_extension(&self, extension: &str) -> Self {
        self.map_name(|path| path.with_extension(extension))
    }

    /// Returns the location of another file in the same folder.
    #[must_use]
    pub fn with_file_name(&self, name: &str) -> Self {
        self.map_name(|path| path.with_file_name(name))
    }

    /// Returns the location of the folder that has this file. A bucket has itself.
    #[must_use]
    pub fn parent(&self) -> Self {
        self.map_name(|path| match path.parent() {
            Some(parent) if url::scheme(path).is_none() || url::scheme(parent).is_some() => {
                parent.into()
            }
            _ => path.into(),
        })
    }

    /// Returns the extension of the name.
    #[must_use]
    pub fn extension(&self) -> Option<&str> {
        let path = self
            .split_query()
            .map_or(&*self.path, |(path, _)| path.as_ref());
        path.extension()?.to_str()
    }

    /// Splits the query off a URL that has one.
    fn split_query(&self) -> Option<(&str, &str)> {
        self.store.as_ref()?;
        self.path.to_str()?.split_once('?')
    }

    /// Changes the name. The query of a URL stays at its end.
    fn map_name(&self, change: impl FnOnce(&Path) -> PathBuf) -> Self {
        self.with_path(match self.split_query() {
            None => change(&self.path),
            Some((path, query)) => {
                let mut changed = change(Path::new(path)).into_os_string();
                changed.push(format!("?{query}"));
                changed.into()
            }
        })
    }

    /// Opens the file for positioned reads.
    ///
    /// # Errors
    /// [`ErrorKind::Io`], with the path.
    pub fn open(&self) -> Result<StoredFile> {
        StoredFile::open(self)
    }

    /// Opens the file if there is one.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub fn open_if_exists(&self) -> Result<Option<StoredFile>> {
        match self.open() {
            Err(error) if is_not_found(&error) => Ok(None),
            file => file.map(Some),
        }
    }

    /// Returns whether there is such a file. One that cannot be opened exists.
    #[must_use]
    pub fn exists(&self) -> bool {
        match self.local() {
            Some(path) => path.exists(),
            None => !self.open().is_err_and(|error| is_not_found(&error)),
        }
    }

    /// Lists the objects in this folder of a store; see [`Store::list`].
    ///
    /// # Errors
    /// Those of the store, with the URL; of a local folder `Unsupported`.
    pub fn list(&self, on_listed: &mut OnListed<'_>) -> Result<()> {
        let Some(store) = &self.store else {
            let text = "a local folder, which is no folder of a store";
            let error = Error::from(io::Error::new(io::ErrorKind::Unsupported, text));
            return Err(error.at_path(&self.path));
        };
        let listed = store.list(&self.path, on_listed);
        listed.map_err(|error| error.at_path(&self.shown()))
    }

    /// Reads the file.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub fn read(&self) -> Result<Vec<u8>> {
        self.open()?.read_all()
    }
}

/// Returns whether an error means that there is no such file.
pub(crate) fn is_not_found(error: &Error) -> bool {
    matches!(error.kind(), ErrorKind::Io(error) if error.kind() == io::ErrorKind::NotFound)
}

impl From<PathBuf> for Location {
    /// A path, or a URL whose store gets its options from the environment.
    fn from(path: PathBuf) -> Self {
        Self::new(path, &UrlStore::default())
    }
}

impl From<&PathBuf> for Location {
    fn from(path: &PathBuf) -> Self {
        path.clone().into()
    }
}

impl From<&Path> for Location {
    fn from(path: &Path) -> Self {
        path.to_path_buf().into()
    }
}

impl From<&Self> for Location {
    fn from(location: &Self) -> Self {
        location.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_beside_an_object_are_in_its_store() {
        let rec = Location::from(Path::new("s3://bucket/set/a.rec"));
        let idx = rec.with_extension("idx");
        assert_eq!(idx.path(), Path::new("s3://bucket/set/a.idx"));
        assert!(idx.local().is_none());
        let folder = rec.parent();
        assert_eq!(folder.path(), Path::new("s3://bucket/set"));
        assert_eq!(folder.parent().parent().path(), Path::new("s3://bucket"));
        for folder in ["s3://bucket/set", "s3://bucket/set/"] {
            let rec = Location::from(Path::new(folder)).join("a.rec");
            assert_eq!(rec.path(), Path::new("s3://bucket/set/a.rec"));
        }
        let rec = Location::from(Path::new("https://x.org/a.rec?v=1.2/3"));
        let idx = rec.with_file_name("b.idx");
        assert_eq!(idx.path(), Path::new("https://x.org/b.idx?v=1.2/3"));
        assert_eq!(idx.shown(), Path::new("https://x.org/b.idx?..."));
        assert_eq!(idx.extension(), Some("idx"));
    }

    #[test]
    fn the_url_of_a_local_file_is_its_path() {
        let location = Location::from(Path::new("file:///a%20b.rec"));
        assert_eq!(location.local(), Some(Path::new("/a b.rec")));
        let error = Location::from(Path::new("file://host/a"))
            .open()
            .unwrap_err();
        assert!(error.to_string().contains("file:///PATH"), "{error}");
    }

    #[test]
    fn a_local_file_is_read_or_missing() {
        let folder = tempfile::tempdir().unwrap();
        let location = Location::from(folder.path().join("a?b.idx"));
        assert!(!location.exists() && location.open_if_exists().unwrap().is_none());
        std::fs::write(location.path(), "text").unwrap();
        assert_eq!(location.read().unwrap(), b"text");
        assert!(location.exists() && location.open_if_exists().unwrap().is_some());
    }
}
