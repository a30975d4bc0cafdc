//! Borders of all types around an image of any pixels, as OpenCV's `copyMakeBorder`.

use std::ops::Range;

use crate::image::{Image, View};
use crate::memory;

/// Thickness of a border on each side, in pixels.
#[derive(Debug, Clone, Copy)]
pub struct Sides {
    /// Rows above the image.
    pub top: usize,
    /// Rows below it.
    pub bottom: usize,
    /// Columns to the left of it.
    pub left: usize,
    /// Columns to the right of it.
    pub right: usize,
}

/// What a border consists of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BorderType<'a> {
    /// This pixel.
    Constant(&'a [u8]),
    /// The pixel at the edge: `aaa|abcd|ddd`.
    Replicate,
    /// The image mirrored at its edge: `cba|abcd|dcb`.
    Reflect,
    /// The image again: `bcd|abcd|abc`.
    Wrap,
    /// The image mirrored at the pixel at its edge: `dcb|abcd|cba`.
    Reflect101,
}

/// Add a border to an image. A pixel may have any number of bytes: the channels of `src`.
///
/// # Panics
/// If `src` has no pixels, or a constant has another number of bytes than a pixel.
#[must_use]
pub fn make_border(src: View<'_>, sides: Sides, border: BorderType<'_>) -> Image {
    assert!(src.width > 0 && src.height > 0, "there are no pixels");
    let width = src
        .width
        .saturating_add(sides.left.saturating_add(sides.right));
    let height = src
        .height
        .saturating_add(sides.top.saturating_add(sides.bottom));
    let mut data = Vec::new();
    let bytes = width.saturating_mul(height).saturating_mul(src.channels);
    memory::reserve_or_unwind(&mut data, bytes);
    if let BorderType::Constant(pixel) = border {
        constant(src, sides, pixel, &mut data);
    } else {
        extrapolated(src, sides, border, &mut data);
    }
    Image {
        width,
        height,
        channels: src.channels,
        data,
    }
}

/// Append the rows with a border of one value.
fn constant(src: View<'_>, sides: Sides, pixel: &[u8], out: &mut Vec<u8>) {
    assert_eq!(pixel.len(), src.channels, "the constant is no pixel");
    let blank = pixel.repeat(sides.left + src.width + sides.right);
    let [left, right] = [sides.left, sides.right].map(|columns| columns * pixel.len());
    // Columns between two rows of the image are adjacent.
    let between = &blank[..left + right];
    for _ in 0..sides.top {
        out.extend_from_slice(&blank);
    }
    out.extend_from_slice(&blank[..left]);
    for y in 0..src.height {
        out.extend_from_slice(src.row(y));
        out.extend_from_slice(if y + 1 < src.height {
            between
        } else {
            &blank[..right]
        });
    }
    for _ in 0..sides.bottom {
        out.extend_from_slice(&blank);
    }
}

/// Append the rows with a border that consists of pixels of the image.
fn extrapolated(src: View<'_>, sides: Sides, border: BorderType<'_>, out: &mut Vec<u8>) {
    let width = src.width as isize;
    let left = source_bytes(-(sides.left as isize)..0, src, border);
    let right = source_bytes(width..width + sides.right as isize, src, border);
    let rows = -(sides.top as isize)..(src.height + sides.bottom) as isize;
    for y in rows {
        let row = src.row(border.source(y, src.height));
        out.extend(left.iter().map(|&at| row[at]));
        out.extend_from_slice(row);
        out.extend(right.iter().map(|&at| row[at]));
    }
}

/// Return the positions in a row of the bytes of these columns.
fn source_bytes(columns: Range<isize>, src: View<'_>, border: BorderType<'_>) -> Vec<usize> {
    let mut positions = Vec::new();
    memory::reserve_or_unwind(&mut positions, columns.len() * src.channels);
    for x in columns {
        let first = border.source(x, src.width) * src.channels;
        positions.extend(first..first + src.channels);
    }
    positions
}

impl BorderType<'_> {
    /// Return the position of the pixel that is repeated at a position, along an axis of `length`
    /// pixels.
    fn source(self, at: isize, length: usize) -> usize {
        let length = length as isize;
        let source = match self {
            Self::Constant(_) | Self::Replicate => at.clamp(0, length - 1),
            Self::Wrap => at.rem_euclid(length),
            Self::Reflect => {
                let at = at.rem_euclid(2 * length);
                at.min(2 * length - 1 - at)
            }
            Self::Reflect101 => {
                // A single pixel is repeated.
                let period = (2 * length - 2).max(1);
                let at = at.rem_euclid(period);
                at.min(period - at)
            }
        };
        source as usize
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIDES: Sides = Sides {
        top: 0,
        bottom: 0,
        left: 5,
        right: 4,
    };

    fn row(pixels: &[u8], border: BorderType<'_>) -> String {
        let bordered = make_border(View::new(pixels, pixels.len(), 1, 1), SIDES, border);
        String::from_utf8(bordered.data).unwrap()
    }

    #[test]
    fn borders_of_all_types_are_opencvs() {
        assert_eq!(row(b"abc", BorderType::Constant(b"-")), "-----abc----");
        assert_eq!(row(b"abc", BorderType::Replicate), "aaaaaabccccc");
        assert_eq!(row(b"abc", BorderType::Reflect), "bccbaabccbaa");
        assert_eq!(row(b"abc", BorderType::Wrap), "bcabcabcabca");
        assert_eq!(row(b"abc", BorderType::Reflect101), "babcbabcbabc");
        assert_eq!(row(b"a", BorderType::Reflect101), "aaaaaaaaaa");
    }

    #[test]
    fn a_pixel_may_have_any_number_of_bytes() {
        let sides = Sides {
            top: 1,
            bottom: 2,
            left: 1,
            right: 0,
        };
        let src = View::new(b"abcdeABCDE", 1, 2, 5);
        let constant = make_border(src, sides, BorderType::Constant(b"12345"));
        let blank = "1234512345";
        let expected = [blank, "12345abcde", "12345ABCDE", blank, blank].concat();
        assert_eq!((constant.width, constant.height), (2, 5));
        assert_eq!(String::from_utf8(constant.data).unwrap(), expected);
        let wrapped = make_border(src, sides, BorderType::Wrap);
        let (lower, upper) = ("abcdeabcde", "ABCDEABCDE");
        let expected = [upper, lower, upper, lower, upper].concat();
        assert_eq!(String::from_utf8(wrapped.data).unwrap(), expected);
    }

    #[test]
    fn a_border_beyond_the_memory_unwinds() {
        let sides = Sides {
            bottom: usize::MAX,
            ..SIDES
        };
        let border = || {
            Ok(make_border(
                View::new(&[1], 1, 1, 1),
                sides,
                BorderType::Wrap,
            ))
        };
        assert!(memory::catch(border).is_err());
    }
}
