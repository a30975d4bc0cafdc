//! Locations of files, as Python passes them: local paths, and paths in stores.

use std::collections::hash_map::DefaultHasher;
use std::ffi::OsStr;
use std::hash::{Hash, Hasher};
use std::io::Write;
use std::path::PathBuf;
use std::sync::Arc;

use pyo3::intern;
use pyo3::prelude::*;
use pyo3::pybacked::PyBackedBytes;
use pyo3::types::{PyBytes, PyString, PyType};
use recio_core::storage::cache::Cache;
use recio_core::storage::download;
use recio_core::storage::location::{Location, Shard};
use recio_core::storage::url_store::UrlStore;
use recio_core::write::file_system;
use recio_core::write::pending_file::PendingFile;

use crate::convert::new_bytes;
use crate::errors::PyRecioResult;
use crate::file_system::FileSystem;
use crate::progress::run_interruptible;

/// Where a file is: a path, a URL, or a [`RemotePath`].
pub(crate) struct StoragePath(Location);

impl<'py> FromPyObject<'_, 'py> for StoragePath {
    type Error = PyErr;

    fn extract(object: Borrowed<'_, 'py, PyAny>) -> PyResult<Self> {
        if let Ok(remote) = object.cast::<RemotePath>() {
            return Ok(Self(remote.get().location.clone()));
        }
        let location = Location::from(object.extract::<PathBuf>()?);
        if object.is_instance_of::<PyString>() && !object.is_exact_instance_of::<PyString>() {
            // `recio._manifest.ShardPath`.
            if let Some(fields) = object.getattr_opt(intern!(object.py(), "shard"))? {
                return Ok(Self(location.of_shard(shard_of(fields.extract()?))));
            }
        }
        Ok(Self(location))
    }
}

impl From<StoragePath> for Location {
    fn from(path: StoragePath) -> Self {
        path.0
    }
}

/// Returns the locations of several files.
pub(crate) fn locations(paths: Vec<StoragePath>) -> Vec<Location> {
    paths.into_iter().map(Location::from).collect()
}

/// Path of an object in a store: a URL, or a path in a file system of the caller's. Its text has no
/// credentials.
#[pyclass(frozen, module = "recio._recio")]
pub(crate) struct RemotePath {
    location: Location,
    /// What the store is made of, for pickles.
    origin: Arc<Origin>,
}

/// Arguments of the constructor.
type Arguments<'py> = (
    &'py OsStr,
    Vec<(String, String)>,
    Option<&'py Bound<'py, PyAny>>,
    Option<CacheSettings>,
    Option<ShardFields>,
);

/// Length of a record file, its number of records, and whether it has a `.rsum` and identity
/// records.
type ShardFields = (u64, u64, bool, bool);

fn shard_of((bytes, records, has_checksums, has_identities): ShardFields) -> Shard {
    Shard {
        bytes,
        records,
        has_checksums,
        has_identities,
    }
}

/// Folder of a cache, and bytes that may be in it.
type CacheSettings = (PathBuf, u64);

/// How objects are opened.
struct Origin {
    store: Opener,
    cache: Option<CacheSettings>,
}

enum Opener {
    Options(Vec<(String, String)>),
    FileSystem(Py<PyAny>),
}

#[pymethods]
impl RemotePath {
    /// `filesystem` is an object of `recio._file_systems`; without one, the path is a URL that is
    /// opened with the options. `cache` is a folder and the bytes that may be in it.
    #[new]
    #[pyo3(signature = (path, storage_options=Vec::new(), filesystem=None, cache=None, shard=None))]
    fn new(
        py: Python<'_>,
        path: PathBuf,
        storage_options: Vec<(String, String)>,
        filesystem: Option<Py<PyAny>>,
        cache: Option<CacheSettings>,
        shard: Option<ShardFields>,
    ) -> PyRecioResult<Self> {
        let (location, store) = if let Some(filesystem) = filesystem {
            let store = FileSystem::new(filesystem.clone_ref(py));
            let location = Location::in_store(path, Arc::new(store));
            (location, Opener::FileSystem(filesystem))
        } else {
            let options = storage_options.iter().cloned().collect();
            let location = Location::new(path, &UrlStore::new(options));
            (location, Opener::Options(storage_options))
        };
        let location = match &cache {
            Some((folder, bytes)) => location.cached(Cache::open(folder, *bytes)?),
            None => location,
        };
        let location = match shard {
            Some(fields) => location.of_shard(shard_of(fields)),
            None => location,
        };
        Ok(Self {
            location,
            origin: Arc::new(Origin { store, cache }),
        })
    }

    /// Returns the path of a record file of which a manifest states this: it is opened at its first
    /// read.
    fn of_shard(&self, shard: ShardFields) -> Self {
        self.at(self.location.clone().of_shard(shard_of(shard)))
    }

    /// Last component of the path.
    #[getter]
    fn name(&self) -> String {
        let path = self.location.shown();
        let text = path.to_string_lossy();
        let path = text.split_once('?').map_or(&*text, |(path, _)| path);
        path.rsplit('/').next().unwrap_or_default().to_owned()
    }

    /// The folder of the object.
    #[getter]
    fn parent(&self) -> Self {
        self.at(self.location.parent())
    }

