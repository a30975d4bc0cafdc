//! Color jitter: on 8-bit values as in MXNet's C++ iterator, and the PCA lighting of its Python
//! augmenters.

use crate::ops::color_f32::{ColorF32, Matrix};
use crate::ops::color_u8::ColorU8;
use crate::plan::StepContext;
use crate::rng::Rng;

/// Eigenvectors and eigenvalues of the colors of `ImageNet`'s pixels, values from 0 to 255
/// (Krizhevsky et al.: `ImageNet` Classification with Deep Convolutional Neural Networks, 2012; the
/// numbers are MXNet's).
const EIGENVECTORS: [[f32; 3]; 3] = [
    [-0.5675, 0.7192, 0.4009],
    [-0.5808, -0.0045, -0.8140],
    [-0.5836, -0.6948, 0.4203],
];
const EIGENVALUES: [f32; 3] = [55.46, 4.794, 1.148];

/// Random colors on 8-bit values.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Jitter {
    /// Brightness, contrast and saturation in random order, each by a factor from 1 − its range to
    /// 1 + its range.
    Enhance {
        /// The ranges, in that order.
        ranges: [f64; 3],
        /// Whether gray is computed with the weights of red and blue swapped, as in MXNet.
        swapped: bool,
    },
    /// Hue (180 for a full turn), lightness and saturation (of 255) shifted by integers.
    Hls {
        /// Maximum shifts, in that order.
        max: [f64; 3],
        /// Whether a hue beyond its range wraps around; as in MXNet it is clamped otherwise.
        wrap: bool,
    },
    /// PCA lighting: a shift along each eigenvector by its eigenvalue times a normal random number
    /// of this standard deviation.
    Pca(f64),
    /// Hue, lightness and saturation shifted, then all values multiplied, each with its own
    /// probability: the colors of MXNet's detection iterator. The hue wraps around.
    Sometimes {
        /// Shifts of hue, lightness and saturation by integers.
        hls: [Sometimes; 3],
        /// Difference of the factor from 1.
        contrast: Sometimes,
    },
}

/// A uniform random number from −`max` to `max` with a probability; 0 otherwise.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sometimes {
    /// The maximum.
    pub max: f64,
    /// The probability.
    pub probability: f64,
}

impl Sometimes {
    fn sample(self, rng: &mut Rng) -> f64 {
        let value = rng.uniform(-self.max, self.max);
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
            Self::Hls { max, wrap } => {
                let [hue, saturation, lightness] =
                    [max[0], max[2], max[1]].map(|max| shift(max, ctx.rng));
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

/// Contrast changes below this are skipped, as in MXNet: they change no value by 1.
const MIN_CONTRAST: f64 = 1e-3;

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
    if contrast.abs() > MIN_CONTRAST {
        ctx.plan.color_u8(ColorU8::Gain((contrast + 1.0) as f32));
    }
}

/// Return an integer from −`max` to `max`, more often near 0: MXNet's mixture of two uniform
/// numbers.
fn shift(max: f64, rng: &mut Rng) -> i32 {
    let v = (rng.uniform(0.0, 1.0) + 4.0 * rng.uniform(0.0, 1.0)) / 5.0;
    (v * 2.0 * max - max) as i32
}

/// PCA lighting in floats. (`LightingAug`)
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Lighting {
    /// Standard deviation of the random numbers.
    pub deviation: f64,
    /// Eigenvalues, for values from 0 to 255.
    pub eigenvalues: [f64; 3],
    /// Eigenvectors: a row for each of R, G, B, a column for each eigenvector.
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

    fn sampled(jitter: Jitter, sample: u64) -> Vec<ColorU8> {
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
            let all = sampled(jitter, sample);
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
    fn colors_without_a_range_are_unchanged() {
        let jitter = Jitter::Enhance {
            ranges: [0.0, 0.3, 0.0],
            swapped: false,
        };
        assert_eq!(sampled(jitter, 0).len(), 1);
    }

    #[test]
    fn each_color_changes_with_its_own_probability() {
        let sometimes = |max, probability| Sometimes { max, probability };
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
            for one in sampled(jitter, sample) {
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
