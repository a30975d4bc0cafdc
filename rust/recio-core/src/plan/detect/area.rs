//! Crops and pads of MXNet's Python augmenters: of random area and aspect ratio, by rejection
//! sampling.

use crate::boxes::Boxes;
use crate::boxes::RelativeRect;
use crate::image::Rect;
use crate::plan::StepContext;
use crate::plan::detect::{crop, pad, random_rect};
use crate::rng::Rng;

/// Minimum area, in pixels, of a crop and of an object that counts.
const MIN_PIXELS: f64 = 2.0;
/// Minimum pixels, in width and height, that a pad adds.
const MIN_MARGIN: usize = 2;

/// Crop that covers enough of every object that it overlaps. (`DetRandomCropAug`)
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct AreaCrop {
    /// Share of each overlapping object that the crop must cover more of.
    pub min_covered: f64,
    /// Minimum and maximum ratio of width to height.
    pub aspect: (f64, f64),
    /// Minimum and maximum area, as fractions of the image's.
    pub area: (f64, f64),
    /// Objects of which at most this share is within the crop are dropped.
    pub max_ejected: f64,
    /// Maximum number of attempts.
    pub attempts: u32,
}

/// Pad: the image at a random position on a canvas. (`DetRandomPadAug`)
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct AreaPad {
    /// Minimum and maximum ratio of width to height.
    pub aspect: (f64, f64),
    /// Minimum and maximum area, as fractions of the image's.
    pub area: (f64, f64),
    /// Maximum number of attempts.
    pub attempts: u32,
    /// Color of the canvas, channel by channel.
    pub value: [u8; 4],
}

impl AreaCrop {
    pub(super) fn sample(&self, ctx: &mut StepContext<'_>) {
        let size = ctx.plan.size();
        let Some(boxes) = ctx.boxes.as_deref() else {
            return;
        };
        let mut regions = (0..self.attempts).filter_map(|_| self.sample_region(size, ctx.rng));
        if let Some(region) = regions.find(|region| self.accepts(*region, size, boxes)) {
            let frame = RelativeRect::of_region(region, size);
            crop(ctx, region, |object| self.keeps(frame, object));
        }
    }

    fn sample_region(&self, (w, h): (usize, usize), rng: &mut Rng) -> Option<Rect> {
        let ratio = rng.uniform(self.aspect.0, self.aspect.1);
        let (min, max) = areas(self.area, (w, h));
        let widest = ((w as f64 + 0.5) / ratio).ceil() as usize - 1;
        let tallest = height(max, ratio).min(widest).min(h);
        let low = height(min, ratio).min(tallest);
        let mut rows = low + rng.below((tallest - low) as u64 + 1) as usize;
        // Rounding may leave the range of areas by a row.
        let pixels = |rows: usize| (rows * width(rows, ratio)) as f64;
        if pixels(rows) < min {
            rows += 1;
        }
        if pixels(rows) > max {
            rows = rows.saturating_sub(1);
        }
        let columns = width(rows, ratio);
        let fits = (1..=w).contains(&columns) && (1..=h).contains(&rows);
        (fits && (min..=max).contains(&pixels(rows)))
            .then(|| random_rect((columns, rows), (w, h), rng))
    }

    /// Whether the crop overlaps an object, covers enough of each that it overlaps, and keeps one.
    fn accepts(&self, region: Rect, (w, h): (usize, usize), boxes: &Boxes) -> bool {
        let frame = RelativeRect::of_region(region, (w, h));
        let pixels = (w * h) as f64;
        let mut shares = boxes
            .iter()
            .map(RelativeRect::of)
            .filter(|object| object.size() * pixels > MIN_PIXELS)
            .map(|object| frame.common(object) / object.size())
            .filter(|&share| share > 0.0)
            .peekable();
        (region.width * region.height) as f64 >= MIN_PIXELS
            && shares.peek().is_some()
            && shares.all(|share| share > self.min_covered)
            && boxes
                .iter()
                .any(|object| self.keeps(frame, RelativeRect::of(object)))
    }

    fn keeps(&self, frame: RelativeRect, object: RelativeRect) -> bool {
        let common = frame.common(object);
        common > 0.0 && common / object.size() > self.max_ejected
    }
}

impl AreaPad {
    pub(super) fn sample(&self, ctx: &mut StepContext<'_>) {
        let size = ctx.plan.size();
        let canvas = (0..self.attempts).find_map(|_| self.sample_size(size, ctx.rng));
        if let Some(canvas) = canvas {
            pad(ctx, canvas, self.value);
        }
    }

    /// Samples the width and height of a canvas.
    fn sample_size(&self, (w, h): (usize, usize), rng: &mut Rng) -> Option<(usize, usize)> {
        let ratio = rng.uniform(self.aspect.0, self.aspect.1);
        let (min, max) = areas(self.area, (w, h));
        let tallest = height(max, ratio);
        let narrowest = ((w as f64 - 0.5) / ratio).ceil() as usize;
        let low = height(min, ratio).max(narrowest).max(h).min(tallest);
        let rows = low + rng.below((tallest - low) as u64 + 1) as usize;
        let columns = width(rows, ratio);
        (columns >= w + MIN_MARGIN && rows >= h + MIN_MARGIN).then_some((columns, rows))
    }
}

