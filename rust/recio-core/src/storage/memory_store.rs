//! A store in memory, for tests.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex};

use super::location::Location;
use super::store::{Object, OnListed, Store, Upload};
use crate::error::{Error, Result};

/// Objects by their URLs, and the requests that changed them.
#[derive(Debug, Clone, Default)]
pub(crate) struct MemoryStore(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    objects: BTreeMap<String, Vec<u8>>,
    requests: Vec<String>,
    /// Number of the request that fails, from 0.
    failing: Option<usize>,
    /// URL of an object that cannot be opened.
    unreadable: Option<String>,
}

impl State {
    fn request(&mut self, text: &str) -> Result<()> {
        let number = self.requests.len();
        self.requests.push(text.into());
        if self.failing == Some(number) {
            return Err(timeout());
        }
        Ok(())
    }
}

fn timeout() -> Error {
    io::Error::new(io::ErrorKind::TimedOut, "injected").into()
}

impl MemoryStore {
    fn with<T>(&self, work: impl FnOnce(&mut State) -> T) -> T {
        work(&mut self.0.lock().unwrap())
    }

    /// Returns the location of an object.
    pub(crate) fn at(&self, url: &str) -> Location {
        Location::in_store(url.into(), Arc::new(self.clone()))
    }

    pub(crate) fn put(&self, url: &str, bytes: &[u8]) {
        self.with(|state| state.objects.insert(url.into(), bytes.to_vec()));
    }

    pub(crate) fn get(&self, url: &str) -> Option<Vec<u8>> {
        self.with(|state| state.objects.get(url).cloned())
    }

    /// Returns the URLs of all objects.
    pub(crate) fn urls(&self) -> Vec<String> {
        self.with(|state| state.objects.keys().cloned().collect())
    }

    /// Returns the requests so far that write: "prepare", "finish" or "delete", and the URL.
    pub(crate) fn requests(&self) -> Vec<String> {
        self.with(|state| state.requests.clone())
    }

    /// Lets the object at a URL time out.
    pub(crate) fn fail_to_open(&self, url: &str) {
        self.with(|state| state.unreadable = Some(url.into()));
    }

    /// Lets the request with this number fail, from 0 for the next one.
    pub(crate) fn fail_at(&self, number: usize) {
        self.with(|state| {
            state.requests.clear();
            state.failing = Some(number);
        });
    }
}

impl Store for MemoryStore {
    fn open(&self, url: &Path) -> Result<Arc<dyn Object>> {
        let url = url.to_str().unwrap();
        if self.with(|state| state.unreadable.as_deref() == Some(url)) {
            return Err(timeout());
        }
        let bytes = self.get(url);
        let bytes = bytes.ok_or_else(|| Error::from(io::Error::from(io::ErrorKind::NotFound)))?;
        Ok(Arc::new(MemoryObject(bytes)))
    }

    fn create(&self, url: &Path) -> Result<Box<dyn Upload>> {
        Ok(Box::new(MemoryUpload {
            store: self.clone(),
            url: url.to_str().unwrap().into(),
            bytes: Vec::new(),
        }))
    }

    fn delete(&self, url: &Path) -> Result<()> {
        let url = url.to_str().unwrap();
        self.with(|state| {
            state.request(&format!("delete {url}"))?;
            state.objects.remove(url);
            Ok(())
        })
    }

    fn list(&self, folder: &Path, on_listed: &mut OnListed<'_>) -> Result<()> {
        let folder = format!("{}/", folder.to_str().unwrap().trim_end_matches('/'));
        let urls = self.urls();
        let mut inside = urls.iter().filter_map(|url| url.strip_prefix(&folder));
        inside.try_for_each(on_listed)
    }
}

#[derive(Debug)]
struct MemoryObject(Vec<u8>);

impl Object for MemoryObject {
    fn len(&self) -> u64 {
        self.0.len() as u64
    }

    fn identity(&self) -> Option<&str> {
        None
    }

    fn read_exact_at(&self, bytes: &mut [u8], offset: u64) -> Result<()> {
        bytes.copy_from_slice(&self.0[offset as usize..][..bytes.len()]);
        Ok(())
    }
}

struct MemoryUpload {
    store: MemoryStore,
    url: String,
    bytes: Vec<u8>,
}

impl Upload for MemoryUpload {
    fn write_all(&mut self, bytes: &[u8]) -> Result<()> {
        self.bytes.extend_from_slice(bytes);
        Ok(())
    }

    fn prepare(&mut self) -> Result<()> {
        let request = format!("prepare {}", self.url);
        self.store.with(|state| state.request(&request))
    }

    fn finish(self: Box<Self>) -> Result<()> {
        let Self { store, url, bytes } = *self;
        store.with(|state| {
            state.request(&format!("finish {url}"))?;
            state.objects.insert(url, bytes);
            Ok(())
        })
    }
}
