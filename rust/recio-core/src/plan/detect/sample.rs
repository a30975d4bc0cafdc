//! The crops of MXNet's C++ iterator: several samplers, each with limits of its own, are tried in random order.
//!
//! MXNet 1.9.1 looks at the limits only if all six are given, and never crops to a ratio above the image's own (it has
//! `1 / s * s` for `1 / (s * s)`). Here each limit that is given counts, and all ratios of the range come.

use std::iter::repeat_n;

use crate::boxes::Boxes;
use crate::boxes::RelativeRect;
use crate::image::Rect;
use crate::plan::StepContext;
use crate::plan::detect::{anywhere, crop};
use crate::rng::Rng;

/// A crop by samplers.
#[derive(Debug, Clone, PartialEq)]
pub struct Samplers {
    /// The probability that there is a crop at all.
    pub probability: f64,
    /// The samplers.
    pub samplers: Vec<Sampler>,
    /// Which objects of the image are the crop's.
    pub keep: Keep,
}

/// What crops one sampler tries, and takes.
#[derive(Debug, Clone, PartialEq)]
pub struct Sampler {
    /// Least and largest scale: the square root of the crop's share of the image.
    pub scale: (f64, f64),
    /// Least and largest ratio of width to height. Where the scale leaves no room for them, the nearest one is taken.
    pub aspect: (f64, f64),
    /// Least and largest share that crop and object have in common of what they cover together.
    pub overlap: (f64, f64),
    /// Least and largest share of the crop that the object covers.
    pub sample_coverage: (f64, f64),
    /// Least and largest share of the object that the crop covers.
    pub object_coverage: (f64, f64),
    /// How many crops are tried.
    pub trials: u32,
}

/// Which objects of an image are a crop's.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Keep {
    /// Those whose middle is within.
    Middle,
    /// Those of which more than this share is within.
    Share(f64),
}

impl Samplers {
    pub(super) fn sample(&self, ctx: &mut StepContext<'_>) {
        if !ctx.rng.chance(self.probability) {
            return;
        }
        let size = ctx.plan.size();
        let order = ctx.rng.permutation(self.samplers.len() as u32);
        let found = order
            .iter()
            .map(|&i| &self.samplers[i as usize])
            .flat_map(|sampler| repeat_n(sampler, sampler.trials as usize))
            .find_map(|sampler| {
                let part = sampler.part(size, ctx.rng)?;
                self.takes(
                    sampler,
                    RelativeRect::of_part(part, size),
                    ctx.boxes.as_deref(),
                )
                .then_some(part)
            });
        if let Some(part) = found {
            let frame = RelativeRect::of_part(part, size);
            crop(ctx, part, |object| self.keep.keeps(frame, object));
        }
    }

    /// Whether one object meets the limits, and one is kept; where there is no object, anything is taken.
    fn takes(&self, sampler: &Sampler, part: RelativeRect, boxes: Option<&Boxes>) -> bool {
        let any = |boxes: &Boxes, is_so: &dyn Fn(RelativeRect) -> bool| {
            boxes.iter().any(|object| is_so(RelativeRect::of(object)))
        };
        boxes.is_none_or(|boxes| {
            boxes.is_empty()
                || (any(boxes, &|object| sampler.admits(part, object))
                    && any(boxes, &|object| self.keep.keeps(part, object)))
        })
    }
}

impl Sampler {
    /// A part of an image of this size; none if not a pixel of it is left.
    fn part(&self, (w, h): (usize, usize), rng: &mut Rng) -> Option<Rect> {
        let scale = rng.uniform(self.scale.0, self.scale.1);
        // Ratios relative to the image's own: these are the ones at which neither side leaves it.
        let (least, most) = (scale * scale, 1.0 / (scale * scale));
        let relative = |aspect: f64| (aspect * h as f64 / w as f64).clamp(least, most);
        let ratio = rng
            .uniform(relative(self.aspect.0), relative(self.aspect.1))
            .sqrt();
        let pixels = |share: f64, side: usize| ((share * side as f64).round() as usize).min(side);
        let size = (pixels(scale * ratio, w), pixels(scale / ratio, h));
        (size.0 > 0 && size.1 > 0).then(|| anywhere(size, (w, h), rng))
    }

