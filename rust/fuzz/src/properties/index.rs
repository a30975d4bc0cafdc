//! Any bytes as a `.idx` file, for a `.rec` file of a length that the first two bytes draw: entries
//! with keys and offsets that all differ and can be, those that splitting the text at white space
//! gives, or an error that names the file. Written once more they are read as the same; each key
//! finds its offset.

use std::collections::HashSet;
use std::fmt::Write;

use recio_core::format::index::{Entry, Index};
use recio_core::read::sidecar::load_index;

use super::Desk;

/// Bytes at the beginning that tell the length of the `.rec` file; the index is the rest.
pub const DRAWN: usize = 2;

/// Checks it.
pub fn check(bytes: &[u8], desk: &mut Desk) {
    let (drawn, text) = bytes.split_at(bytes.len().min(DRAWN));
    let rec_len = match *drawn {
        [low, high] if high < 0x80 => Some(u64::from(u16::from_le_bytes([low, high])) * 4),
        _ => None,
    };
    let path = desk.lay(text);
    let expected = entries(text, rec_len);
    match load_index(path, rec_len) {
        Err(error) => {
            assert_eq!(expected, None, "{error}");
            assert_eq!(error.position().path.as_deref(), Some(path));
        }
        Ok(index) => {
            let mut expected = expected.expect("it has lines that are no entries");
            expected.sort_unstable_by_key(|entry| entry.key);
            assert_eq!(index.entries(), expected);
            check_again(&index, rec_len, desk);
        }
    }
}

/// What is written is read as the same, in whatever order it stands.
fn check_again(index: &Index, rec_len: Option<u64>, desk: &mut Desk) {
    let mut text = String::new();
    for Entry { key, offset } in index.in_file_order() {
        assert_eq!(index.offset(key).ok(), Some(offset));
        writeln!(text, "{key}\t{offset}").expect("a string takes all");
    }
    let again = load_index(desk.lay(text.as_bytes()), rec_len);
    assert_eq!(again.ok().as_ref(), Some(index));
}

/// The entries, if each line that is not blank begins with two whole numbers that can be and has no
/// carriage return within, and none stands twice.
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

/// Digits alone: `parse` would take a sign.
fn number(word: &[u8]) -> Option<u64> {
    let is_plain = word.iter().all(u8::is_ascii_digit);
    is_plain.then(|| str::from_utf8(word).ok()?.parse().ok())?
}
