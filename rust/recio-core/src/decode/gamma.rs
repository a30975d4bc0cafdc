//! Gamma-correct gray of PNG colors, as libpng computes it: in linear light.
//!
//! libpng linearizes samples with a table, weights them, and converts the sum back with another
//! table, if the file has a `gAMA` or `sRGB` chunk, or an ICC profile that it recognizes as sRGB.

/// Gamma of sRGB in libpng.
pub(super) const SRGB: f64 = 0.45455;

/// libpng's lookup tables for one gamma.
#[derive(Debug, Clone)]
pub(super) struct Gamma {
    to_linear: [u8; 256],
    from_linear: [u8; 256],
}

impl Gamma {
    /// Build the tables for samples encoded with this gamma (usually 0.45455).
    pub(super) fn new(encoding: f64) -> Self {
        // libpng stores both exponents in units of 1/100,000.
        let fixed = |exponent: f64| (exponent * 1e5).round() / 1e5;
        Self {
            to_linear: table(fixed(1.0 / encoding)),
            from_linear: table(fixed(encoding)),
        }
    }

    /// Return the luma of a color; [`Luma`](super::convert::Luma) is its counterpart without gamma.
    /// Gray is unchanged.
    pub(super) fn luma(&self, rgb: [u8; 3], weights: [u32; 3]) -> u8 {
        if rgb[0] == rgb[1] && rgb[0] == rgb[2] {
            return rgb[0];
        }
        let linear = rgb.map(|sample| u32::from(self.to_linear[sample as usize]));
        let sum: u32 = linear
            .iter()
            .zip(weights)
            .map(|(sample, weight)| sample * weight)
            .sum();
        self.from_linear[((sum + 16384) >> 15) as usize]
    }
}

fn table(exponent: f64) -> [u8; 256] {
    std::array::from_fn(|sample| {
        (255.0 * (sample as f64 / 255.0).powf(exponent) + 0.5).floor() as u8
    })
}

/// Return whether an ICC profile is sRGB; libpng compares checksums of the known ones.
pub(super) fn is_srgb(profile: &[u8]) -> bool {
    memchr::memmem::find(profile, b"sRGB").is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colors_are_weighted_in_linear_light_and_gray_is_unchanged() {
        let gamma = Gamma::new(SRGB);
        assert_eq!(gamma.luma([77, 77, 77], [9797, 19234, 3737]), 77);
        assert_eq!(
            gamma.luma([255, 0, 0], [9797, 19234, 3737]),
            table(SRGB)[76]
        );
    }
}
