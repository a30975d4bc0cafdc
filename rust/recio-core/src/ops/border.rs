//! Pixels that change their place and not their value: a picture on a larger canvas, and a picture flipped.

use crate::image::{Rect, Subpixel, View};

/// Puts `view` onto a canvas of one color, its corner at `left`, `top`, but makes only the pixels in `window`, and hands
/// them over row by row.
///
/// `value` is the canvas's color, channel by channel. `line` is overwritten.
pub fn border_rows<T: Subpixel>(
    view: View<'_, T>,
    (left, top): (usize, usize),
    value: [T; 4],
    window: Rect,
    line: &mut Vec<T>,
    mut row: impl FnMut(usize, &[T]),
) {
    let channels = view.channels;
    let blank: Vec<T> = std::iter::repeat_n(&value[..channels], window.width)
        .flatten()
        .copied()
        .collect();
    line.clone_from(&blank);
    // The columns of the view that lie within the window, and where in the window they begin.
    let first = window.x.saturating_sub(left).min(view.width);
    let end = (window.x + window.width)
        .saturating_sub(left)
        .min(view.width);
    let start = (left + first).saturating_sub(window.x) * channels;
    for y in 0..window.height {
        match (window.y + y).checked_sub(top) {
            Some(inner) if inner < view.height && first < end => {
                let pixels = &view.row(inner)[first * channels..end * channels];
                line[start..start + pixels.len()].copy_from_slice(pixels);
                row(y, line);
            }
            _ => row(y, &blank),
        }
    }
}

/// Flips `view` left to right, but makes only the pixels in `window`, and hands them over row by row.
pub fn flip_rows<T: Subpixel>(
    view: View<'_, T>,
    window: Rect,
    line: &mut Vec<T>,
    mut row: impl FnMut(usize, &[T]),
) {
    let mirrored = Rect {
        x: view.width - window.x - window.width,
        ..window
    };
    let part = view.crop(mirrored);
    for y in 0..part.height {
        line.clear();
        let pixels = part.row(y).chunks_exact(part.channels).rev();
        line.extend(pixels.flatten());
        row(y, line);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::image::Image;

    #[test]
    fn windows_of_a_bordered_picture_are_its_crops() {
        let picture = Image {
            width: 3,
            height: 2,
            channels: 1,
            data: vec![1, 2, 3, 4, 5, 6],
        };
        let whole = [
            [0, 0, 0, 0, 0, 0, 0],
            [0, 0, 0, 0, 0, 0, 0],
            [0, 0, 1, 2, 3, 0, 0],
            [0, 0, 4, 5, 6, 0, 0],
            [0, 0, 0, 0, 0, 0, 0],
            [0, 0, 0, 0, 0, 0, 0],
        ];
        for (x, y, width, height) in [
            (0, 0, 7, 6),
            (1, 1, 3, 2),
            (3, 2, 1, 1),
            (4, 3, 3, 3),
            (0, 0, 2, 2),
            (5, 4, 2, 2),
        ] {
            let window = Rect {
                x,
                y,
                width,
                height,
            };
            border_rows(
                picture.view(),
                (2, 2),
                [0; 4],
                window,
                &mut Vec::new(),
                |i, row| {
                    assert_eq!(row, &whole[y + i][x..x + width], "{window:?}");
                },
            );
        }
    }

    #[test]
    fn the_border_of_an_rgba_picture_is_transparent() {
        let picture = Image::filled(1, 1, 4, 200);
        let mut rows = Vec::new();
        border_rows(
            picture.view(),
            (1, 1),
            [7, 7, 7, 0],
            Rect::of_size(3, 3),
            &mut Vec::new(),
            |_, row| rows.push(row.to_vec()),
        );
        assert_eq!(rows[1], [7, 7, 7, 0, 200, 200, 200, 200, 7, 7, 7, 0]);
    }

    #[test]
    fn a_flipped_row_has_its_pixels_in_reverse_order() {
        let picture = Image {
            width: 3,
            height: 1,
            channels: 2,
            data: vec![1, 2, 3, 4, 5, 6],
        };
        let window = Rect {
            x: 1,
            y: 0,
            width: 2,
            height: 1,
        };
        let mut rows = Vec::new();
        flip_rows(picture.view(), window, &mut Vec::new(), |_, row| {
            rows.extend_from_slice(row);
        });
        assert_eq!(rows, [3, 4, 1, 2]);
    }
}
