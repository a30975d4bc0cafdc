//! What a request failed of, in words that have no credentials.

use std::fmt;
use std::io;
use std::time::Duration;

use reqwest::StatusCode;

use crate::error::{Error, ErrorKind};

/// Failure of a request.
#[derive(Debug, Clone)]
pub(super) struct Failure {
    pub(super) cause: Cause,
    /// Number of requests, the first included.
    pub(super) tries: u32,
    pub(super) elapsed: Duration,
    /// Region of the bucket, which S3 adds to its answers.
    pub(super) region: Option<String>,
}

/// Cause of a failure.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Cause {
    /// Status of the answer, and the server's code for it.
    Status {
        status: StatusCode,
        code: Option<String>,
    },
    /// No connection, or one that was lost.
    Connection { kind: io::ErrorKind, text: String },
    /// No progress.
    Stalled(Duration),
    /// An answer that does not fit the request.
    Answer(String),
    /// The object is not the one that was opened.
    Replaced,
    /// The server ignores the range of a request.
    NoRanges,
    /// No credentials.
    Denied(String),
    /// Failed before any request was made, such as for an invalid key.
    Setup(String),
}

impl Failure {
    pub(super) fn new(cause: Cause) -> Self {
        Self {
            cause,
            tries: 1,
            elapsed: Duration::ZERO,
            region: None,
        }
    }

    pub(super) fn answer(text: impl Into<String>) -> Self {
        Self::new(Cause::Answer(text.into()))
    }

    pub(super) fn denied(text: impl Into<String>) -> Self {
        Self::new(Cause::Denied(text.into()))
    }

    pub(super) fn setup(text: impl Into<String>) -> Self {
        Self::new(Cause::Setup(text.into()))
    }

    pub(super) fn missing(text: impl Into<String>) -> Self {
        Self::connection(io::ErrorKind::NotFound, text)
    }

    pub(super) fn connection(kind: io::ErrorKind, text: impl Into<String>) -> Self {
        let text = text.into();
        Self::new(Cause::Connection { kind, text })
    }

    pub(super) fn status(&self) -> Option<StatusCode> {
        match self.cause {
            Cause::Status { status, .. } => Some(status),
            _ => None,
        }
    }

    /// Returns whether another try may succeed.
    pub(super) fn is_transient(&self) -> bool {
        match &self.cause {
            Cause::Status { status, .. } => {
                status.is_server_error() && *status != StatusCode::NOT_IMPLEMENTED
                    || matches!(
                        *status,
                        StatusCode::TOO_MANY_REQUESTS | StatusCode::REQUEST_TIMEOUT
                    )
            }
            Cause::Connection { kind, .. } => *kind != io::ErrorKind::InvalidData,
            Cause::Stalled(_) => true,
            Cause::Answer(_)
            | Cause::Replaced
            | Cause::NoRanges
            | Cause::Denied(_)
            | Cause::Setup(_) => false,
        }
    }

