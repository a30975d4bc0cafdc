//! A border of one value on all four sides (`pad`, `fill_value`).

use crate::picture::{Rect, View};

/// Surrounds `view` with a border, but makes only the pixels in `window`, and hands them over row by row.
///
/// On four channels the border's alpha is 0, as in MXNet. `line` is overwritten.
pub fn border_rows(
    view: View<'_>,
    thickness: usize,
    value: u8,
    window: Rect,
    line: &mut Vec<u8>,
    mut row: impl FnMut(usize, &[u8]),
) {
    let channels = view.channels;
    line.clear();
    line.resize(window.width * channels, value);
    if channels == 4 {
        line.iter_mut()
            .skip(3)
            .step_by(4)
            .for_each(|alpha| *alpha = 0);
    }
    let blank = line.clone();
    // The columns of the view that lie within the window, and where in the window they begin.
    let first = window.x.saturating_sub(thickness).min(view.width);
    let end = (window.x + window.width)
        .saturating_sub(thickness)
        .min(view.width);
    let start = (thickness + first).saturating_sub(window.x) * channels;
    for y in 0..window.height {
        match (window.y + y).checked_sub(thickness) {
            Some(inner) if inner < view.height && first < end => {
                let pixels = &view.row(inner)[first * channels..end * channels];
                line[start..start + pixels.len()].copy_from_slice(pixels);
                row(y, line);
            }
            _ => row(y, &blank),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::picture::Picture;

    #[test]
    fn windows_of_a_bordered_picture_are_its_crops() {
        let picture = Picture {
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
            border_rows(picture.view(), 2, 0, window, &mut Vec::new(), |i, row| {
                assert_eq!(row, &whole[y + i][x..x + width], "{window:?}");
            });
        }
    }

    #[test]
    fn the_border_of_an_rgba_picture_is_transparent() {
        let picture = Picture::filled(1, 1, 4, 200);
        let mut rows = Vec::new();
        border_rows(
            picture.view(),
            1,
            7,
            Rect::whole(3, 3),
            &mut Vec::new(),
            |_, row| rows.push(row.to_vec()),
        );
        assert_eq!(rows[1], [7, 7, 7, 0, 200, 200, 200, 200, 7, 7, 7, 0]);
    }
}
