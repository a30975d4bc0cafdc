//! Rows of numbers that are separated by commas.

use super::{Read, Span, TextFiles, is_inexact, number};
use crate::error::Result;
use crate::memory;

/// Type of the numbers.
pub trait Value: Copy + Default {
    /// Returns the number at the beginning of text, and what follows it; none if it is not plain
    /// or out of range.
    fn parse(text: &[u8]) -> Option<(Self, &[u8])>;

    /// Returns whether the number may differ from the one in the text.
    fn is_inexact(self) -> bool {
        false
    }
}

impl Value for f32 {
    /// Rounded twice, as Python and NumPy do: to double, and to float.
    fn parse(text: &[u8]) -> Option<(Self, &[u8])> {
        number::float(text).map(|(value, rest)| (value as Self, rest))
    }

    fn is_inexact(self) -> bool {
        is_inexact(self)
    }
}

impl Value for i64 {
    fn parse(text: &[u8]) -> Option<(Self, &[u8])> {
        number::int(text)
    }
}

impl Value for i32 {
    fn parse(text: &[u8]) -> Option<(Self, &[u8])> {
        let (value, rest) = number::int(text)?;
        Some((value.try_into().ok()?, rest))
    }
}

/// Reads rows of `width` numbers; at least one. If they are labels, inexact ones are not plain.
///
/// # Errors
/// Those of the operating system; if a file has changed; if there is no memory for the rows.
pub fn read_dense<T: Value>(
    files: &TextFiles,
    span: Span,
    width: usize,
    are_labels: bool,
) -> Result<Read<Vec<T>>> {
    let mut values = memory::filled(T::default(), span.rows.saturating_mul(width))?;
    let mut rows = values.chunks_exact_mut(width);
    let push = |line: &[u8]| parse_row(line, rows.next()?, are_labels);
    Ok(super::read(files, span, push)?.with(values))
}

/// Parses the numbers of a row, separated by commas; one may follow the last number.
fn parse_row<T: Value>(line: &[u8], row: &mut [T], are_labels: bool) -> Option<()> {
    let mut rest = line;
    let last = row.len() - 1;
    for (column, slot) in row.iter_mut().enumerate() {
        let (value, after) = T::parse(skip_spaces(rest))?;
        if are_labels && value.is_inexact() {
            return None;
        }
        *slot = value;
        rest = match skip_spaces(after) {
            [b',', after @ ..] => after,
            [] if column == last => &[],
            _ => return None,
        };
    }
    rest.is_empty().then_some(())
}

fn skip_spaces(text: &[u8]) -> &[u8] {
    match text.first() {
        Some(b' ' | b'\t') => text.trim_ascii_start(),
        _ => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row<T: Value + Copy>(line: &str, are_labels: bool) -> Option<[T; 2]> {
        let mut row = [T::default(); 2];
        parse_row(line.as_bytes(), &mut row, are_labels).map(|()| row)
    }

    #[test]
    fn plain_rows_are_parsed() {
        for line in ["1,2", "1,2,", "1 , 2", "+1,\t2.0e0 ,", "1,.2e1"] {
            assert_eq!(row::<f32>(line, false), Some([1.0, 2.0]), "{line}");
        }
        assert_eq!(row::<i32>("-2147483648, 7", false), Some([i32::MIN, 7]));
        assert_eq!(
            row::<i64>("9007199254740993,-1", true),
            Some([9_007_199_254_740_993, -1])
        );
    }

    #[test]
    fn other_rows_are_not() {
        for line in [
            "", "1", "1,", "1,2,3", "1,,2", ",1", "1,2,,", "1,2 3", "1_0,2", "1,2x",
        ] {
            assert_eq!(row::<f32>(line, false), None, "{line}");
        }
        for line in ["1,1.5", "1,2147483648", "1,nan"] {
            assert_eq!(row::<i32>(line, false), None, "{line}");
        }
    }

    #[test]
    fn labels_that_may_be_inexact_are_not_plain() {
        assert_eq!(row::<f32>("16777215,1", true), Some([16_777_215.0, 1.0]));
        assert_eq!(row::<f32>("16777217,1", true), None);
        assert!(row::<f32>("16777217,1", false).is_some());
    }

    #[test]
    fn floats_are_rounded_to_double_first() {
        // Just above the middle between two floats; as double it is the middle.
        let text = "1.00000005960464477539062500001";
        assert_eq!(row::<f32>(&format!("{text},0"), false), Some([1.0, 0.0]));
        assert!(text.parse::<f32>().unwrap() > 1.0);
    }
}
