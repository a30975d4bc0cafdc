//! Operations that look at one sample alone: there are 256 levels, so a table says what becomes of each.

use super::round;

/// What becomes of each level.
pub(super) type Table = [u8; 256];

/// Times `factor`, plus `offset`, to the nearest level. (`cv::Mat::convertTo`)
pub(super) fn linear(factor: f32, offset: f32) -> Table {
    std::array::from_fn(|level| round(level as f32 * factor + offset))
}

/// Plus `by`, without the fraction.
pub(super) fn shift(by: f32) -> Table {
    std::array::from_fn(|level| (level as f32 + by) as u8)
}

/// Replaces levels by what becomes of them.
pub(super) fn look_up(table: &Table, levels: &mut [u8]) {
    levels
        .iter_mut()
        .for_each(|level| *level = table[*level as usize]);
}

/// As [`look_up`], with a table for each of R, G and B.
pub(super) fn look_up_each(tables: &[Table; 3], pixels: &mut [[u8; 3]]) {
    for pixel in pixels {
        *pixel = std::array::from_fn(|c| tables[c][pixel[c] as usize]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `levels`, looked up.
    fn looked_up<const N: usize>(table: &Table, levels: [u8; N]) -> [u8; N] {
        let mut levels = levels;
        look_up(table, &mut levels);
        levels
    }

    #[test]
    fn halves_become_the_even_level() {
        assert_eq!(
            looked_up(&linear(0.5, 0.0), [1, 2, 3, 5, 7]),
            [0, 1, 2, 2, 4]
        );
    }

    #[test]
    fn levels_stay_within_their_range() {
        assert_eq!(
            looked_up(&linear(1.5, -20.0), [0, 13, 100, 184, 255]),
            [0, 0, 130, 255, 255]
        );
        assert_eq!(looked_up(&shift(-90.5), [0, 90, 91, 255]), [0, 0, 0, 164]);
        assert_eq!(looked_up(&shift(0.9), [0, 254, 255]), [0, 254, 255]);
    }

    #[test]
    fn each_channel_has_its_table() {
        let mut pixels = [[10, 20, 30], [40, 50, 60]];
        look_up_each(&[shift(1.0), shift(-2.0), shift(3.0)], &mut pixels);
        assert_eq!(pixels, [[11, 18, 33], [41, 48, 63]]);
    }
}
