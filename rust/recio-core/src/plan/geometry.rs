//! Steps that change a picture's size or its sides.

use crate::plan::{Draw, Interpolations};

/// Brings the shorter side to `side`; the other keeps the ratio, rounded down. (`resize`, `ResizeAug`)
pub(super) fn shorter_side(on: &mut Draw<'_>, side: usize, how: Interpolations) {
    let (w, h) = on.plan.size();
    let size = if h > w {
        (side, side * h / w)
    } else {
        (side * w / h, side)
    };
    resize(on, size, how);
}

/// Brings both sides to the given size. (`ForceResizeAug`)
pub(super) fn resize(on: &mut Draw<'_>, (width, height): (usize, usize), how: Interpolations) {
    let method = how.choose(on.plan.size(), (width, height), on.random);
    on.plan.resize(width, height, method);
}

/// Brings both sides within the given size, keeping the ratio, rounded down; a smaller image is enlarged only if `grow`.
/// (`resize_mode` of the detection iterator: fit and shrink; 32-bit floats, as there.)
pub(super) fn within(
    on: &mut Draw<'_>,
    (width, height): (usize, usize),
    grow: bool,
    how: Interpolations,
) {
    let (w, h) = on.plan.size();
    if !grow && w <= width && h <= height {
        return;
    }
    let ratio = (height as f32 / h as f32).min(width as f32 / w as f32);
    let scaled = |side: usize| ((ratio * side as f32) as usize).max(1);
    resize(on, (scaled(w).min(width), scaled(h).min(height)), how);
}

/// Adds a border on all four sides; on 4-channel data its alpha is 0. (`pad`)
pub(super) fn pad(on: &mut Draw<'_>, thickness: usize, value: u8) {
    let (w, h) = on.plan.size();
    let size = (w + 2 * thickness, h + 2 * thickness);
    on.plan
        .border((thickness, thickness), size, [value, value, value, 0]);
}

/// Flips left to right with a probability. (`mirror`, `rand_mirror`, `HorizontalFlipAug`)
pub(super) fn mirror(on: &mut Draw<'_>, probability: f64) {
    if on.random.chance(probability) {
        on.plan.flip();
        if let Some(boxes) = on.boxes.as_deref_mut() {
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

    fn sized(size: (usize, usize), draw: impl FnOnce(&mut Draw<'_>)) -> (usize, usize) {
        let mut plan = Plan::whole(size.0, size.1);
        draw(&mut Draw {
            plan: &mut plan,
            random: &mut Rng::new(0, 0, 0),
            boxes: None,
        });
        plan.size()
    }

    #[test]
    fn within_a_size_the_ratio_is_kept() {
        let within = |size, grow| sized(size, |on| within(on, (12, 8), grow, Interpolations::Auto));
        assert_eq!(within((40, 20), false), (12, 6));
        assert_eq!(within((6, 6), false), (6, 6));
        assert_eq!(within((6, 6), true), (8, 8));
        assert_eq!(within((5_000, 1), true), (12, 1));
    }

    #[test]
    fn a_flip_moves_boxes() {
        let mut boxes = Boxes {
            width: 5,
            values: vec![3.0, 0.25, 0.5, 0.375, 0.75],
        };
        mirror(
            &mut Draw {
                plan: &mut Plan::whole(8, 8),
                random: &mut Rng::new(0, 0, 0),
                boxes: Some(&mut boxes),
            },
            1.0,
        );
        assert_eq!(boxes.values, [3.0, 0.625, 0.5, 0.75, 0.75]);
    }
}