/// Return areas in pixels.
fn areas((min, max): (f64, f64), (w, h): (usize, usize)) -> (f64, f64) {
    let pixels = (w * h) as f64;
    (min * pixels, max * pixels)
}

/// Return the height of this area and ratio.
fn height(area: f64, ratio: f64) -> usize {
    (area / ratio).sqrt().round_ties_even() as usize
}

/// Return the width of this height and ratio.
fn width(height: usize, ratio: f64) -> usize {
    (height as f64 * ratio).round_ties_even() as usize
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::Plan;
    use crate::plan::detect::Detect;
    use crate::plan::detect::tests::sampled;

    const OBJECTS: [[f32; 5]; 2] = [[0.0, 0.1, 0.1, 0.4, 0.5], [1.0, 0.5, 0.6, 0.9, 0.9]];
    const SIZE: (usize, usize) = (120, 100);

    fn crop() -> AreaCrop {
        AreaCrop {
            min_covered: 0.1,
            aspect: (0.75, 1.33),
            area: (0.05, 1.0),
            max_ejected: 0.3,
            attempts: 50,
        }
    }

    #[test]
    fn crops_cover_their_ranges_and_stay_in_them() {
        let step = Detect::AreaCrop(crop());
        let (mut small, mut large) = (0, 0);
        for sample in 0..2000 {
            let (plan, boxes) = sampled(&step, SIZE, &OBJECTS, sample);
            assert!(!boxes.is_empty());
            let (w, h) = plan.size();
            if plan == Plan::new(SIZE.0, SIZE.1) {
                continue;
            }
            let (ratio, area) = (w as f64 / h as f64, (w * h) as f64 / 12_000.0);
            assert!((0.7..1.4).contains(&ratio), "{w}x{h}");
            assert!((0.05..=1.0).contains(&area), "{w}x{h}");
            small += usize::from(area < 0.2);
            large += usize::from(area > 0.8);
        }
        assert!(small > 50 && large > 50, "{small}, {large}");
    }

    #[test]
    fn a_crop_covers_enough_of_every_object_that_it_overlaps() {
        let step = Detect::AreaCrop(AreaCrop {
            min_covered: 0.8,
            max_ejected: 0.9,
            ..crop()
        });
        let mut dropped = 0;
        for sample in 0..1000 {
            let (plan, boxes) = sampled(&step, SIZE, &OBJECTS, sample);
            let part = RelativeRect::of_region(plan.source, SIZE);
            let shares = OBJECTS.map(|object| {
                let object = RelativeRect::of(&object);
                part.common(object) / object.size()
            });
            assert!(
                shares.iter().all(|&share| share == 0.0 || share > 0.8),
                "{shares:?}"
            );
            let kept: Vec<f32> = boxes.iter().map(|object| object[0]).collect();
            let expected = [0.0, 1.0]
                .into_iter()
                .zip(shares)
                .filter(|(_, share)| *share > 0.9);
            assert_eq!(kept, expected.map(|(class, _)| class).collect::<Vec<f32>>());
            dropped += usize::from(shares.iter().any(|&share| share > 0.8 && share <= 0.9));
        }
        assert!(dropped > 10, "{dropped}");
    }

    #[test]
    fn without_objects_there_is_no_crop() {
        let tiny = [[0.0, 0.5, 0.5, 0.501, 0.501]];
        let step = Detect::AreaCrop(crop());
        for objects in [&tiny[..], &[]] {
            assert!(
                (0..50)
                    .all(|sample| sampled(&step, SIZE, objects, sample).0 == Plan::new(120, 100))
            );
        }
    }

    #[test]
    fn pads_cover_their_ranges_and_stay_in_them() {
        let step = Detect::AreaPad(AreaPad {
            aspect: (0.75, 1.33),
            area: (1.0, 3.0),
            attempts: 50,
            value: [1, 2, 3, 0],
        });
        let (mut wide, mut tall) = (0, 0);
        for sample in 0..1000 {
            let (plan, boxes) = sampled(&step, SIZE, &OBJECTS, sample);
            assert_eq!(boxes.len(), 2);
            let (w, h) = plan.size();
            let (ratio, area) = (w as f64 / h as f64, (w * h) as f64 / 12_000.0);
            assert!(w >= 122 && h >= 102 && area < 3.05, "{w}x{h}");
            assert!((0.74..1.34).contains(&ratio), "{w}x{h}");
            wide += usize::from(ratio > 1.2);
            tall += usize::from(ratio < 0.9);
        }
        assert!(wide > 100 && tall > 100, "{wide}, {tall}");
    }

    #[test]
    fn an_impossible_pad_is_skipped() {
        let step = Detect::AreaPad(AreaPad {
            aspect: (4.0, 4.0),
            area: (1.0, 1.5),
            attempts: 5,
            value: [0; 4],
        });
        assert_eq!(sampled(&step, SIZE, &[], 0).0, Plan::new(120, 100));
    }
}
