//! Limits on what a file may ask for, checked before each allocation that its numbers drive.
//!
//! A `.rec` file and the images in it are untrusted: 200 bytes can claim a picture of 65,500 × 65,500 pixels.

use crate::error::{Error, Result};

/// The largest image that is decoded. The defaults admit every photograph and refuse the usual decompression bombs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// The longest side of an image, in pixels. Default 16,384.
    pub side: usize,
    /// The decoded size of an image, in bytes. Default 512 MiB.
    pub bytes: usize,
    /// The number of scans in a progressive JPEG. Default 100.
    pub scans: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            side: 16_384,
            bytes: 512 << 20,
            scans: 100,
        }
    }
}

impl Limits {
    /// Refuses an image of this size, given in pixels and bytes a pixel, and one without pixels.
    ///
    /// # Errors
    /// [`ErrorKind::Limit`](crate::error::ErrorKind::Limit), with the numbers.
    pub fn check(&self, width: usize, height: usize, bytes_per_pixel: usize) -> Result<()> {
        if width == 0 || height == 0 {
            return Err(Error::image(format!(
                "the image is {width}x{height} pixels"
            )));
        }
        if width > self.side || height > self.side {
            return Err(Error::limit(format!(
                "the image is {width}x{height} pixels; the limit is {} a side",
                self.side
            )));
        }
        self.check_memory(width.saturating_mul(height).saturating_mul(bytes_per_pixel))
    }

    /// Refuses an image that takes more than so many bytes.
    ///
    /// # Errors
    /// As [`check`](Self::check).
    pub fn check_memory(&self, bytes: usize) -> Result<()> {
        if bytes > self.bytes {
            return Err(Error::limit(format!(
                "the image is {bytes} bytes when decoded; the limit is {}",
                self.bytes
            )));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sides_and_bytes_are_limited() {
        let limits = Limits {
            side: 100,
            bytes: 10_000,
            scans: 1,
        };
        assert!(limits.check(100, 33, 3).is_ok());
        assert!(
            limits
                .check(0, 5, 3)
                .unwrap_err()
                .to_string()
                .contains("0x5")
        );
        assert!(
            limits
                .check(101, 1, 3)
                .unwrap_err()
                .to_string()
                .contains("101x1")
        );
        assert!(
            limits
                .check(100, 100, 3)
                .unwrap_err()
                .to_string()
                .contains("30000 bytes")
        );
    }
}
