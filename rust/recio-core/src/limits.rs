//! Limits for images: sizes, which are checked before memory is allocated, and formats.
//!
//! A `.rec` file and the images in it are untrusted: a file of 200 bytes can claim an image of
//! 65,500 × 65,500 pixels, and the decoder of a rare format is less tested against attacks.

use std::fmt;

use crate::error::{Error, Result};

/// Largest images that are decoded, and their formats. The defaults accept every photograph, and
/// not the usual decompression bombs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Maximum width and height in pixels. Default 16,384.
    pub side: usize,
    /// Maximum number of pixels. Default 178,956,970: 512 MiB with three channels.
    pub pixels: usize,
    /// Maximum decoded size in bytes. Default 512 MiB.
    pub bytes: usize,
    /// Maximum number of scans of a progressive JPEG. Default 100.
    pub scans: usize,
    /// Formats that are decoded. Default all.
    pub formats: Formats,
}

/// Format of an image file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Format {
    /// JPEG.
    Jpeg,
    /// PNG.
    Png,
    /// WebP.
    WebP,
    /// BMP.
    Bmp,
    /// GIF.
    Gif,
    /// TIFF.
    Tiff,
}

/// Set of formats.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Formats(u8);

impl Format {
    /// All formats.
    pub const ALL: [Self; 6] = [
        Self::Jpeg,
        Self::Png,
        Self::WebP,
        Self::Bmp,
        Self::Gif,
        Self::Tiff,
    ];

    /// Returns the name in lower case, such as `jpeg`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Jpeg => "jpeg",
            Self::Png => "png",
            Self::WebP => "webp",
            Self::Bmp => "bmp",
            Self::Gif => "gif",
            Self::Tiff => "tiff",
        }
    }
}

impl Formats {
    /// All formats.
    pub const ALL: Self = Self((1 << Format::ALL.len()) - 1);

    /// Returns the formats with these names.
    ///
    /// # Errors
    /// [`ErrorKind::Argument`](crate::error::ErrorKind::Argument) for an unknown name, or no name.
    pub fn of(names: &[String]) -> Result<Self> {
        let bit = |name: &String| {
            let format = Format::ALL.into_iter().find(|format| format.name() == name);
            format.map(|format| 1 << format as u8).ok_or_else(|| {
                Error::argument(format!(
                    "unknown format {name:?}; formats may contain {}",
                    Self::ALL
                ))
            })
        };
        let bits = names.iter().try_fold(0, |bits, name| Ok(bits | bit(name)?));
        match bits {
            Ok(0) => Err(Error::argument(format!(
                "formats is empty; it may contain {}",
                Self::ALL
            ))),
            bits => bits.map(Self),
        }
    }

    /// Returns whether the set has a format.
    #[must_use]
    pub fn has(self, format: Format) -> bool {
        self.0 & 1 << format as u8 != 0
    }
}

/// `jpeg, png`
impl fmt::Display for Formats {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<_> = Format::ALL
            .into_iter()
            .filter(|format| self.has(*format))
            .map(Format::name)
            .collect();
        f.write_str(&names.join(", "))
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self::DEFAULT
    }
}

impl Limits {
    /// The defaults.
    pub const DEFAULT: Self = Self {
        side: 16_384,
        pixels: 178_956_970,
        bytes: 512 << 20,
        scans: 100,
        formats: Formats::ALL,
    };

    /// Checks the size of an image.
    ///
    /// # Errors
    /// [`ErrorKind::Limit`](crate::error::ErrorKind::Limit), with the size and the limit; `Image`
    /// if the image has no pixels.
    pub fn check(&self, width: usize, height: usize, bytes_per_pixel: usize) -> Result<()> {
        if width == 0 || height == 0 {
            return Err(Error::image(format!(
                "the image is {width}x{height} pixels"
            )));
        }
        if width > self.side || height > self.side {
            return Err(Error::limit(format!(
                "the image is {width}x{height} pixels; the limit is {} a side: limits=Limits(side=...) or \
                 --max-side raises it",
                self.side
            )));
        }
        let pixels = width.saturating_mul(height);
        if pixels > self.pixels {
            return Err(Error::limit(format!(
                "the image is {width}x{height}, {pixels} pixels; the limit is {}: limits=Limits(pixels=...) or \
                 --max-pixels raises it",
                self.pixels
            )));
        }
        self.check_memory(pixels.saturating_mul(bytes_per_pixel))
    }

    /// Checks the decoded size of an image in bytes.
    ///
    /// # Errors
    /// As [`check`](Self::check).
    pub fn check_memory(&self, bytes: usize) -> Result<()> {
        if bytes > self.bytes {
            return Err(Error::limit(format!(
                "the image is {bytes} bytes when decoded; the limit is {}: limits=Limits(bytes=...) or \
                 --max-bytes raises it",
                self.bytes
            )));
        }
        Ok(())
    }

    /// Checks the format of an image.
    ///
    /// # Errors
    /// As [`check`](Self::check).
    pub fn check_format(&self, format: Format) -> Result<()> {
        if self.formats.has(format) {
            return Ok(());
        }
        let name = format.name();
        Err(Error::unsupported(format!(
            "the image is a {name}, but formats allows only {}: add {name:?} if you trust the source of the file",
            self.formats
        )))
    }
}

/// Maximum number of labels of a sample where the data determine how many a batch has for each: one
/// sample with many labels would multiply the memory of all batches.
pub const MAX_LABELS: usize = 1 << 16;

/// Checks a number of labels that the data determine.
///
/// # Errors
/// [`ErrorKind::Limit`](crate::error::ErrorKind::Limit) with the number and the limit.
pub fn check_label_count(count: usize) -> Result<()> {
    if count <= MAX_LABELS {
        return Ok(());
    }
    Err(Error::limit(format!(
        "{count} labels; without a label_width, a sample has at most {MAX_LABELS}"
    )))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(outcome: Result<()>) -> String {
        outcome.unwrap_err().to_string()
    }

    #[test]
    fn sides_pixels_and_bytes_are_limited() {
        let limits = Limits {
            side: 100,
            pixels: 9_000,
            bytes: 10_000,
            ..Limits::default()
        };
        assert!(limits.check(100, 33, 3).is_ok());
        assert!(text(limits.check(0, 5, 3)).contains("0x5"));
        assert!(text(limits.check(101, 1, 3)).contains("101x1"));
        assert!(text(limits.check(100, 91, 1)).contains("9100 pixels"));
        assert!(text(limits.check(100, 90, 3)).contains("27000 bytes"));
    }

    #[test]
    fn formats_are_selected_by_name() {
        let names = ["png", "jpeg"].map(String::from);
        let limits = Limits {
            formats: Formats::of(&names).unwrap(),
            ..Limits::default()
        };
        assert!(limits.check_format(Format::Png).is_ok());
        let error = text(limits.check_format(Format::Gif));
        assert!(
            error.contains("a gif, but formats allows only jpeg, png: add"),
            "{error}"
        );
        let unknown = Formats::of(&["jpg".into()]).unwrap_err().to_string();
        assert!(
            unknown.contains("unknown format \"jpg\"; formats may contain jpeg, png, webp"),
            "{unknown}"
        );
        assert!(Formats::of(&[]).is_err());
    }
}
