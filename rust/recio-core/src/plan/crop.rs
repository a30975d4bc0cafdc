//! Crops: those of MXNet's C++ iterator, which enlarge a smaller image first, and those of its
//! Python augmenters, which shrink the crop instead.

use crate::image::Rect;
use crate::plan::{InterpolationChoice, StepContext};

/// Attempts at a random resized crop before a center crop is taken.
const MAX_ATTEMPTS: usize = 10;

/// Position of a crop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CropPosition {
    /// The center, rounded to the top left.
    Center,
    /// Uniformly random.
    Random,
}

/// Crop of random area and aspect ratio, resized to the output's size.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ResizedCrop {
    /// Width and height of the output.
    pub size: (usize, usize),
    /// Minimum and maximum area, as fractions of the image's.
    pub area: (f64, f64),
    /// Minimum and maximum ratio of width to height.
    pub aspect: (f64, f64),
    /// Whether the logarithm of the ratio is uniform, as in MXNet's Python augmenters and
    /// torchvision; the fallback is then the largest center crop of the output's ratio. As in
    /// MXNet's C++ iterator otherwise: the ratio is uniform, a coin flip chooses the longer side,
    /// and the fallback is a center crop of the image, enlarged if it is smaller.
    pub log_uniform: bool,
    /// Interpolation method.
    pub interpolation: InterpolationChoice,
}

impl ResizedCrop {
    pub(super) fn sample(&self, ctx: &mut StepContext<'_>) {
        let (w, h) = ctx.plan.size();
        let fits = |&(x, y): &(usize, usize)| (1..=w).contains(&x) && (1..=h).contains(&y);
        let mut attempts = (0..MAX_ATTEMPTS).map(|_| self.sample_size((w * h) as f64, ctx));
        match attempts.find(fits) {
            Some(size) => {
                crop_at(ctx, size, CropPosition::Random);
                resample(ctx, self.size, self.interpolation);
            }
            None if self.log_uniform => {
                fit(ctx, self.size, CropPosition::Center, self.interpolation);
            }
            None => cover(ctx, self.size, CropPosition::Center, self.interpolation),
        }
    }

    /// Samples the width and height of a region; either may be 0.
    fn sample_size(&self, pixels: f64, ctx: &mut StepContext<'_>) -> (usize, usize) {
        let area = ctx.rng.uniform(self.area.0, self.area.1) * pixels;
        if self.log_uniform {
            let (low, high) = (self.aspect.0.ln(), self.aspect.1.ln());
            let ratio = ctx.rng.uniform(low, high).exp();
            let side = |square: f64| square.sqrt().round_ties_even() as usize;
            return (side(area * ratio), side(area / ratio));
        }
        let ratio = ctx.rng.uniform(self.aspect.0, self.aspect.1);
        let side = |square: f64| square.sqrt().round() as usize;
        let (x, y) = (side(area * ratio), side(area / ratio));
        if ctx.rng.chance(0.5) { (y, x) } else { (x, y) }
    }
}

/// Enlarges an image that is smaller than `size` until it covers it, the ratio kept (first by
/// height, then by width, in 32-bit floats, rounded down), then crops to `size`.
pub(super) fn cover(
    ctx: &mut StepContext<'_>,
    size: (usize, usize),
    position: CropPosition,
    how: InterpolationChoice,
) {
    let method = how.choose(ctx.plan.size(), size, ctx.rng);
    let (w, h) = ctx.plan.size();
    if h < size.1 {
        let width = (size.1 as f32 / h as f32 * w as f32) as usize;
        ctx.plan.resize(width.max(1), size.1, method);
    }
    let (w, h) = ctx.plan.size();
    if w < size.0 {
        let height = (size.0 as f32 / w as f32 * h as f32) as usize;
        ctx.plan.resize(size.0, height.max(size.1), method);
    }
    crop_at(ctx, size, position);
}

