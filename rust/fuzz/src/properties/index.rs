//! Any bytes as a `.idx` file, for a `.rec` file whose length is in the first two bytes: the result
//! is the distinct, valid entries that splitting the text at white space returns, or an error with
//! the file's path. An index that is written and read again is the same; each key has its offset.

use std::collections::HashSet;
use std::fmt::Write;

use recio_core::format::index::{Entry, Index};
use recio_core::read::sidecar::load_index;

use super::InputFile;

/// Number of leading bytes for the length of the `.rec` file; the rest is the index.
pub const CHOICE_BYTES: usize = 2;

/// Check the property.
pub fn check(bytes: &[u8], input: &mut InputFile) {
    let (choices, text) = bytes.split_at(bytes.len().min(CHOICE_BYTES));
    let rec_len = match *choices {
        [low, high] if high < 0x80 => Some(u64::from(u16::from_le_bytes([low, high])) * 4),
        _ => None,
    };
    let path = input.write(text);
    let expected = entries(text, rec_len);
    match load_index(path, rec_len) {
        Err(error) => {
            assert_eq!(expected, None, "{error}");
            assert_eq!(error.position().path.as_deref(), Some(path));
        }
        Ok(index) => {
            let mut expected = expected.expect("the index has invalid lines");
            expected.sort_unstable_by_key(|entry| entry.key);
            assert_eq!(index.entries(), expected);
            check_round_trip(&index, rec_len, input);
        }
    }
}

/// Writing the entries and reading them again returns the same index, in any order.
fn check_round_trip(index: &Index, rec_len: Option<u64>, input: &mut InputFile) {
    let mut text = String::new();
    for Entry { key, offset } in index.in_file_order().iter().copied() {
        assert_eq!(index.offset(key).ok(), Some(offset));
        writeln!(text, "{key}\t{offset}").expect("writing to a string cannot fail");
    }
    let repeated = load_index(input.write(text.as_bytes()), rec_len);
    assert_eq!(repeated.ok().as_ref(), Some(index));
}

/// Return the entries, if each line that is not blank starts with two valid numbers and contains no
/// carriage return, and all keys and offsets are distinct.
fn entries(text: &[u8], rec_len: Option<u64>) -> Option<Vec<Entry>> {
    let lines = text.split(|&byte| byte == b'\n');
    let words = |line| <[u8]>::split(line, u8::is_ascii_whitespace).filter(|word| !word.is_empty());
    let entries = lines
        .filter(|line| words(line).next().is_some())
        .map(|line| {
            let mut numbers = words(line).map(number);
            let (key, offset) = (numbers.next()??, numbers.next()??);
            let is_one = !line.trim_ascii_end().contains(&b'\r');
            let can_be = offset % 4 == 0 && rec_len.is_none_or(|len| offset < len);
            (is_one && can_be).then_some(Entry { key, offset })
        })
        .collect::<Option<Vec<_>>>()?;
    let keys: HashSet<_> = entries.iter().map(|entry| entry.key).collect();
    let offsets: HashSet<_> = entries.iter().map(|entry| entry.offset).collect();
    let all_differ = keys.len() == entries.len() && offsets.len() == entries.len();
    all_differ.then_some(entries)
}

/// Parse digits only: `parse` would accept a sign.
fn number(word: &[u8]) -> Option<u64> {
    let is_plain = word.iter().all(u8::is_ascii_digit);
    is_plain.then(|| str::from_utf8(word).ok()?.parse().ok())?
}
