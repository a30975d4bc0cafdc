//! The label of an image with objects on it, as detection's record files have it.
//!
//! Numbers in a row: A, the width of the header, 2 or more; B, the width of an object, 5 or more; A − 2 others, which
//! nothing here knows; then the objects, B numbers each: class, left, top, right, bottom, in fractions of the image's
//! sides, and others. (MXNet's `ImageDetLabel`.)

use crate::boxes::{Boxes, RelativeRect};
use crate::error::{Error, Result};

/// Numbers of a header, and of an object, that have a meaning here.
const LEAST_HEADER: usize = 2;
const LEAST_OBJECT: usize = 5;

/// The header: what stands before the objects. The label has been read.
pub(crate) fn header(label: &[f32]) -> &[f32] {
    &label[..label[0] as usize]
}

/// Reads a label's objects into `boxes`; those whose sides are out of order are left out, as in MXNet.
///
/// # Errors
/// [`ErrorKind::Corrupt`](crate::error::ErrorKind::Corrupt), if it is no such label.
pub fn read(label: &[f32], boxes: &mut Boxes) -> Result<()> {
    let widths = match label {
        [header, object, ..] => width(*header, LEAST_HEADER).zip(width(*object, LEAST_OBJECT)),
        _ => None,
    };
    let objects = widths.and_then(|(header, object)| Some((label.get(header..)?, object)));
    let Some((objects, object)) = objects.filter(|(rest, width)| rest.len() % width == 0) else {
        return Err(not_objects(label));
    };
    boxes.width = object;
    boxes.values.clear();
    boxes.values.extend_from_slice(objects);
    boxes.retain(RelativeRect::is_sound);
    Ok(())
}

/// Whether there is an object that a network can learn from: one with a class.
pub(crate) fn has_class(boxes: &Boxes) -> bool {
    boxes.iter().any(|object| object[0] >= 0.0)
}

/// A whole number from `least` up. Labels are floats, so it is exact below 2²⁴ only, and none is as wide.
fn width(number: f32, least: usize) -> Option<usize> {
    let width = number as usize;
    (width >= least && width < 1 << 24 && number.fract() == 0.0).then_some(width)
}

fn not_objects(label: &[f32]) -> Error {
    let beginning = &label[..label.len().min(4)];
    Error::corrupt(format!(
        "{} labels that begin with {beginning:?} are no detection label: A >= {LEAST_HEADER}, the width of the header; \
         B >= {LEAST_OBJECT}, the width of an object; A-2 numbers; B numbers for each object",
        label.len()
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn objects_stand_behind_the_header() {
        let label = [
            3.0, 6.0, 640.0, 1.0, 0.1, 0.2, 0.3, 0.4, 9.0, 2.0, 0.5, 0.6, 0.7, 0.8, 8.0,
        ];
        let mut boxes = Boxes::default();
        read(&label, &mut boxes).unwrap();
        assert_eq!((boxes.width, boxes.len()), (6, 2));
        assert_eq!(boxes.values, label[3..]);
        assert_eq!(header(&label), [3.0, 6.0, 640.0]);
    }

    #[test]
    fn objects_whose_sides_are_out_of_order_are_left_out() {
        let (flat, turned) = ([1.0, 0.5, 0.1, 0.5, 0.9], [2.0, 0.1, 0.9, 0.5, 0.1]);
        let (bad, good) = ([3.0, f32::NAN, 0.1, 0.5, 0.9], [4.0, 0.1, 0.1, 0.2, 0.2]);
        let label = [&[2.0, 5.0][..], &flat, &turned, &bad, &good].concat();
        let mut boxes = Boxes::default();
        read(&label, &mut boxes).unwrap();
        assert_eq!(boxes.values, good);
        assert!(has_class(&boxes));
    }

    #[test]
    fn a_label_may_have_no_objects() {
        let mut boxes = Boxes::default();
        read(&[2.0, 5.0], &mut boxes).unwrap();
        assert!(boxes.is_empty() && !has_class(&boxes));
    }

    #[test]
    fn other_labels_are_refused() {
        for label in [
            &[][..],
            &[3.0],
            &[1.0, 5.0, 0.0],
            &[2.0, 4.0, 0.0, 0.1, 0.1, 0.2],
            &[2.0, 5.0, 0.0, 0.1, 0.1, 0.2, 0.2, 7.0],
            &[2.5, 5.0, 0.0, 0.1, 0.1, 0.2, 0.2],
            &[9.0, 5.0, 0.0],
            &[f32::NAN, 5.0],
            &[2.0, f32::INFINITY],
            &[1e30, 5.0],
        ] {
            let error = read(label, &mut Boxes::default()).unwrap_err();
            assert!(
                error.to_string().contains("are no detection label"),
                "{label:?}"
            );
        }
    }
}
