//! The header Content-Range: which bytes of an object an answer has.

use std::ops::Range;

/// Range of bytes, and the length of the object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ContentRange {
    /// Empty if the object has no bytes in the requested range.
    pub(super) range: Range<u64>,
    /// `None` if the server does not state it.
    pub(super) len: Option<u64>,
}

impl ContentRange {
    /// Parses `bytes 0-99/1000`, `bytes 0-99/*` or `bytes */1000`.
    pub(super) fn parse(value: &str) -> Option<Self> {
        let (range, len) = value
            .trim()
            .strip_prefix("bytes")?
            .trim_start()
            .split_once('/')?;
        let len = match len {
            "*" => None,
            len => Some(len.parse().ok()?),
        };
        let range = match range.split_once('-') {
            Some((first, last)) => first.parse().ok()?..last.parse::<u64>().ok()?.checked_add(1)?,
            None if range == "*" => 0..0,
            None => return None,
        };
        (range.start <= range.end && len.is_none_or(|len| range.end <= len))
            .then_some(Self { range, len })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_has_a_range_and_a_length() {
        let parse = ContentRange::parse;
        let range = |range, len| Some(ContentRange { range, len });
        assert_eq!(parse("bytes 5-9/100"), range(5..10, Some(100)));
        assert_eq!(parse("bytes 5-9/*"), range(5..10, None));
        assert_eq!(parse("bytes */0"), range(0..0, Some(0)));
        for invalid in [
            "",
            "bytes 9-5/100",
            "bytes 5-100/100",
            "items 0-1/2",
            "bytes 0-18446744073709551615/*",
            "bytes -5/100",
        ] {
            assert_eq!(parse(invalid), None, "{invalid}");
        }
    }
}