/// Crops to `size` or, if the image is smaller, to the largest region of that ratio, which is then
/// enlarged.
pub(super) fn fit(
    ctx: &mut StepContext<'_>,
    size: (usize, usize),
    position: CropPosition,
    how: InterpolationChoice,
) {
    crop_at(ctx, scale_down(ctx.plan.size(), size), position);
    resample(ctx, size, how);
}

/// Crops to a square with a random side from `sides`, at most the image's shorter side, and resizes
/// it.
pub(super) fn square(
    ctx: &mut StepContext<'_>,
    sides: (usize, usize),
    size: (usize, usize),
    position: CropPosition,
    how: InterpolationChoice,
) {
    let (w, h) = ctx.plan.size();
    let side = sides.0 + ctx.rng.below((sides.1 - sides.0 + 1) as u64) as usize;
    let side = side.min(w).min(h);
    crop_at(ctx, (side, side), position);
    resample(ctx, size, how);
}

/// Crops to a rectangle of the given size, which must fit.
fn crop_at(ctx: &mut StepContext<'_>, (width, height): (usize, usize), position: CropPosition) {
    let (w, h) = ctx.plan.size();
    let (over_x, over_y) = (w - width, h - height);
    let (y, x) = match position {
        CropPosition::Random => {
            let y = ctx.rng.below(over_y as u64 + 1) as usize;
            (y, ctx.rng.below(over_x as u64 + 1) as usize)
        }
        CropPosition::Center => (over_y / 2, over_x / 2),
    };
    ctx.plan.crop(Rect {
        x,
        y,
        width,
        height,
    });
}

fn resample(ctx: &mut StepContext<'_>, size: (usize, usize), how: InterpolationChoice) {
    let method = how.choose(ctx.plan.size(), size, ctx.rng);
    ctx.plan.resize(size.0, size.1, method);
}

