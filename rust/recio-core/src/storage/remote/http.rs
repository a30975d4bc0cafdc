//! Objects of HTTP servers, and of the Hugging Face Hub.

use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use arc_swap::ArcSwapOption;
use bytes::Bytes;
use reqwest::header::{
    ACCEPT_ENCODING, AUTHORIZATION, CONTENT_ENCODING, CONTENT_LENGTH, ETAG, HeaderMap, HeaderName,
    HeaderValue, IF_MATCH, LAST_MODIFIED, LOCATION, RANGE,
};
use reqwest::{StatusCode, Url};

use super::failure::{Cause, Failure};
use super::pin::{Opened, Pin, replaced_if_refused};
use super::transport::{Answer, Outgoing, Transport};

const MAX_REDIRECTS: usize = 10;

/// Object of a server.
pub(super) struct HttpObject {
    transport: Arc<Transport>,
    url: Url,
    /// Sent to the server of `url` only.
    authorization: Option<HeaderValue>,
    /// Where the server redirected to, which may hold for a limited time only.
    moved: ArcSwapOption<Url>,
    /// Whether it ever redirected: then the identity is that of another server.
    is_redirected: AtomicBool,
}

impl HttpObject {
    /// Creates an object of a URL, which may have a user and a password.
    pub(super) fn new(
        transport: Arc<Transport>,
        url: &str,
        token: Option<&str>,
    ) -> Result<Self, Failure> {
        let mut url =
            Url::parse(url).map_err(|error| Failure::setup(format!("invalid URL: {error}")))?;
        let authorization = match token {
            Some(token) => Some(format!("Bearer {token}")),
            None => super::basic_auth::header(&url),
        };
        // These can only fail for URLs without a host.
        _ = url.set_username("");
        _ = url.set_password(None);
        url.set_fragment(None);
        let header = |value: String| {
            HeaderValue::try_from(value).map_err(|_| Failure::setup("invalid token"))
        };
        let mut authorization = authorization.map(header).transpose()?;
        authorization
            .iter_mut()
            .for_each(|value| value.set_sensitive(true));
        Ok(Self {
            transport,
            url,
            authorization,
            moved: ArcSwapOption::empty(),
            is_redirected: AtomicBool::new(false),
        })
    }

    /// Requests up to `len` bytes from the beginning.
    pub(super) async fn open(&self, len: u64) -> Result<Opened, Failure> {
        let headers = HeaderMap::from_iter([range_header(&(0..len))]);
        let answer = match self.get(headers, None, len).await {
            // An empty object has no range.
            Err(failure) if failure.status() == Some(StatusCode::RANGE_NOT_SATISFIABLE) => {
                self.get(HeaderMap::new(), None, len).await?
            }
            answer => answer?,
        };
        let has_ranges = answer.status == StatusCode::PARTIAL_CONTENT;
        let object_len = match answer.content_range() {
            Some(range) if has_ranges && range.range.start == 0 => range.len,
            _ if has_ranges => None,
            _ => whole_len(&answer),
        };
        let pin = Pin {
            len: object_len
                .ok_or_else(|| Failure::answer("the server does not state the length"))?,
            etag: text(&answer, &ETAG).map(Into::into),
            modified: text(&answer, &LAST_MODIFIED).map(Into::into),
        };
        Ok(Opened {
            pin,
            beginning: answer.body.unwrap_or_default(),
            has_ranges,
        })
    }

    /// Requests a range of the object that `pin` identifies.
    pub(super) async fn fetch(&self, range: Range<u64>, pin: &Pin) -> Result<Bytes, Failure> {
        let headers = HeaderMap::from_iter([range_header(&range)]);
        let max_len = range.end - range.start;
        let answer = self
            .get(headers, pin.condition(), max_len)
            .await
            .map_err(replaced_if_refused)?;
        let content_range = answer.content_range();
        let is_partial = answer.status == StatusCode::PARTIAL_CONTENT;
        let len = match &content_range {
            Some(range) if is_partial => range.len,
            _ => whole_len(&answer),
        };
        pin.check(len, text(&answer, &ETAG), text(&answer, &LAST_MODIFIED))?;
        if !is_partial && !pin.is_whole(&range) {
            return Err(Failure::new(Cause::NoRanges));
        }
        if is_partial && content_range.is_none_or(|answered| answered.range != range) {
            return Err(Failure::answer(
                "the server sent other bytes than requested",
            ));
        }
        let body = answer.body.filter(|body| body.len() as u64 == max_len);
        body.ok_or_else(|| {
            Failure::answer("the server sent another number of bytes than requested")
        })
    }