    fn io_kind(&self) -> io::ErrorKind {
        match &self.cause {
            Cause::Status { status, .. } => match *status {
                StatusCode::NOT_FOUND | StatusCode::GONE => io::ErrorKind::NotFound,
                StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => io::ErrorKind::PermissionDenied,
                _ => io::ErrorKind::Other,
            },
            Cause::Connection { kind, .. } => *kind,
            Cause::Stalled(_) => io::ErrorKind::TimedOut,
            Cause::Denied(_) => io::ErrorKind::PermissionDenied,
            _ => io::ErrorKind::Other,
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.cause {
            Cause::Status { status, code } => {
                let meaning = match *status {
                    StatusCode::NOT_FOUND | StatusCode::GONE => match code.as_deref() {
                        Some("NoSuchBucket" | "ContainerNotFound") => "there is no such bucket",
                        _ => "there is no such object",
                    },
                    StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => "access denied",
                    _ => "the server answered with an error",
                };
                write!(f, "{meaning} ({status}")?;
                match code {
                    Some(code) => write!(f, ", {code})")?,
                    None => f.write_str(")")?,
                }
            }
            Cause::Connection { text, .. }
            | Cause::Answer(text)
            | Cause::Denied(text)
            | Cause::Setup(text) => f.write_str(text)?,
            Cause::Stalled(time) => {
                write!(
                    f,
                    "the server made no progress for {} s",
                    time.as_secs_f32()
                )?;
            }
            Cause::Replaced => f.write_str("the object was replaced while it was read")?,
            Cause::NoRanges => {
                f.write_str("the server sends whole files only, no ranges of bytes")?;
            }
        }
        if self.tries > 1 {
            let seconds = self.elapsed.as_secs_f32();
            write!(f, "; gave up after {} tries in {seconds:.1} s", self.tries)?;
        }
        Ok(())
    }
}

impl std::error::Error for Failure {}

impl From<Failure> for Error {
    fn from(failure: Failure) -> Self {
        match failure.cause {
            Cause::Replaced => {
                Error::corrupt(failure.to_string()).advise("open it anew to read the new one")
            }
            Cause::NoRanges => Error::new(ErrorKind::Io(io::Error::other(failure))).advise(
                "download it first, or append #PATH to the URL, which keeps a local copy at PATH",
            ),
            Cause::Setup(text) => Error::argument(text),
            _ => io::Error::new(failure.io_kind(), failure).into(),
        }
    }
}

/// Returns the code of an error in the answer's body, `<Code>NoSuchKey</Code>`: a word, since other
/// text of an answer may repeat credentials.
pub(super) fn code_of(body: &[u8]) -> Option<String> {
    let body = String::from_utf8_lossy(body);
    let (_, rest) = body.split_once("<Code>")?;
    let (code, _) = rest.split_once("</Code>")?;
    is_word(code).then(|| code.into())
}

/// Returns whether a text is a word that may be the code of an error.
pub(super) fn is_word(text: &str) -> bool {
    (1..=64).contains(&text.len()) && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status(status: StatusCode) -> Failure {
        Failure::new(Cause::Status { status, code: None })
    }

    #[test]
    fn the_text_has_the_status_the_code_and_the_tries() {
        let mut failure = status(StatusCode::SERVICE_UNAVAILABLE);
        failure.cause = Cause::Status {
            status: StatusCode::SERVICE_UNAVAILABLE,
            code: code_of(b"<Error><Code>SlowDown</Code>"),
        };
        (failure.tries, failure.elapsed) = (3, Duration::from_millis(1500));
        let text = "the server answered with an error (503 Service Unavailable, SlowDown); gave up after 3 tries in 1.5 s";
        assert_eq!(failure.to_string(), text);
        assert_eq!(code_of(b"<Code>secret key</Code>"), None);
    }

    #[test]
    fn only_what_may_pass_is_tried_again() {
        for (code, is_transient) in [
            (429, true),
            (408, true),
            (500, true),
            (503, true),
            (501, false),
            (404, false),
            (412, false),
        ] {
            let failure = status(StatusCode::from_u16(code).unwrap());
            assert_eq!(failure.is_transient(), is_transient, "{code}");
        }
        assert!(Failure::connection(io::ErrorKind::ConnectionReset, "reset").is_transient());
        assert!(!Failure::connection(io::ErrorKind::InvalidData, "certificate").is_transient());
    }

    #[test]
    fn errors_have_the_kind_of_the_failure() {
        let kind = |failure: Failure| match Error::from(failure).kind() {
            ErrorKind::Io(error) => error.kind(),
            other => panic!("{other:?}"),
        };
        assert_eq!(kind(status(StatusCode::NOT_FOUND)), io::ErrorKind::NotFound);
        assert_eq!(
            kind(status(StatusCode::FORBIDDEN)),
            io::ErrorKind::PermissionDenied
        );
        assert_eq!(
            kind(Failure::new(Cause::Stalled(Duration::ZERO))),
            io::ErrorKind::TimedOut
        );
        let error = Error::from(Failure::new(Cause::Replaced));
        assert!(matches!(error.kind(), ErrorKind::Corrupt(_)));
    }
}
