//! Hue, lightness and saturation: from R, G, B to them, a shift, and back, in one go.
//!
//! Hues are 0–180, so that a turn fits into 8 bits; lightness and saturation are 0–255. Both ways round to 8 bits.
//!
//! To them, halves round by the errors that float32 makes, so the arithmetic is that of OpenCV's vectors, operation for
//! operation: all 2²⁴ colors become what MXNet 1.9.1's wheel makes of them. OpenCV 4 fuses a multiplication and an
//! addition on CPUs that can, by which the hue of 1,747 of them differs by 1. Back, nothing comes that close to a half:
//! the textbook formula gives OpenCV's result for all 181 × 256 × 256 triples.

use std::array::from_fn;

use super::{BLOCK, round};

/// Hues in a turn.
const TURN: i32 = 180;

/// What becomes of each hue, lightness and saturation.
pub(super) struct Shift {
    /// The shifted hue, as how far R, G and B each stand between the darkest (−1) and the brightest (1).
    hues: [[f32; 3]; TURN as usize + 1],
    /// The shifted lightness, 0–255.
    lightnesses: [f32; 256],
    /// The shifted saturation, 0–1.
    saturations: [f32; 256],
}

impl Shift {
    /// `wrap`: a hue beyond one end comes in at the other; otherwise it stays at the end.
    pub(super) fn new(hue: i32, lightness: i32, saturation: i32, wrap: bool) -> Self {
        let turned = |at: usize| match hue.saturating_add(at as i32) {
            hue if wrap => hue.rem_euclid(TURN),
            hue => hue.clamp(0, TURN),
        };
        let moved = |at: usize, by: i32| by.saturating_add(at as i32).clamp(0, 255) as f32;
        Self {
            hues: from_fn(|at| standings(turned(at))),
            lightnesses: from_fn(|at| moved(at, lightness)),
            saturations: from_fn(|at| moved(at, saturation) / 255.0),
        }
    }

    /// Shifts the colors of `pixels`.
    ///
    /// In blocks, a picture of 224×224 takes 0.28 ms on one core of an AMD EPYC, pixel by pixel 0.73 ms: only in blocks
    /// does the way to hue, lightness and saturation become vectors without branches.
    pub(super) fn apply(&self, pixels: &mut [[u8; 3]]) {
        for pixels in pixels.chunks_mut(BLOCK) {
            let mut block = [[0; 3]; BLOCK];
            block[..pixels.len()].copy_from_slice(pixels);
            for (pixel, hls) in pixels.iter_mut().zip(block.map(hls)) {
                *pixel = self.rgb(hls);
            }
        }
    }

    /// The color that the shift makes of this one.
    #[inline]
    fn rgb(&self, [hue, lightness, saturation]: [u8; 3]) -> [u8; 3] {
        let lightness = self.lightnesses[lightness as usize];
        let saturation = self.saturations[saturation as usize];
        let spread = lightness.min(255.0 - lightness) * saturation;
        self.hues[hue as usize].map(|standing| round(lightness + spread * standing))
    }
}

/// How far R, G and B stand between the darkest (−1) and the brightest (1) at a hue.
fn standings(hue: i32) -> [f32; 3] {
    let sixths = hue as f32 * (6.0 / TURN as f32);
    [0.0, 4.0, 2.0].map(|start| {
        let from_opposite = ((sixths + start) % 6.0 - 3.0).abs();
        (2.0 * from_opposite - 3.0).clamp(-1.0, 1.0)
    })
}

/// The hue, lightness and saturation of a color.
#[inline]
fn hls(pixel: [u8; 3]) -> [u8; 3] {
    let [r, g, b] = pixel.map(|level| f32::from(level) * (1.0 / 255.0));
    let (max, min) = (r.max(g).max(b), r.min(g).min(b));
    let (difference, sum) = (max - min, max + min);
    let lightness = round(sum * 0.5 * 255.0);
    let saturation = difference / if sum * 0.5 < 0.5 { sum } else { 2.0 - sum };
    let (part, start) = if r >= g.max(b) {
        (g - b, if g < b { 360.0 } else { 0.0 })
    } else if g >= b {
        (b - r, 120.0)
    } else {
        (r - g, 240.0)
    };
    let hue = (part * (60.0 / difference) + start) * 0.5;
    // Grays have none of either; what was divided by 0 is dropped.
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

    /// All colors of levels that are multiples of 3, against the wheel of MXNet 1.9.1 (`random_h=1`, a shift of 0).
    /// Fused arithmetic would change 115 of them, that of OpenCV's loop without vectors 60.
    #[test]
    fn colors_there_and_back_are_mxnets() {
        let colors: Vec<[u8; 3]> = (0..86 * 86 * 86)
            .map(|i| [i / 7396, i / 86 % 86, i % 86].map(|third| 3 * third as u8))
            .collect();
        let back = shifted((0, 0, 0), false, &colors);
        assert_eq!(hash(&back), 0x9f8a_9265_91e0_ea84);
    }

    /// Made by the wheel of MXNet 1.9.1 with `random_h=60, random_s=80, random_l=100` and `seed_aug` 0, 1 and 3.
    #[test]
    fn shifts_that_stay_at_the_ends_are_mxnets() {
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
    fn a_hue_beyond_an_end_stays_there_or_comes_in_at_the_other() {
        let red = [[254, 0, 0]];
        assert_eq!(shifted((-10, 0, 0), false, &red), red);
        assert_eq!(shifted((-10, 0, 0), true, &red), [[254, 0, 85]]);
        assert_eq!(shifted((180 + 60, 0, 0), true, &red), [[0, 254, 0]]);
    }

    #[test]
    fn the_largest_shifts_end_in_black_white_gray_or_pure_colors() {
        let color = [[30, 90, 60]];
        let end = |lightness, saturation| shifted((0, lightness, saturation), false, &color)[0];
        assert_eq!(end(i32::MIN, 0), [0, 0, 0]);
        assert_eq!(end(i32::MAX, 0), [255, 255, 255]);
        assert_eq!(end(0, i32::MIN), [60, 60, 60]);
        assert_eq!(end(0, i32::MAX), [0, 120, 60]);
        assert_eq!(shifted((i32::MAX, 0, 0), false, &color)[0], [90, 30, 30]);
    }
}
