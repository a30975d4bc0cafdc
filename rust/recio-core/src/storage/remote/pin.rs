//! Identity of an object: what must not change while it is read.

use std::ops::Range;
use std::time::SystemTime;

use super::failure::{Cause, Failure};

/// Length and identity of an object when it was opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Pin {
    pub(super) len: u64,
    pub(super) etag: Option<String>,
    /// Time of the last change, as the server writes it.
    pub(super) modified: Option<String>,
}

/// Beginning of an object, and its identity: the result of the first request.
#[derive(Debug)]
pub(super) struct Opened {
    pub(super) pin: Pin,
    /// Bytes from the beginning; none if the server does not send ranges and the object is long.
    pub(super) beginning: bytes::Bytes,
    /// Whether the server sends ranges.
    pub(super) has_ranges: bool,
}

impl Pin {
    /// Returns the etag as a condition of requests. A weak one is no condition: it would never
    /// match.
    pub(super) fn condition(&self) -> Option<&str> {
        self.etag.as_deref().filter(|etag| !etag.starts_with("W/"))
    }

    /// Returns what changes when the object is replaced.
    pub(super) fn identity(&self) -> Option<String> {
        let modified = || {
            Some(format!(
                "{} ({} bytes)",
                self.modified.as_deref()?,
                self.len
            ))
        };
        self.etag.clone().or_else(modified)
    }

    /// Returns when the object was written.
    pub(super) fn modified(&self) -> Option<SystemTime> {
        let date = chrono::DateTime::parse_from_rfc2822(self.modified.as_deref()?);
        date.ok().map(SystemTime::from)
    }

    /// Checks that an answer is of the object that was opened. `len` is the length of the object,
    /// if the answer states it.
    pub(super) fn check(
        &self,
        len: Option<u64>,
        etag: Option<&str>,
        modified: Option<&str>,
    ) -> Result<(), Failure> {
        let differs = |own: &Option<String>, other: Option<&str>| {
            own.as_deref().zip(other).map(|(own, other)| own != other)
        };
        let is_other = differs(&self.etag, etag).or_else(|| differs(&self.modified, modified));
        if is_other == Some(true) || len.is_some_and(|len| len != self.len) {
            return Err(Failure::new(Cause::Replaced));
        }
        Ok(())
    }

    /// Returns whether a range is the whole object.
    pub(super) fn is_whole(&self, range: &Range<u64>) -> bool {
        *range == (0..self.len)
    }
}

/// Turns the failure of a condition, or of a range that is not in the object any more, into one of
/// a replaced object.
pub(super) fn replaced_if_refused(mut failure: Failure) -> Failure {
    let status = failure.status().map(|status| status.as_u16());
    if matches!(status, Some(412 | 416)) {
        failure.cause = Cause::Replaced;
    }
    failure
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_etag_time_or_length_is_another_object() {
        let pin = |etag: Option<&str>| Pin {
            len: 10,
            etag: etag.map(Into::into),
            modified: Some("Monday".into()),
        };
        let with_etag = pin(Some("\"a\""));
        assert!(
            with_etag
                .check(Some(10), Some("\"a\""), Some("Tuesday"))
                .is_ok()
        );
        assert!(with_etag.check(None, None, None).is_ok());
        assert!(
            with_etag
                .check(None, Some("\"b\""), Some("Monday"))
                .is_err()
        );
        assert!(with_etag.check(Some(11), Some("\"a\""), None).is_err());
        assert!(pin(None).check(None, None, Some("Tuesday")).is_err());
        assert_eq!(pin(None).identity().unwrap(), "Monday (10 bytes)");
        assert_eq!(pin(Some("W/\"a\"")).condition(), None);
        assert_eq!(pin(None).modified(), None);
    }
}
