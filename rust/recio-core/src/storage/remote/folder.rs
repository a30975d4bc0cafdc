//! Lists and removal of objects.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use crossbeam_channel::Sender;
use futures_util::StreamExt;
use object_store::ObjectStoreExt;
use object_store::path::Path as Key;
use reqwest::StatusCode;
use tokio::time;

use super::client::Client;
use super::cloud::{self, Cloud};
use super::failure::Failure;
use super::runtime::Pending;
use crate::error::{Error, Result};
use crate::storage::store::OnListed;
use crate::storage::wait;

/// Number of names that are sent at once, and of such groups that wait for the caller.
const GROUP: usize = 1000;
const MAX_GROUPS: usize = 16;

/// Time between two looks whether the caller has taken a group.
const INTERVAL: Duration = Duration::from_millis(5);

/// Removes an object, if there is one.
pub(super) fn delete(client: Arc<Client>, key: &str) -> Result<()> {
    let (store, key) = (store_of(&client)?, cloud::parse_key(key)?);
    let request = Pending::start(async move {
        match store.delete(&key).await.map_err(cloud::failure) {
            Err(failure) if failure.status() == Some(StatusCode::NOT_FOUND) => Ok(()),
            deleted => deleted.map_err(|failure| client.explain(failure)),
        }
    });
    request?.wait()
}

/// Lists the objects below a folder; `key` is empty for the bucket.
pub(super) fn list(client: Arc<Client>, key: &str, on_listed: &mut OnListed<'_>) -> Result<()> {
    let (store, folder) = (store_of(&client)?, key.trim_end_matches('/'));
    let folder = cloud::parse_key(folder)?;
    let (sender, groups) = crossbeam_channel::unbounded();
    let listed = Pending::start(async move {
        let listed = send_names(&*store, &folder, &sender).await;
        listed.map_err(|failure| client.explain(failure))
    })?;
    while let Some(group) = wait::receive(&groups)? {
        group.iter().try_for_each(|name: &String| on_listed(name))?;
    }
    listed.wait()
}

/// Sends the names of objects relative to a folder.
async fn send_names(
    store: &dyn Cloud,
    folder: &Key,
    groups: &Sender<Vec<String>>,
) -> Result<(), Failure> {
    let prefix = Some(folder).filter(|folder| !folder.as_ref().is_empty());
    let mut objects = store.list(prefix).chunks(GROUP);
    while let Some(group) = objects.next().await {
        let names = group.into_iter().map(|object| {
            let key = object.map_err(cloud::failure)?.location;
            let name = key
                .as_ref()
                .strip_prefix(folder.as_ref())
                .unwrap_or(key.as_ref());
            Ok(name.trim_start_matches('/').into())
        });
        let names = names.collect::<Result<_, Failure>>()?;
        while groups.len() >= MAX_GROUPS {
            time::sleep(INTERVAL).await;
        }
        if groups.send(names).is_err() {
            break;
        }
    }
    Ok(())
}

fn store_of(client: &Client) -> Result<Arc<dyn Cloud>> {
    let text = "HTTP servers do not list or remove their objects";
    let unsupported = || Error::from(io::Error::new(io::ErrorKind::Unsupported, text));
    client.cloud().cloned().ok_or_else(unsupported)
}