    /// Whether an object is within the limits for a crop.
    fn admits(&self, part: RelativeRect, object: RelativeRect) -> bool {
        let within = |(least, most): (f64, f64), share: f64| (least..=most).contains(&share);
        let common = part.common(object);
        within(
            self.overlap,
            common / (part.size() + object.size() - common),
        ) && within(self.sample_coverage, common / part.size())
            && within(self.object_coverage, common / object.size())
    }
}

impl Keep {
    fn keeps(self, part: RelativeRect, object: RelativeRect) -> bool {
        match self {
            Self::Middle => part.has_middle_of(object),
            Self::Share(least) => part.common(object) / object.size() > least,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::Plan;
    use crate::plan::detect::Detect;
    use crate::plan::detect::tests::drawn;

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
        let (plan, boxes) = drawn(step, (200, 100), &OBJECTS, sample);
        (RelativeRect::of_part(plan.source, (200, 100)), boxes)
    }

    #[test]
    fn scales_and_ratios_keep_to_their_ranges_and_fill_them() {
        let step = step(vec![sampler()], Keep::Middle);
        let (mut wide, mut tall) = (0, 0);
        for sample in 0..2000 {
            let (plan, _) = drawn(&step, (200, 100), &[], sample);
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
    fn every_limit_counts_by_itself() {
        let limits: [fn(&mut Sampler); 3] = [
            |one| one.overlap = (0.3, 1.0),
            |one| one.sample_coverage = (0.3, 1.0),
            |one| one.object_coverage = (0.9, 1.0),
        ];
        for limit in limits {
            let mut one = sampler();
            limit(&mut one);
            let step = step(vec![one.clone()], Keep::Middle);
            for sample in 0..300 {
                let (part, boxes) = cropped(&step, sample);
                assert!(!boxes.is_empty());
                let is_met = OBJECTS
                    .iter()
                    .any(|object| one.admits(part, RelativeRect::of(object)));
                assert!(is_met || part.size() > 0.999, "{one:?}: {part:?}");
            }
        }
    }

    #[test]
    fn objects_are_the_crops_by_their_middle_or_by_their_share() {
        for keep in [Keep::Middle, Keep::Share(0.7)] {
            let step = step(vec![sampler()], keep);
            let mut counts = [0; 3];
            for sample in 0..500 {
                let (part, boxes) = cropped(&step, sample);
                let expected: Vec<f32> = OBJECTS
                    .iter()
                    .filter(|object| keep.keeps(part, RelativeRect::of(&object[..])))
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
    fn what_cannot_be_met_leaves_the_image_whole() {
        let impossible = Sampler {
            overlap: (0.95, 1.0),
            ..sampler()
        };
        let nothing = Sampler {
            scale: (0.0, 1e-9),
            ..sampler()
        };
        let step = step(vec![impossible, nothing], Keep::Middle);
        for sample in 0..20 {
            let (plan, boxes) = drawn(&step, (200, 100), &OBJECTS, sample);
            assert_eq!(
                (plan, boxes.values),
                (Plan::new(200, 100), OBJECTS.concat())
            );
        }
    }

    #[test]
    fn every_sampler_has_its_turn() {
        let small = Sampler {
            scale: (0.3, 0.35),
            ..sampler()
        };
        let large = Sampler {
            scale: (0.85, 0.9),
            ..sampler()
        };
        let step = step(vec![small, large], Keep::Middle);
        let is_small = |sample| drawn(&step, (200, 100), &[], sample).0.size().0 < 120;
        let count = (0..400).filter(|&sample| is_small(sample)).count();
        assert!((150..250).contains(&count), "{count}");
    }
}
