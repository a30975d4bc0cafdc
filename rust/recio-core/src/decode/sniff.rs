//! Image format detection from the first bytes of a payload.

use crate::error::{Error, Result};
use crate::limits::{Format, Limits};

/// Bytes of an unknown payload shown in an error.
const SHOWN_BYTES: usize = 8;

/// The first bytes of each format but WebP.
const SIGNATURES: [(&[u8], Format); 9] = [
    (b"\xff\xd8\xff", Format::Jpeg),
    (b"\x89PNG\r\n\x1a\n", Format::Png),
    (b"BM", Format::Bmp),
    (b"GIF87a", Format::Gif),
    (b"GIF89a", Format::Gif),
    (b"II*\0", Format::Tiff),
    (b"MM\0*", Format::Tiff),
    // BigTIFF.
    (b"II+\0", Format::Tiff),
    (b"MM\0+", Format::Tiff),
];

/// Return the format of an image from its first bytes; `None` if it is not supported.
#[must_use]
pub fn format_of(payload: &[u8]) -> Option<Format> {
    if payload.starts_with(b"RIFF") && payload.get(8..12) == Some(b"WEBP") {
        return Some(Format::WebP);
    }
    let mut signatures = SIGNATURES.into_iter();
    let found = signatures.find(|(signature, _)| payload.starts_with(signature))?;
    Some(found.1)
}

/// Return the format of a payload, or an error if it is unsupported or `limits` exclude it.
pub(super) fn format(payload: &[u8], limits: &Limits) -> Result<Format> {
    if payload.is_empty() {
        return Err(Error::image("there are no image bytes"));
    }
    let format = format_of(payload).ok_or_else(|| unknown_format(payload))?;
    limits.check_format(format)?;
    Ok(format)
}

fn unknown_format(payload: &[u8]) -> Error {
    let start = &payload[..payload.len().min(SHOWN_BYTES)];
    let start: Vec<String> = start.iter().map(|byte| format!("{byte:02x}")).collect();
    let more = if payload.len() > SHOWN_BYTES {
        " .."
    } else {
        ""
    };
    Error::image(format!(
        "not an image that recio can decode: the payload starts with {}{more} ({} bytes)",
        start.join(" "),
        payload.len()
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn format(payload: &[u8]) -> Result<Format> {
        super::format(payload, &Limits::default())
    }

    #[test]
    fn the_error_for_an_unknown_format_shows_the_first_bytes() {
        assert_eq!(
            format(&[0, 1, 0xfe]).unwrap_err().to_string(),
            "not an image that recio can decode: the payload starts with 00 01 fe (3 bytes)"
        );
        assert_eq!(
            format(&[7; 9]).unwrap_err().to_string(),
            "not an image that recio can decode: \
             the payload starts with 07 07 07 07 07 07 07 07 .. (9 bytes)"
        );
    }

    #[test]
    fn an_empty_payload_is_an_error() {
        assert_eq!(
            format(&[]).unwrap_err().to_string(),
            "there are no image bytes"
        );
    }

    #[test]
    fn a_format_that_is_not_built_in_is_an_error() {
        assert!(format(b"qoif\0\0\0\0").is_err());
    }
}
