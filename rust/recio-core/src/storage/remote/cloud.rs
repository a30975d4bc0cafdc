//! Objects of S3, Google Cloud Storage and Azure, by the crate `object_store`, which signs requests
//! and finds credentials. The requests themselves are sent by [`Transport`].

use std::error::Error as _;
use std::ops::Range;
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use http_body_util::BodyExt;
use object_store::client::{
    ClientOptions, HttpClient, HttpConnector, HttpError, HttpErrorKind, HttpRequest, HttpResponse,
    HttpService,
};
use object_store::multipart::MultipartStore;
use object_store::path::Path as Key;
use object_store::{GetOptions, GetRange, GetResult, ObjectStore};
use reqwest::header::{HeaderMap, HeaderValue, RANGE};
use reqwest::{Method, StatusCode};

use super::failure::{Cause, Failure};
use super::pin::{Opened, Pin, replaced_if_refused};
use super::transport::{Answer, Outgoing, Transport, region};

/// Longest answer to a request that names no range: lists, credentials.
const MAX_ANSWER: u64 = 64 << 20;

/// What a store of a cloud can do.
pub(super) trait Cloud: ObjectStore + MultipartStore {}

impl<S: ObjectStore + MultipartStore> Cloud for S {}

/// Object of a cloud's store.
pub(super) struct CloudObject {
    store: Arc<dyn Cloud>,
    key: Key,
}

impl CloudObject {
    /// # Errors
    /// That the key is not one that `object_store` can request.
    pub(super) fn new(store: Arc<dyn Cloud>, key: &str) -> Result<Self, Failure> {
        let key = parse_key(key)?;
        Ok(Self { store, key })
    }

    /// Requests up to `len` bytes from the beginning.
    pub(super) async fn open(&self, len: u64) -> Result<Opened, Failure> {
        let options = GetOptions::new().with_range(Some(GetRange::Bounded(0..len)));
        let result = match self.get(options).await {
            // An empty object has no range.
            Err(failure) if failure.status() == Some(StatusCode::RANGE_NOT_SATISFIABLE) => {
                self.get(GetOptions::new().with_head(true)).await?
            }
            result => result?,
        };
        let pin = Pin {
            len: result.meta.size,
            etag: result.meta.e_tag.clone(),
            modified: Some(result.meta.last_modified.to_rfc2822()),
        };
        let beginning = match pin.len {
            0 => Bytes::new(),
            _ => result.bytes().await.map_err(failure)?,
        };
        Ok(Opened {
            pin,
            beginning,
            has_ranges: true,
        })
    }

    /// Requests a range of the object that `pin` identifies.
    pub(super) async fn fetch(&self, range: Range<u64>, pin: &Pin) -> Result<Bytes, Failure> {
        let options = GetOptions::new()
            .with_range(Some(GetRange::Bounded(range)))
            .with_if_match(pin.condition());
        let result = self.get(options).await.map_err(replaced_if_refused)?;
        pin.check(Some(result.meta.size), result.meta.e_tag.as_deref(), None)?;
        result.bytes().await.map_err(failure)
    }

    async fn get(&self, options: GetOptions) -> Result<GetResult, Failure> {
        self.store
            .get_opts(&self.key, options)
            .await
            .map_err(failure)
    }
}

/// Parses a key, which stays as it is.
pub(super) fn parse_key(key: &str) -> Result<Key, Failure> {
    let parsed = Key::parse(key).map_err(|error| Failure::setup(error.to_string()))?;
    if parsed.as_ref() != key {
        return Err(Failure::setup(
            "keys that begin or end with a slash are not supported",
        ));
    }
    Ok(parsed)
}

/// Returns the failure that caused an error of `object_store`.
pub(super) fn failure(error: object_store::Error) -> Failure {
    let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(&error);
    while let Some(current) = cause {
        if let Some(failure) = current.downcast_ref::<Failure>() {
            return failure.clone();
        }
        cause = current.source();
    }
    Failure::answer(
        error
            .source()
            .map_or_else(|| error.to_string(), ToString::to_string),
    )
}

