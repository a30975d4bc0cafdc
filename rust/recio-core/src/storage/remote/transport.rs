//! HTTP requests with retries. All requests of a store take this way, also those for credentials.
//!
//! A body is read completely before an answer is returned, so a connection that breaks, stalls or
//! ends early in the middle of a body is a try that failed, as an error of the server is.

use std::collections::HashSet;
use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use reqwest::header::{CONTENT_LENGTH, CONTENT_RANGE, HeaderMap, RETRY_AFTER};
use reqwest::{Client, Method, Response, StatusCode, Url, redirect};
use tokio::time::{self, Instant};
use url::Origin;

use super::connection;
use super::content_range::ContentRange;
use super::failure::{Cause, Failure, code_of, is_word};
use super::retry::{Tries, parse_retry_after};
use super::settings::RequestOptions;
use super::tls;
use crate::error::Result;

/// Bytes that must arrive within the timeout, unless the body ends: fewer are no progress.
const MIN_PROGRESS: usize = 32 << 10;

/// Slowest upload that is progress, in bytes a second.
const MIN_UPLOAD_RATE: u64 = 64 << 10;

/// Maximum length of the body of an error.
const MAX_ERROR_BODY: u64 = 64 << 10;

/// Idle connections are closed before servers close them, which would cost a retry.
const IDLE_TIMEOUT: Duration = Duration::from_secs(15);

/// Hosts that have the credentials of a machine in a cloud. Elsewhere nobody answers there.
const METADATA_HOSTS: [&str; 3] = [
    "169.254.169.254",
    "169.254.170.2",
    "metadata.google.internal",
];

/// Client for HTTP.
pub(super) struct Transport {
    client: Client,
    options: RequestOptions,
    /// What to report if the machine has no credentials.
    no_credentials: &'static str,
    /// Servers that have answered.
    known: Mutex<HashSet<Origin>>,
}

/// Request that may be sent several times.
#[derive(Debug, Clone)]
pub(super) struct Outgoing {
    pub(super) method: Method,
    pub(super) url: Url,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
    /// Length above which the body of the answer is not read.
    pub(super) max_len: u64,
}

/// Answer with status 2xx or 3xx.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    /// `None` if it is longer than the request allows.
    pub(super) body: Option<Bytes>,
}

impl fmt::Debug for Transport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Transport")
    }
}

impl Outgoing {
    pub(super) fn get(url: Url, headers: HeaderMap, max_len: u64) -> Self {
        Self {
            method: Method::GET,
            url,
            headers,
            body: Bytes::new(),
            max_len,
        }
    }

    fn is_for_metadata(&self) -> bool {
        self.url
            .host_str()
            .is_some_and(|host| METADATA_HOSTS.contains(&host))
    }
}

impl Transport {
    pub(super) fn new(
        options: &RequestOptions,
        no_credentials: &'static str,
    ) -> Result<Self, Failure> {
        let mut builder = Client::builder()
            .tls_backend_preconfigured(tls::client_config()?)
            .user_agent(concat!("recio/", env!("CARGO_PKG_VERSION")))
            .redirect(redirect::Policy::none())
            .connect_timeout(options.connect_timeout)
            .pool_idle_timeout(IDLE_TIMEOUT)
            .http1_only();
        if let Some(url) = &options.proxy_url {
            let proxy = reqwest::Proxy::all(url)
                .map_err(|_| Failure::setup("proxy_url is not the URL of a proxy"))?;
            builder = builder.proxy(proxy);
        }
        let client = builder
            .build()
            .map_err(|error| connection::failure(error, "the server"))?;
        Ok(Self {
            client,
            options: options.clone(),
            no_credentials,
            known: Mutex::default(),
        })
    }

    /// Sends a request until it is answered with 2xx or 3xx, or has failed for good.
    pub(super) async fn send(&self, request: &Outgoing) -> Result<Answer, Failure> {
        let options = self.options_for(request);
        let mut tries = Tries::new(&options);
        loop {
            let mut retry_after = None;
            let tried = self.try_once(request, &options, &mut retry_after).await;
            let mut failure = match tried {
                Ok(answer) => return Ok(answer),
                Err(failure) => failure,
            };
            if !self.known().contains(&request.url.origin()) {
                tries.limit_first_connection();
            }
            let delay = failure.is_transient().then(|| tries.next(retry_after));
            let Some(delay) = delay.flatten() else {
                if request.is_for_metadata() {
                    failure.cause = Cause::Denied(self.no_credentials.into());
                }
                (failure.tries, failure.elapsed) = (tries.count(), tries.elapsed());
                return Err(failure);
            };
            time::sleep(delay).await;
        }
    }

    fn known(&self) -> MutexGuard<'_, HashSet<Origin>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns the limits of a request. One for the credentials of a machine is answered at once or
    /// never.
    fn options_for(&self, request: &Outgoing) -> RequestOptions {
        let mut options = self.options.clone();
        if request.is_for_metadata() {
            options.max_retries = options.max_retries.min(1);
            options.timeout = options.timeout.min(Duration::from_secs(2));
        }
        options
    }

