//! Shifts of hue, lightness and saturation: RGB to HLS, the shift, and back to RGB in one pass.
//!
//! Hues are 0–180, so that a full turn fits into 8 bits; lightness and saturation are 0–255. Both
//! conversions round to 8 bits.
//!
//! From RGB to HLS, float32 errors decide how halves round, so the arithmetic is that of OpenCV's
//! vector code, operation for operation: all 2²⁴ colors convert as in MXNet 1.9.1's wheel. OpenCV 4
//! fuses multiplication and addition on CPUs that support it; the hue of 1,747 colors then differs
//! by 1. From HLS to RGB no value is that close to a half: the textbook formula returns OpenCV's
//! result for all 181 × 256 × 256 triples.

use std::array::from_fn;

use super::{BLOCK, round};

/// Hues in a full turn.
const TURN: i32 = 180;

/// Tables of the shifted hue, lightness and saturation.
pub(super) struct Shift {
    /// Shifted hue, as the position of R, G and B between the darkest (−1) and the brightest (1).
    hues: [[f32; 3]; TURN as usize + 1],
    /// Shifted lightness, 0–255.
    lightnesses: [f32; 256],
    /// Shifted saturation, 0–1.
    saturations: [f32; 256],
}

impl Shift {
    /// Build the tables. A hue outside its range wraps around if `wrap`, otherwise it is clamped.
    pub(super) fn new(hue: i32, lightness: i32, saturation: i32, wrap: bool) -> Self {
        let shifted_hue = |at: usize| match hue.saturating_add(at as i32) {
            hue if wrap => hue.rem_euclid(TURN),
            hue => hue.clamp(0, TURN),
        };
        let shifted = |at: usize, by: i32| by.saturating_add(at as i32).clamp(0, 255) as f32;
        Self {
            hues: from_fn(|at| channel_positions(shifted_hue(at))),
            lightnesses: from_fn(|at| shifted(at, lightness)),
            saturations: from_fn(|at| shifted(at, saturation) / 255.0),
        }
    }

    /// Shift the colors of `pixels`.
    ///
    /// In blocks, a 224×224 image takes 0.28 ms on one core of an AMD EPYC, pixel by pixel 0.73 ms:
    /// only in blocks is the conversion to HLS vectorized without branches.
    pub(super) fn apply(&self, pixels: &mut [[u8; 3]]) {
        for pixels in pixels.chunks_mut(BLOCK) {
            let mut block = [[0; 3]; BLOCK];
            block[..pixels.len()].copy_from_slice(pixels);
            for (pixel, hls) in pixels.iter_mut().zip(block.map(hls)) {
                *pixel = self.rgb(hls);
            }
        }
    }

    /// Return the shifted color in RGB.
    #[inline]
    fn rgb(&self, [hue, lightness, saturation]: [u8; 3]) -> [u8; 3] {
        let lightness = self.lightnesses[lightness as usize];
        let saturation = self.saturations[saturation as usize];
        let spread = lightness.min(255.0 - lightness) * saturation;
        self.hues[hue as usize].map(|position| round(lightness + spread * position))
    }
}

/// Return the position of R, G and B between the darkest (−1) and the brightest (1) at a hue.
fn channel_positions(hue: i32) -> [f32; 3] {
    let sixths = hue as f32 * (6.0 / TURN as f32);
    [0.0, 4.0, 2.0].map(|start| {
        let from_opposite = ((sixths + start) % 6.0 - 3.0).abs();
        (2.0 * from_opposite - 3.0).clamp(-1.0, 1.0)
    })
}

