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
