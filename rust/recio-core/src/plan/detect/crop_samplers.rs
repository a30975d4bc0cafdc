//! Crops of MXNet's C++ iterator: several samplers, each with its own limits, tried in random
//! order.
//!
//! MXNet 1.9.1 applies the limits only if all six are set, and never crops to a ratio above that of
//! the image (it has `1 / s * s` for `1 / (s * s)`). Here every limit that is set applies, and all
//! ratios of the range occur.

use std::iter::repeat_n;

use crate::boxes::Boxes;
use crate::boxes::RelativeRect;
use crate::image::Rect;
use crate::plan::StepContext;
use crate::plan::detect::{crop, random_rect};
use crate::rng::Rng;

/// Crop by samplers.
#[derive(Debug, Clone, PartialEq)]
pub struct Samplers {
    /// Probability of a crop.
    pub probability: f64,
    /// The samplers.
    pub samplers: Vec<Sampler>,
    /// The objects that the crop keeps.
    pub keep: Keep,
}

/// One sampler: the crops that it tries, and the limits that they must meet.
#[derive(Debug, Clone, PartialEq)]
pub struct Sampler {
    /// Minimum and maximum scale: the square root of the crop's share of the image.
    pub scale: (f64, f64),
    /// Minimum and maximum ratio of width to height, clamped to what the scale allows.
    pub aspect: (f64, f64),
    /// Minimum and maximum intersection over union of crop and object.
    pub overlap: (f64, f64),
    /// Minimum and maximum share of the crop that the object covers.
    pub sample_coverage: (f64, f64),
    /// Minimum and maximum share of the object that the crop covers.
    pub object_coverage: (f64, f64),
    /// Maximum number of attempts.
    pub trials: u32,
}

/// The objects that a crop keeps.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Keep {
    /// Those whose center is within the crop.
    Center,
    /// Those of which more than this share is within the crop.
    MinShare(f64),
}

impl Samplers {
    pub(super) fn sample(&self, ctx: &mut StepContext<'_>) {
        if !ctx.rng.chance(self.probability) {
            return;
        }
        let size = ctx.plan.size();
        let order = ctx.rng.permutation(self.samplers.len() as u32);
        let region = order
            .iter()
            .map(|&i| &self.samplers[i as usize])
            .flat_map(|sampler| repeat_n(sampler, sampler.trials as usize))
            .find_map(|sampler| {
                let region = sampler.sample_region(size, ctx.rng)?;
                self.accepts(
                    sampler,
                    RelativeRect::of_region(region, size),
                    ctx.boxes.as_deref(),
                )
                .then_some(region)
            });
        if let Some(region) = region {
            let frame = RelativeRect::of_region(region, size);
            crop(ctx, region, |object| self.keep.keeps(frame, object));
        }
    }

    /// Whether one object meets the limits and one is kept. Without objects every crop is accepted.
    fn accepts(&self, sampler: &Sampler, crop: RelativeRect, boxes: Option<&Boxes>) -> bool {
        let any = |boxes: &Boxes, is_so: &dyn Fn(RelativeRect) -> bool| {
            boxes.iter().any(|object| is_so(RelativeRect::of(object)))
        };
        boxes.is_none_or(|boxes| {
            boxes.is_empty()
                || (any(boxes, &|object| sampler.admits(crop, object))
                    && any(boxes, &|object| self.keep.keeps(crop, object)))
        })
    }
}

impl Sampler {
    /// Samples a region of an image of this size; none if it has no pixels.
    fn sample_region(&self, (w, h): (usize, usize), rng: &mut Rng) -> Option<Rect> {
        let scale = rng.uniform(self.scale.0, self.scale.1);
        // Ratios relative to the image's: those at which both sides fit.
        let (min, max) = (scale * scale, 1.0 / (scale * scale));
        let relative = |aspect: f64| (aspect * h as f64 / w as f64).clamp(min, max);
        let ratio = rng
            .uniform(relative(self.aspect.0), relative(self.aspect.1))
            .sqrt();
        let pixels = |share: f64, side: usize| ((share * side as f64).round() as usize).min(side);
        let size = (pixels(scale * ratio, w), pixels(scale / ratio, h));
        (size.0 > 0 && size.1 > 0).then(|| random_rect(size, (w, h), rng))
    }

    /// Whether crop and object meet the limits.
    fn admits(&self, crop: RelativeRect, object: RelativeRect) -> bool {
        let within = |(min, max): (f64, f64), share: f64| (min..=max).contains(&share);
        let common = crop.common(object);
        within(
            self.overlap,
            common / (crop.size() + object.size() - common),
        ) && within(self.sample_coverage, common / crop.size())
            && within(self.object_coverage, common / object.size())
    }
}

