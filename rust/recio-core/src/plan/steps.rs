//! From the options and an image's size to its plan: MXNet's steps, in MXNet's order, with MXNet's arithmetic.

use crate::picture::Rect;
use crate::plan::{Crop, Mirror, Options, Plan, Stream};

/// Tries of a random resized crop before the centre is taken instead.
const CROP_ATTEMPTS: usize = 10;

/// Decides what will be done to an image of this size (as displayed), drawing from `random`.
#[must_use]
pub fn plan(width: usize, height: usize, options: &Options, random: &mut Stream) -> Plan {
    let mut plan = Plan::whole(width, height);
    if let Some(side) = options.resize {
        shorter_side(&mut plan, side, options, random);
    }
    if options.pad > 0 {
        plan.border(options.pad, options.fill_value);
    }
    if !resized_crop(&mut plan, options, random) {
        cover(&mut plan, options, random);
        crop(&mut plan, options, random);
    }
    plan.mirror = match options.mirror {
        Mirror::Never => false,
        Mirror::Always => true,
        Mirror::Random => random.coin(),
    };
    plan
}

/// Brings the shorter side to `side`; the other keeps the ratio, rounded down. (`resize`)
fn shorter_side(plan: &mut Plan, side: usize, options: &Options, random: &mut Stream) {
    let (w, h) = plan.size();
    let (width, height) = if h > w {
        (side, side * h / w)
    } else {
        (side * w / h, side)
    };
    let method = options
        .interpolation
        .choose((w, h), (width, height), random);
    plan.resize(width, height, method);
}

/// Takes a random region and resamples it to the output's size, if such a crop is wanted and one is found.
///
/// The area is uniform in its range and so is the ratio, as in MXNet's C++ (its Python and torchvision draw the ratio's
/// logarithm); which side is the longer one is a coin's choice.
fn resized_crop(plan: &mut Plan, options: &Options, random: &mut Stream) -> bool {
    let Crop::Resized { area, aspect } = options.crop else {
        return false;
    };
    let (w, h) = plan.size();
    for _ in 0..CROP_ATTEMPTS {
        let area = random.uniform(area.0, area.1) * (w * h) as f64;
        let ratio = random.uniform(aspect.0, aspect.1);
        let (mut y, mut x) = (
            (area / ratio).sqrt().round() as usize,
            (area * ratio).sqrt().round() as usize,
        );
        if random.coin() {
            (x, y) = (y, x);
        }
        if (1..=w).contains(&x) && (1..=h).contains(&y) {
            let (top, left) = (
                random.below((h - y + 1) as u64),
                random.below((w - x + 1) as u64),
            );
            plan.crop(Rect {
                x: left as usize,
                y: top as usize,
                width: x,
                height: y,
            });
            let method =
                options
                    .interpolation
                    .choose((x, y), (options.width, options.height), random);
            plan.resize(options.width, options.height, method);
            return true;
        }
    }
    false
}

/// Enlarges what is smaller than the output until it covers it, keeping the ratio: first by height, then by width, in
/// 32-bit floats, rounded down.
fn cover(plan: &mut Plan, options: &Options, random: &mut Stream) {
    let target = (options.width, options.height);
    let method = options.interpolation.choose(plan.size(), target, random);
    let (w, h) = plan.size();
    if h < target.1 {
        let width = (target.1 as f32 / h as f32 * w as f32) as usize;
        plan.resize(width.max(1), target.1, method);
    }
    let (w, h) = plan.size();
    if w < target.0 {
        let height = (target.0 as f32 / w as f32 * h as f32) as usize;
        plan.resize(target.0, height.max(target.1), method);
    }
}

