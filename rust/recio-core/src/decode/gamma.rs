//! Gray from the colors of a PNG that names its gamma, as libpng computes it: in linear light.
//!
//! libpng turns samples into linear ones by a table, weighs them, and turns the sum back by another table. It does so
//! where the file has a `gAMA` or an `sRGB` chunk, or an ICC profile that it knows for sRGB.

/// The gamma that sRGB stands for, by libpng's constants.
pub(super) const SRGB: f64 = 0.45455;

/// libpng's tables for one gamma.
#[derive(Debug, Clone)]
pub(super) struct Gamma {
    to_linear: [u8; 256],
    from_linear: [u8; 256],
}

impl Gamma {
    /// For samples that were encoded with this gamma (0.45455 is the usual one).
    pub(super) fn new(encoding: f64) -> Self {
        // libpng keeps both exponents in units of 1/100,000.
        let fixed = |exponent: f64| (exponent * 1e5).round() / 1e5;
        Self {
            to_linear: table(fixed(1.0 / encoding)),
            from_linear: table(fixed(encoding)),
        }
    }

    /// What [`Luma`](super::convert::Luma) is without a gamma. Gray stays as it is.
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

/// Whether an ICC profile is one of sRGB, which libpng tells by checksums of the known ones.
pub(super) fn is_srgb(profile: &[u8]) -> bool {
    memchr::memmem::find(profile, b"sRGB").is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn light_is_weighed_linearly_and_gray_is_kept() {
        let gamma = Gamma::new(SRGB);
        assert_eq!(gamma.luma([77, 77, 77], [9797, 19234, 3737]), 77);
        assert_eq!(
            gamma.luma([255, 0, 0], [9797, 19234, 3737]),
            table(SRGB)[76]
        );
    }
}