    /// Sends a request, follows redirects and remembers where they lead to.
    async fn get(
        &self,
        headers: HeaderMap,
        etag: Option<&str>,
        max_len: u64,
    ) -> Result<Answer, Failure> {
        if let Some(url) = self.moved.load_full() {
            match self.send(&url, headers.clone(), etag, max_len).await {
                // A signed URL that has expired.
                Err(failure) if is_refusal(&failure) => self.moved.store(None),
                Ok(answer) if answer.status.is_redirection() => self.moved.store(None),
                answer => return answer,
            }
        }
        let mut url = self.url.clone();
        for _ in 0..=MAX_REDIRECTS {
            let etag = etag.filter(|_| !self.is_redirected.load(Ordering::Relaxed));
            let answer = self.send(&url, headers.clone(), etag, max_len).await?;
            if !answer.status.is_redirection() {
                if self.is_redirected.load(Ordering::Relaxed) {
                    self.moved.store(Some(Arc::new(url)));
                }
                return Ok(answer);
            }
            self.is_redirected.store(true, Ordering::Relaxed);
            url = redirected(&url, &answer)?;
        }
        Err(Failure::answer("the server redirects in a circle"))
    }

    async fn send(
        &self,
        url: &Url,
        mut headers: HeaderMap,
        etag: Option<&str>,
        max_len: u64,
    ) -> Result<Answer, Failure> {
        headers.insert(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
        if let Some(etag) = etag.and_then(|etag| HeaderValue::from_str(etag).ok()) {
            headers.insert(IF_MATCH, etag);
        }
        if let Some(value) = &self.authorization
            && url.origin() == self.url.origin()
        {
            headers.insert(AUTHORIZATION, value.clone());
        }
        let answer = self
            .transport
            .send(&Outgoing::get(url.clone(), headers, max_len))
            .await?;
        match text(&answer, &CONTENT_ENCODING) {
            None | Some("identity") => Ok(answer),
            Some(_) => Err(Failure::answer(
                "the server compresses what it sends, which has no ranges",
            )),
        }
    }
}

fn range_header(range: &Range<u64>) -> (HeaderName, HeaderValue) {
    let value = format!("bytes={}-{}", range.start, range.end - 1);
    (
        RANGE,
        HeaderValue::try_from(value).expect("digits are valid"),
    )
}

fn text<'a>(answer: &'a Answer, name: &HeaderName) -> Option<&'a str> {
    answer.headers.get(name)?.to_str().ok()
}

/// Returns the length of an object that is answered as a whole.
fn whole_len(answer: &Answer) -> Option<u64> {
    let stated = || text(answer, &CONTENT_LENGTH)?.parse().ok();
    answer
        .body
        .as_ref()
        .map(|body| body.len() as u64)
        .or_else(stated)
}

fn is_refusal(failure: &Failure) -> bool {
    let status = failure.status().map(|status| status.as_u16());
    matches!(status, Some(400 | 401 | 403 | 404 | 410))
}

fn redirected(url: &Url, answer: &Answer) -> Result<Url, Failure> {
    let location = text(answer, &LOCATION).and_then(|location| url.join(location).ok());
    let location = location.filter(|to| matches!(to.scheme(), "http" | "https"));
    let location =
        location.ok_or_else(|| Failure::answer("the server redirects to no valid URL"))?;
    if url.scheme() == "https" && location.scheme() == "http" {
        return Err(Failure::answer(
            "the server redirects from https to http, which is not followed",
        ));
    }
    Ok(location)
}
