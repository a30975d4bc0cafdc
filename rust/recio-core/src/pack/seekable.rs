//! Seekable JPEGs: the same pixels, written so that crops are decoded faster.
//!
//! A JPEG that cannot be rewritten, or would become too large, stays as it is. Damage is not looked
//! for here.
//!
//! Of 2,000 photographs, 3.7 % of them progressive, the records become 3.3 % smaller. Crops are
//! decoded in 0.82 of the time, and an epoch of training takes 0.88 of it. Without the progressive
//! JPEGs that grow, by 0.3 to 7.6 %, it would be 3.5 % smaller, 0.92 and 0.93: they are few, but
//! slowest to decode.

use recio_jpeg::Header;

use crate::limits::Limits;

/// The first bytes of every JPEG.
const START_OF_IMAGE: [u8; 2] = [0xff, 0xd8];

/// Bytes of the coefficients of a pixel: at most four components of 16 bits.
const MAX_COEFFICIENT_BYTES: usize = 8;

/// Returns a JPEG as a seekable one, or `None` if that is impossible or too large.
///
/// It may not become larger; a progressive one may by a tenth, as it is then decoded several times
/// faster.
pub(super) fn seekable(image: &[u8], limits: &Limits) -> Option<Vec<u8>> {
    let is_jpeg = image.starts_with(&START_OF_IMAGE);
    let header = is_jpeg.then(|| Header::read(image))?.ok()?;
    let (width, height) = header.size();
    limits.check(width, height, MAX_COEFFICIENT_BYTES).ok()?;
    let rewritten = recio_jpeg::make_seekable(image, &header).ok()?;
    let max_growth = if header.is_progressive() {
        image.len() / 10
    } else {
        0
    };
    (rewritten.len() <= image.len() + max_growth).then_some(rewritten)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::encode::encode_jpeg;
    use crate::image::Image;

    fn jpeg() -> Vec<u8> {
        let mut image = Image::filled(160, 120, 3, 9);
        let bytes = (0..).map(|i: usize| (i * i / 100) as u8);
        image
            .data
            .iter_mut()
            .zip(bytes)
            .for_each(|(sample, byte)| *sample = byte);
        let mut jpeg = Vec::new();
        encode_jpeg(&image.view(), 90, &mut jpeg).unwrap();
        jpeg
    }

    #[test]
    fn jpeg_that_becomes_smaller_is_rewritten() {
        let limits = Limits::default();
        let rewritten = seekable(&jpeg(), &limits).unwrap();
        assert!(rewritten.len() < jpeg().len());
        assert_eq!(seekable(&rewritten, &limits), Some(rewritten));
    }

    #[test]
    fn other_files_are_not_rewritten() {
        let limits = Limits::default();
        assert_eq!(seekable(b"\x89PNG", &limits), None);
        assert_eq!(seekable(b"", &limits), None);
        let jpeg = jpeg();
        assert_eq!(seekable(&jpeg[..jpeg.len() / 2], &limits), None);
        let bytes = 160 * 120 * MAX_COEFFICIENT_BYTES;
        for (bytes, is_rewritten) in [(bytes - 1, false), (bytes, true)] {
            let limits = Limits { bytes, ..limits };
            assert_eq!(seekable(&jpeg, &limits).is_some(), is_rewritten);
        }
    }
}
