//! Color conversion of one row: component samples → pixels (JFIF 1.02, libjpeg's 16-bit fractions).
//!
//! R = Y + 1.402 Cr, G = Y − 0.344136 Cb − 0.714136 Cr, B = Y + 1.772 Cb, after subtracting 128
//! from Cb and Cr. Each term is rounded to an integer before it is added; the two terms of green
//! are rounded together.

#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx512;
#[cfg(target_arch = "aarch64")]
mod neon;
mod scalar;

use crate::cpu::{InstructionSet, SimdLevel};
use crate::header::ColorSpace;

/// Pixel format of the decoded rows.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub enum PixelFormat {
    /// One channel: Y, or 0.299 R + 0.587 G + 0.114 B of an RGB image.
    Gray,
    /// R, G, B. A gray image has three equal channels.
    #[default]
    Rgb,
    /// C, M, Y, K as stored. Adobe's programs store them inverted: 255 is no ink.
    Cmyk,
}

impl PixelFormat {
    /// Return the number of channels.
    #[must_use]
    pub fn channels(self) -> usize {
        match self {
            Self::Gray => 1,
            Self::Rgb => 3,
            Self::Cmyk => 4,
        }
    }
}

/// Conversion from components to pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Conversion {
    /// Copy the first component.
    CopyFirst,
    /// Copy one component to three channels.
    GrayToRgb,
    /// YCbCr to RGB.
    YccToRgb,
    /// Interleave three or four components.
    Interleave,
    /// RGB to gray.
    RgbToGray,
    /// YCCK to CMYK: C, M, Y from [`YccToRgb`](Self::YccToRgb), inverted; K is copied.
    YcckToCmyk,
}

impl Conversion {
    /// Choose the conversion; `None` if there is none.
    pub(crate) fn choose(from: ColorSpace, to: PixelFormat) -> Option<Self> {
        Some(match (from, to) {
            (ColorSpace::Gray | ColorSpace::YCbCr, PixelFormat::Gray) => Self::CopyFirst,
            (ColorSpace::Gray, PixelFormat::Rgb) => Self::GrayToRgb,
            (ColorSpace::YCbCr, PixelFormat::Rgb) => Self::YccToRgb,
            (ColorSpace::Rgb, PixelFormat::Gray) => Self::RgbToGray,
            (ColorSpace::Rgb, PixelFormat::Rgb) | (ColorSpace::Cmyk, PixelFormat::Cmyk) => {
                Self::Interleave
            }
            (ColorSpace::Ycck, PixelFormat::Cmyk) => Self::YcckToCmyk,
            _ => return None,
        })
    }

    /// Whether only the first component is used.
    pub(crate) fn needs_only_first_component(self) -> bool {
        matches!(self, Self::CopyFirst | Self::GrayToRgb)
    }

    /// Convert a row of each component to a row of pixels. All rows have the same width.
    pub(crate) fn convert_row(self, level: SimdLevel, components: &[&[u8]], out: &mut [u8]) {
        match (self, components) {
            (Self::CopyFirst, [gray, ..]) => out.copy_from_slice(gray),
            (Self::GrayToRgb, [gray, ..]) => scalar::gray_to_rgb(gray, out),
            (Self::YccToRgb, &[y, cb, cr]) => ycc_to_rgb(level, [y, cb, cr], out),
            (Self::RgbToGray, &[r, g, b]) => scalar::rgb_to_gray([r, g, b], out),
            (Self::YcckToCmyk, &[y, cb, cr, k]) => scalar::ycck_to_cmyk([y, cb, cr, k], out),
            _ => scalar::interleave(components, out),
        }
    }
}

fn ycc_to_rgb(level: SimdLevel, components: [&[u8]; 3], out: &mut [u8]) {
    let done = match level.instruction_set() {
        InstructionSet::Scalar => 0,
        #[cfg(target_arch = "x86_64")]
        // SAFETY: this `SimdLevel` exists only on CPUs with AVX2, which is all that the function
        // needs.
        #[allow(unsafe_code)]
        InstructionSet::Avx2 => unsafe { avx2::ycc_to_rgb(components, out) },
        #[cfg(target_arch = "x86_64")]
        // SAFETY: this `SimdLevel` exists only on CPUs with AVX2 and AVX-512 F, BW and VBMI, which
        // is all that the function needs.
        #[allow(unsafe_code)]
        InstructionSet::Avx512 => unsafe { avx512::ycc_to_rgb(components, out) },
        #[cfg(target_arch = "aarch64")]
        // SAFETY: this `SimdLevel` exists only on CPUs with NEON, which is all that the function
        // needs.
        #[allow(unsafe_code)]
        InstructionSet::Neon => unsafe { neon::ycc_to_rgb(components, out) },
    };
    scalar::ycc_to_rgb(components.map(|row| &row[done..]), &mut out[3 * done..]);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_simd_levels_produce_the_same_pixels() {
        for (cb, cr) in (0..=255)
            .step_by(3)
            .flat_map(|cb| (0..=255).map(move |cr| (cb, cr)))
        {
            let n = 165;
            let y: Vec<u8> = (0..n).map(|i| (i * 37 + cr) as u8).collect();
            let [cb, cr] = [cb, cr].map(|c| vec![c as u8; n]);
            let run = |level| {
                let mut out = vec![0; 3 * n];
                Conversion::YccToRgb.convert_row(level, &[&y, &cb, &cr], &mut out);
                out
            };
            for level in SimdLevel::available() {
                assert_eq!(run(level), run(SimdLevel::SCALAR), "{level:?}");
            }
        }
    }

    #[test]
    fn conversions_match_jfif() {
        let mut out = [0; 9];
        let rows = [&[0, 76, 255][..], &[128, 85, 0], &[128, 255, 255]];
        Conversion::YccToRgb.convert_row(SimdLevel::SCALAR, &rows, &mut out);
        assert_eq!(out, [0, 0, 0, 254, 0, 0, 255, 208, 28]);
        Conversion::Interleave.convert_row(SimdLevel::SCALAR, &rows, &mut out);
        assert_eq!(out, [0, 128, 128, 76, 85, 255, 255, 0, 255]);
        Conversion::RgbToGray.convert_row(SimdLevel::SCALAR, &rows, &mut out[..3]);
        assert_eq!(out[..3], [90, 102, 105]);
        Conversion::GrayToRgb.convert_row(SimdLevel::SCALAR, &rows[..1], &mut out);
        assert_eq!(out, [0, 0, 0, 76, 76, 76, 255, 255, 255]);
    }

    #[test]
    fn inks_are_inverted_colours() {
        let mut out = [0; 4];
        Conversion::YcckToCmyk.convert_row(
            SimdLevel::SCALAR,
            &[&[76], &[85], &[255], &[9]],
            &mut out,
        );
        assert_eq!(out, [1, 255, 255, 9]);
    }
}
