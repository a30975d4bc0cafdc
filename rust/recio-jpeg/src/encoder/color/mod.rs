//! Color conversion and downsampling of rows: pixels → components (JFIF 1.02, libjpeg's 16-bit
//! fractions).
//!
//! Y = 0.299 R + 0.587 G + 0.114 B, Cb = (B − Y) / 1.772 + 128, Cr = (R − Y) / 1.402 + 128. Luma is
//! rounded to nearest, halves up; chroma halves down. Averages of chroma samples are rounded up and
//! down alternately.

#[cfg(target_arch = "x86_64")]
mod avx2;
mod scalar;
#[cfg(test)]
mod tests;

#[cfg(target_arch = "x86_64")]
use crate::cpu::InstructionSet;
use crate::cpu::SimdLevel;

/// Pixels that are converted at once. Rows of components have room for a multiple of it.
pub(super) const STEP: usize = 32;

/// Channel order of pixels to encode.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChannelOrder {
    /// One channel.
    Gray,
    /// R, G, B.
    Rgb,
    /// B, G, R, as in OpenCV.
    Bgr,
}

impl ChannelOrder {
    /// Return the number of channels.
    #[must_use]
    pub fn channels(self) -> usize {
        match self {
            Self::Gray => 1,
            Self::Rgb | Self::Bgr => 3,
        }
    }
}

/// Factors with 16 fraction bits of the channels of a pixel, in their order.
struct Factors {
    y: [i32; 3],
    cb: [i32; 3],
    cr: [i32; 3],
}

impl Factors {
    const RGB: Self = Self {
        y: [19_595, 38_470, 7_471],
        cb: [-11_059, -21_709, 32_768],
        cr: [32_768, -27_439, -5_329],
    };

    /// The factors in the opposite order.
    const BGR: Self = Self {
        y: reversed(Self::RGB.y),
        cb: reversed(Self::RGB.cb),
        cr: reversed(Self::RGB.cr),
    };

    const fn of(order: ChannelOrder) -> &'static Self {
        match order {
            ChannelOrder::Bgr => &Self::BGR,
            ChannelOrder::Rgb | ChannelOrder::Gray => &Self::RGB,
        }
    }
}

const fn reversed([a, b, c]: [i32; 3]) -> [i32; 3] {
    [c, b, a]
}

/// Added before the fraction bits of luma are dropped.
const Y_OFFSET: i32 = 1 << 15;

/// Added before the fraction bits of chroma are dropped.
const CHROMA_OFFSET: i32 = (128 << 16) + (1 << 15) - 1;

/// Convert a row of pixels to rows of Y, Cb and Cr. These have room for the width rounded up to a
/// multiple of [`STEP`]; the samples after the width are undefined. A gray row is copied to Y.
pub(super) fn convert_row(
    level: SimdLevel,
    order: ChannelOrder,
    pixels: &[u8],
    [y, cb, cr]: [&mut [u8]; 3],
) {
    if order == ChannelOrder::Gray {
        return y[..pixels.len()].copy_from_slice(pixels);
    }
    let factors = Factors::of(order);
    #[cfg(target_arch = "x86_64")]
    if level.instruction_set() != InstructionSet::Scalar {
        // SAFETY: other levels than scalar exist only on CPUs with AVX2, which is all that the
        // function needs.
        #[allow(unsafe_code)]
        return unsafe { avx2::convert_row(factors, pixels, [y, cb, cr]) };
    }
    scalar::convert_row(factors, pixels, [y, cb, cr]);
}

/// Average pairs of samples of a row, which is twice as long as `out`. The length of `out` is a
/// multiple of half a [`STEP`].
pub(super) fn average_pairs(level: SimdLevel, row: &[u8], out: &mut [u8]) {
    #[cfg(target_arch = "x86_64")]
    if level.instruction_set() != InstructionSet::Scalar {
        // SAFETY: other levels than scalar exist only on CPUs with AVX2, which is all that the
        // function needs.
        #[allow(unsafe_code)]
        return unsafe { avx2::average_pairs(row, out) };
    }
    scalar::average_pairs(row, out);
}

/// Average squares of four samples of two rows. The lengths are those of [`average_pairs`].
pub(super) fn average_squares(level: SimdLevel, rows: [&[u8]; 2], out: &mut [u8]) {
    #[cfg(target_arch = "x86_64")]
    if level.instruction_set() != InstructionSet::Scalar {
        // SAFETY: other levels than scalar exist only on CPUs with AVX2, which is all that the
        // function needs.
        #[allow(unsafe_code)]
        return unsafe { avx2::average_squares(rows, out) };
    }
    scalar::average_squares(rows, out);
}