    /// Last suffix of the name, with the dot; empty if it has none.
    #[getter]
    fn suffix(&self) -> String {
        let extension = self.location.extension();
        extension.map_or_else(String::new, |extension| format!(".{extension}"))
    }

    /// Returns the path with another suffix, which begins with a dot, or without one.
    fn with_suffix(&self, suffix: &str) -> Self {
        let extension = suffix.strip_prefix('.').unwrap_or(suffix);
        self.at(self.location.with_extension(extension))
    }

    /// Returns the path with another name.
    fn with_name(&self, name: &str) -> Self {
        self.at(self.location.with_file_name(name))
    }

    /// Returns the path of a file in this folder.
    fn __truediv__(&self, name: &str) -> Self {
        self.at(self.location.join(name))
    }

    /// Returns whether there is such an object; also true if that cannot be found out.
    fn exists(&self, py: Python<'_>) -> PyResult<bool> {
        run_interruptible(py, |_| Ok(self.location.exists()))
    }

    /// Reads the object.
    fn read_bytes<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyBytes>> {
        let bytes = run_interruptible(py, |_| self.location.read())?;
        Ok(new_bytes(py, &bytes)?)
    }

    /// Reads the object as text.
    #[pyo3(signature = (encoding="utf-8"))]
    fn read_text<'py>(&self, py: Python<'py>, encoding: &str) -> PyResult<Bound<'py, PyAny>> {
        self.read_bytes(py)?.call_method1("decode", (encoding,))
    }

    /// Writes the object, in place of an older one.
    fn write_bytes(&self, py: Python<'_>, content: PyBackedBytes) -> PyResult<()> {
        run_interruptible(py, |_| {
            let mut file = PendingFile::create(&self.location)?;
            file.write_all(&content)?;
            file.prepare()?;
            file.persist()
        })
    }

    /// Removes the object.
    #[pyo3(signature = (missing_ok=false))]
    fn unlink(&self, py: Python<'_>, missing_ok: bool) -> PyResult<()> {
        run_interruptible(py, |_| {
            if !missing_ok {
                self.location.open()?;
            }
            file_system::remove(&self.location)
        })
    }

    /// Returns the paths of all objects in this folder, relative to it, in any order.
    fn list(&self, py: Python<'_>) -> PyResult<Vec<String>> {
        run_interruptible(py, |interrupt| {
            let mut paths = Vec::new();
            self.location.list(&mut |path| {
                paths.push(path.to_owned());
                interrupt.poll()
            })?;
            Ok(paths)
        })
    }

    /// Returns the size in bytes and the identity, which changes if the object is replaced.
    fn stat(&self, py: Python<'_>) -> PyResult<(u64, Option<String>)> {
        let file = run_interruptible(py, |_| self.location.open())?;
        Ok((file.len(), file.identity().map(String::from)))
    }

    /// Copies the object into a local file from an offset. Returns what `stat` does of the copied
    /// object.
    fn download(
        &self,
        py: Python<'_>,
        target: PathBuf,
        offset: u64,
    ) -> PyResult<(u64, Option<String>)> {
        run_interruptible(py, |interrupt| {
            let file = self.location.open()?;
            download::download(&file, &target, offset, interrupt)?;
            Ok((file.len(), file.identity().map(String::from)))
        })
    }

    fn __str__(&self) -> String {
        self.location.shown().to_string_lossy().into_owned()
    }

    fn __repr__(&self) -> String {
        format!("RemotePath({:?})", self.__str__())
    }

    fn __eq__(&self, other: &Bound<'_, PyAny>) -> bool {
        let other = other.cast::<Self>().ok().map(Bound::get);
        other.is_some_and(|other| {
            self.location.path() == other.location.path() && self.origin.is_same(&other.origin)
        })
    }

    fn __hash__(&self) -> u64 {
        let mut hasher = DefaultHasher::new();
        self.location.path().hash(&mut hasher);
        hasher.finish()
    }

    fn __reduce__<'py>(&'py self, py: Python<'py>) -> (Bound<'py, PyType>, Arguments<'py>) {
        let (options, filesystem) = match &self.origin.store {
            Opener::Options(options) => (options.clone(), None),
            Opener::FileSystem(filesystem) => (Vec::new(), Some(filesystem.bind(py))),
        };
        let path = self.location.path().as_os_str();
        let cache = self.origin.cache.clone();
        let shard = self.location.shard();
        let shard = shard.map(|shard| {
            let Shard {
                bytes,
                records,
                has_checksums,
                has_identities,
            } = shard;
            (bytes, records, has_checksums, has_identities)
        });
        (
            py.get_type::<Self>(),
            (path, options, filesystem, cache, shard),
        )
    }
}

impl RemotePath {
    /// Returns the path of another object of the same store.
    fn at(&self, location: Location) -> Self {
        Self {
            location,
            origin: Arc::clone(&self.origin),
        }
    }
}

impl Origin {
    fn is_same(&self, other: &Self) -> bool {
        let is_same_store = match (&self.store, &other.store) {
            (Opener::Options(options), Opener::Options(others)) => options == others,
            (Opener::FileSystem(filesystem), Opener::FileSystem(other)) => filesystem.is(other),
            _ => false,
        };
        is_same_store && self.cache == other.cache
    }
}