/// Connects `object_store` with the transport.
#[derive(Debug)]
pub(super) struct Connector(pub(super) Arc<Transport>);

impl HttpConnector for Connector {
    fn connect(&self, _: &ClientOptions) -> object_store::Result<HttpClient> {
        Ok(HttpClient::new(Service(Arc::clone(&self.0))))
    }
}

#[derive(Debug)]
struct Service(Arc<Transport>);

#[async_trait]
impl HttpService for Service {
    async fn call(&self, request: HttpRequest) -> Result<HttpResponse, HttpError> {
        let answer = async {
            let request = outgoing(request).await?;
            let range = request.headers.get(RANGE).and_then(parse_range);
            let answer = self.0.send(&request).await?;
            check(&answer, range)?;
            Ok(answer)
        };
        let answer = answer
            .await
            .map_err(|failure: Failure| HttpError::new(HttpErrorKind::Unknown, failure))?;
        let mut response = HttpResponse::new(answer.body.unwrap_or_default().into());
        *response.status_mut() = answer.status;
        *response.headers_mut() = answer.headers;
        Ok(response)
    }
}

async fn outgoing(request: HttpRequest) -> Result<Outgoing, Failure> {
    let (head, body) = request.into_parts();
    let url = head.uri.to_string().parse();
    let body = body
        .collect()
        .await
        .map_err(|error| Failure::setup(error.to_string()))?;
    let range = head.headers.get(RANGE).and_then(parse_range);
    let max_len = range.map(|range| range.end - range.start);
    Ok(Outgoing {
        method: head.method,
        url: url.map_err(|_| Failure::setup("the endpoint is not a valid URL"))?,
        headers: head.headers,
        body: body.to_bytes(),
        max_len: max_len.unwrap_or(MAX_ANSWER),
    })
}

/// Parses the range `bytes=0-99`.
fn parse_range(header: &HeaderValue) -> Option<Range<u64>> {
    let (first, last) = header
        .to_str()
        .ok()?
        .strip_prefix("bytes=")?
        .split_once('-')?;
    let range = first.parse().ok()?..last.parse::<u64>().ok()?.checked_add(1)?;
    (range.start < range.end).then_some(range)
}

/// Checks that an answer is one to the request, which may be for a range.
fn check(answer: &Answer, range: Option<Range<u64>>) -> Result<(), Failure> {
    if answer.status.is_redirection() && answer.status != StatusCode::NOT_MODIFIED {
        return Err(Failure::answer(match region(&answer.headers) {
            Some(region) => format!(
                "the bucket is in the region {region}: set the storage option region, or AWS_REGION"
            ),
            None => "the server redirects: check the endpoint and the region".into(),
        }));
    }
    if let Some(range) = range {
        if answer.status != StatusCode::PARTIAL_CONTENT {
            return Err(Failure::new(Cause::NoRanges));
        }
        // The range of an answer ends earlier if the object does.
        let answered = answer.content_range();
        if answered.is_some_and(|answered| answered.range.start != range.start) {
            return Err(Failure::answer(
                "the server sent other bytes than requested",
            ));
        }
    }
    if answer.body.is_none() {
        return Err(Failure::answer("the server sent more bytes than requested"));
    }
    Ok(())
}

/// Asks S3 for the region of a bucket.
pub(super) async fn request_region(transport: &Transport, url: &str) -> Result<String, Failure> {
    let url = url
        .parse()
        .map_err(|_| Failure::setup("the name of the bucket is not valid"))?;
    let mut request = Outgoing::get(url, HeaderMap::new(), 0);
    request.method = Method::HEAD;
    let region = match transport.send(&request).await {
        Ok(answer) => region(&answer.headers),
        Err(failure) if failure.status() == Some(StatusCode::NOT_FOUND) => {
            return Err(Failure::missing("there is no such bucket"));
        }
        // A private bucket.
        Err(failure) if failure.region.is_some() => failure.region,
        Err(failure) => return Err(failure),
    };
    region.ok_or_else(|| Failure::setup("S3 does not state the region: set AWS_REGION"))
}
