//! Conversion between channel layouts, CMYK and 16 bits included, equal to OpenCV and its
//! libraries.
//!
//! Input and output are rows without padding. Impossible conversions (alpha from an image without)
//! are rejected earlier.

use super::Pixels;
use super::gamma::Gamma;

/// Conversion of R, G, B to gray: weights in 1/32768, and a rounding term added before the
/// division.
#[derive(Debug, Clone, Copy)]
pub(super) struct Luma {
    pub(super) weights: [u32; 3],
    round: u32,
}

/// libpng 1.6 with OpenCV's weights; rounds down.
pub(super) const LIBPNG: Luma = Luma {
    weights: [9797, 19234, 3737],
    round: 0,
};

/// libpng 1.6 for 16-bit samples: rounds to the nearest.
pub(super) const LIBPNG_16: Luma = Luma {
    weights: [9797, 19234, 3737],
    round: 16384,
};

/// OpenCV, for every other format: 4899, 9617, 1868 in 1/16384, rounded to the nearest.
pub(super) const OPENCV: Luma = Luma {
    weights: [9798, 19234, 3736],
    round: 16384,
};

impl Luma {
    fn of<T: Into<u32>>(self, [r, g, b]: [T; 3]) -> u32 {
        let [wr, wg, wb] = self.weights;
        (wr * r.into() + wg * g.into() + wb * b.into() + self.round) >> 15
    }
}

/// Convert pixels of `channels` samples to `pixels`. One and two channels are gray, without and
/// with alpha.
pub(super) fn channels(from: &[u8], channels: usize, pixels: Pixels, luma: Luma, into: &mut [u8]) {
    match (channels, pixels) {
        (2, Pixels::Gray) => each(from, into, |[g, _]| [g]),
        (3, Pixels::Gray) => each(from, into, |rgb: [u8; 3]| [luma.of(rgb) as u8]),
        (4, Pixels::Gray) => each(from, into, |[r, g, b, _]| [luma.of([r, g, b]) as u8]),
        (1, Pixels::Rgb) => each(from, into, |[g]| [g; 3]),
        (2, Pixels::Rgb) => each(from, into, |[g, _]| [g; 3]),
        (4, Pixels::Rgb) => each(from, into, |[r, g, b, _]| [r, g, b]),
        (2, Pixels::Rgba) => each(from, into, |[g, a]| [g, g, g, a]),
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

/// Convert 16-bit colors to 8-bit gray: the high byte of the luma in 16 bits.
pub(super) fn gray_from_16_bits(from: &[u8], channels: usize, into: &mut [u8]) {
    let high = |rgb: [u16; 3]| (LIBPNG_16.of(rgb) >> 8) as u8;
    let sample = |bytes: &[u8], i: usize| u16::from_ne_bytes([bytes[2 * i], bytes[2 * i + 1]]);
    for (pixel, gray) in from.chunks_exact(2 * channels).zip(into) {
        *gray = high([sample(pixel, 0), sample(pixel, 1), sample(pixel, 2)]);
    }
}

/// Convert colors of 3 or 4 channels to gray, weighted in linear light.
pub(super) fn linear_gray(from: &[u8], channels: usize, gamma: &Gamma, into: &mut [u8]) {
    for (pixel, gray) in from.chunks_exact(channels).zip(into) {
        *gray = gamma.luma([pixel[0], pixel[1], pixel[2]], LIBPNG.weights);
    }
}

/// Replace 16-bit samples by their high bytes, in place.
pub(super) fn high_bytes(samples: &mut Vec<u8>) {
    let count = samples.len() / 2;
    for i in 0..count {
        let sample = u16::from_ne_bytes([samples[2 * i], samples[2 * i + 1]]);
        samples[i] = (sample >> 8) as u8;
    }
    samples.truncate(count);
}

/// Convert gray with alpha to four channels.
pub(super) fn gray_alpha_to_rgba<T: Copy>(samples: &[T]) -> Vec<T> {
    let (pixels, _) = samples.as_chunks::<2>();
    pixels.iter().flat_map(|&[g, a]| [g, g, g, a]).collect()
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

    fn converted(from: &[u8], count: usize, pixels: Pixels) -> Vec<u8> {
        let mut into = vec![0; from.len() / count * pixels.channels()];
        channels(from, count, pixels, LIBPNG, &mut into);
        into
    }

    #[test]
    fn alpha_is_dropped_not_blended() {
        assert_eq!(
            converted(&[200, 100, 50, 1], 4, Pixels::Rgb),
            [200, 100, 50]
        );
        assert_eq!(converted(&[77, 1], 2, Pixels::Rgb), [77, 77, 77]);
        assert_eq!(converted(&[77, 1], 2, Pixels::Gray), [77]);
    }

    #[test]
    fn gray_with_alpha_becomes_four_channels() {
        assert_eq!(converted(&[77, 128], 2, Pixels::Rgba), [77, 77, 77, 128]);
        assert_eq!(gray_alpha_to_rgba(&[7_u16, 8]), [7, 7, 7, 8]);
    }

    /// 9797·200 + 19234·100 + 3737·50 = 4069650; / 32768 = 124.196. With B 75: 127.05; with R 201,
    /// B 69: 126.66.
    #[test]
    fn libpng_rounds_gray_down_and_opencv_to_the_nearest() {
        assert_eq!(LIBPNG.of([200_u8, 100, 50]), 124);
        assert_eq!(LIBPNG.of([201_u8, 100, 69]), 126);
        assert_eq!(OPENCV.of([201_u8, 100, 69]), 127);
        assert_eq!(LIBPNG.of([255_u8; 3]), 255);
        assert_eq!(OPENCV.of([255_u8; 3]), 255);
        assert_eq!(LIBPNG_16.of([u16::MAX; 3]), 65535);
    }

    /// (255 − 200)·200 >> 8 = 42; 200 − 42 = 158.
    #[test]
    fn cmyk_is_multiplied_by_black() {
        assert_eq!(cmyk_to_rgb([255, 200, 0, 200]), [200, 158, 1]);
        assert_eq!(cmyk_to_rgb([255, 255, 255, 255]), [255; 3]);
        assert_eq!(cmyk_to_rgb([9, 9, 9, 0]), [0; 3]);
    }

    #[test]
    fn sixteen_bits_become_their_high_byte() {
        let mut samples: Vec<u8> = [0x12ff_u16, 0xfe01]
            .iter()
            .flat_map(|sample| sample.to_ne_bytes())
            .collect();
        high_bytes(&mut samples);
        assert_eq!(samples, [0x12, 0xfe]);
    }
}
