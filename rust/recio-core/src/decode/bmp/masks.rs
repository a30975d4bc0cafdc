//! Bit masks of BMPs with 32 bits per pixel, in OpenCV's arithmetic.

use crate::decode::input::Input;
use crate::error::Result;

/// Masks of R, G, B and alpha. Without that of alpha, pixels are opaque.
#[derive(Debug, Clone, Copy)]
pub(super) struct Masks([Mask; 4]);

#[derive(Debug, Clone, Copy)]
struct Mask {
    bits: u32,
    shift: u32,
    scale: f32,
}

impl Masks {
    pub(super) fn read(input: &Input<'_>, offset: usize) -> Result<Self> {
        let mut masks = [Mask::of(0); 4];
        for (i, mask) in masks.iter_mut().enumerate() {
            *mask = Mask::of(input.u32(offset + 4 * i)?);
            if mask.bits == 0 && i < 3 {
                return Err(
                    input.error(format_args!("the bit mask at byte {} is 0", offset + 4 * i))
                );
            }
        }
        Ok(Self(masks))
    }

    pub(super) fn rgba(&self, pixel: u32) -> [u8; 4] {
        self.0.map(|mask| mask.sample(pixel))
    }
}

impl Mask {
    fn of(bits: u32) -> Self {
        let shift = bits.trailing_zeros() % 32;
        Self {
            bits,
            shift,
            scale: 255.0 / (bits >> shift) as f32,
        }
    }

    fn sample(&self, pixel: u32) -> u8 {
        if self.bits == 0 {
            return 255;
        }
        (((pixel & self.bits) >> self.shift) as f32 * self.scale) as u8
    }
}

/// Convert R, G, B, A to gray; OpenCV rounds it down for these files only.
pub(super) fn to_gray(rgba: &[u8], into: &mut [u8]) {
    for ([r, g, b, _], gray) in rgba.as_chunks::<4>().0.iter().zip(into) {
        *gray = (0.299 * f32::from(*r) + 0.587 * f32::from(*g) + 0.114 * f32::from(*b)) as u8;
    }
}