/// Return the largest size of the ratio of `size` within both `size` and the image, each side
/// rounded down and at least 1.
fn scale_down((sw, sh): (usize, usize), size: (usize, usize)) -> (usize, usize) {
    let (mut w, mut h) = (size.0 as f64, size.1 as f64);
    let (sw, sh) = (sw as f64, sh as f64);
    if sh < h {
        (w, h) = (w * sh / h, sh);
    }
    if sw < w {
        (w, h) = (sw, h * sw / w);
    }
    ((w as usize).max(1), (h as usize).max(1))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ops::resize::Interpolation;
    use crate::plan::{Operation, Plan, Step};
    use crate::rng::Rng;

    const LINEAR: InterpolationChoice = InterpolationChoice::Fixed(Interpolation::Linear);

    fn planned(width: usize, height: usize, steps: &[Step], sample: u64) -> Plan {
        let mut plan = Plan::new(width, height);
        let mut rng = Rng::new(0, 0, sample);
        for step in steps {
            step.sample(&mut StepContext {
                plan: &mut plan,
                rng: &mut rng,
                boxes: None,
            });
        }
        plan
    }

    fn covered(w: usize, h: usize, (width, height): (usize, usize)) -> Plan {
        planned(
            w,
            h,
            &[Step::Cover((width, height), CropPosition::Center, LINEAR)],
            0,
        )
    }

    fn sizes(plan: &Plan) -> Vec<(usize, usize)> {
        let size = |stage: &crate::plan::Stage| match stage.operation {
            Operation::Resize { width, height, .. } => (width, height),
            _ => (0, 0),
        };
        plan.stages().iter().map(size).collect()
    }

    fn rect(x: usize, y: usize, width: usize, height: usize) -> Rect {
        Rect {
            x,
            y,
            width,
            height,
        }
    }

    #[test]
    fn the_shorter_side_is_resized_and_the_center_cropped() {
        let steps = [
            Step::ShorterSide(47, LINEAR),
            Step::Cover((40, 40), CropPosition::Center, LINEAR),
        ];
        let plan = planned(90, 60, &steps, 0);
        assert_eq!(sizes(&plan), [(70, 47)]);
        assert_eq!(plan.stages()[0].window, rect(15, 3, 40, 40));
    }

    #[test]
    fn small_images_are_enlarged_to_cover() {
        let plan = |w, h| covered(w, h, (40, 90));
        assert_eq!(sizes(&plan(30, 30)), [(90, 90)]);
        assert_eq!(sizes(&plan(10, 90)), [(40, 360)]);
        assert_eq!(sizes(&plan(10, 45)), [(20, 90), (40, 180)]);
        assert_eq!(plan(200, 100).source, rect(80, 5, 40, 90));
    }

    #[test]
    fn the_largest_region_of_a_small_image_is_enlarged() {
        let fit = |w, h, size| planned(w, h, &[Step::Fit(size, CropPosition::Center, LINEAR)], 0);
        assert_eq!(fit(640, 480, (720, 120)).source, rect(0, 187, 640, 106));
        assert_eq!(sizes(&fit(640, 480, (720, 120))), [(720, 120)]);
        assert_eq!(fit(640, 480, (100, 50)).source, rect(270, 215, 100, 50));
        assert_eq!(fit(5_000, 1, (7, 300)).size(), (7, 300));
    }

    #[test]
    fn a_resized_crop_stays_in_its_ranges() {
        for log in [false, true] {
            let step = Step::ResizedCrop(ResizedCrop {
                size: (24, 24),
                area: (0.25, 0.5),
                aspect: (0.5, 2.0),
                log_uniform: log,
                interpolation: LINEAR,
            });
            let mut wider = 0;
            for sample in 0..2000 {
                let plan = planned(100, 80, std::slice::from_ref(&step), sample);
                let Rect { width, height, .. } = plan.source;
                let area = (width * height) as f64 / 8000.0;
                let ratio = width as f64 / height as f64;
                assert!((0.24..0.51).contains(&area), "{:?}", plan.source);
                assert!((0.48..2.1).contains(&ratio), "{:?}", plan.source);
                assert_eq!(plan.size(), (24, 24));
                wider += usize::from(width > height);
            }
            assert!((700..1400).contains(&wider), "{wider}");
        }
    }

    #[test]
    fn an_impossible_resized_crop_falls_back_to_a_center_crop() {
        let crop = |log| {
            Step::ResizedCrop(ResizedCrop {
                size: (10, 10),
                area: (1.0, 1.0),
                aspect: (3.0, 3.0),
                log_uniform: log,
                interpolation: LINEAR,
            })
        };
        for log in [false, true] {
            assert_eq!(
                planned(40, 40, &[crop(log)], 0).source,
                rect(15, 15, 10, 10)
            );
        }
    }

    #[test]
    fn square_crops_have_all_sides_of_their_range() {
        let step = Step::Square {
            side: (20, 23),
            size: (8, 8),
            position: CropPosition::Random,
            interpolation: LINEAR,
        };
        let mut counts = [0; 4];
        for sample in 0..1000 {
            let plan = planned(30, 50, std::slice::from_ref(&step), sample);
            assert_eq!(plan.source.width, plan.source.height);
            counts[plan.source.width - 20] += 1;
        }
        assert!(
            counts.iter().all(|count| (190..310).contains(count)),
            "{counts:?}"
        );
        assert_eq!(planned(9, 50, &[step], 0).source.width, 9);
    }

    #[test]
    fn half_of_the_images_are_mirrored() {
        let mirrored = (0..1000)
            .filter(|&i| planned(8, 8, &[Step::Mirror(0.5)], i).mirror)
            .count();
        assert!((430..570).contains(&mirrored), "{mirrored}");
        assert!((0..100).all(|i| planned(8, 8, &[Step::Mirror(1.0)], i).mirror));
    }

    #[test]
    fn extreme_shapes_result_in_the_output_size() {
        for (w, h) in [(1, 1), (1, 5000), (5000, 1), (223, 225), (16_384, 3)] {
            for (width, height) in [(224, 224), (1, 1), (7, 300)] {
                assert_eq!(covered(w, h, (width, height)).size(), (width, height));
            }
        }
    }
}
