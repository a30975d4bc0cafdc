//! Conversion of uncompressed Y, Cb, Cr to R, G, B as in libtiff.

use super::directory::{Directory, Tag};
use crate::error::Result;

const SHIFT: i32 = 16;
const HALF: i32 = 1 << (SHIFT - 1);

/// ITU-R BT.601.
const COEFFICIENTS: [f32; 3] = [0.299, 0.587, 0.114];
/// Codes of black and white of Y, Cb and Cr.
const REFERENCES: [f32; 6] = [0.0, 255.0, 128.0, 255.0, 128.0, 255.0];

/// Contributions of each code of Y, Cb and Cr.
pub(super) struct Tables {
    y: [i32; 256],
    cr_to_red: [i32; 256],
    cb_to_blue: [i32; 256],
    cr_to_green: [i32; 256],
    cb_to_green: [i32; 256],
}

impl Tables {
    pub(super) fn read(directory: &Directory<'_>) -> Result<Self> {
        let luma = rationals(directory, Tag::YCbCrCoefficients, COEFFICIENTS)?;
        let references = rationals(directory, Tag::ReferenceBlackWhite, REFERENCES)?;
        if luma[1] == 0.0 {
            return Err(directory
                .input
                .error("the tag YCbCrCoefficients has no green"));
        }
        Ok(Self::new(luma, references))
    }

    fn new([red, green, blue]: [f32; 3], references: [f32; 6]) -> Self {
        let fixed = |value: f32| (value.clamp(0.0, 2.0) * (1 << SHIFT) as f32 + 0.5) as i32;
        let (to_red, to_blue) = (2.0 - 2.0 * red, 2.0 - 2.0 * blue);
        let [red_factor, blue_factor] = [fixed(to_red), fixed(to_blue)];
        let red_to_green = -fixed(red * to_red / green);
        let blue_to_green = -fixed(blue * to_blue / green);
        let chroma = |code: usize, black: f32, white: f32| {
            value(code as f32 - 128.0, black - 128.0, white - 128.0, 127.0)
        };
        let cb = |code| chroma(code, references[2], references[3]);
        let cr = |code| chroma(code, references[4], references[5]);
        let scaled =
            |factor: i32, value: i32| (factor.wrapping_mul(value).wrapping_add(HALF)) >> SHIFT;
        Self {
            y: std::array::from_fn(|code| value(code as f32, references[0], references[1], 255.0)),
            cr_to_red: std::array::from_fn(|code| scaled(red_factor, cr(code))),
            cb_to_blue: std::array::from_fn(|code| scaled(blue_factor, cb(code))),
            cr_to_green: std::array::from_fn(|code| red_to_green.wrapping_mul(cr(code))),
            cb_to_green: std::array::from_fn(|code| {
                blue_to_green.wrapping_mul(cb(code)).wrapping_add(HALF)
            }),
        }
    }

    pub(super) fn rgb(&self, [y, cb, cr]: [u8; 3]) -> [u8; 3] {
        let [y, cb, cr] = [y, cb, cr].map(usize::from);
        let green = self.cb_to_green[cb].wrapping_add(self.cr_to_green[cr]) >> SHIFT;
        let luma = self.y[y];
        [
            luma + self.cr_to_red[cr],
            luma + green,
            luma + self.cb_to_blue[cb],
        ]
        .map(|value| value.clamp(0, 255) as u8)
    }
}

/// Return the value of a code between those of black and white.
fn value(code: f32, black: f32, white: f32, range: f32) -> i32 {
    let span = white - black;
    let span = if span.abs() > 0.0 { span } else { 1.0 };
    ((code - black) * range / span).clamp(-128.0 * 32.0, 128.0 * 32.0) as i32
}

fn rationals<const COUNT: usize>(
    directory: &Directory<'_>,
    tag: Tag,
    default: [f32; COUNT],
) -> Result<[f32; COUNT]> {
    let Some(values) = directory.values(tag)? else {
        return Ok(default);
    };
    Ok(std::array::from_fn(|i| {
        values.rational(i).unwrap_or(default[i])
    }))
}
