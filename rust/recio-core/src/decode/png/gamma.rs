//! Conversion of R, G, B to gray as in libpng 1.6, with OpenCV's weights.
//!
//! If the gamma of the file is known, and is not about 1, libpng converts samples to linear light
//! with a table, weights them, and converts the sum back with another table. Gray pixels are not
//! converted, but with 16 bits per sample they are rounded to 8.

/// Weights of R, G and B, in 1/32768.
const WEIGHTS: [u32; 3] = [9797, 19234, 3737];

/// libpng's fixed-point numbers: units of 1/100,000.
const ONE: u32 = 100_000;

/// Bits of 16-bit samples that libpng uses when the output has 8 bits.
const TABLE_BITS: u32 = 11;

/// Conversion of R, G, B to gray.
#[derive(Debug)]
pub(super) enum Luma {
    /// Without gamma. The result is rounded down.
    Plain,
    /// Without gamma, of 16-bit samples. The result is rounded to the nearest 16-bit sample, and
    /// that down.
    Plain16,
    /// In linear light.
    Linear(Box<Linear>),
    /// In linear light, of 16-bit samples.
    Linear16(Box<Linear16>),
}

impl Luma {
    /// Return the conversion for samples encoded with this gamma, if it is known, in libpng's
    /// units. `significant_bits` is the maximum of the chunk `sBIT`, or 0.
    pub(super) fn new(gamma: Option<u32>, is_16_bit: bool, significant_bits: u32) -> Self {
        let gamma =
            gamma.filter(|&gamma| is_significant(gamma) || is_significant(reciprocal(gamma)));
        match (gamma, is_16_bit) {
            (None, false) => Self::Plain,
            (None, true) => Self::Plain16,
            (Some(gamma), false) => Self::Linear(Box::new(Linear::new(gamma))),
            (Some(gamma), true) => Self::Linear16(Box::new(Linear16::new(gamma, significant_bits))),
        }
    }

    /// Return the 8-bit gray of 8-bit samples.
    #[inline]
    pub(super) fn of_8(&self, rgb: [u8; 3]) -> u8 {
        if rgb[0] == rgb[1] && rgb[0] == rgb[2] {
            return rgb[0];
        }
        match self {
            Self::Linear(tables) => tables.luma(rgb),
            _ => (weighted(rgb) >> 15) as u8,
        }
    }

    /// Return the 8-bit gray of 16-bit samples.
    #[inline]
    pub(super) fn of_16(&self, rgb: [u16; 3]) -> u8 {
        let gray = match self {
            Self::Linear16(tables) => tables.luma(rgb),
            _ => rounded(rgb),
        };
        (gray >> 8) as u8
    }
}

#[inline]
fn weighted<T: Into<u32>>([r, g, b]: [T; 3]) -> u32 {
    let [red, green, blue] = WEIGHTS;
    red * r.into() + green * g.into() + blue * b.into()
}

#[inline]
fn rounded(rgb: [u16; 3]) -> u16 {
    ((weighted(rgb) + 16384) >> 15) as u16
}

/// Return whether a gamma differs from 1 by more than 5 %.
fn is_significant(gamma: u32) -> bool {
    !(ONE - 5000..=ONE + 5000).contains(&gamma)
}

fn reciprocal(gamma: u32) -> u32 {
    (1e10 / f64::from(gamma) + 0.5).floor() as u32
}

/// Return `sample / max` raised to a power, times `scale`, rounded.
fn power(sample: u32, max: u32, exponent: u32, scale: f64) -> f64 {
    let linear = f64::from(sample) * (1.0 / f64::from(max));
    (scale * linear.powf(f64::from(exponent) * 1e-5) + 0.5).floor()
}

/// Lookup tables for 8-bit samples.
#[derive(Debug)]
pub(super) struct Linear {
    to_linear: [u8; 256],
    from_linear: [u8; 256],
}

impl Linear {
    fn new(gamma: u32) -> Self {
        let table = |exponent| {
            std::array::from_fn(|sample| match sample {
                _ if !is_significant(exponent) => sample as u8,
                0 | 255 => sample as u8,
                _ => {
                    let base = sample as f64 / 255.0;
                    (255.0 * base.powf(f64::from(exponent) * 1e-5) + 0.5).floor() as u8
                }
            })
        };
        Self {
            to_linear: table(reciprocal(gamma)),
            from_linear: table(reciprocal(reciprocal(gamma))),
        }
    }