/// Takes a rectangle of the output's size: at a random place, or the middle (rounded to the top left).
fn crop(plan: &mut Plan, options: &Options, random: &mut Stream) {
    let (w, h) = plan.size();
    let (over_y, over_x) = (h - options.height, w - options.width);
    let (y, x) = match options.crop {
        Crop::Random => {
            let y = random.below(over_y as u64 + 1) as usize;
            (y, random.below(over_x as u64 + 1) as usize)
        }
        Crop::Center | Crop::Resized { .. } => (over_y / 2, over_x / 2),
    };
    plan.crop(Rect {
        x,
        y,
        width: options.width,
        height: options.height,
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::augment::resize::Interpolation;
    use crate::plan::{Interpolations, Operation};

    fn options(height: usize, width: usize) -> Options {
        Options {
            channels: 3,
            height,
            width,
            resize: None,
            pad: 0,
            fill_value: 255,
            crop: Crop::Center,
            mirror: Mirror::Never,
            interpolation: Interpolations::Fixed(Interpolation::Linear),
        }
    }

    fn sizes(plan: &Plan) -> Vec<(usize, usize)> {
        let size = |stage: &crate::plan::Stage| match stage.operation {
            Operation::Resize { width, height, .. } => (width, height),
            Operation::Border { thickness, .. } => (thickness, thickness),
        };
        plan.stages().map(size).collect()
    }

    #[test]
    fn the_shorter_side_is_resized_and_the_middle_cropped() {
        let options = Options {
            resize: Some(47),
            ..options(40, 40)
        };
        let plan = plan(90, 60, &options, &mut Stream::new(0, 0, 0));
        assert_eq!(sizes(&plan), [(70, 47)]);
        assert_eq!(
            plan.stages().next().unwrap().window,
            Rect {
                x: 15,
                y: 3,
                width: 40,
                height: 40
            }
        );
    }

    #[test]
    fn small_images_are_enlarged_to_cover() {
        let plan = |w, h| plan(w, h, &options(90, 40), &mut Stream::new(0, 0, 0));
        assert_eq!(sizes(&plan(30, 30)), [(90, 90)]);
        assert_eq!(sizes(&plan(10, 90)), [(40, 360)]);
        assert_eq!(sizes(&plan(10, 45)), [(20, 90), (40, 180)]);
        assert_eq!(
            plan(200, 100).source,
            Rect {
                x: 80,
                y: 5,
                width: 40,
                height: 90
            }
        );
    }

    #[test]
    fn a_resized_crop_keeps_to_its_ranges() {
        let crop = Crop::Resized {
            area: (0.25, 0.5),
            aspect: (0.5, 2.0),
        };
        let options = Options {
            crop,
            ..options(24, 24)
        };
        for sample in 0..2000 {
            let plan = plan(100, 80, &options, &mut Stream::new(0, 0, sample));
            let Rect { width, height, .. } = plan.source;
            let area = (width * height) as f64 / 8000.0;
            assert!((0.24..0.51).contains(&area), "{:?}", plan.source);
            assert_eq!(plan.size(), (24, 24));
        }
    }

    #[test]
    fn an_impossible_resized_crop_falls_back_to_the_centre() {
        let crop = Crop::Resized {
            area: (1.0, 1.0),
            aspect: (3.0, 3.0),
        };
        let options = Options {
            crop,
            ..options(10, 10)
        };
        let plan = plan(40, 40, &options, &mut Stream::new(0, 0, 0));
        assert_eq!(
            plan.source,
            Rect {
                x: 15,
                y: 15,
                width: 10,
                height: 10
            }
        );
    }

    #[test]
    fn half_of_the_images_are_mirrored() {
        let options = Options {
            mirror: Mirror::Random,
            ..options(8, 8)
        };
        let mirrored = (0..1000)
            .filter(|&i| plan(8, 8, &options, &mut Stream::new(0, 0, i)).mirror)
            .count();
        assert!((430..570).contains(&mirrored), "{mirrored}");
    }

    #[test]
    fn extreme_shapes_still_give_the_output_size() {
        for (w, h) in [(1, 1), (1, 5000), (5000, 1), (223, 225), (16_384, 3)] {
            for (height, width) in [(224, 224), (1, 1), (300, 7)] {
                let plan = plan(w, h, &options(height, width), &mut Stream::new(0, 0, 0));
                assert_eq!(plan.size(), (width, height));
            }
        }
    }
}
