//! Clients of stores, shared by all objects of a bucket with the same settings.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use super::cloud::{self, Cloud, CloudObject};
use super::failure::Failure;
use super::http::HttpObject;
use super::remote_object::Remote;
use super::runtime::Pending;
use super::settings::Settings;
use super::transport::Transport;
use super::{cloud_builder, credentials, hugging_face};
use crate::error::{Error, Result};
use crate::storage::address::{Address, Scheme};
use crate::storage::per_process::PerProcess;

/// Clients of this process. Each has connections, so there must not be one for each object.
static CLIENTS: PerProcess<Arc<Mutex<Clients>>> = PerProcess::new();

type Clients = HashMap<Id, Arc<Client>>;

/// Number of clients from which all are forgotten: settings change all the time.
const MAX_CLIENTS: usize = 256;

/// What objects of one client have in common.
#[derive(Clone, PartialEq, Eq, Hash)]
struct Id {
    scheme: Scheme,
    /// Empty for HTTP: one client is for all hosts.
    bucket: String,
    settings: Settings,
}

/// Client of a bucket, or of HTTP servers.
pub(super) struct Client {
    scheme: Scheme,
    settings: Settings,
    transport: Arc<Transport>,
    cloud: Option<Arc<dyn Cloud>>,
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Client({})", self.scheme.name())
    }
}

impl Client {
    /// Returns the client for an object.
    ///
    /// # Errors
    /// Those of the settings.
    pub(super) fn of(address: &Address, settings: &Settings) -> Result<Arc<Self>> {
        let has_bucket = !matches!(address.scheme, Scheme::Http | Scheme::HuggingFace);
        let id = Id {
            scheme: address.scheme,
            bucket: if has_bucket {
                address.bucket.clone()
            } else {
                String::new()
            },
            settings: settings.clone(),
        };
        let clients = CLIENTS.get_or_try_make(|| Ok(Arc::default()))?;
        if let Some(client) = lock(&clients).get(&id) {
            return Ok(Arc::clone(client));
        }
        // Not while the lock is held: it may wait for the region of a bucket.
        let client = Arc::new(Self::new(&id)?);
        let mut clients = lock(&clients);
        if clients.len() >= MAX_CLIENTS {
            clients.clear();
        }
        Ok(Arc::clone(clients.entry(id).or_insert(client)))
    }

    fn new(id: &Id) -> Result<Self> {
        let (scheme, mut settings) = (id.scheme, id.settings.clone());
        let no_credentials = credentials::none(scheme);
        let transport = Arc::new(Transport::new(&settings.requests, no_credentials)?);
        let cloud = match scheme {
            Scheme::Http | Scheme::HuggingFace => None,
            _ => {
                settings.complete(scheme)?;
                if scheme == Scheme::S3 && needs_region(&settings) {
                    let region = find_region(&transport, &id.bucket)?;
                    settings.values.insert("aws_region", region);
                }
                let transport = Arc::clone(&transport);
                Some(cloud_builder::build(
                    scheme, &id.bucket, &settings, transport,
                )?)
            }
        };
        Ok(Self {
            scheme,
            settings,
            transport,
            cloud,
        })
    }

    /// Returns an object.
    pub(super) fn object(&self, address: &Address) -> Result<Remote, Failure> {
        if let Some(store) = &self.cloud {
            let object = CloudObject::new(Arc::clone(store), &address.key)?;
            return Ok(Remote::Cloud(object));
        }
        let transport = Arc::clone(&self.transport);
        let object = if self.scheme == Scheme::HuggingFace {
            let url = hugging_face::resolve(&address.bucket, &address.key, &self.settings)?;
            HttpObject::new(
                transport,
                &url,
                hugging_face::token(&self.settings).as_deref(),
            )?
        } else {
            HttpObject::new(transport, address.url(), self.settings.get("token"))?
        };
        Ok(Remote::Http(object))
    }

    /// Returns the store of a cloud.
    pub(super) fn cloud(&self) -> Option<&Arc<dyn Cloud>> {
        self.cloud.as_ref()
    }

    /// Adds to a failure what the user can do about it.
    pub(super) fn explain(&self, failure: Failure) -> Error {
        let status = failure.status().map(|status| status.as_u16());
        let region = failure.region.clone();
        let error = Error::from(failure);
        match (status, region) {
            (Some(401 | 403), _) => {
                error.advise(credentials::describe(self.scheme, &self.settings))
            }
            (Some(400), Some(region)) => {
                error.advise(format!("the bucket is in the region {region}"))
            }
            _ => error,
        }
    }
}

fn needs_region(settings: &Settings) -> bool {
    let names = ["aws_region", "aws_endpoint_url", "aws_endpoint_url_s3"];
    names.iter().all(|name| settings.get(name).is_none())
}

/// Asks S3 for the region of a bucket, which it answers to anybody.
fn find_region(transport: &Arc<Transport>, bucket: &str) -> Result<String> {
    // The certificate of *.s3.amazonaws.com is for names without a dot only.
    let url = if bucket.contains('.') {
        format!("https://s3.amazonaws.com/{bucket}")
    } else {
        format!("https://{bucket}.s3.amazonaws.com")
    };
    let transport = Arc::clone(transport);
    let region = Pending::start(async move { Ok(cloud::request_region(&transport, &url).await?) });
    region?.wait()
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