impl Keep {
    fn keeps(self, crop: RelativeRect, object: RelativeRect) -> bool {
        match self {
            Self::Center => crop.contains_center_of(object),
            Self::MinShare(min_share) => crop.common(object) / object.size() > min_share,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::Plan;
    use crate::plan::detect::Detect;
    use crate::plan::detect::tests::sampled;

    const ANY: (f64, f64) = (0.0, 1.0);

    fn sampler() -> Sampler {
        Sampler {
            scale: (0.3, 1.0),
            aspect: (0.5, 2.0),
            overlap: ANY,
            sample_coverage: ANY,
            object_coverage: ANY,
            trials: 50,
        }
    }

    fn step(samplers: Vec<Sampler>, keep: Keep) -> Detect {
        Detect::Sample(Samplers {
            probability: 1.0,
            samplers,
            keep,
        })
    }

    const OBJECTS: [[f32; 5]; 2] = [[0.0, 0.1, 0.1, 0.4, 0.5], [1.0, 0.5, 0.6, 0.9, 0.9]];

    fn cropped(step: &Detect, sample: u64) -> (RelativeRect, Boxes) {
        let (plan, boxes) = sampled(step, (200, 100), &OBJECTS, sample);
        (RelativeRect::of_region(plan.source, (200, 100)), boxes)
    }

    #[test]
    fn scales_and_ratios_cover_their_ranges_and_stay_in_them() {
        let step = step(vec![sampler()], Keep::Center);
        let (mut wide, mut tall) = (0, 0);
        for sample in 0..2000 {
            let (plan, _) = sampled(&step, (200, 100), &[], sample);
            let (w, h) = plan.size();
            let ratio = w as f64 / h as f64;
            let scale = ((w * h) as f64 / 20_000.0).sqrt();
            assert!((0.29..=1.0).contains(&scale), "{w}x{h}");
            assert!((0.48..=2.1).contains(&ratio), "{w}x{h}");
            wide += usize::from(ratio > 1.5);
            tall += usize::from(ratio < 0.8);
        }
        assert!(wide > 300 && tall > 50, "{wide}, {tall}");
    }

    #[test]
    fn every_limit_applies_on_its_own() {
        let limits: [fn(&mut Sampler); 3] = [
            |one| one.overlap = (0.3, 1.0),
            |one| one.sample_coverage = (0.3, 1.0),
            |one| one.object_coverage = (0.9, 1.0),
        ];
        for limit in limits {
            let mut one = sampler();
            limit(&mut one);
            let step = step(vec![one.clone()], Keep::Center);
            for sample in 0..300 {
                let (crop, boxes) = cropped(&step, sample);
                assert!(!boxes.is_empty());
                let is_met = OBJECTS
                    .iter()
                    .any(|object| one.admits(crop, RelativeRect::of(object)));
                assert!(is_met || crop.size() > 0.999, "{one:?}: {crop:?}");
            }
        }
    }

    #[test]
    fn objects_are_kept_by_their_center_or_their_share() {
        for keep in [Keep::Center, Keep::MinShare(0.7)] {
            let step = step(vec![sampler()], keep);
            let mut counts = [0; 3];
            for sample in 0..500 {
                let (crop, boxes) = cropped(&step, sample);
                let expected: Vec<f32> = OBJECTS
                    .iter()
                    .filter(|object| keep.keeps(crop, RelativeRect::of(&object[..])))
                    .map(|object| object[0])
                    .collect();
                let classes: Vec<f32> = boxes.iter().map(|object| object[0]).collect();
                assert_eq!(classes, expected);
                counts[classes.len()] += 1;
                assert!(
                    boxes
                        .iter()
                        .all(|object| RelativeRect::of(object).is_sound())
                );
            }
            assert!(
                counts[0] == 0 && counts[1] > 50 && counts[2] > 50,
                "{counts:?}"
            );
        }
    }

    #[test]
    fn limits_that_cannot_be_met_leave_the_image_uncropped() {
        let impossible = Sampler {
            overlap: (0.95, 1.0),
            ..sampler()
        };
        let nothing = Sampler {
            scale: (0.0, 1e-9),
            ..sampler()
        };
        let step = step(vec![impossible, nothing], Keep::Center);
        for sample in 0..20 {
            let (plan, boxes) = sampled(&step, (200, 100), &OBJECTS, sample);
            assert_eq!(
                (plan, boxes.values),
                (Plan::new(200, 100), OBJECTS.concat())
            );
        }
    }

    #[test]
    fn every_sampler_is_used() {
        let small = Sampler {
            scale: (0.3, 0.35),
            ..sampler()
        };
        let large = Sampler {
            scale: (0.85, 0.9),
            ..sampler()
        };
        let step = step(vec![small, large], Keep::Center);
        let is_small = |sample| sampled(&step, (200, 100), &[], sample).0.size().0 < 120;
        let count = (0..400).filter(|&sample| is_small(sample)).count();
        assert!((150..250).contains(&count), "{count}");
    }
}
