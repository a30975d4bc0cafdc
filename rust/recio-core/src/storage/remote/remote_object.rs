//! Object of any kind of store.

use std::ops::Range;

use bytes::Bytes;

use super::cloud::CloudObject;
use super::failure::Failure;
use super::http::HttpObject;
use super::pin::{Opened, Pin};

/// Object of a store, by the way that it is requested.
pub(super) enum Remote {
    Cloud(CloudObject),
    Http(HttpObject),
}

impl Remote {
    /// Requests up to `len` bytes from the beginning.
    pub(super) async fn open(&self, len: u64) -> Result<Opened, Failure> {
        match self {
            Self::Cloud(object) => object.open(len).await,
            Self::Http(object) => object.open(len).await,
        }
    }

    /// Requests a range, which must not be empty.
    pub(super) async fn fetch(&self, range: Range<u64>, pin: &Pin) -> Result<Bytes, Failure> {
        match self {
            Self::Cloud(object) => object.fetch(range, pin).await,
            Self::Http(object) => object.fetch(range, pin).await,
        }
    }
}
