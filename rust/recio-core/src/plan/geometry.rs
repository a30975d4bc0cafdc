//! Geometry steps: resize, border, mirror.

use crate::plan::{InterpolationChoice, StepContext};

/// Resizes the shorter side to `side`; the other side keeps the ratio, rounded down. (`resize`,
/// `ResizeAug`)
pub(super) fn shorter_side(ctx: &mut StepContext<'_>, side: usize, how: InterpolationChoice) {
    let (w, h) = ctx.plan.size();
    let size = if h > w {
        (side, side * h / w)
    } else {
        (side * w / h, side)
    };
    resize(ctx, size, how);
}

/// Resizes to a width and height. (`ForceResizeAug`)
pub(super) fn resize(
    ctx: &mut StepContext<'_>,
    (width, height): (usize, usize),
    how: InterpolationChoice,
) {
    let method = how.choose(ctx.plan.size(), (width, height), ctx.rng);
    ctx.plan.resize(width, height, method);
}

/// Resizes to fit within a width and height, the ratio kept, sides rounded down. A smaller image is
/// enlarged only if `grow`. (`resize_mode` fit and shrink of the detection iterator, in 32-bit
/// floats as there.)
pub(super) fn within(
    ctx: &mut StepContext<'_>,
    (width, height): (usize, usize),
    grow: bool,
    how: InterpolationChoice,
) {
    let (w, h) = ctx.plan.size();
    if !grow && w <= width && h <= height {
        return;
    }
    let ratio = (height as f32 / h as f32).min(width as f32 / w as f32);
    let scaled = |side: usize| ((ratio * side as f32) as usize).max(1);
    resize(ctx, (scaled(w).min(width), scaled(h).min(height)), how);
}

/// Adds a border on all four sides; its alpha is 0. (`pad`)
pub(super) fn pad(ctx: &mut StepContext<'_>, thickness: usize, value: u8) {
    let (w, h) = ctx.plan.size();
    let size = (w + 2 * thickness, h + 2 * thickness);
    ctx.plan
        .border((thickness, thickness), size, [value, value, value, 0]);
}

/// Mirrors, left to right, with a probability. (`mirror`, `rand_mirror`, `HorizontalFlipAug`)
pub(super) fn mirror(ctx: &mut StepContext<'_>, probability: f64) {
    if ctx.rng.chance(probability) {
        ctx.plan.flip();
        if let Some(boxes) = ctx.boxes.as_deref_mut() {
            boxes.iter_mut().for_each(|object| {
                (object[1], object[3]) = (1.0 - object[3], 1.0 - object[1]);
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::boxes::Boxes;
    use crate::plan::Plan;
    use crate::rng::Rng;

    fn sized(size: (usize, usize), draw: impl FnOnce(&mut StepContext<'_>)) -> (usize, usize) {
        let mut plan = Plan::new(size.0, size.1);
        draw(&mut StepContext {
            plan: &mut plan,
            rng: &mut Rng::new(0, 0, 0),
            boxes: None,
        });
        plan.size()
    }

    #[test]
    fn within_a_size_the_ratio_is_kept() {
        let within = |size, grow| {
            sized(size, |ctx| {
                within(ctx, (12, 8), grow, InterpolationChoice::Auto);
            })
        };
        assert_eq!(within((40, 20), false), (12, 6));
        assert_eq!(within((6, 6), false), (6, 6));
        assert_eq!(within((6, 6), true), (8, 8));
        assert_eq!(within((5_000, 1), true), (12, 1));
    }

    #[test]
    fn a_mirror_moves_boxes() {
        let mut boxes = Boxes {
            width: 5,
            values: vec![3.0, 0.25, 0.5, 0.375, 0.75],
        };
        mirror(
            &mut StepContext {
                plan: &mut Plan::new(8, 8),
                rng: &mut Rng::new(0, 0, 0),
                boxes: Some(&mut boxes),
            },
            1.0,
        );
        assert_eq!(boxes.values, [3.0, 0.625, 0.5, 0.75, 0.75]);
    }
}
