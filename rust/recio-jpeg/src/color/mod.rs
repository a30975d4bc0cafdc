//! Components → pixels, row by row (JFIF 1.02; libjpeg's arithmetic of 16 fraction bits).
//!
//! R = Y + 1.402 Cr, G = Y − 0.344136 Cb − 0.714136 Cr, B = Y + 1.772 Cb, with Cb and Cr less 128; each term is rounded to a
//! whole level before it is added, of green both together.

#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "aarch64")]
mod neon;
mod scalar;

use crate::cpu::{InstructionSet, SimdLevel};
use crate::header::ColorSpace;

/// What a row of pixels is made of.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub enum PixelFormat {
    /// One channel: Y as it is, or of R, G, B 0.299 R + 0.587 G + 0.114 B.
    Gray,
    /// R, G, B; gray is repeated.
    #[default]
    Rgb,
    /// Four inks, as they are stored: Adobe's programs write 255 for none.
    Cmyk,
}

impl PixelFormat {
    /// Samples in a pixel.
    #[must_use]
    pub fn channels(self) -> usize {
        match self {
            Self::Gray => 1,
            Self::Rgb => 3,
            Self::Cmyk => 4,
        }
    }
}

/// How components become pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Conversion {
    /// One component as it is.
    First,
    /// One component three times.
    Repeat,
    /// Luma and differences of color to R, G, B.
    FromYcc,
    /// Three or four components side by side.
    Interleave,
    /// R, G, B to gray.
    Luma,
    /// As [`FromYcc`](Self::FromYcc), inverted, and the fourth as it is.
    FromYcck,
}

impl Conversion {
    /// `None` if there is no way.
    pub(crate) fn choose(from: ColorSpace, to: PixelFormat) -> Option<Self> {
        Some(match (from, to) {
            (ColorSpace::Gray | ColorSpace::YCbCr, PixelFormat::Gray) => Self::First,
            (ColorSpace::Gray, PixelFormat::Rgb) => Self::Repeat,
            (ColorSpace::YCbCr, PixelFormat::Rgb) => Self::FromYcc,
            (ColorSpace::Rgb, PixelFormat::Gray) => Self::Luma,
            (ColorSpace::Rgb, PixelFormat::Rgb) | (ColorSpace::Cmyk, PixelFormat::Cmyk) => {
                Self::Interleave
            }
            (ColorSpace::Ycck, PixelFormat::Cmyk) => Self::FromYcck,
            _ => return None,
        })
    }

    /// Whether only the first component is looked at.
    pub(crate) fn needs_first_only(self) -> bool {
        matches!(self, Self::First | Self::Repeat)
    }

    /// Makes a row of pixels of a row of each component, as long as the pixels are many.
    pub(crate) fn row(self, level: SimdLevel, components: &[&[u8]], out: &mut [u8]) {
        match (self, components) {
            (Self::First, [gray, ..]) => out.copy_from_slice(gray),
            (Self::Repeat, [gray, ..]) => scalar::repeat(gray, out),
            (Self::FromYcc, &[y, cb, cr]) => from_ycc(level, [y, cb, cr], out),
            (Self::Luma, &[r, g, b]) => scalar::luma([r, g, b], out),
            (Self::FromYcck, &[y, cb, cr, k]) => scalar::from_ycck([y, cb, cr, k], out),
            _ => scalar::interleave(components, out),
        }
    }
}

fn from_ycc(level: SimdLevel, components: [&[u8]; 3], out: &mut [u8]) {
    let done = match level.instruction_set() {
        InstructionSet::Scalar => 0,
        #[cfg(target_arch = "x86_64")]
        // SAFETY: the level says that the CPU has AVX2, and the function needs no more.
        #[allow(unsafe_code)]
        InstructionSet::Avx2 => unsafe { avx2::from_ycc(components, out) },
        #[cfg(target_arch = "aarch64")]
        // SAFETY: the level says that the CPU has NEON, and the function needs no more.
        #[allow(unsafe_code)]
        InstructionSet::Neon => unsafe { neon::from_ycc(components, out) },
    };
    scalar::from_ycc(components.map(|row| &row[done..]), &mut out[3 * done..]);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_levels_give_the_same_pixels_of_all_components() {
        for (cb, cr) in (0..=255)
            .step_by(3)
            .flat_map(|cb| (0..=255).map(move |cr| (cb, cr)))
        {
            let n = 70;
            let y: Vec<u8> = (0..n).map(|i| (i * 37 + cr) as u8).collect();
            let [cb, cr] = [cb, cr].map(|c| vec![c as u8; n]);
            let run = |level| {
                let mut out = vec![0; 3 * n];
                Conversion::FromYcc.row(level, &[&y, &cb, &cr], &mut out);
                out
            };
            assert_eq!(run(SimdLevel::best()), run(SimdLevel::SCALAR));
        }
    }

    #[test]
    fn colors_are_jfifs() {
        let mut out = [0; 9];
        let rows = [&[0, 76, 255][..], &[128, 85, 0], &[128, 255, 255]];
        Conversion::FromYcc.row(SimdLevel::SCALAR, &rows, &mut out);
        assert_eq!(out, [0, 0, 0, 254, 0, 0, 255, 208, 28]);
        Conversion::Interleave.row(SimdLevel::SCALAR, &rows, &mut out);
        assert_eq!(out, [0, 128, 128, 76, 85, 255, 255, 0, 255]);
        Conversion::Luma.row(SimdLevel::SCALAR, &rows, &mut out[..3]);
        assert_eq!(out[..3], [90, 102, 105]);
        Conversion::Repeat.row(SimdLevel::SCALAR, &rows[..1], &mut out);
        assert_eq!(out, [0, 0, 0, 76, 76, 76, 255, 255, 255]);
    }

    #[test]
    fn inks_are_inverted_colours() {
        let mut out = [0; 4];
        Conversion::FromYcck.row(SimdLevel::SCALAR, &[&[76], &[85], &[255], &[9]], &mut out);
        assert_eq!(out, [1, 255, 255, 9]);
    }
}
