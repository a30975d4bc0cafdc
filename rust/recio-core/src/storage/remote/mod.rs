//! Objects of the stores that [`UrlStore`](super::url_store::UrlStore) opens.
//!
//! ```text
//! object         opened objects: pinned to their identity (pin), read ahead (read_ahead)
//! upload         objects that are written; folder: lists, removal
//! settings       options of the caller and of the environment (option_names, aws_profile)
//! client         one for each bucket; makes objects (remote_object) of the next three
//! http           objects of HTTP servers (content_range, basic_auth)
//! hugging_face   URLs of the Hugging Face Hub
//! cloud          S3, Google Cloud Storage, Azure, by the crate object_store (cloud_builder)
//! transport      HTTP requests with retries (retry), TLS (tls)
//! runtime        the thread that carries out all requests of a process
//! failure        what a request failed of (connection, credentials)
//! ```

mod aws_profile;
mod basic_auth;
mod client;
mod cloud;
mod cloud_builder;
mod connection;
mod content_range;
mod credentials;
mod failure;
mod folder;
mod http;
mod hugging_face;
mod object;
mod option_names;
mod pin;
mod read_ahead;
mod remote_object;
mod retry;
mod runtime;
mod settings;
#[cfg(test)]
mod tests;
mod tls;
mod transport;
mod upload;

use std::env;
use std::sync::Arc;

use self::client::Client;
use self::object::UrlObject;
use self::settings::Settings;
use self::upload::UrlUpload;
use super::address::Address;
use super::store::{Object, OnListed, Upload};
use super::url_store::Options;
use crate::error::Result;

/// Opens an object, of which `beginning` bytes are read at once.
pub(super) fn open(address: Address, options: &Options, beginning: u64) -> Result<Arc<dyn Object>> {
    let settings = settings(&address, options)?;
    Ok(Arc::new(UrlObject::open(address, settings, beginning)?))
}

/// Starts to write an object.
pub(super) fn create(address: &Address, options: &Options) -> Result<Box<dyn Upload>> {
    let client = client(address, options)?;
    Ok(Box::new(UrlUpload::new(client, &address.key)?))
}

/// Removes an object, if there is one.
pub(super) fn delete(address: &Address, options: &Options) -> Result<()> {
    folder::delete(client(address, options)?, &address.key)
}

/// Lists the objects below a folder.
pub(super) fn list(
    folder: &Address,
    options: &Options,
    on_listed: &mut OnListed<'_>,
) -> Result<()> {
    folder::list(client(folder, options)?, &folder.key, on_listed)
}

fn client(address: &Address, options: &Options) -> Result<Arc<Client>> {
    Client::of(address, &settings(address, options)?)
}

fn settings(address: &Address, options: &Options) -> Result<Settings> {
    let variables = env::vars_os();
    let utf8 = variables
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)));
    Settings::new(address.scheme, options, utf8)
}
