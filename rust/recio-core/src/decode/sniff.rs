//! Which format a payload is in, told from its first bytes.

use image::ImageFormat;

use crate::error::{Error, Result};
use crate::limits::{Format, Limits};

/// How many bytes of an unknown payload an error shows.
const SHOWN: usize = 8;

/// What the `image` crate calls the formats.
const NAMES: [(Format, ImageFormat); 6] = [
    (Format::Jpeg, ImageFormat::Jpeg),
    (Format::Png, ImageFormat::Png),
    (Format::WebP, ImageFormat::WebP),
    (Format::Bmp, ImageFormat::Bmp),
    (Format::Gif, ImageFormat::Gif),
    (Format::Tiff, ImageFormat::Tiff),
];

/// The format that an image's first bytes are of; none if it is none that can be decoded.
#[must_use]
pub fn format_of(payload: &[u8]) -> Option<Format> {
    let guessed = image::guess_format(payload).ok()?;
    let name = NAMES.iter().find(|(_, name)| *name == guessed);
    name.map(|(format, _)| *format)
}

/// What the `image` crate calls a format.
pub(super) fn name_of(format: Format) -> ImageFormat {
    NAMES[format as usize].1
}

/// The format of the payload, one of those that can be decoded and that `limits` admit.
pub(super) fn format(payload: &[u8], limits: &Limits) -> Result<Format> {
    if payload.is_empty() {
        return Err(Error::image("there are no image bytes"));
    }
    let format = format_of(payload).ok_or_else(|| unknown(payload))?;
    limits.check_format(format)?;
    Ok(format)
}

fn unknown(payload: &[u8]) -> Error {
    let start = &payload[..payload.len().min(SHOWN)];
    let start: Vec<String> = start.iter().map(|byte| format!("{byte:02x}")).collect();
    let more = if payload.len() > SHOWN { " .." } else { "" };
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
    fn an_unknown_payload_is_shown_by_its_first_bytes() {
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
    fn an_empty_payload_is_said_to_be_empty() {
        assert_eq!(
            format(&[]).unwrap_err().to_string(),
            "there are no image bytes"
        );
    }

    #[test]
    fn a_known_format_that_is_not_built_in_is_unknown() {
        assert!(format(b"qoif\0\0\0\0").is_err());
    }
}
