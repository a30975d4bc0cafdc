//! JPEGs with the same pixels that decode faster: seekable ones, of which crops decode faster, and
//! baseline ones instead of progressive ones.
//!
//! A JPEG that cannot be rewritten, or would become too large, stays as it is. Damage is not looked
//! for here.
//!
//! Of 2,000 photographs, 3.7 % of them progressive, seekable records are 3.3 % smaller, and regions
//! of random resized crops are decoded in 0.72 of the time. If only the progressive ones are
//! rewritten, as baseline JPEGs, the records are 0.15 % larger, and the time is 0.87: they are few,
//! but slowest to decode, and take 0.25 of their time then.

use recio_jpeg::Header;

use super::options::PackOptions;

/// The first bytes of every JPEG.
const START_OF_IMAGE: [u8; 2] = [0xff, 0xd8];

/// Bytes of the coefficients of a pixel: at most four components of 16 bits.
const MAX_COEFFICIENT_BYTES: usize = 8;

/// Returns a JPEG as the options require it, or `None` if it is that already, or if that is
/// impossible or too large.
///
/// It may not become larger; a progressive one may by a tenth, as it is then decoded several times
/// faster.
pub(super) fn rewrite(image: &[u8], options: &PackOptions) -> Option<Vec<u8>> {
    if !options.seekable && !options.baseline {
        return None;
    }
    let is_jpeg = image.starts_with(&START_OF_IMAGE);
    let header = is_jpeg.then(|| Header::read(image))?.ok()?;
    let (width, height) = header.size();
    options
        .limits
        .check(width, height, MAX_COEFFICIENT_BYTES)
        .ok()?;
    let rewritten = if options.seekable {
        recio_jpeg::make_seekable(image, &header)
    } else if header.is_progressive() {
        recio_jpeg::make_baseline(image, &header)
    } else {
        return None;
    };
    let rewritten = rewritten.ok()?;
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
    use crate::encode::{ColorOrder, JpegOptions, encode_jpeg};
    use crate::image::Image;
    use crate::limits::Limits;
    use crate::pack::tests::PASS_THROUGH;

    fn seekable(image: &[u8], limits: &Limits) -> Option<Vec<u8>> {
        let options = PackOptions {
            seekable: true,
            limits: *limits,
            ..PASS_THROUGH
        };
        rewrite(image, &options)
    }

    fn jpeg() -> Vec<u8> {
        let mut image = Image::filled(160, 120, 3, 9);
        let bytes = (0..).map(|i: usize| (i * i / 100) as u8);
        image
            .data
            .iter_mut()
            .zip(bytes)
            .for_each(|(sample, byte)| *sample = byte);
        let mut jpeg = Vec::new();
        encode_jpeg(
            &image.view(),
            ColorOrder::Rgb,
            &JpegOptions::default(),
            &mut jpeg,
        )
        .unwrap();
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
    fn only_progressive_jpegs_become_baseline() {
        let options = PackOptions {
            baseline: true,
            ..PASS_THROUGH
        };
        assert_eq!(rewrite(&jpeg(), &options), None);
        let progressive = include_bytes!("../../../../tests/data/odd-images/progressive.jpg");
        let rewritten = rewrite(progressive, &options).unwrap();
        assert!(!Header::read(&rewritten).unwrap().is_progressive());
        assert_eq!(rewrite(progressive, &PASS_THROUGH), None);
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
