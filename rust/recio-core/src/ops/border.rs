//! Constant borders of a window, row by row.

use crate::image::{Rect, Subpixel, View};

/// Place `view` on a canvas of one color, its corner at `left`, `top`, but compute only the pixels
/// in `window`, and emit them row by row.
///
/// `value` is the canvas's color, channel by channel. `line` is a buffer, overwritten.
pub fn border_rows<T: Subpixel>(
    view: View<'_, T>,
    (left, top): (usize, usize),
    value: [T; 4],
    window: Rect,
    line: &mut Vec<T>,
    mut emit: impl FnMut(usize, &[T]),
) {
    let channels = view.channels;
    let blank: Vec<T> = std::iter::repeat_n(&value[..channels], window.width)
        .flatten()
        .copied()
        .collect();
    line.clone_from(&blank);
    // The columns of the view inside the window, and their start in the window.
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
                emit(y, line);
            }
            _ => emit(y, &blank),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::image::Image;

    #[test]
    fn a_window_of_a_bordered_image_is_its_crop() {
        let image = Image {
            width: 3,
            height: 2,
            channels: 1,
            data: vec![1, 2, 3, 4, 5, 6],
        };
        let bordered = [
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
                image.view(),
                (2, 2),
                [0; 4],
                window,
                &mut Vec::new(),
                |i, row| {
                    assert_eq!(row, &bordered[y + i][x..x + width], "{window:?}");
                },
            );
        }
    }

    #[test]
    fn the_border_of_an_rgba_image_is_transparent() {
        let image = Image::filled(1, 1, 4, 200);
        let mut rows = Vec::new();
        border_rows(
            image.view(),
            (1, 1),
            [7, 7, 7, 0],
            Rect::of_size(3, 3),
            &mut Vec::new(),
            |_, row| rows.push(row.to_vec()),
        );
        assert_eq!(rows[1], [7, 7, 7, 0, 200, 200, 200, 200, 7, 7, 7, 0]);
    }
}
