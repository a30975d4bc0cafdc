//! Decimal numbers at the beginning of text: those that Python's `float` and `int` accept, with
//! the same values, but ASCII only and without underscores.

/// Powers of ten that are exact as double.
const POWERS: [f64; 23] = [
    1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16,
    1e17, 1e18, 1e19, 1e20, 1e21, 1e22,
];

/// Digits that always fit 64 bits.
const MAX_DIGITS: usize = 19;

/// Returns the number at the beginning of text, and what follows it.
///
/// Digits up to 2^53 and a power of ten up to 22 are both exact as double, so their product or
/// quotient is the nearest double. Other numbers are parsed by the standard library, which takes
/// twice the time for the usual ones.
pub(super) fn float(text: &[u8]) -> Option<(f64, &[u8])> {
    let (is_negative, unsigned) = sign(text);
    let mut digits = Digits::default();
    let mut rest = digits.take(unsigned);
    let whole = digits.count;
    if let [b'.', fraction @ ..] = rest {
        rest = digits.take(fraction);
    }
    if digits.count == 0 {
        return word(text, unsigned);
    }
    let mut exponent = whole as i32 - digits.count as i32;
    if let [b'e' | b'E', power @ ..] = rest {
        let (value, after) = int(power)?;
        exponent = exponent.saturating_add(i32::try_from(value).unwrap_or(i32::MAX));
        rest = after;
    }
    let power = POWERS.get(exponent.unsigned_abs() as usize);
    let value = match power {
        Some(power) if digits.count <= MAX_DIGITS && digits.value <= 1 << 53 => {
            let value = digits.value as f64;
            let scaled = if exponent < 0 {
                value / power
            } else {
                value * power
            };
            if is_negative { -scaled } else { scaled }
        }
        _ => standard(&text[..text.len() - rest.len()])?,
    };
    Some((value, rest))
}

/// Returns the integer at the beginning of text, and what follows it.
pub(super) fn int(text: &[u8]) -> Option<(i64, &[u8])> {
    let (is_negative, unsigned) = sign(text);
    let mut digits = Digits::default();
    let rest = digits.take(unsigned);
    // i64 is parsed by the standard library near its limits only.
    let value = match digits.count {
        0 => return None,
        1..MAX_DIGITS if is_negative => -(digits.value as i64),
        1..MAX_DIGITS => digits.value as i64,
        _ => standard(&text[..text.len() - rest.len()])?,
    };
    Some((value, rest))
}

fn sign(text: &[u8]) -> (bool, &[u8]) {
    match text {
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] => (false, rest),
        _ => (false, text),
    }
}

/// Returns infinity or NaN.
fn word<'a>(text: &'a [u8], unsigned: &'a [u8]) -> Option<(f64, &'a [u8])> {
    let letters = unsigned
        .iter()
        .take_while(|byte| byte.is_ascii_alphabetic());
    let rest = &unsigned[letters.count()..];
    Some((standard(&text[..text.len() - rest.len()])?, rest))
}

fn standard<T: std::str::FromStr>(number: &[u8]) -> Option<T> {
    std::str::from_utf8(number).ok()?.parse().ok()
}

/// Decimal digits.
#[derive(Default)]
struct Digits {
    /// Their value, if there are at most [`MAX_DIGITS`].
    value: u64,
    count: usize,
}

impl Digits {
    /// Takes the digits at the beginning of text. Returns what follows them.
    fn take<'a>(&mut self, text: &'a [u8]) -> &'a [u8] {
        let mut rest = text;
        while let [first, after @ ..] = rest
            && first.is_ascii_digit()
        {
            self.value = self
                .value
                .wrapping_mul(10)
                .wrapping_add(u64::from(first - b'0'));
            rest = after;
        }
        self.count += text.len() - rest.len();
        rest
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn parsed(text: &str) -> Option<(u64, &[u8])> {
        float(text.as_bytes()).map(|(value, rest)| (value.to_bits(), rest))
    }

    proptest! {
        #[test]
        fn every_number_equals_the_standard_librarys(
            text in r"[+-]?([0-9]{1,25}(\.[0-9]{0,25})?|\.[0-9]{1,25})([eE][+-]?[0-9]{1,4})?",
            rest in "[,: x]?",
        ) {
            let expected = text.parse::<f64>().unwrap().to_bits();
            let number = format!("{text}{rest}");
            prop_assert_eq!(parsed(&number), Some((expected, rest.as_bytes())));
        }

        #[test]
        fn every_double_is_parsed_exactly(bits: u64) {
            let value = f64::from_bits(bits);
            prop_assume!(!value.is_nan());
            prop_assert_eq!(parsed(&format!("{value}")).unwrap().0, bits);
            prop_assert_eq!(parsed(&format!("{value:e}")).unwrap().0, bits);
        }

        #[test]
        fn every_integer_equals_the_standard_librarys(text in "[+-]?[0-9]{1,25}") {
            let expected = text.parse().ok().map(|value: i64| (value, &b","[..]));
            let number = format!("{text},");
            prop_assert_eq!(int(number.as_bytes()), expected);
        }
    }

    #[test]
    fn words_are_infinite_or_not_a_number() {
        for text in ["inf", "-Infinity", "+INF", "nan", "-NaN"] {
            assert_eq!(
                parsed(text),
                Some((text.parse::<f64>().unwrap().to_bits(), &b""[..]))
            );
        }
        assert_eq!(parsed("-0,").unwrap(), ((-0.0_f64).to_bits(), &b","[..]));
    }

    #[test]
    fn what_is_no_number_is_refused() {
        for text in [
            "", "+", ".", "-.", "e5", "1e", "1e+", "x", "info", "--1", "+-1", "\u{661}",
        ] {
            assert_eq!(float(text.as_bytes()), None, "{text}");
        }
        for text in ["", "-", "x", "9223372036854775808", "-9223372036854775809"] {
            assert_eq!(int(text.as_bytes()), None, "{text}");
        }
    }
}
