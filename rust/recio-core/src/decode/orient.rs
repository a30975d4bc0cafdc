//! EXIF orientation: turns decoded pixels the way that the camera was held.

use image::metadata::Orientation;

use super::shape;
use crate::image::{Image, Rect};

/// Whether width and height change places.
pub(super) fn is_sideways(orientation: Orientation) -> bool {
    use Orientation::{Rotate90, Rotate90FlipH, Rotate270, Rotate270FlipH};
    matches!(
        orientation,
        Rotate90 | Rotate270 | Rotate90FlipH | Rotate270FlipH
    )
}

/// Where a part of the displayed picture, which is of this size, lies in the stored one.
pub(super) fn stored(
    orientation: Orientation,
    part: Rect,
    (width, height): (usize, usize),
) -> Rect {
    use Orientation as O;
    let from_right = width - part.x - part.width;
    let from_below = height - part.y - part.height;
    let (x, y) = match orientation {
        O::NoTransforms => (part.x, part.y),
        O::FlipHorizontal => (from_right, part.y),
        O::Rotate180 => (from_right, from_below),
        O::FlipVertical => (part.x, from_below),
        O::Rotate90FlipH => (part.y, part.x),
        O::Rotate90 => (part.y, from_right),
        O::Rotate270FlipH => (from_below, from_right),
        O::Rotate270 => (from_below, part.x),
    };
    let (width, height) = if is_sideways(orientation) {
        (part.height, part.width)
    } else {
        (part.width, part.height)
    };
    Rect {
        x,
        y,
        width,
        height,
    }
}

/// Writes `from`, turned, into `into`.
pub(super) fn apply(orientation: Orientation, from: &Image, into: &mut Image) {
    let (width, height) = (from.width, from.height);
    let size = if is_sideways(orientation) {
        (height, width)
    } else {
        (width, height)
    };
    shape(into, size, from.channels);
    match from.channels {
        1 => turn::<1>(orientation, from, into),
        3 => turn::<3>(orientation, from, into),
        channels => unreachable!("{channels} channels are never turned"),
    }
}

fn turn<const CHANNELS: usize>(orientation: Orientation, from: &Image, into: &mut Image) {
    let walk = Walk::of(orientation, from.width as isize, from.height as isize);
    let pixels = from.data.as_chunks::<CHANNELS>().0;
    let rows = into.data.chunks_exact_mut(into.width * CHANNELS);
    for (y, row) in rows.enumerate() {
        let mut at = walk.start + y as isize * walk.down;
        for pixel in row.as_chunks_mut::<CHANNELS>().0 {
            *pixel = pixels[at as usize];
            at += walk.right;
        }
    }
}

/// The path through the stored pixels that visits them in the order in which they are displayed.
struct Walk {
    /// The stored pixel that is displayed at the top left.
    start: isize,
    /// The step to the one that is displayed to the right of it.
    right: isize,
    /// The step to the one that is displayed below it.
    down: isize,
}

impl Walk {
    fn of(orientation: Orientation, width: isize, height: isize) -> Self {
        use Orientation as O;
        let (last_column, last_row) = (width - 1, (height - 1) * width);
        let (start, right, down) = match orientation {
            O::NoTransforms => (0, 1, width),
            O::FlipHorizontal => (last_column, -1, width),
            O::Rotate180 => (last_row + last_column, -1, -width),
            O::FlipVertical => (last_row, 1, -width),
            O::Rotate90FlipH => (0, width, 1),
            O::Rotate90 => (last_row, -width, 1),
            O::Rotate270FlipH => (last_row + last_column, -width, -1),
            O::Rotate270 => (last_column, width, -1),
        };
        Self { start, right, down }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two rows of three pixels, turned by each EXIF value as the EXIF standard (2.32, tag 274) draws them.
    #[test]
    fn each_orientation_puts_the_first_row_and_column_where_exif_says() {
        let stored = Image {
            width: 3,
            height: 2,
            channels: 1,
            data: vec![1, 2, 3, 4, 5, 6],
        };
        let displayed: [(u8, usize, [u8; 6]); 8] = [
            (1, 3, [1, 2, 3, 4, 5, 6]),
            (2, 3, [3, 2, 1, 6, 5, 4]),
            (3, 3, [6, 5, 4, 3, 2, 1]),
            (4, 3, [4, 5, 6, 1, 2, 3]),
            (5, 2, [1, 4, 2, 5, 3, 6]),
            (6, 2, [4, 1, 5, 2, 6, 3]),
            (7, 2, [6, 3, 5, 2, 4, 1]),
            (8, 2, [3, 6, 2, 5, 1, 4]),
        ];
        for (exif, width, pixels) in displayed {
            let mut turned = Image::default();
            apply(Orientation::from_exif(exif).unwrap(), &stored, &mut turned);
            assert_eq!((turned.width, &turned.data[..]), (width, &pixels[..]));
        }
    }

    #[test]
    fn a_part_is_found_where_its_pixels_are_stored() {
        let stored_picture = Image {
            width: 5,
            height: 4,
            channels: 1,
            data: (0..20).collect(),
        };
        let part = Rect {
            x: 1,
            y: 2,
            width: 3,
            height: 1,
        };
        for exif in 1..=8 {
            let turn = Orientation::from_exif(exif).unwrap();
            let (mut displayed, mut cut, mut turned) = <[Image; 3]>::default().into();
            apply(turn, &stored_picture, &mut displayed);
            let size = (displayed.width, displayed.height);
            cut.collect(&mut stored_picture.view().crop(stored(turn, part, size)));
            apply(turn, &cut, &mut turned);
            assert_eq!(turned.data, displayed.view().crop(part).row(0), "{exif}");
        }
    }

    #[test]
    fn the_samples_of_a_pixel_stay_together() {
        let stored = Image {
            width: 2,
            height: 1,
            channels: 3,
            data: vec![1, 2, 3, 4, 5, 6],
        };
        let mut turned = Image::default();
        apply(Orientation::Rotate90, &stored, &mut turned);
        assert_eq!((turned.width, turned.height), (1, 2));
        assert_eq!(turned.data, [1, 2, 3, 4, 5, 6]);
        apply(Orientation::FlipHorizontal, &stored, &mut turned);
        assert_eq!(turned.data, [4, 5, 6, 1, 2, 3]);
    }
}
