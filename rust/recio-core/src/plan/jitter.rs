//! Random colors: in whole levels as MXNet's C++ iterator has them, and the light of its Python augmenters.

use crate::ops::color_f32::{ColorF32, Matrix};
use crate::ops::color_u8::ColorU8;
use crate::plan::StepContext;
use crate::rng::Rng;

/// Directions of the colors of `ImageNet`'s pixels and how far they spread along them, in levels (Krizhevsky et al.:
/// `ImageNet` Classification with Deep Convolutional Neural Networks, 2012; the values are MXNet's).
const EIGENVECTORS: [[f32; 3]; 3] = [
    [-0.5675, 0.7192, 0.4009],
    [-0.5808, -0.0045, -0.8140],
    [-0.5836, -0.6948, 0.4203],
];
const EIGENVALUES: [f32; 3] = [55.46, 4.794, 1.148];

/// Random colors in whole levels.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Jitter {
    /// Brightness, contrast and saturation in random order, each by a factor from 1 − its range to 1 + its range.
    Enhance {
        /// The ranges, in that order.
        ranges: [f64; 3],
        /// Whether gray is computed with the weights of red and blue exchanged, as MXNet does.
        swapped: bool,
    },
    /// Hue (a turn has 180), lightness and saturation (of 255), shifted by whole numbers.
    Hls {
        /// The largest shifts, in that order.
        most: [f64; 3],
        /// Whether a hue beyond the ends comes in at the other one, or, as in MXNet, stays at the end.
        wrap: bool,
    },
    /// The light's color: along each eigenvector a shift of its eigenvalue times a normal number of this deviation.
    Pca(f64),
    /// Hue, lightness and saturation shifted, then all levels multiplied, each with a probability of its own: the colors
    /// of MXNet's detection iterator. The hue wraps.
    Sometimes {
        /// Shifts of hue, lightness and saturation, by whole numbers.
        hls: [Sometimes; 3],
        /// What a factor differs from 1 by.
        contrast: Sometimes,
    },
}

/// A number drawn from −`most` to `most` with a probability, and 0 otherwise.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sometimes {
    /// The largest.
    pub most: f64,
    /// The probability.
    pub probability: f64,
}

impl Sometimes {
    fn sample(self, rng: &mut Rng) -> f64 {
        let value = rng.uniform(-self.most, self.most);
        if rng.chance(self.probability) {
            value
        } else {
            0.0
        }
    }
}

impl Jitter {
    pub(super) fn sample(&self, ctx: &mut StepContext<'_>) {
        match *self {
            Self::Enhance { ranges, swapped } => enhance(ctx, ranges, swapped),
            Self::Hls { most, wrap } => {
                let [hue, saturation, lightness] =
                    [most[0], most[2], most[1]].map(|most| shift(most, ctx.rng));
                ctx.plan.color_u8(ColorU8::Hls {
                    hue,
                    lightness,
                    saturation,
                    wrap,
                });
            }
            Self::Pca(deviation) => {
                let alpha: [f32; 3] =
                    std::array::from_fn(|i| (ctx.rng.normal() * deviation) as f32 * EIGENVALUES[i]);
                let along = |row: &[f32; 3]| row.iter().zip(alpha).map(|(e, a)| e * a).sum();
                ctx.plan
                    .color_u8(ColorU8::Shift(EIGENVECTORS.each_ref().map(along)));
            }
            Self::Sometimes { hls, contrast } => sometimes(ctx, hls, contrast),
        }
    }
}

fn enhance(ctx: &mut StepContext<'_>, ranges: [f64; 3], swapped: bool) {
    let factors = ranges.map(|range| 1.0 + ctx.rng.uniform(-range, range) as f32);
    let [brightness, alpha, saturation] = factors;
    let all = [
        ColorU8::Brightness(brightness),
        ColorU8::Contrast { alpha, swapped },
        ColorU8::Saturation {
            alpha: saturation,
            swapped,
        },
    ];
    for i in ctx.rng.permutation(3) {
        if ranges[i as usize] > 0.0 {
            ctx.plan.color_u8(all[i as usize]);
        }
    }
}

/// Contrasts that change no level by one are left out, as in MXNet.
const LEAST_CONTRAST: f64 = 1e-3;

fn sometimes(ctx: &mut StepContext<'_>, hls: [Sometimes; 3], contrast: Sometimes) {
    let [hue, lightness, saturation] = hls.map(|shift| shift.sample(ctx.rng) as i32);
    let contrast = contrast.sample(ctx.rng);
    if [hue, lightness, saturation] != [0; 3] {
        ctx.plan.color_u8(ColorU8::Hls {
            hue,
            lightness,
            saturation,
            wrap: true,
        });
    }
    if contrast.abs() > LEAST_CONTRAST {
        ctx.plan.color_u8(ColorU8::Gain((contrast + 1.0) as f32));
    }
}

