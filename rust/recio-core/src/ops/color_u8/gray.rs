//! Gray of a color with OpenCV 3's weights, the mean gray, and saturation.

use super::{BLOCK, round};

/// Weights of red, green and blue in gray, with 14 fraction bits as OpenCV 3 has them: 0.299,
/// 0.587, 0.114.
///
/// OpenCV 4 uses 15 bits; the gray of 0.26 % of all colors then differs by 1.
#[derive(Debug, Clone, Copy)]
pub(super) struct Gray([u32; 3]);

const FRACTION_BITS: u32 = 14;

impl Gray {
    /// Create the weights, `swapped` for MXNet's contrast and saturation: it passes B, G, R where
    /// OpenCV expects R, G, B.
    pub(super) fn new(swapped: bool) -> Self {
        let [red, green, blue] = [4899, 9617, 1868];
        Self(if swapped {
            [blue, green, red]
        } else {
            [red, green, blue]
        })
    }

    fn of(self, pixel: [u8; 3]) -> u32 {
        let [red, green, blue] = pixel.map(u32::from);
        let sum = self.0[0] * red + self.0[1] * green + self.0[2] * blue;
        (sum + (1 << (FRACTION_BITS - 1))) >> FRACTION_BITS
    }

    /// Return the mean gray of the pixels.
    pub(super) fn mean(self, pixels: &[[u8; 3]]) -> f32 {
        let sum: u64 = pixels.iter().map(|&pixel| u64::from(self.of(pixel))).sum();
        (sum as f64 * (1.0 / pixels.len() as f64)) as f32
    }

    /// Scale the difference of each pixel from its gray by `alpha`. (`cv::addWeighted`)
    pub(super) fn saturate(self, alpha: f32, pixels: &mut [[u8; 3]]) {
        for block in pixels.chunks_mut(BLOCK) {
            let mut grays = [[0.0; 3]; BLOCK];
            for (grays, &pixel) in grays.iter_mut().zip(&*block) {
                *grays = [self.of(pixel) as f32 * (1.0 - alpha); 3];
            }
            let values = block.as_flattened_mut().iter_mut();
            for (value, gray) in values.zip(grays.as_flattened()) {
                *value = round(f32::from(*value) * alpha + gray);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn swapped_weights_exchange_red_and_blue() {
        let grays =
            |swapped| [[255, 0, 0], [0, 255, 0], [0, 0, 255]].map(|p| Gray::new(swapped).of(p));
        assert_eq!(grays(false), [76, 150, 29]);
        assert_eq!(grays(true), [29, 150, 76]);
    }

    /// Computed by the wheel of MXNet 1.9.1; OpenCV 4.8.1 returns 28, 23, 18 and 26.
    #[test]
    fn gray_has_14_fraction_bits() {
        let colors = [[0, 0, 250], [0, 1, 201], [0, 2, 152], [0, 3, 217]];
        assert_eq!(
            colors.map(|color| Gray::new(false).of(color)),
            [29, 24, 19, 27]
        );
    }

    /// Computed by the wheel of MXNet 1.9.1, with `saturation` and `seed_aug` chosen for this
    /// factor.
    #[test]
    fn saturation_equals_mxnet() {
        let colors = [
            [17, 106, 195],
            [28, 117, 206],
            [39, 128, 217],
            [50, 139, 228],
        ];
        let saturated = |alpha| {
            let mut pixels = colors;
            Gray::new(true).saturate(alpha, &mut pixels);
            pixels
        };
        assert_eq!(
            saturated(0.5),
            [
                [70, 114, 158],
                [80, 125, 170],
                [92, 136, 180],
                [102, 147, 192]
            ]
        );
        assert_eq!(
            saturated(1.5),
            [[0, 98, 232], [0, 109, 242], [0, 120, 254], [0, 131, 255]]
        );
    }

    #[test]
    fn a_pixel_does_not_depend_on_its_block() {
        let colors: Vec<[u8; 3]> = (0..BLOCK as u8 + 7).map(|i| [i, 6 * i, 250 - i]).collect();
        let mut together = colors.clone();
        Gray::new(false).saturate(1.3, &mut together);
        for (i, &color) in colors.iter().enumerate() {
            let mut alone = [color];
            Gray::new(false).saturate(1.3, &mut alone);
            assert_eq!(alone[0], together[i], "pixel {i}");
        }
    }
}
