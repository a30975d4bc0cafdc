//! The store of all URLs: `s3://`, `gs://`, `az://`, `http://`, `https://` and `hf://`.

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;
use std::sync::Arc;

use crate::error::Result;
use crate::storage::address::Address;
use crate::storage::store::{Object, OnListed, Store, Upload};

/// Store that opens objects by their URLs.
///
/// Its options are those of the crate `object_store`, such as `aws_access_key_id` or `endpoint`,
/// and those about requests: `max_retries`, `timeout`, `retry_timeout`, `connect_timeout` and
/// `proxy_url`. What is not among them is taken from the environment: `AWS_...`, `GOOGLE_...`,
/// `AZURE_...`, `HF_...`. Connections are made lazily in each process, and shared by all stores
/// with the same options.
#[derive(Debug, Clone, Default)]
pub struct UrlStore {
    options: Options,
}

/// Options of the caller by name. Their values may be secret and are never shown.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Options(BTreeMap<String, String>);

impl Options {
    #[cfg(feature = "object-store")]
    pub(super) fn iter(&self) -> impl Iterator<Item = (&String, &String)> {
        self.0.iter()
    }
}

impl FromIterator<(String, String)> for Options {
    fn from_iter<I: IntoIterator<Item = (String, String)>>(options: I) -> Self {
        let lower = |(name, value): (String, String)| (name.to_ascii_lowercase(), value);
        Self(options.into_iter().map(lower).collect())
    }
}

impl fmt::Debug for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<_> = self.0.keys().collect();
        write!(f, "Options({names:?})")
    }
}

impl UrlStore {
    /// Creates a store with options.
    #[must_use]
    pub fn new(options: Options) -> Self {
        Self { options }
    }
}

/// Length of the first request: many objects are shorter, and need no other.
const BEGINNING: u64 = 64 << 10;

impl Store for UrlStore {
    fn open(&self, path: &Path) -> Result<Arc<dyn Object>> {
        open(Address::parse(path)?, &self.options, BEGINNING)
    }

    fn open_for_random_reads(&self, path: &Path) -> Result<Arc<dyn Object>> {
        // No object is opened without a byte of it.
        open(Address::parse(path)?, &self.options, 1)
    }

    fn create(&self, path: &Path) -> Result<Box<dyn Upload>> {
        create(&Address::parse(path)?, &self.options)
    }

    fn delete(&self, path: &Path) -> Result<()> {
        delete(&Address::parse(path)?, &self.options)
    }

    fn list(&self, folder: &Path, on_listed: &mut OnListed<'_>) -> Result<()> {
        list(&Address::parse_folder(folder)?, &self.options, on_listed)
    }
}

#[cfg(feature = "object-store")]
use crate::storage::remote::{create, delete, list, open};

#[cfg(not(feature = "object-store"))]
use without_stores::{create, delete, list, open};

/// What takes the place of stores if they are not built.
#[cfg(not(feature = "object-store"))]
mod without_stores {
    use super::{Address, Arc, Object, OnListed, Options, Result, Upload};
    use crate::error::Error;

    pub(super) fn open(address: Address, _: &Options, _: u64) -> Result<Arc<dyn Object>> {
        Err(not_built(&address))
    }

    pub(super) fn create(address: &Address, _: &Options) -> Result<Box<dyn Upload>> {
        Err(not_built(address))
    }

    pub(super) fn delete(address: &Address, _: &Options) -> Result<()> {
        Err(not_built(address))
    }

    pub(super) fn list(folder: &Address, _: &Options, _: &mut OnListed<'_>) -> Result<()> {
        Err(not_built(folder))
    }

    fn not_built(address: &Address) -> Error {
        let scheme = address.scheme.name();
        Error::argument(format!(
            "this build of recio has no object stores, so it cannot open {scheme}:// URLs: build it with the cargo \
             feature object-store, pass filesystem=, or copy the file to a disk"
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_of_options_are_not_shown() {
        let options = [("SECRET".to_string(), "hidden".to_string())];
        let store = UrlStore::new(options.into_iter().collect());
        assert_eq!(
            format!("{store:?}"),
            "UrlStore { options: Options([\"secret\"]) }"
        );
    }

    #[cfg(not(feature = "object-store"))]
    #[test]
    fn a_build_without_stores_says_what_to_do() {
        let error = UrlStore::default()
            .open(Path::new("s3://b/k"))
            .err()
            .unwrap()
            .to_string();
        assert!(error.contains("cargo feature object-store"), "{error}");
    }
}
