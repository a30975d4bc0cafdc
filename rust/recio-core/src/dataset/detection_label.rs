//! Detection labels: labels of images that contain objects (MXNet's `ImageDetLabel`).
//!
//! A label is a sequence of numbers: A, the width of the header, at least 2; B, the width of an
//! object, at least 5; A − 2 numbers that are not used here; then B numbers for each object: class,
//! left, top, right, bottom, as fractions of the image size, and others.

use crate::boxes::{Boxes, RelativeRect};
use crate::error::{Error, Result};

/// Minimum width of a header.
const MIN_HEADER: usize = 2;
/// Minimum width of an object.
const MIN_OBJECT: usize = 5;

/// Returns the header of a valid label: the numbers before the objects.
pub(crate) fn header(label: &[f64]) -> &[f64] {
    &label[..label[0] as usize]
}

/// Reads the objects of a label into `boxes`. Those whose sides are out of order are skipped, as in
/// MXNet.
///
/// # Errors
/// [`ErrorKind::Corrupt`](crate::error::ErrorKind::Corrupt) if it is no detection label.
pub fn read(label: &[f64], boxes: &mut Boxes) -> Result<()> {
    let Some((objects, width)) = split(label) else {
        return Err(not_a_detection_label(label));
    };
    boxes.width = width;
    boxes.values.clear();
    let numbers = objects.iter().map(|&number| number as f32);
    boxes.values.extend(numbers);
    boxes.retain(RelativeRect::is_sound);
    Ok(())
}

/// Returns the objects of a detection label, of at least five numbers each; `None` if it is none.
pub(crate) fn objects(label: &[f64]) -> Option<impl Iterator<Item = &[f64]>> {
    split(label).map(|(objects, width)| objects.chunks_exact(width))
}

/// Returns the numbers of all objects, and the width of each.
fn split(label: &[f64]) -> Option<(&[f64], usize)> {
    let [header, object, ..] = label else {
        return None;
    };
    let (header, object) = width(*header, MIN_HEADER).zip(width(*object, MIN_OBJECT))?;
    let objects = label.get(header..)?;
    (objects.len() % object == 0).then_some((objects, object))
}

/// Returns whether an object has a class, so that a network can learn from it.
pub(crate) fn has_class(boxes: &Boxes) -> bool {
    boxes.iter().any(|object| object[0] >= 0.0)
}

/// Returns a width of at least `min`, below 2²⁴: integers up to there are exact in records.
fn width(number: f64, min: usize) -> Option<usize> {
    let width = number as usize;
    (width >= min && width < 1 << 24 && number.fract() == 0.0).then_some(width)
}

fn not_a_detection_label(label: &[f64]) -> Error {
    let beginning = &label[..label.len().min(4)];
    let hint = match label.len() {
        1 => "; im2rec packs more than the first label of a line with --pack-label",
        _ => "",
    };
    Error::corrupt(format!(
        "{} labels that begin with {beginning:?} are no detection label: A >= {MIN_HEADER}, the width of the header; \
         B >= {MIN_OBJECT}, the width of an object; A-2 numbers; B numbers for each object{hint}",
        label.len()
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn objects_follow_the_header() {
        let label = [
            3.0, 6.0, 640.0, 1.0, 0.1, 0.2, 0.3, 0.4, 9.0, 2.0, 0.5, 0.6, 0.7, 0.8, 8.0,
        ];
        let mut boxes = Boxes::default();
        read(&label, &mut boxes).unwrap();
        assert_eq!((boxes.width, boxes.len()), (6, 2));
        assert_eq!(
            boxes.values,
            label[3..].iter().map(|&n| n as f32).collect::<Vec<_>>()
        );
        assert_eq!(header(&label), [3.0, 6.0, 640.0]);
    }

    #[test]
    fn objects_with_sides_out_of_order_are_skipped() {
        let (flat, turned) = ([1.0, 0.5, 0.1, 0.5, 0.9], [2.0, 0.1, 0.9, 0.5, 0.1]);
        let (bad, good) = ([3.0, f64::NAN, 0.1, 0.5, 0.9], [4.0, 0.1, 0.1, 0.2, 0.2]);
        let label = [&[2.0, 5.0][..], &flat, &turned, &bad, &good].concat();
        let mut boxes = Boxes::default();
        read(&label, &mut boxes).unwrap();
        assert_eq!(boxes.values, good.map(|number: f64| number as f32));
        assert!(has_class(&boxes));
    }

    #[test]
    fn a_label_may_have_no_objects() {
        let mut boxes = Boxes::default();
        read(&[2.0, 5.0], &mut boxes).unwrap();
        assert!(boxes.is_empty() && !has_class(&boxes));
    }

    #[test]
    fn other_labels_are_errors() {
        for label in [
            &[][..],
            &[3.0],
            &[1.0, 5.0, 0.0],
            &[2.0, 4.0, 0.0, 0.1, 0.1, 0.2],
            &[2.0, 5.0, 0.0, 0.1, 0.1, 0.2, 0.2, 7.0],
            &[2.5, 5.0, 0.0, 0.1, 0.1, 0.2, 0.2],
            &[9.0, 5.0, 0.0],
            &[f64::NAN, 5.0],
            &[2.0, f64::INFINITY],
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
