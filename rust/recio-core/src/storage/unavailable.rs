//! The store of URLs in a build without object stores.

use std::io;
use std::path::Path;
use std::sync::Arc;

use super::store::{Object, Store, Upload};
use crate::error::{Error, Result};

/// Store that opens nothing, and names the reason.
#[derive(Debug)]
pub(super) struct Unavailable;

impl Store for Unavailable {
    fn open(&self, _: &Path) -> Result<Arc<dyn Object>> {
        Err(unavailable())
    }

    fn create(&self, _: &Path) -> Result<Box<dyn Upload>> {
        Err(unavailable())
    }
}

fn unavailable() -> Error {
    io::Error::from(io::ErrorKind::NotFound).into()
}