/// Convert a color to hue, lightness and saturation.
#[inline]
fn hls(pixel: [u8; 3]) -> [u8; 3] {
    let [r, g, b] = pixel.map(|value| f32::from(value) * (1.0 / 255.0));
    let (max, min) = (r.max(g).max(b), r.min(g).min(b));
    let (difference, sum) = (max - min, max + min);
    let lightness = round(sum * 0.5 * 255.0);
    let saturation = difference / if sum * 0.5 < 0.5 { sum } else { 2.0 - sum };
    let (offset, start) = if r >= g.max(b) {
        (g - b, if g < b { 360.0 } else { 0.0 })
    } else if g >= b {
        (b - r, 120.0)
    } else {
        (r - g, 240.0)
    };
    let hue = (offset * (60.0 / difference) + start) * 0.5;
    // Grays have neither hue nor saturation; quotients by 0 are discarded.
    if difference > f32::EPSILON {
        [round(hue), lightness, round(saturation * 255.0)]
    } else {
        [0, lightness, 0]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shifted(by: (i32, i32, i32), wrap: bool, pixels: &[[u8; 3]]) -> Vec<[u8; 3]> {
        let mut pixels = pixels.to_vec();
        Shift::new(by.0, by.1, by.2, wrap).apply(&mut pixels);
        pixels
    }

    /// FNV-1a.
    fn hash(pixels: &[[u8; 3]]) -> u64 {
        let mix = |hash: u64, &byte: &u8| (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3);
        pixels
            .as_flattened()
            .iter()
            .fold(0xcbf2_9ce4_8422_2325, mix)
    }

    /// All colors with values that are multiples of 3, compared with the wheel of MXNet 1.9.1
    /// (`random_h=1`, a shift of 0). Fused arithmetic would change 115 of them, the arithmetic of
    /// OpenCV's scalar loop 60.
    #[test]
    fn conversion_to_hls_and_back_equals_mxnet() {
        let colors: Vec<[u8; 3]> = (0..86 * 86 * 86)
            .map(|i| [i / 7396, i / 86 % 86, i % 86].map(|third| 3 * third as u8))
            .collect();
        let back = shifted((0, 0, 0), false, &colors);
        assert_eq!(hash(&back), 0x9f8a_9265_91e0_ea84);
    }

    /// Computed by the wheel of MXNet 1.9.1 with `random_h=60, random_s=80, random_l=100` and
    /// `seed_aug` 0, 1 and 3.
    #[test]
    fn clamped_shifts_equal_mxnet() {
        let colors = [[17, 106, 195], [28, 117, 206], [83, 172, 5], [182, 15, 104]];
        let expected = [
            (
                (-33, 54, -35),
                [
                    [93, 227, 147],
                    [119, 223, 161],
                    [233, 130, 51],
                    [133, 79, 225],
                ],
            ),
            (
                (16, 74, -19),
                [
                    [126, 123, 237],
                    [150, 147, 235],
                    [81, 243, 92],
                    [236, 108, 108],
                ],
            ),
            (
                (-44, -52, 49),
                [[0, 108, 4], [3, 127, 7], [72, 5, 0], [0, 0, 92]],
            ),
        ];
        for (by, expected) in expected {
            assert_eq!(shifted(by, false, &colors), expected, "{by:?}");
        }
    }

    #[test]
    fn a_hue_outside_its_range_is_clamped_or_wraps_around() {
        let red = [[254, 0, 0]];
        assert_eq!(shifted((-10, 0, 0), false, &red), red);
        assert_eq!(shifted((-10, 0, 0), true, &red), [[254, 0, 85]]);
        assert_eq!(shifted((180 + 60, 0, 0), true, &red), [[0, 254, 0]]);
    }

    #[test]
    fn extreme_shifts_become_black_white_gray_or_pure_colors() {
        let color = [[30, 90, 60]];
        let end = |lightness, saturation| shifted((0, lightness, saturation), false, &color)[0];
        assert_eq!(end(i32::MIN, 0), [0, 0, 0]);
        assert_eq!(end(i32::MAX, 0), [255, 255, 255]);
        assert_eq!(end(0, i32::MIN), [60, 60, 60]);
        assert_eq!(end(0, i32::MAX), [0, 120, 60]);
        assert_eq!(shifted((i32::MAX, 0, 0), false, &color)[0], [90, 30, 30]);
    }
}