    fn luma(&self, rgb: [u8; 3]) -> u8 {
        let linear = rgb.map(|sample| self.to_linear[usize::from(sample)]);
        self.from_linear[((weighted(linear) + 16384) >> 15) as usize]
    }
}

/// Lookup tables for 16-bit samples, indexed by their upper bits.
#[derive(Debug)]
pub(super) struct Linear16 {
    shift: u32,
    to_linear: Vec<u16>,
    from_linear: Vec<u16>,
    /// Of gray pixels, which are rounded to 8 bits.
    of_gray: Vec<u16>,
}

impl Linear16 {
    fn new(gamma: u32, significant_bits: u32) -> Self {
        let insignificant = match significant_bits {
            bits @ 1..16 => 16 - bits,
            _ => 0,
        };
        let shift = insignificant.clamp(16 - TABLE_BITS, 8);
        Self {
            shift,
            to_linear: table_16(reciprocal(gamma), shift),
            from_linear: table_16(reciprocal(reciprocal(gamma)), shift),
            of_gray: gray_table(gamma, shift),
        }
    }

    fn luma(&self, rgb: [u16; 3]) -> u16 {
        let lookup = |table: &[u16], sample: u16| table[usize::from(sample >> self.shift)];
        if rgb[0] == rgb[1] && rgb[0] == rgb[2] {
            return lookup(&self.of_gray, rgb[0]);
        }
        let linear = rgb.map(|sample| lookup(&self.to_linear, sample));
        lookup(&self.from_linear, rounded(linear))
    }
}

/// Return 16-bit values of samples of `16 - shift` bits.
fn table_16(exponent: u32, shift: u32) -> Vec<u16> {
    let max = (1 << (16 - shift)) - 1;
    let value = |sample| {
        if is_significant(exponent) {
            power(sample, max, exponent, 65535.0) as u16
        } else {
            ((sample * 65535 + (1 << (15 - shift))) / max) as u16
        }
    };
    (0..=max).map(value).collect()
}

/// Return the values of gray pixels: 257 times the nearest 8-bit value, of samples of `16 - shift`
/// bits.
fn gray_table(gamma: u32, shift: u32) -> Vec<u16> {
    let screen = reciprocal(gamma);
    let exponent = (f64::from(gamma) * 1e-5 * f64::from(screen) + 0.5).floor() as u32;
    let max = (1_u32 << (16 - shift)) - 1;
    let mut table = Vec::with_capacity(max as usize + 1);
    for value in 0..255_u16 {
        let out = value * 257;
        let boundary = 65535.0 * (f64::from(out + 128) / 65535.0).powf(f64::from(exponent) * 1e-5);
        let boundary = (boundary + 0.5).floor() as u32;
        let end = (boundary * max + 32768) / 65535 + 1;
        table.resize(table.len().max(end as usize), out);
    }
    table.resize(max as usize + 1, u16::MAX);
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    const SRGB: u32 = 45_455;

    #[test]
    fn colors_are_weighted_in_linear_light_and_gray_is_unchanged() {
        let luma = Luma::new(Some(SRGB), false, 0);
        assert_eq!(luma.of_8([77, 77, 77]), 77);
        // 255 · 9797 / 32768 = 76.2; 255 · (76 / 255)^0.45455 = 147.06.
        assert_eq!(luma.of_8([255, 0, 0]), 147);
    }

    #[test]
    fn a_gamma_of_about_one_is_ignored() {
        for gamma in [95_238, 100_000, 105_000] {
            assert!(matches!(Luma::new(Some(gamma), false, 0), Luma::Plain));
        }
        // The reciprocal of 0.952 is 1.0504.
        for gamma in [95_200, 105_001] {
            assert!(matches!(Luma::new(Some(gamma), false, 0), Luma::Linear(_)));
        }
    }

    /// 9797·200 + 19234·100 + 3737·50 = 4069650; / 32768 = 124.196. With R 201, B 69: 126.66.
    #[test]
    fn eight_bits_are_rounded_down_and_sixteen_to_the_nearest() {
        assert_eq!(Luma::Plain.of_8([200, 100, 50]), 124);
        assert_eq!(Luma::Plain.of_8([201, 100, 69]), 126);
        assert_eq!(rounded([u16::MAX; 3]), 65535);
    }

    #[test]
    fn gray_of_sixteen_bits_is_rounded_to_eight_with_gamma() {
        let luma = Luma::new(Some(SRGB), true, 0);
        assert_eq!(luma.of_16([0x12f0; 3]), 0x13);
        assert_eq!(Luma::Plain16.of_16([0x12f0; 3]), 0x12);
    }
}
