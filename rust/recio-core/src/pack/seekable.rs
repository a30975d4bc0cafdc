//! A JPEG that is packed → one of the same pixels of which a crop is decoded sooner.
//!
//! This is a help for readers, never a condition: what cannot be written so, or would be too large, stays as it is. Damage
//! is not looked for here.
//!
//! Of 2,000 photographs, 3.7 % of them progressive, the records become 3.3 % smaller. Crops of them are decoded in 0.82 of
//! the time, and an epoch of training takes 0.88 of it. Without the progressive ones that grow, by 0.3 to 7.6 %, it would be
//! 3.5 % smaller, 0.92 and 0.93: they are few but decode slowest.

use recio_jpeg::Header;

use crate::limits::Limits;

/// What each JPEG begins with.
const START: [u8; 2] = [0xff, 0xd8];

/// Bytes of a pixel's coefficients: four components at most, of 16 bits.
const COEFFICIENTS: usize = 8;

/// An image made seekable, if it is a JPEG that can be, and does not become larger; a progressive one may by a tenth, for
/// it is then decoded several times faster.
pub(super) fn seekable(image: &[u8], limits: &Limits) -> Option<Vec<u8>> {
    let header = image.starts_with(&START).then(|| Header::read(image));
    let header = header?.ok()?;
    let (width, height) = header.size();
    limits.check(width, height, COEFFICIENTS).ok()?;
    let made = recio_jpeg::make_seekable(image, &header).ok()?;
    let room = if header.is_progressive() {
        image.len() / 10
    } else {
        0
    };
    (made.len() <= image.len() + room).then_some(made)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::encode::encode_jpeg;
    use crate::image::Image;

    fn jpeg() -> Vec<u8> {
        let mut picture = Image::filled(160, 120, 3, 9);
        let bytes = (0..).map(|i: usize| (i * i / 100) as u8);
        picture
            .data
            .iter_mut()
            .zip(bytes)
            .for_each(|(level, byte)| *level = byte);
        let mut jpeg = Vec::new();
        encode_jpeg(&picture.view(), 90, &mut jpeg).unwrap();
        jpeg
    }

    #[test]
    fn a_jpeg_that_becomes_no_larger_is_taken() {
        let limits = Limits::default();
        let made = seekable(&jpeg(), &limits).unwrap();
        assert!(made.len() < jpeg().len());
        assert_eq!(seekable(&made, &limits), Some(made));
    }

    #[test]
    fn all_else_is_not() {
        let limits = Limits::default();
        assert_eq!(seekable(b"\x89PNG", &limits), None);
        assert_eq!(seekable(b"", &limits), None);
        let jpeg = jpeg();
        assert_eq!(seekable(&jpeg[..jpeg.len() / 2], &limits), None);
        let bytes = 160 * 120 * COEFFICIENTS;
        for (bytes, is_taken) in [(bytes - 1, false), (bytes, true)] {
            let limits = Limits { bytes, ..limits };
            assert_eq!(seekable(&jpeg, &limits).is_some(), is_taken);
        }
    }
}
