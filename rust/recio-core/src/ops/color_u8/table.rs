//! Lookup tables for operations on single 8-bit values.

use super::round;

/// Result for each 8-bit value.
pub(super) type Table = [u8; 256];

/// Multiply by `factor`, add `offset`, round to 8 bits. (`cv::Mat::convertTo`)
pub(super) fn linear(factor: f32, offset: f32) -> Table {
    std::array::from_fn(|value| round(value as f32 * factor + offset))
}

/// Add `by` and truncate to 8 bits.
pub(super) fn shift(by: f32) -> Table {
    std::array::from_fn(|value| (value as f32 + by) as u8)
}

/// Replace values by their entries in the table.
pub(super) fn look_up(table: &Table, values: &mut [u8]) {
    values
        .iter_mut()
        .for_each(|value| *value = table[*value as usize]);
}

/// As [`look_up`], with one table each for R, G and B.
pub(super) fn look_up_each(tables: &[Table; 3], pixels: &mut [[u8; 3]]) {
    for pixel in pixels {
        *pixel = std::array::from_fn(|c| tables[c][pixel[c] as usize]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Return the values looked up in the table.
    fn looked_up<const N: usize>(table: &Table, values: [u8; N]) -> [u8; N] {
        let mut values = values;
        look_up(table, &mut values);
        values
    }

    #[test]
    fn ties_round_to_even() {
        assert_eq!(
            looked_up(&linear(0.5, 0.0), [1, 2, 3, 5, 7]),
            [0, 1, 2, 2, 4]
        );
    }

    #[test]
    fn values_are_clamped_to_their_range() {
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
