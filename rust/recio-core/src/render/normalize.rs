//! Normalization of pixel values: parameters and formula, for each type of a batch.

use std::sync::Arc;

use bytemuck::Pod;
use half::f16;

/// The type of a batch.
pub trait Element: Pod + Default + Send + Sync {
    /// Whether values are normalized. Integer types hold values from 0 to 255.
    const IS_FLOAT: bool;

    /// Whether computing values, several at once, is faster than a lookup table.
    const IS_COMPUTED: bool = false;

    /// Normalize a value.
    fn of(sample: f32, mean: f32, factor: ScaleOffset) -> Self;

    /// Return the values themselves if this type does not change them; they are then copied.
    #[must_use]
    fn unchanged(_samples: &[u8]) -> Option<&[Self]> {
        None
    }

    /// Return the output as 8-bit values if this type does not change them.
    #[must_use]
    fn unchanged_mut(_out: &mut [Self]) -> Option<&mut [u8]> {
        None
    }
}

/// Divisor, scale and offset applied after subtracting the mean.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ScaleOffset {
    /// Divisor, applied first: the standard deviation where MXNet divides, else 1.
    pub divisor: f32,
    /// Scale.
    pub scale: f32,
    /// Offset.
    pub offset: f32,
}

/// Normalization parameters, channel by channel.
#[derive(Debug, Clone, PartialEq)]
pub struct Normalize {
    /// Mean, for values from 0 to 255.
    pub mean: [f32; 4],
    /// Mean image that replaces `mean`: of the output's size, channel by channel.
    pub mean_image: Option<Arc<[f32]>>,
    /// Standard deviation.
    pub std: [f32; 4],
    /// Scale.
    pub scale: f32,
    /// Whether a value is divided by `std` and then multiplied by `scale`, as in MXNet's Python
    /// augmenters and its detection iterator. Its image iterator multiplies by the rounded
    /// quotient, which differs in the last bit.
    pub divide: bool,
}

impl Default for Normalize {
    fn default() -> Self {
        Self {
            mean: [0.0; 4],
            mean_image: None,
            std: [1.0; 4],
            scale: 1.0,
            divide: false,
        }
    }
}

impl Normalize {
    pub(super) fn scale_offset(&self, channel: usize, gain: Gain) -> ScaleOffset {
        let std = self.std[channel];
        if self.divide {
            return ScaleOffset {
                divisor: std,
                scale: self.scale,
                offset: 0.0,
            };
        }
        ScaleOffset {
            divisor: 1.0,
            scale: gain.contrast * self.scale / std,
            offset: gain.illumination * self.scale / std,
        }
    }
}

/// Random contrast and illumination of one image. (`max_random_contrast`,
/// `max_random_illumination`)
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Gain {
    /// Added to all values, which are from 0 to 255.
    pub contrast: f32,
    /// Added to all values, from 0 to 255.
    pub illumination: f32,
}

impl Default for Gain {
    fn default() -> Self {
        Self {
            contrast: 1.0,
            illumination: 0.0,
        }
    }
}

impl Element for f32 {
    const IS_FLOAT: bool = true;
    const IS_COMPUTED: bool = true;

    #[inline]
    #[allow(clippy::float_cmp, reason = "exactly 1 is what is meant")]
    fn of(sample: f32, mean: f32, by: ScaleOffset) -> Self {
        let difference = sample - mean;
        // The same value, without the slowest operation.
        let quotient = if by.divisor == 1.0 {
            difference
        } else {
            difference / by.divisor
        };
        quotient * by.scale + by.offset
    }
}

impl Element for f16 {
    const IS_FLOAT: bool = true;

    /// Normalize as float32 and round to the nearest.
    fn of(sample: f32, mean: f32, by: ScaleOffset) -> Self {
        Self::from_f32(f32::of(sample, mean, by))
    }
}

impl Element for u8 {
    const IS_FLOAT: bool = false;

    /// Return the value as it is; a float is rounded.
    fn of(sample: f32, _: f32, _: ScaleOffset) -> Self {
        sample.round_ties_even() as Self
    }

    fn unchanged(samples: &[u8]) -> Option<&[Self]> {
        Some(samples)
    }

    fn unchanged_mut(out: &mut [Self]) -> Option<&mut [u8]> {
        Some(out)
    }
}

impl Element for i8 {
    const IS_FLOAT: bool = false;

    /// Subtract the rounded mean and clamp; the value is neither divided nor scaled.
    fn of(sample: f32, mean: f32, _: ScaleOffset) -> Self {
        (sample.round_ties_even() - mean.round()).clamp(-128.0, 127.0) as Self
    }
}
