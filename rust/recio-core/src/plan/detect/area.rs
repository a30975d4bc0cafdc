//! The crops and canvases of MXNet's Python augmenters: of a random area and aspect ratio, tried until one fits.

use crate::boxes::Boxes;
use crate::boxes::RelativeRect;
use crate::image::Rect;
use crate::plan::StepContext;
use crate::plan::detect::{anywhere, crop, pad};
use crate::rng::Rng;

/// The least area of a crop, and of an object that counts, in pixels.
const LEAST_PIXELS: f64 = 2.0;
/// A canvas that is larger by fewer pixels, in width or height, is not worth it.
const LEAST_MARGIN: usize = 2;

/// A crop of which every object that it touches has enough. (`DetRandomCropAug`)
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct AreaCrop {
    /// Every object that it touches has more than this share of itself within.
    pub covered: f64,
    /// Least and largest ratio of width to height.
    pub aspect: (f64, f64),
    /// Least and largest area, as fractions of the image's.
    pub area: (f64, f64),
    /// Objects of which no more than this share is within are dropped.
    pub eject: f64,
    /// How many crops are tried.
    pub attempts: u32,
}

/// A canvas with the image anywhere on it. (`DetRandomPadAug`)
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct AreaPad {
    /// Least and largest ratio of width to height.
    pub aspect: (f64, f64),
    /// Least and largest area, as fractions of the image's.
    pub area: (f64, f64),
    /// How many canvases are tried.
    pub attempts: u32,
    /// The canvas's levels.
    pub value: [u8; 4],
}

impl AreaCrop {
    pub(super) fn sample(&self, ctx: &mut StepContext<'_>) {
        let size = ctx.plan.size();
        let Some(boxes) = ctx.boxes.as_deref() else {
            return;
        };
        let mut parts = (0..self.attempts).filter_map(|_| self.part(size, ctx.rng));
        if let Some(part) = parts.find(|part| self.takes(*part, size, boxes)) {
            let frame = RelativeRect::of_part(part, size);
            crop(ctx, part, |object| self.keeps(frame, object));
        }
    }

    fn part(&self, (w, h): (usize, usize), rng: &mut Rng) -> Option<Rect> {
        let ratio = rng.uniform(self.aspect.0, self.aspect.1);
        let (least, most) = areas(self.area, (w, h));
        let widest = ((w as f64 + 0.5) / ratio).ceil() as usize - 1;
        let tallest = height(most, ratio).min(widest).min(h);
        let low = height(least, ratio).min(tallest);
        let mut rows = low + rng.below((tallest - low) as u64 + 1) as usize;
        // Rounding may have left the range of areas by a row.
        let pixels = |rows: usize| (rows * width(rows, ratio)) as f64;
        if pixels(rows) < least {
            rows += 1;
        }
        if pixels(rows) > most {
            rows = rows.saturating_sub(1);
        }
        let columns = width(rows, ratio);
        let fits = (1..=w).contains(&columns) && (1..=h).contains(&rows);
        (fits && (least..=most).contains(&pixels(rows)))
            .then(|| anywhere((columns, rows), (w, h), rng))
    }

    /// Whether it touches an object, has enough of each that it touches, and keeps one.
    fn takes(&self, part: Rect, (w, h): (usize, usize), boxes: &Boxes) -> bool {
        let frame = RelativeRect::of_part(part, (w, h));
        let pixels = (w * h) as f64;
        let mut shares = boxes
            .iter()
            .map(RelativeRect::of)
            .filter(|object| object.size() * pixels > LEAST_PIXELS)
            .map(|object| frame.common(object) / object.size())
            .filter(|&share| share > 0.0)
            .peekable();
        (part.width * part.height) as f64 >= LEAST_PIXELS
            && shares.peek().is_some()
            && shares.all(|share| share > self.covered)
            && boxes
                .iter()
                .any(|object| self.keeps(frame, RelativeRect::of(object)))
    }