    async fn try_once(
        &self,
        request: &Outgoing,
        options: &RequestOptions,
        retry_after: &mut Option<Duration>,
    ) -> Result<Answer, Failure> {
        let mut response = self.execute(request, options).await?;
        let status = response.status();
        let headers = std::mem::take(response.headers_mut());
        if !status.is_client_error() && !status.is_server_error() {
            let body = read_body(response, &headers, request.max_len, options.timeout).await?;
            let answer = Answer {
                status,
                headers,
                body,
            };
            answer.check_length()?;
            return answer.check_late_error(request);
        }
        let header = headers
            .get(RETRY_AFTER)
            .and_then(|value| value.to_str().ok());
        *retry_after = header.and_then(parse_retry_after);
        let body = read_body(response, &headers, MAX_ERROR_BODY, options.timeout).await;
        let code = code(&headers, &body.ok().flatten().unwrap_or_default());
        let mut failure = Failure::new(Cause::Status { status, code });
        failure.region = region(&headers);
        Err(failure)
    }

    /// Sends a request, and returns the head of the answer.
    async fn execute(
        &self,
        request: &Outgoing,
        options: &RequestOptions,
    ) -> Result<Response, Failure> {
        let mut sent = reqwest::Request::new(request.method.clone(), request.url.clone());
        *sent.headers_mut() = request.headers.clone();
        if !request.body.is_empty() {
            *sent.body_mut() = Some(request.body.clone().into());
        }
        let upload = Duration::from_secs(request.body.len() as u64 / MIN_UPLOAD_RATE);
        let limit = options.timeout.saturating_add(upload);
        let response = time::timeout(limit, self.client.execute(sent))
            .await
            .map_err(|_| Failure::new(Cause::Stalled(limit)))?
            .map_err(|error| {
                connection::failure(error, request.url.host_str().unwrap_or_default())
            })?;
        self.known().insert(request.url.origin());
        Ok(response)
    }
}

impl Answer {
    /// Checks that the body has the length that its range says.
    fn check_length(&self) -> Result<(), Failure> {
        let (Some(body), Some(range)) = (&self.body, self.content_range()) else {
            return Ok(());
        };
        let (len, expected) = (body.len() as u64, range.range.end - range.range.start);
        if self.status == StatusCode::PARTIAL_CONTENT && len != expected {
            return Err(connection::ended_early(len, expected));
        }
        Ok(())
    }

    /// Checks for an error in the body of a success: S3 begins to answer before an upload is
    /// complete.
    fn check_late_error(self, request: &Outgoing) -> Result<Self, Failure> {
        let body = self
            .body
            .as_ref()
            .filter(|_| request.method == Method::POST);
        match body.and_then(|body| code_of(body)) {
            Some(code) if matches!(code.as_str(), "InternalError" | "SlowDown") => {
                let status = StatusCode::SERVICE_UNAVAILABLE;
                Err(Failure::new(Cause::Status {
                    status,
                    code: Some(code),
                }))
            }
            _ => Ok(self),
        }
    }

    pub(super) fn content_range(&self) -> Option<ContentRange> {
        ContentRange::parse(self.headers.get(CONTENT_RANGE)?.to_str().ok()?)
    }
}

/// Reads a body; `None` if it is longer than `max_len`.
async fn read_body(
    mut response: Response,
    headers: &HeaderMap,
    max_len: u64,
    timeout: Duration,
) -> Result<Option<Bytes>, Failure> {
    let expected = content_length(headers);
    if expected.is_some_and(|len| len > max_len) {
        return Ok(None);
    }
    let mut body = BytesMut::new();
    let (mut deadline, mut progress) = (Instant::now() + timeout, 0);
    loop {
        let chunk = time::timeout_at(deadline, response.chunk())
            .await
            .map_err(|_| Failure::new(Cause::Stalled(timeout)))?
            .map_err(|error| connection::lost(error, body.len() as u64))?;
        let Some(chunk) = chunk else {
            return Ok(Some(body.freeze()));
        };
        if body.is_empty() && expected == Some(chunk.len() as u64) {
            return Ok(Some(chunk));
        }
        if (body.len() + chunk.len()) as u64 > max_len {
            return Ok(None);
        }
        if body.is_empty() {
            body.reserve(expected.unwrap_or_default() as usize);
        }
        body.extend_from_slice(&chunk);
        if body.len() >= progress + MIN_PROGRESS {
            (deadline, progress) = (Instant::now() + timeout, body.len());
        }
    }
}

fn content_length(headers: &HeaderMap) -> Option<u64> {
    headers.get(CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

/// Returns the server's code for an error.
fn code(headers: &HeaderMap, body: &[u8]) -> Option<String> {
    let names = ["x-ms-error-code", "x-error-code"];
    let mut values = names
        .iter()
        .filter_map(|name| headers.get(*name)?.to_str().ok());
    let code = values.find(|value| is_word(value)).map(String::from);
    code.or_else(|| code_of(body))
}

/// Returns the region of the bucket that S3 answers about.
pub(super) fn region(headers: &HeaderMap) -> Option<String> {
    let region = headers.get("x-amz-bucket-region")?.to_str().ok()?;
    let is_name = region
        .chars()
        .all(|c| c.is_ascii_alphanumeric() || c == '-');
    is_name.then(|| region.into())
}
