//! Check of boxes: detection labels that are valid numbers, but mean something else.
//!
//! Boxes are fractions of the image's sides: left, top, right, bottom. Pixels, or x, y, width,
//! height, are numbers too, and a network would learn nothing from them. So the first of each kind
//! is worth a warning.

use crate::dataset::detection_label::objects;

/// Sides beyond these are no fractions. Annotators leave the image by a little.
const FRACTIONS: std::ops::RangeInclusive<f64> = -0.2..=1.2;

/// What the sides of a box are, and how to convert the other form.
pub(crate) const ORDER: &str = "boxes are left, top, right, bottom; convert x, y, width, height to \
                                x, y, x + width, y + height";

/// The first labels whose boxes look wrong.
#[derive(Debug, Default)]
pub struct BoxCheck {
    pixels: Option<String>,
    order: Option<String>,
}

impl BoxCheck {
    /// Checks the boxes of a label, if it is a detection label. `locate` adds its position to a
    /// warning.
    pub fn add(&mut self, label: &[f64], locate: impl Fn(String) -> String) {
        if self.pixels.is_some() && self.order.is_some() {
            return;
        }
        for object in objects(label).into_iter().flatten() {
            // Lists are padded by objects of the class -1.
            if object[0] < 0.0 {
                continue;
            }
            let sides = &object[1..5];
            if sides
                .iter()
                .any(|side| side.is_finite() && !FRACTIONS.contains(side))
            {
                self.pixels.get_or_insert_with(|| locate(pixels(sides)));
            }
            let is_sound = sides[0] < sides[2] && sides[1] < sides[3];
            if !is_sound {
                self.order.get_or_insert_with(|| locate(order(sides)));
            }
        }
    }

    /// Returns the warnings.
    #[must_use]
    pub fn into_warnings(self) -> Vec<String> {
        self.pixels.into_iter().chain(self.order).collect()
    }
}

fn pixels(sides: &[f64]) -> String {
    format!(
        "the box {} has sides that are no fractions of the image's width and height: divide pixels by them",
        shown(sides)
    )
}

fn order(sides: &[f64]) -> String {
    format!(
        "the box {} is skipped, as it does not have left < right and top < bottom: {ORDER}",
        shown(sides)
    )
}

/// Returns sides with the digits that records hold.
fn shown(sides: &[f64]) -> String {
    let sides: Vec<f32> = sides.iter().map(|&side| side as f32).collect();
    format!("{sides:?}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn warnings(label: &[f64]) -> Vec<String> {
        let mut check = BoxCheck::default();
        check.add(label, |text| format!("here: {text}"));
        check.into_warnings()
    }

    #[test]
    fn fractions_in_order_are_right() {
        for label in [
            &[
                2.0, 5.0, 0.0, 0.1, 0.1, 0.9, 0.9, -1.0, -1.0, -1.0, -1.0, -1.0,
            ][..],
            &[3.0, 6.0, 640.0, 1.0, -0.01, 0.0, 1.02, 1.0, 300.0],
            &[7.0],
            &[2.0, 5.0],
            &[100.0, 200.0, 300.0],
            &[],
        ] {
            assert_eq!(warnings(label), [""; 0], "{label:?}");
        }
    }

    #[test]
    fn sides_that_leave_the_image_by_more_than_a_fifth_are_reported() {
        for (right, expected) in [(1.1, 0), (1.3, 1)] {
            let label = [2.0, 5.0, 0.0, 0.5, 0.6, right, 1.0];
            assert_eq!(warnings(&label).len(), expected, "{right}");
        }
    }

    #[test]
    fn pixels_and_sizes_are_reported_once_each() {
        let pixels = [2.0, 5.0, 0.0, 10.0, 20.0, 200.0, 180.0];
        let [warning] = &warnings(&pixels)[..] else {
            panic!("one warning")
        };
        assert!(warning.starts_with("here: the box [10.0, 20.0, 200.0, 180.0] has sides"));
        let size = [2.0, 5.0, 0.0, 0.5, 0.6, 0.2, 0.3, 1.0, 0.5, 0.6, 0.1, 0.3];
        let [warning] = &warnings(&size)[..] else {
            panic!("one warning")
        };
        assert!(warning.starts_with("here: the box [0.5, 0.6, 0.2, 0.3] is skipped"));
        let both = [
            2.0,
            5.0,
            0.0,
            100.0,
            200.0,
            50.0,
            60.0,
            0.0,
            f64::NAN,
            0.0,
            1.0,
            1.0,
        ];
        assert_eq!(warnings(&both).len(), 2);
    }
}