    fn keeps(&self, frame: RelativeRect, object: RelativeRect) -> bool {
        let common = frame.common(object);
        common > 0.0 && common / object.size() > self.eject
    }
}

impl AreaPad {
    pub(super) fn sample(&self, ctx: &mut StepContext<'_>) {
        let size = ctx.plan.size();
        let found = (0..self.attempts).find_map(|_| self.canvas(size, ctx.rng));
        if let Some(canvas) = found {
            pad(ctx, canvas, self.value);
        }
    }

    /// Width and height of a canvas.
    fn canvas(&self, (w, h): (usize, usize), rng: &mut Rng) -> Option<(usize, usize)> {
        let ratio = rng.uniform(self.aspect.0, self.aspect.1);
        let (least, most) = areas(self.area, (w, h));
        let tallest = height(most, ratio);
        let narrowest = ((w as f64 - 0.5) / ratio).ceil() as usize;
        let low = height(least, ratio).max(narrowest).max(h).min(tallest);
        let rows = low + rng.below((tallest - low) as u64 + 1) as usize;
        let columns = width(rows, ratio);
        (columns >= w + LEAST_MARGIN && rows >= h + LEAST_MARGIN).then_some((columns, rows))
    }
}

/// Areas in pixels.
fn areas((least, most): (f64, f64), (w, h): (usize, usize)) -> (f64, f64) {
    let whole = (w * h) as f64;
    (least * whole, most * whole)
}

/// The height of this area and ratio.
fn height(area: f64, ratio: f64) -> usize {
    (area / ratio).sqrt().round_ties_even() as usize
}

/// The width of this height and ratio.
fn width(height: usize, ratio: f64) -> usize {
    (height as f64 * ratio).round_ties_even() as usize
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::Plan;
    use crate::plan::detect::Detect;
    use crate::plan::detect::tests::drawn;

    const OBJECTS: [[f32; 5]; 2] = [[0.0, 0.1, 0.1, 0.4, 0.5], [1.0, 0.5, 0.6, 0.9, 0.9]];
    const SIZE: (usize, usize) = (120, 100);

    fn crop() -> AreaCrop {
        AreaCrop {
            covered: 0.1,
            aspect: (0.75, 1.33),
            area: (0.05, 1.0),
            eject: 0.3,
            attempts: 50,
        }
    }

    #[test]
    fn crops_keep_to_their_ranges_and_fill_them() {
        let step = Detect::AreaCrop(crop());
        let (mut small, mut large) = (0, 0);
        for sample in 0..2000 {
            let (plan, boxes) = drawn(&step, SIZE, &OBJECTS, sample);
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
    fn every_object_that_a_crop_touches_has_enough_of_itself_within() {
        let step = Detect::AreaCrop(AreaCrop {
            covered: 0.8,
            eject: 0.9,
            ..crop()
        });
        let mut dropped = 0;
        for sample in 0..1000 {
            let (plan, boxes) = drawn(&step, SIZE, &OBJECTS, sample);
            let part = RelativeRect::of_part(plan.source, SIZE);
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
                (0..50).all(|sample| drawn(&step, SIZE, objects, sample).0 == Plan::new(120, 100))
            );
        }
    }

    #[test]
    fn canvases_keep_to_their_ranges_and_fill_them() {
        let step = Detect::AreaPad(AreaPad {
            aspect: (0.75, 1.33),
            area: (1.0, 3.0),
            attempts: 50,
            value: [1, 2, 3, 0],
        });
        let (mut wide, mut tall) = (0, 0);
        for sample in 0..1000 {
            let (plan, boxes) = drawn(&step, SIZE, &OBJECTS, sample);
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
    fn a_canvas_that_cannot_be_is_none() {
        let step = Detect::AreaPad(AreaPad {
            aspect: (4.0, 4.0),
            area: (1.0, 1.5),
            attempts: 5,
            value: [0; 4],
        });
        assert_eq!(drawn(&step, SIZE, &[], 0).0, Plan::new(120, 100));
    }
}
