//! Labels as text, and the numbers that a type of labels represents.
//!
//! Classes and ids are integers, and one that is rounded is another class or id. So an integer, or
//! any number above 2²⁴, that would be rounded is an error. Fractions are rounded, as everywhere.

use std::fmt::Display;

/// Type of labels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum LabelType {
    /// Single precision, the type of the labels in records: integers are exact up to 2²⁴.
    #[default]
    Float32,
    /// Double precision: integers are exact up to 2⁵³.
    Float64,
}

/// Numbers from here on look like ids, unless they are so large that no id is.
const MIN_ID: f64 = 16_777_216.0;
const MAX_ID: f64 = 18_446_744_073_709_551_616.0;
/// Letters of a field that a message shows.
const MAX_SHOWN: usize = 40;

impl LabelType {
    /// Checks that a label of this type is not another number.
    ///
    /// # Errors
    /// The reason, with the number that the label would become.
    pub fn check(self, label: f64) -> Result<(), String> {
        match self {
            Self::Float32 if is_changed(label) => Err(self.refuse(label, label as f32)),
            _ => Ok(()),
        }
    }

    fn refuse(self, label: impl Display, rounded: impl Display) -> String {
        let (name, bits, hint) = match self {
            Self::Float32 => ("float32", 24, "; ImageIter with dtype=\"int64\" keeps it"),
            Self::Float64 => ("float64", 53, ""),
        };
        format!(
            "the label {label} is not representable as {name}, which has integers up to 2^{bits}: it would become \
             {rounded}{hint}"
        )
    }
}

/// Parses a label.
///
/// # Errors
/// The reason: it is no number, or not one that the type represents.
pub(super) fn parse(text: &str, label_type: LabelType) -> Result<f64, String> {
    let label: f64 = text
        .parse()
        .map_err(|_| format!("the label must be a number, got {}", quoted(text)))?;
    let is_overflow = label.is_infinite() && text.contains(|letter: char| letter.is_ascii_digit());
    let is_rounded =
        integer(text).is_some_and(|integer| label as i128 != integer && label.abs() < MAX_ID);
    if is_overflow || is_rounded {
        return Err(LabelType::Float64.refuse(quoted(text), label));
    }
    label_type.check(label).map(|()| label)
}

/// Returns the beginning of a field in quotes, with escapes.
pub(super) fn quoted(text: &str) -> String {
    match text.char_indices().nth(MAX_SHOWN) {
        None => format!("{text:?}"),
        Some((end, _)) => format!("{:?}...", &text[..end]),
    }
}

/// Whether a label becomes another class or id as float32.
fn is_changed(label: f64) -> bool {
    let rounded = f64::from(label as f32);
    let looks_like_id = (MIN_ID..MAX_ID).contains(&label.abs());
    (looks_like_id && (rounded - label).abs() > 0.0) || (rounded.is_infinite() && label.is_finite())
}

/// Returns the integer that a text is, also one with zeros after the point.
fn integer(text: &str) -> Option<i128> {
    let (digits, fraction) = text.split_once('.').unwrap_or((text, ""));
    let is_whole = fraction.bytes().all(|digit| digit == b'0');
    digits.parse().ok().filter(|_| is_whole)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_that_a_type_represents_are_kept() {
        use LabelType::{Float32, Float64};
        for (text, label_type, label) in [
            ("16777216", Float32, 16_777_216.0),
            ("-16777218.000000", Float32, -16_777_218.0),
            ("0.1", Float32, 0.1),
            ("1e-60", Float32, 1e-60),
            ("1e30", Float32, 1e30),
            ("-inf", Float32, f64::NEG_INFINITY),
            ("25130987", Float64, 25_130_987.0),
            ("9007199254740992", Float64, 9_007_199_254_740_992.0),
        ] {
            assert_eq!(parse(text, label_type), Ok(label), "{text}");
        }
        assert!(parse("nan", Float32).unwrap().is_nan());
    }

    #[test]
    fn labels_that_would_change_are_errors() {
        use LabelType::{Float32, Float64};
        for (text, label_type, message) in [
            (
                "25130987",
                Float32,
                "the label 25130987 is not representable as float32",
            ),
            ("-25130987.000000", Float32, "would become -25130988"),
            ("1700000000.5", Float32, "would become 1700000000"),
            ("2.5130987e7", Float32, "would become 25130988"),
            ("1e39", Float32, "would become inf"),
            (
                "1e400",
                Float64,
                "the label \"1e400\" is not representable as float64",
            ),
            ("9007199254740993", Float32, "would become 9007199254740992"),
            (
                "9007199254740993.0",
                Float64,
                "which has integers up to 2^53",
            ),
        ] {
            let error = parse(text, label_type).unwrap_err();
            assert!(error.contains(message), "{text}: {error}");
        }
    }

    #[test]
    fn long_fields_are_shortened_and_escaped() {
        assert_eq!(quoted("a\u{1b}[31m"), r#""a\u{1b}[31m""#);
        assert_eq!(
            quoted(&"é".repeat(50)),
            format!("\"{}\"...", "é".repeat(40))
        );
    }
}
