//! Color operations on 8-bit values, as in MXNet's C++ iterators: each operation rounds to 8 bits.
//!
//! Random parameters are sampled by the plan; nothing here is random. The pixels are those of MXNet
//! 1.9.1's wheel bit for bit, which uses OpenCV 3.4.2 and its unfused float32 arithmetic. OpenCV 4
//! differs in few pixels; see `gray.rs` and `hls.rs`.

mod gray;
mod hls;
mod table;

use crate::image::Image;
use gray::Gray;

/// Color operation on an image of 8-bit values.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum ColorU8 {
    /// Multiply all values by a factor.
    Brightness(f32),
    /// Scale the difference of all values from the image's mean gray.
    Contrast {
        /// Scale factor; 0 results in the mean gray.
        alpha: f32,
        /// Whether the weights of red and blue in gray are swapped, as in MXNet.
        swapped: bool,
    },
    /// Scale the difference of each pixel from its gray.
    Saturation {
        /// Scale factor; 0 results in gray.
        alpha: f32,
        /// Whether the weights of red and blue in gray are swapped, as in MXNet.
        swapped: bool,
    },
    /// Shift hue, lightness and saturation.
    Hls {
        /// Shift of the hue; a full turn is 180.
        hue: i32,
        /// Shift of the lightness, which is clamped to 0–255.
        lightness: i32,
        /// Shift of the saturation, which is clamped to 0–255.
        saturation: i32,
        /// Whether a hue outside its range wraps around, or is clamped, as in MXNet.
        wrap: bool,
    },
    /// Add to R, G and B; fractions are truncated.
    Shift([f32; 3]),
    /// Multiply all values by a factor: the contrast of MXNet's detection iterator.
    Gain(f32),
}

impl ColorU8 {
    /// Apply the operation to an image.
    ///
    /// # Panics
    /// If it has other than 3 channels and the operation is not `Brightness` or `Gain`.
    pub fn apply(self, image: &mut Image) {
        match self {
            Self::Brightness(factor) | Self::Gain(factor) => {
                table::look_up(&table::linear(factor, 0.0), &mut image.data);
            }
            Self::Contrast { alpha, swapped } => {
                let mean = Gray::new(swapped).mean(pixels(image));
                let table = table::linear(alpha, (1.0 - alpha) * mean);
                table::look_up(&table, &mut image.data);
            }
            Self::Saturation { alpha, swapped } => {
                Gray::new(swapped).saturate(alpha, pixels(image));
            }
            Self::Hls {
                hue,
                lightness,
                saturation,
                wrap,
            } => hls::Shift::new(hue, lightness, saturation, wrap).apply(pixels(image)),
            Self::Shift(by) => table::look_up_each(&by.map(table::shift), pixels(image)),
        }
    }
}

fn pixels(image: &mut Image) -> &mut [[u8; 3]] {
    assert_eq!(image.channels, 3, "the colors are not R, G, B");
    image.data.as_chunks_mut().0
}

/// Pixels per block: loops over so many are vectorized for vectors of any size.
const BLOCK: usize = 32;

/// Clamp to 0–255 and round to the nearest integer, ties to even.
///
/// Around 1.5 · 2²³ a float has no fraction bits, and its last bits are the integer. Unlike
/// `round_ties_even` this is one addition on every CPU, and vectorizable.
#[inline]
fn round(value: f32) -> u8 {
    (value.clamp(0.0, 255.0) + 12_582_912.0).to_bits() as u8
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 4×4 pixels.
    fn image() -> Image {
        Image {
            width: 4,
            height: 4,
            channels: 3,
            data: (0..48u8)
                .map(|i| i.wrapping_mul(89).wrapping_add(17))
                .collect(),
        }
    }

    fn after(operations: &[ColorU8]) -> Vec<u8> {
        let mut image = image();
        operations
            .iter()
            .for_each(|operation| operation.apply(&mut image));
        image.data
    }

    fn contrast(alpha: f32) -> ColorU8 {
        ColorU8::Contrast {
            alpha,
            swapped: true,
        }
    }

    fn saturation(alpha: f32) -> ColorU8 {
        ColorU8::Saturation {
            alpha,
            swapped: true,
        }
    }

    /// Computed by the wheel of MXNet 1.9.1 with all three of 0.4 and `seed_aug` 0, 1 and 2; the
    /// factors are those it samples.
    #[test]
    fn chains_of_jitter_equal_mxnet() {
        let chains = [
            [
                contrast(0.696_606_2),
                saturation(0.735_255_8),
                ColorU8::Brightness(1.089_736_1),
            ],
            [
                contrast(1.166_060_4),
                ColorU8::Brightness(0.900_045_7),
                saturation(1.112_243_7),
            ],
            [
                contrast(0.698_554_4),
                ColorU8::Brightness(1.281_588_4),
                saturation(0.659_122_9),
            ],
        ];
        let expected = [
            [
                80, 130, 179, 87, 137, 186, 96, 146, 195, 105, 155, 204, 112, 162, 211, 121, 171,
                220, 114, 165, 71, 122, 172, 80, 131, 181, 88, 139, 190, 96, 147, 197, 105, 156,
                206, 113, 165, 215, 121, 172, 222, 130, 151, 58, 108, 159, 65, 116,
            ],
            [
                0, 89, 193, 0, 100, 204, 9, 111, 216, 20, 123, 228, 31, 135, 239, 43, 147, 238, 63,
                167, 0, 75, 178, 0, 86, 190, 0, 98, 201, 6, 110, 213, 18, 121, 225, 29, 133, 237,
                41, 145, 237, 54, 171, 0, 81, 184, 0, 93,
            ],
            [
                101, 154, 206, 110, 163, 216, 120, 173, 225, 131, 183, 234, 139, 191, 236, 148,
                200, 238, 137, 190, 91, 146, 200, 101, 156, 209, 110, 167, 219, 120, 176, 229, 130,
                186, 237, 140, 193, 238, 147, 201, 240, 155, 169, 70, 123, 180, 81, 133,
            ],
        ];
        for (chain, expected) in chains.into_iter().zip(expected) {
            assert_eq!(after(&chain), expected, "{chain:?}");
        }
    }

    /// Computed by the wheel of MXNet 1.9.1 with `pca_noise=0.3` and `seed_aug` 1; the shift is the
    /// one it samples.
    #[test]
    fn shifts_equal_mxnet() {
        let shift = ColorU8::Shift([-14.872_403, -13.697_607, -13.487_077]);
        assert_eq!(
            after(&[shift]),
            [
                2, 92, 181, 13, 103, 192, 24, 114, 203, 35, 125, 214, 46, 136, 225, 57, 147, 236,
                68, 158, 0, 79, 169, 2, 90, 180, 13, 101, 191, 24, 112, 202, 35, 123, 213, 46, 134,
                224, 57, 145, 235, 68, 156, 0, 79, 167, 1, 90
            ]
        );
    }

    #[test]
    fn a_contrast_of_zero_results_in_the_mean_gray() {
        let gray = after(&[contrast(0.0)]);
        assert_eq!(gray, [138; 48]);
    }

    #[test]
    fn brightness_and_gain_apply_to_any_number_of_channels() {
        let mut image = Image::filled(3, 2, 1, 100);
        ColorU8::Brightness(1.2).apply(&mut image);
        ColorU8::Gain(0.5).apply(&mut image);
        assert_eq!(image, Image::filled(3, 2, 1, 60));
    }

    #[test]
    #[should_panic(expected = "the colors are not R, G, B")]
    fn saturation_of_a_gray_image_panics() {
        saturation(0.5).apply(&mut Image::filled(3, 2, 1, 100));
    }
}
