//! Bounding boxes: the labeled objects of an image, which its augmentation steps move along.

use crate::image::Rect;

/// The labeled objects of an image: for each a class, a box, and further values.
#[derive(Debug, Clone, PartialEq)]
pub struct Boxes {
    /// Values of each object, at least 5: class; left, top, right and bottom as fractions of the
    /// image's sides; then further values.
    pub width: usize,
    /// The values of all objects, one object after another.
    pub values: Vec<f32>,
}

impl Default for Boxes {
    /// Return an empty list of objects of five values.
    fn default() -> Self {
        Self {
            width: 5,
            values: Vec::new(),
        }
    }
}

impl Boxes {
    /// Return the values of each object.
    #[must_use]
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &[f32]> {
        self.values.chunks_exact(self.width)
    }

    /// Return the values of each object, to be changed.
    pub fn iter_mut(&mut self) -> impl ExactSizeIterator<Item = &mut [f32]> {
        self.values.chunks_exact_mut(self.width)
    }

    /// Return the number of objects.
    #[must_use]
    pub fn len(&self) -> usize {
        self.values.len() / self.width
    }

    /// Whether there are no objects.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// Removes the objects for whose box `keep` is false.
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

    /// Converts the boxes to fractions of the sides of `frame`, a region of the image or a canvas
    /// around it, and clips them to it.
    pub fn project(&mut self, frame: RelativeRect) {
        let (width, height) = (frame.right - frame.left, frame.bottom - frame.top);
        let along =
            |value: f64, start: f64, length: f64| ((value - start) / length).clamp(0.0, 1.0) as f32;
        for object in self.iter_mut() {
            let rect = RelativeRect::of(object);
            object[1] = along(rect.left, frame.left, width);
            object[2] = along(rect.top, frame.top, height);
            object[3] = along(rect.right, frame.left, width);
            object[4] = along(rect.bottom, frame.top, height);
        }
    }
}

/// A rectangle in fractions of an image's sides.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RelativeRect {
    /// Left side.
    pub left: f64,
    /// Top side.
    pub top: f64,
    /// Right side.
    pub right: f64,
    /// Bottom side.
    pub bottom: f64,
}

impl RelativeRect {
    /// Return the box of an object.
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

    /// Return the rectangle of a region of an image of this width and height.
    #[must_use]
    pub fn of_region(rect: Rect, (width, height): (usize, usize)) -> Self {
        Self {
            left: fraction(rect.x as f64, width),
            top: fraction(rect.y as f64, height),
            right: fraction((rect.x + rect.width) as f64, width),
            bottom: fraction((rect.y + rect.height) as f64, height),
        }
    }

    /// Return the rectangle of a canvas on which an image of this width and height is at `rect.x`,
    /// `rect.y`.
    #[must_use]
    pub fn of_canvas(rect: Rect, (width, height): (usize, usize)) -> Self {
        Self {
            left: fraction(-(rect.x as f64), width),
            top: fraction(-(rect.y as f64), height),
            right: fraction(rect.width as f64 - rect.x as f64, width),
            bottom: fraction(rect.height as f64 - rect.y as f64, height),
        }
    }

    /// Whether its sides are in order, so that its area is not 0.
    #[must_use]
    pub fn is_sound(self) -> bool {
        self.right > self.left && self.bottom > self.top
    }

    /// Return its area as a fraction of the image's; 0 if its sides are out of order.
    #[must_use]
    pub fn size(self) -> f64 {
        (self.right - self.left).max(0.0) * (self.bottom - self.top).max(0.0)
    }

    /// Return the area of the intersection.
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

    /// Whether it contains the center of `other`.
    #[must_use]
    pub fn contains_center_of(self, other: Self) -> bool {
        let (x, y) = (
            f64::midpoint(other.left, other.right),
            f64::midpoint(other.top, other.bottom),
        );
        (self.left..self.right).contains(&x) && (self.top..self.bottom).contains(&y)
    }
}

/// Return pixels as a fraction of a side, rounded as labels are, so that a region that ends where
/// an object begins does not overlap it.
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
    fn a_region_clips_boxes_to_it() {
        let mut some = boxes(&[[1.0, 0.0, 0.25, 0.5, 0.75, 9.0]]);
        some.project(RelativeRect::of_region(rect(10, 0, 20, 40), (40, 40)));
        assert_eq!(some, boxes(&[[1.0, 0.0, 0.25, 0.5, 0.75, 9.0]]));
        some.project(RelativeRect::of_region(rect(0, 20, 40, 20), (40, 40)));
        assert_eq!(some, boxes(&[[1.0, 0.0, 0.0, 0.5, 0.5, 9.0]]));
    }

    #[test]
    fn a_canvas_scales_boxes_down() {
        let mut some = boxes(&[[1.0, 0.0, 0.0, 1.0, 1.0, 9.0]]);
        some.project(RelativeRect::of_canvas(rect(10, 30, 40, 80), (20, 40)));
        assert_eq!(some, boxes(&[[1.0, 0.25, 0.375, 0.75, 0.875, 9.0]]));
    }

    #[test]
    fn adjacent_boxes_do_not_overlap() {
        // The float32 nearest to 0.4 is slightly larger.
        let object = RelativeRect::of(&[0.0, 0.1, 0.1, 0.4, 0.5]);
        let beside = RelativeRect::of_region(rect(60, 0, 60, 100), (150, 100));
        assert!(object.common(beside) == 0.0);
    }

    #[test]
    fn retained_objects_keep_all_values() {
        let [first, second, third] =
            [0.2, 0.8, 0.4].map(|right| [right, 0.0, 0.0, right, 1.0, 7.0]);
        let mut some = boxes(&[first, second, third]);
        some.retain(|area| area.right < 0.5);
        assert_eq!(some, boxes(&[first, third]));
    }

    #[test]
    fn a_box_with_sides_out_of_order_has_no_area() {
        let whole = RelativeRect::of_region(rect(0, 0, 1, 1), (1, 1));
        let bad = RelativeRect {
            left: 0.6,
            right: 0.4,
            ..whole
        };
        assert!(!bad.is_sound() && bad.size() == 0.0 && bad.common(whole) == 0.0);
        assert!(whole.is_sound() && whole.contains_center_of(bad));
    }
}