/// A whole number within `most` of 0, mostly by the middle: MXNet's mixture of two uniform draws.
fn shift(most: f64, rng: &mut Rng) -> i32 {
    let v = (rng.uniform(0.0, 1.0) + 4.0 * rng.uniform(0.0, 1.0)) / 5.0;
    (v * 2.0 * most - most) as i32
}

/// The light's color, in floats: the step of MXNet's `LightingAug`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Lighting {
    /// The deviation of the numbers drawn.
    pub deviation: f64,
    /// How far colors spread along each eigenvector, in levels.
    pub eigenvalues: [f64; 3],
    /// A row for each of R, G, B; a column an eigenvector.
    pub eigenvectors: [[f64; 3]; 3],
}

impl Lighting {
    pub(super) fn sample(&self, ctx: &mut StepContext<'_>) {
        let alpha = [(); 3].map(|()| ctx.rng.normal() * self.deviation);
        let along = |row: [f64; 3]| {
            (0..3)
                .map(|i| row[i] * alpha[i] * self.eigenvalues[i])
                .sum()
        };
        ctx.plan.color_f32(ColorF32::Linear(Matrix::shift(
            self.eigenvectors.map(along),
        )));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::{Operation, Plan};

    fn drawn(jitter: Jitter, sample: u64) -> Vec<ColorU8> {
        let mut plan = Plan::new(4, 4);
        jitter.sample(&mut StepContext {
            plan: &mut plan,
            rng: &mut Rng::new(0, 0, sample),
            boxes: None,
        });
        let levels = |stage: &crate::plan::Stage| match stage.operation {
            Operation::ColorU8(levels) => levels,
            _ => panic!("{stage:?}"),
        };
        plan.stages().iter().map(levels).collect()
    }

    #[test]
    fn brightness_contrast_and_saturation_come_in_every_order() {
        let jitter = Jitter::Enhance {
            ranges: [0.4, 0.3, 0.2],
            swapped: false,
        };
        let mut orders = std::collections::HashSet::new();
        for sample in 0..200 {
            let all = drawn(jitter, sample);
            assert_eq!(all.len(), 3);
            let kinds: Vec<_> = all.iter().map(std::mem::discriminant).collect();
            orders.insert(kinds);
            for one in all {
                match one {
                    ColorU8::Brightness(alpha) => assert!((0.6..=1.4).contains(&alpha)),
                    ColorU8::Contrast { alpha, .. } => assert!((0.7..=1.3).contains(&alpha)),
                    ColorU8::Saturation { alpha, .. } => assert!((0.8..=1.2).contains(&alpha)),
                    other => panic!("{other:?}"),
                }
            }
        }
        assert_eq!(orders.len(), 6);
    }

    #[test]
    fn what_has_no_range_is_left_out() {
        let jitter = Jitter::Enhance {
            ranges: [0.0, 0.3, 0.0],
            swapped: false,
        };
        assert_eq!(drawn(jitter, 0).len(), 1);
    }

    #[test]
    fn each_color_is_changed_with_a_probability_of_its_own() {
        let sometimes = |most, probability| Sometimes { most, probability };
        let jitter = Jitter::Sometimes {
            hls: [
                sometimes(18.0, 1.0),
                sometimes(0.0, 1.0),
                sometimes(50.0, 0.25),
            ],
            contrast: sometimes(0.5, 0.5),
        };
        let (mut hues, mut saturated, mut gains) = (0, 0, 0);
        for sample in 0..1000 {
            for one in drawn(jitter, sample) {
                match one {
                    ColorU8::Hls {
                        hue,
                        lightness: 0,
                        saturation,
                        wrap: true,
                    } if hue.abs() < 18 && saturation.abs() < 50 => {
                        hues += usize::from(hue != 0);
                        saturated += usize::from(saturation != 0);
                    }
                    ColorU8::Gain(gain) if (0.5..1.5).contains(&gain) => gains += 1,
                    other => panic!("{other:?}"),
                }
            }
        }
        assert!(hues > 900, "{hues}");
        assert!((200..300).contains(&saturated), "{saturated}");
        assert!((430..570).contains(&gains), "{gains}");
    }

    #[test]
    fn shifts_are_within_their_range_and_have_no_bias() {
        let mut rng = Rng::new(0, 0, 0);
        let shifts: Vec<i32> = (0..10_000).map(|_| shift(36.0, &mut rng)).collect();
        assert!(shifts.iter().all(|shift| shift.abs() <= 36));
        let mean = f64::from(shifts.iter().sum::<i32>()) / 10_000.0;
        assert!(mean.abs() < 0.6, "{mean}");
        // The variance of (u + 4v) / 5 · 72 is 72² · 17/25 / 12.
        let variance = shifts.iter().map(|s| f64::from(s * s)).sum::<f64>() / 10_000.0;
        assert!((variance - 293.8).abs() < 25.0, "{variance}");
    }
}
