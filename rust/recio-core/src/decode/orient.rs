//! EXIF orientation of decoded images, and of regions.

use super::set_shape;
use crate::image::{Image, Rect};

/// How to turn a stored image for display. Rotations are clockwise and come before the flip.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Orientation {
    NoTransforms,
    FlipHorizontal,
    Rotate180,
    FlipVertical,
    Rotate90FlipH,
    Rotate90,
    Rotate270FlipH,
    Rotate270,
}

impl Orientation {
    /// Return the orientation of an EXIF value, 1 to 8; of any other value, none.
    pub(super) fn from_exif(value: u8) -> Self {
        match value {
            2 => Self::FlipHorizontal,
            3 => Self::Rotate180,
            4 => Self::FlipVertical,
            5 => Self::Rotate90FlipH,
            6 => Self::Rotate90,
            7 => Self::Rotate270FlipH,
            8 => Self::Rotate270,
            _ => Self::NoTransforms,
        }
    }
}

/// Return whether the orientation swaps width and height.
pub(super) fn swaps_sides(orientation: Orientation) -> bool {
    use Orientation::{Rotate90, Rotate90FlipH, Rotate270, Rotate270FlipH};
    matches!(
        orientation,
        Rotate90 | Rotate270 | Rotate90FlipH | Rotate270FlipH
    )
}

/// Return the stored region of a region of the displayed image, which has the given size.
pub(super) fn stored_region(
    orientation: Orientation,
    region: Rect,
    (width, height): (usize, usize),
) -> Rect {
    use Orientation as O;
    let from_right = width - region.x - region.width;
    let from_below = height - region.y - region.height;
    let (x, y) = match orientation {
        O::NoTransforms => (region.x, region.y),
        O::FlipHorizontal => (from_right, region.y),
        O::Rotate180 => (from_right, from_below),
        O::FlipVertical => (region.x, from_below),
        O::Rotate90FlipH => (region.y, region.x),
        O::Rotate90 => (region.y, from_right),
        O::Rotate270FlipH => (from_below, from_right),
        O::Rotate270 => (from_below, region.x),
    };
    let (width, height) = if swaps_sides(orientation) {
        (region.height, region.width)
    } else {
        (region.width, region.height)
    };
    Rect {
        x,
        y,
        width,
        height,
    }
}

/// Write `from` with the orientation applied into `into`.
pub(super) fn apply<T: Copy + Default>(
    orientation: Orientation,
    from: &Image<T>,
    into: &mut Image<T>,
) {
    let (width, height) = (from.width, from.height);
    let size = if swaps_sides(orientation) {
        (height, width)
    } else {
        (width, height)
    };
    set_shape(into, size, from.channels);
    match from.channels {
        1 => apply_to::<T, 1>(orientation, from, into),
        3 => apply_to::<T, 3>(orientation, from, into),
        4 => apply_to::<T, 4>(orientation, from, into),
        channels => unreachable!("{channels} channels"),
    }
}

fn apply_to<T: Copy, const CHANNELS: usize>(
    orientation: Orientation,
    from: &Image<T>,
    into: &mut Image<T>,
) {
    let traversal = Traversal::of(orientation, from.width as isize, from.height as isize);
    let pixels = from.data.as_chunks::<CHANNELS>().0;
    let rows = into.data.chunks_exact_mut(into.width * CHANNELS);
    for (y, row) in rows.enumerate() {
        let mut at = traversal.start + y as isize * traversal.down;
        for pixel in row.as_chunks_mut::<CHANNELS>().0 {
            *pixel = pixels[at as usize];
            at += traversal.right;
        }
    }
}

/// Traversal of the stored pixels in display order.
struct Traversal {
    /// Index of the stored pixel displayed at the top left.
    start: isize,
    /// Step to the pixel displayed to the right.
    right: isize,
    /// Step to the pixel displayed below.
    down: isize,
}

impl Traversal {
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

    /// Two rows of three pixels, displayed for each EXIF value as the EXIF standard (2.32, tag 274)
    /// shows them.
    #[test]
    fn each_orientation_is_applied_as_exif_defines_it() {
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
            let mut oriented = Image::default();
            apply(Orientation::from_exif(exif), &stored, &mut oriented);
            assert_eq!((oriented.width, &oriented.data[..]), (width, &pixels[..]));
        }
    }

    #[test]
    fn the_stored_region_has_the_pixels_of_the_displayed_region() {
        let stored_image = Image {
            width: 5,
            height: 4,
            channels: 1,
            data: (0..20).collect(),
        };
        let region = Rect {
            x: 1,
            y: 2,
            width: 3,
            height: 1,
        };
        for exif in 1..=8 {
            let orientation = Orientation::from_exif(exif);
            let (mut displayed, mut cropped, mut oriented) = <[Image; 3]>::default().into();
            apply(orientation, &stored_image, &mut displayed);
            let size = (displayed.width, displayed.height);
            cropped.collect(&mut stored_image.view().crop(stored_region(
                orientation,
                region,
                size,
            )));
            apply(orientation, &cropped, &mut oriented);
            assert_eq!(
                oriented.data,
                displayed.view().crop(region).row(0),
                "{exif}"
            );
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
        let mut oriented = Image::default();
        apply(Orientation::Rotate90, &stored, &mut oriented);
        assert_eq!((oriented.width, oriented.height), (1, 2));
        assert_eq!(oriented.data, [1, 2, 3, 4, 5, 6]);
        apply(Orientation::FlipHorizontal, &stored, &mut oriented);
        assert_eq!(oriented.data, [4, 5, 6, 1, 2, 3]);
    }
}
