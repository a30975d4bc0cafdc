//! Text of files and names, with control characters escaped.
//!
//! File names and the contents of files end up in messages, on terminals and in logs. There, an
//! escape sequence could change what the terminal shows, a line break could forge a line of a log,
//! and a character that reverses the writing direction could disguise a name.

use std::borrow::Cow;
use std::fmt::Write;

/// Escapes the characters of a text that control a terminal, the lines of a log or the direction of
/// writing: `\n`, `\x1b`, `\u202e`. All others, backslashes too, stay as they are.
#[must_use]
pub fn printable(text: &str) -> Cow<'_, str> {
    if !text.chars().any(is_control) {
        return Cow::Borrowed(text);
    }
    let mut escaped = String::with_capacity(text.len() + 16);
    for character in text.chars() {
        match character {
            '\n' => escaped.push_str("\\n"),
            '\r' => escaped.push_str("\\r"),
            '\t' => escaped.push_str("\\t"),
            _ if !is_control(character) => escaped.push(character),
            _ => push_code(&mut escaped, character.into()),
        }
    }
    Cow::Owned(escaped)
}

fn push_code(escaped: &mut String, code: u32) {
    // Writing to a string cannot fail.
    _ = match code {
        ..=0xff => write!(escaped, "\\x{code:02x}"),
        0x100..=0xffff => write!(escaped, "\\u{code:04x}"),
        _ => write!(escaped, "\\U{code:08x}"),
    };
}

/// Returns whether a character is a control character, a line separator, or invisible and able to
/// change how other characters are shown.
fn is_control(character: char) -> bool {
    character.is_control()
        || matches!(
            character,
            '\u{61c}'
                | '\u{200e}'
                | '\u{200f}'
                | '\u{2028}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}'
                | '\u{feff}'
                | '\u{fff9}'..='\u{fffb}'
                | '\u{e0000}'..='\u{e007f}'
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_characters_are_escaped() {
        for (text, expected) in [
            ("a\x1b[31m.jpg", "a\\x1b[31m.jpg"),
            ("a\nb\tc\rd", "a\\nb\\tc\\rd"),
            ("\u{9b}31m\x7f\0", "\\x9b31m\\x7f\\x00"),
            ("gpj.\u{202e}exe", "gpj.\\u202eexe"),
            ("\u{e0041}", "\\U000e0041"),
        ] {
            assert_eq!(printable(text), expected);
        }
    }

    #[test]
    fn other_text_is_the_same() {
        for text in ["", "a b.jpg", "C:\\x\\n", "貓/ñ é.jpg", "👩‍🚀.png"] {
            assert!(matches!(printable(text), Cow::Borrowed(same) if same == text));
        }
    }
}
