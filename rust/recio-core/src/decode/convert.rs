//! Conversion between channel layouts, CMYK and 16 bits included, equal to OpenCV and its
//! libraries.
//!
//! Input and output are rows without padding. Impossible conversions (alpha from an image without)
//! are rejected earlier.

use super::Pixels;

/// Conversion of R, G, B to gray: weights in 1/32768, and a rounding term added before the
/// division.
#[derive(Debug, Clone, Copy)]
pub(super) struct Luma {
    pub(super) weights: [u32; 3],
    round: u32,
}

/// `cvtColor` of OpenCV, for WebP and GIF.
pub(super) const CVT_COLOR: Luma = Luma {
    weights: [9798, 19235, 3735],
    round: 16384,
};

/// The decoders of OpenCV for BMP and TIFF: 4899, 9617, 1868 in 1/16384, rounded to the nearest.
pub(super) const OPENCV: Luma = Luma {
    weights: [9798, 19234, 3736],
    round: 16384,
};

impl Luma {
    #[inline]
    fn of<T: Into<u32>>(self, [r, g, b]: [T; 3]) -> u32 {
        let [wr, wg, wb] = self.weights;
        (wr * r.into() + wg * g.into() + wb * b.into() + self.round) >> 15
    }

    /// Return the gray of 16-bit samples.
    pub(super) fn of_16(self, rgb: [u16; 3]) -> u16 {
        self.of(rgb) as u16
    }
}

/// Convert R, G, B, or R, G, B, A, to `pixels`.
pub(super) fn channels(from: &[u8], channels: usize, pixels: Pixels, luma: Luma, into: &mut [u8]) {
    match (channels, pixels) {
        (3, Pixels::Gray) => each(from, into, |rgb: [u8; 3]| [luma.of(rgb) as u8]),
        (4, Pixels::Gray) => each(from, into, |[r, g, b, _]| [luma.of([r, g, b]) as u8]),
        (4, Pixels::Rgb) => each(from, into, |[r, g, b, _]| [r, g, b]),
        (3, Pixels::Rgb) | (4, Pixels::Rgba) => into.copy_from_slice(from),
        (channels, pixels) => unreachable!("{channels} channels are {pixels:?} or rejected"),
    }
}

/// Convert CMYK as Adobe stores it (255 is no ink) to gray or RGB, in OpenCV's arithmetic: white
/// becomes 255, darker values may be one too large.
pub(super) fn cmyk(from: &[u8], pixels: Pixels, into: &mut [u8]) {
    match pixels {
        Pixels::Gray => each(from, into, |pixel| [OPENCV.of(cmyk_to_rgb(pixel)) as u8]),
        Pixels::Rgb => each(from, into, cmyk_to_rgb),
        Pixels::Rgba => unreachable!("no CMYK image has alpha"),
    }
}

fn cmyk_to_rgb([c, m, y, k]: [u8; 4]) -> [u8; 3] {
    let k = u32::from(k);
    [c, m, y].map(|value| (k - (((255 - u32::from(value)) * k) >> 8)) as u8)
}

fn each<const FROM: usize, const INTO: usize>(
    from: &[u8],
    into: &mut [u8],
    convert: impl Fn([u8; FROM]) -> [u8; INTO],
) {
    let (from, into) = (from.as_chunks().0, into.as_chunks_mut().0);
    for (from, into) in from.iter().zip(into) {
        *into = convert(*from);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn alpha_is_dropped_not_blended() {
        let mut rgb = [0; 3];
        channels(&[200, 100, 50, 1], 4, Pixels::Rgb, OPENCV, &mut rgb);
        assert_eq!(rgb, [200, 100, 50]);
    }

    /// 9798·201 + 19234·100 + 3736·69 = 4150582; / 32768 = 126.67.
    #[test]
    fn gray_is_rounded_to_the_nearest() {
        assert_eq!(OPENCV.of([201_u8, 100, 69]), 127);
        assert_eq!(CVT_COLOR.of([201_u8, 100, 69]), 127);
        assert_eq!(OPENCV.of([255_u8; 3]), 255);
        assert_eq!(OPENCV.of_16([u16::MAX; 3]), u16::MAX);
    }

    /// (255 − 200)·200 >> 8 = 42; 200 − 42 = 158.
    #[test]
    fn cmyk_is_multiplied_by_black() {
        assert_eq!(cmyk_to_rgb([255, 200, 0, 200]), [200, 158, 1]);
        assert_eq!(cmyk_to_rgb([255, 255, 255, 255]), [255; 3]);
        assert_eq!(cmyk_to_rgb([9, 9, 9, 0]), [0; 3]);
    }
}
