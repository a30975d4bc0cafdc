//! The objects of an image, as detection labels them: they are drawn along with the image, whose steps move them.

use crate::image::Rect;

/// Objects: for each a class, a box, and whatever else its label has.
#[derive(Debug, Clone, PartialEq)]
pub struct Boxes {
    /// Values an object, at least 5: class, left, top, right, bottom, in fractions of the image's sides; then others.
    pub width: usize,
    /// The objects' values, one object after another.
    pub values: Vec<f32>,
}

impl Default for Boxes {
    /// No objects.
    fn default() -> Self {
        Self {
            width: 5,
            values: Vec::new(),
        }
    }
}

impl Boxes {
    /// The objects.
    #[must_use]
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &[f32]> {
        self.values.chunks_exact(self.width)
    }

    /// The objects, to be changed.
    pub fn iter_mut(&mut self) -> impl ExactSizeIterator<Item = &mut [f32]> {
        self.values.chunks_exact_mut(self.width)
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.values.len() / self.width
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// Keeps the objects whose box is to be kept.
    pub fn retain(&mut self, keep: impl Fn(RelativeRect) -> bool) {
        let mut kept = 0;
        for at in (0..self.values.len()).step_by(self.width) {
            if keep(RelativeRect::of(&self.values[at..])) {
                self.values.copy_within(at..at + self.width, kept);
                kept += self.width;
            }
        }
        self.values.truncate(kept);
    }

    /// Gives the boxes in fractions of `frame`'s sides, a part of the image or what it is a part of; what lies outside is
    /// cut off.
    pub fn project(&mut self, frame: RelativeRect) {
        let (width, height) = (frame.right - frame.left, frame.bottom - frame.top);
        let along =
            |value: f64, start: f64, length: f64| ((value - start) / length).clamp(0.0, 1.0) as f32;
        for object in self.iter_mut() {
            let own = RelativeRect::of(object);
            object[1] = along(own.left, frame.left, width);
            object[2] = along(own.top, frame.top, height);
            object[3] = along(own.right, frame.left, width);
            object[4] = along(own.bottom, frame.top, height);
        }
    }
}

/// A rectangle, in fractions of an image's sides.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RelativeRect {
    /// Its left side.
    pub left: f64,
    /// Its upper side.
    pub top: f64,
    /// Its right side.
    pub right: f64,
    /// Its lower side.
    pub bottom: f64,
}

impl RelativeRect {
    /// An object's.
    #[must_use]
    pub fn of(object: &[f32]) -> Self {
        let [left, top, right, bottom] =
            [object[1], object[2], object[3], object[4]].map(f64::from);
        Self {
            left,
            top,
            right,
            bottom,
        }
    }

    /// A part of an image of this width and height.
    #[must_use]
    pub fn of_part(rect: Rect, (width, height): (usize, usize)) -> Self {
        Self {
            left: fraction(rect.x as f64, width),
            top: fraction(rect.y as f64, height),
            right: fraction((rect.x + rect.width) as f64, width),
            bottom: fraction((rect.y + rect.height) as f64, height),
        }
    }

    /// A canvas on which an image of this width and height stands at `rect.x`, `rect.y`.
    #[must_use]
    pub fn of_canvas(rect: Rect, (width, height): (usize, usize)) -> Self {
        Self {
            left: fraction(-(rect.x as f64), width),
            top: fraction(-(rect.y as f64), height),
            right: fraction(rect.width as f64 - rect.x as f64, width),
            bottom: fraction(rect.height as f64 - rect.y as f64, height),
        }
    }

    /// Whether its sides are in order, so that there is something within.
    #[must_use]
    pub fn is_sound(self) -> bool {
        self.right > self.left && self.bottom > self.top
    }

    /// Its size, as a fraction of the image's; 0 if there is nothing within.
    #[must_use]
    pub fn size(self) -> f64 {
        (self.right - self.left).max(0.0) * (self.bottom - self.top).max(0.0)
    }

    /// The size of what is within both.
    #[must_use]
    pub fn common(self, other: Self) -> f64 {
        Self {
            left: self.left.max(other.left),
            top: self.top.max(other.top),
            right: self.right.min(other.right),
            bottom: self.bottom.min(other.bottom),
        }
        .size()
    }

    /// Whether the middle of `other` is within.
    #[must_use]
    pub fn has_middle_of(self, other: Self) -> bool {
        let (x, y) = (
            f64::midpoint(other.left, other.right),
            f64::midpoint(other.top, other.bottom),
        );
        (self.left..self.right).contains(&x) && (self.top..self.bottom).contains(&y)
    }
}

/// Pixels as a fraction of a side, rounded as labels are: so a part that ends where an object begins does not touch it.
fn fraction(pixels: f64, side: usize) -> f64 {
    f64::from((pixels / side as f64) as f32)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn boxes(of: &[[f32; 6]]) -> Boxes {
        Boxes {
            width: 6,
            values: of.concat(),
        }
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
    fn a_part_of_an_image_cuts_off_what_lies_outside() {
        let mut some = boxes(&[[1.0, 0.0, 0.25, 0.5, 0.75, 9.0]]);
        some.project(RelativeRect::of_part(rect(10, 0, 20, 40), (40, 40)));
        assert_eq!(some, boxes(&[[1.0, 0.0, 0.25, 0.5, 0.75, 9.0]]));
        some.project(RelativeRect::of_part(rect(0, 20, 40, 20), (40, 40)));
        assert_eq!(some, boxes(&[[1.0, 0.0, 0.0, 0.5, 0.5, 9.0]]));
    }

    #[test]
    fn a_canvas_makes_boxes_smaller() {
        let mut some = boxes(&[[1.0, 0.0, 0.0, 1.0, 1.0, 9.0]]);
        some.project(RelativeRect::of_canvas(rect(10, 30, 40, 80), (20, 40)));
        assert_eq!(some, boxes(&[[1.0, 0.25, 0.375, 0.75, 0.875, 9.0]]));
    }

    #[test]
    fn neighbours_do_not_touch() {
        // 0.4 is not a float of 32 bits; the nearest is a little more.
        let object = RelativeRect::of(&[0.0, 0.1, 0.1, 0.4, 0.5]);
        let beside = RelativeRect::of_part(rect(60, 0, 60, 100), (150, 100));
        assert!(object.common(beside) == 0.0);
    }

    #[test]
    fn objects_are_kept_whole() {
        let [first, second, third] =
            [0.2, 0.8, 0.4].map(|right| [right, 0.0, 0.0, right, 1.0, 7.0]);
        let mut some = boxes(&[first, second, third]);
        some.retain(|area| area.right < 0.5);
        assert_eq!(some, boxes(&[first, third]));
    }

    #[test]
    fn nothing_is_within_a_box_whose_sides_are_out_of_order() {
        let whole = RelativeRect::of_part(rect(0, 0, 1, 1), (1, 1));
        let bad = RelativeRect {
            left: 0.6,
            right: 0.4,
            ..whole
        };
        assert!(!bad.is_sound() && bad.size() == 0.0 && bad.common(whole) == 0.0);
        assert!(whole.is_sound() && whole.has_middle_of(bad));
    }
}
