//! The `.idx` file: from a record's key to its offset.
//!
//! Text, a line a record: `key TAB offset NEWLINE`, both decimal; key is the id given when the record was written, offset
//! the position of its first header. Lines may come in any order. White space of any kind separates; further columns
//! are ignored, as MXNet's readers do. What they let pass and then crash on or silently lose records by is an error here,
//! with the line: keys or offsets that are not whole numbers, or used twice, and offsets where no record can begin.
//!
//! An entry takes 16 bytes: 680 MB for the 42 million of WebFace42M, where a Python dictionary and list take 4.8 GB.

use std::io::{Read, Seek, Write};

use crate::error::{Error, ErrorKind, Result};

/// Bytes read at a time.
const CHUNK: usize = 1 << 20;
/// The longest line, in bytes. Two numbers of 20 digits, and room for what others may add.
const MAX_LINE: usize = 4096;

/// One line of the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Entry {
    /// The record's key.
    pub key: u64,
    /// The offset of its first header.
    pub offset: u64,
}

/// All of a `.idx` file, in memory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Index {
    /// Sorted by key, which are all different, as are the offsets.
    entries: Box<[Entry]>,
}

impl Index {
    /// Reads the text of a `.idx` file.
    ///
    /// `rec_len` is the length of the `.rec` file, if known: an offset beyond it is an error.
    ///
    /// # Errors
    /// [`ErrorKind::Io`], or [`ErrorKind::Corrupt`] with the line.
    pub fn from_reader(mut reader: impl Read + Seek, rec_len: Option<u64>) -> Result<Self> {
        let mut entries = Vec::new();
        for_each_line(&mut reader, |line, text| {
            let entry = parse(text).and_then(|entry| check_offset(entry, rec_len));
            entries
                .extend(entry.map_err(|reason| Error::corrupt(format!("line {line}: {reason}")))?);
            Ok(())
        })?;
        Self::of(entries).map_err(|twins| twins.error_in(reader))
    }

    /// An index of these entries.
    ///
    /// # Errors
    /// [`ErrorKind::Corrupt`] if two have the same key or the same offset.
    pub fn new(entries: Vec<Entry>) -> Result<Self> {
        Self::of(entries).map_err(|twins| twins.error())
    }

    fn of(mut entries: Vec<Entry>) -> Result<Self, Twins> {
        let by_offset = |entry: &Entry| entry.offset;
        if !is_sorted_strictly(&entries, by_offset) {
            entries.sort_unstable_by_key(by_offset);
            Twins::among(&entries, by_offset, "offset").map_or(Ok(()), Err)?;
        }
        let by_key = |entry: &Entry| entry.key;
        if !is_sorted_strictly(&entries, by_key) {
            entries.sort_unstable_by_key(by_key);
            Twins::among(&entries, by_key, "key").map_or(Ok(()), Err)?;
        }
        Ok(Self {
            entries: entries.into_boxed_slice(),
        })
    }

    /// The offset of the record with this key.
    ///
    /// # Errors
    /// [`ErrorKind::UnknownKey`].
    pub fn offset(&self, key: u64) -> Result<u64> {
        let at = self.entries.binary_search_by_key(&key, |entry| entry.key);
        at.map(|at| self.entries[at].offset)
            .map_err(|_| Error::new(ErrorKind::UnknownKey(key)))
    }

    /// How many records stand before `offset` in the file: the ordinal of the record there, if the index lists all.
    #[must_use]
    pub fn rank(&self, offset: u64) -> u64 {
        self.entries
            .iter()
            .filter(|entry| entry.offset < offset)
            .count() as u64
    }

    /// The number of records.
    #[must_use]
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The entries, by ascending key.
    #[must_use]
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// The entries in the order of the records in the file.
    #[must_use]
    pub fn in_file_order(&self) -> Vec<Entry> {
        let mut entries = self.entries.to_vec();
        if !is_sorted_strictly(&entries, |entry| entry.offset) {
            entries.sort_unstable_by_key(|entry| entry.offset);
        }
        entries
    }
}

/// Writes the text of a `.idx` file: a line per entry.
///
/// # Errors
/// The writer's.
pub fn write_to(entries: &[Entry], out: &mut impl Write) -> std::io::Result<()> {
    entries
        .iter()
        .try_for_each(|Entry { key, offset }| writeln!(out, "{key}\t{offset}"))
}

/// Calls `line` with the number (from 1) and the bytes of each line.
fn for_each_line(
    mut file: impl Read,
    mut line: impl FnMut(u64, &[u8]) -> Result<()>,
) -> Result<()> {
    let mut buffer = vec![0; CHUNK];
    let (mut have, mut number) = (0, 0);
    loop {
        let read = file.read(&mut buffer[have..])?;
        have += read;
        let mut start = 0;
        while let Some(end) = memchr::memchr(b'\n', &buffer[start..have]) {
            number += 1;
            line(number, &buffer[start..start + end])?;
            start += end + 1;
        }
        if read == 0 {
            return line(number + 1, &buffer[start..have]);
        }
        if have - start > MAX_LINE {
            return Err(Error::corrupt(format!(
                "line {}: longer than {MAX_LINE} bytes; not an index",
                number + 1
            )));
        }
        buffer.copy_within(start..have, 0);
        have -= start;
    }
}

/// A line's entry; none for a blank line.
fn parse(line: &[u8]) -> Result<Option<Entry>, String> {
    let mut words = line
        .split(u8::is_ascii_whitespace)
        .filter(|word| !word.is_empty());
    let Some(key) = words.next() else {
        return Ok(None);
    };
    if memchr::memchr(b'\r', line.trim_ascii_end()).is_some() {
        return Err(
            "it ends within: lines end with a line feed, not with a carriage return alone".into(),
        );
    }
    let offset = words.next().ok_or("a key without an offset")?;
    Ok(Some(Entry {
        key: number(key, "key")?,
        offset: number(offset, "offset")?,
    }))
}

fn number(word: &[u8], what: &str) -> Result<u64, String> {
    let step = |n: u64, &byte: &u8| {
        let digit = byte.wrapping_sub(b'0');
        if digit > 9 {
            None
        } else {
            n.checked_mul(10)?.checked_add(digit.into())
        }
    };
    word.iter().try_fold(0, step).ok_or_else(|| {
        let word = String::from_utf8_lossy(&word[..word.len().min(40)]);
        format!("the {what} is {word:?}, not a whole number from 0 to 2^64-1")
    })
}

fn check_offset(entry: Option<Entry>, rec_len: Option<u64>) -> Result<Option<Entry>, String> {
    let Some(Entry { offset, .. }) = entry else {
        return Ok(None);
    };
    if !offset.is_multiple_of(4) {
        return Err(format!(
            "the offset {offset} is not a multiple of 4, where records begin"
        ));
    }
    match rec_len {
        Some(len) if offset >= len => Err(format!(
            "the offset {offset} is past the end of the .rec file ({len} bytes)"
        )),
        _ => Ok(entry),
    }
}

fn is_sorted_strictly(entries: &[Entry], by: impl Fn(&Entry) -> u64) -> bool {
    entries.is_sorted_by(|a, b| by(a) < by(b))
}

/// Two entries with the same number.
struct Twins {
    what: &'static str,
    number: u64,
    pair: [Entry; 2],
}

impl Twins {
    /// Those among entries sorted by the number that `by` gives.
    fn among(entries: &[Entry], by: impl Fn(&Entry) -> u64, what: &'static str) -> Option<Self> {
        let pair = entries
            .windows(2)
            .find(|pair| by(&pair[0]) == by(&pair[1]))?;
        Some(Self {
            what,
            number: by(&pair[0]),
            pair: [pair[0], pair[1]],
        })
    }

    fn error(&self) -> Error {
        let Self { what, number, pair } = self;
        Error::corrupt(format!(
            "the {what} {number} stands twice: key {} at byte {} and key {} at byte {}",
            pair[0].key, pair[0].offset, pair[1].key, pair[1].offset
        ))
    }

    /// The same error with the lines of the file that have them.
    fn error_in(&self, mut reader: impl Read + Seek) -> Error {
        let mut first = None;
        let found = reader.rewind().map_err(Error::from).and_then(|()| {
            for_each_line(reader, |line, text| {
                let entry = parse(text).ok().flatten();
                if !entry.is_some_and(|entry| self.pair.contains(&entry)) {
                    return Ok(());
                }
                let Some(earlier) = first.replace(line) else {
                    return Ok(());
                };
                let Self { what, number, .. } = self;
                let text = format!("line {line}: the {what} {number} stands in line {earlier} too");
                Err(Error::corrupt(text))
            })
        });
        found.err().unwrap_or_else(|| self.error())
    }
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;

    fn load(text: &[u8], rec_len: Option<u64>) -> Result<Index> {
        Index::from_reader(Cursor::new(text), rec_len)
    }

    fn reason(text: &str, rec_len: Option<u64>) -> String {
        load(text.as_bytes(), rec_len).unwrap_err().to_string()
    }

    #[test]
    fn what_others_write_is_read() {
        let index = load(b"7\t0\n3 8\textra\r\n  4\t\t20", None).unwrap();
        assert_eq!(index.len(), 3);
        assert_eq!(index.offset(3).unwrap(), 8);
        assert_eq!(
            index
                .in_file_order()
                .iter()
                .map(|entry| entry.key)
                .collect::<Vec<_>>(),
            [7, 3, 4]
        );
        assert!(matches!(
            index.offset(5).unwrap_err().kind(),
            ErrorKind::UnknownKey(5)
        ));
        assert!(load(b"", None).unwrap().is_empty());
    }

    #[test]
    fn damage_is_named_with_its_line() {
        for (text, expected) in [
            (
                "0\t0\nx\t8\n",
                "line 2: the key is \"x\", not a whole number",
            ),
            ("-1\t0\n", "line 1: the key is \"-1\""),
            ("0\t0.0\n", "line 1: the offset is \"0.0\""),
            (
                "0\t18446744073709551616\n",
                "not a whole number from 0 to 2^64-1",
            ),
            ("0\n", "line 1: a key without an offset"),
            ("0\t6\n", "the offset 6 is not a multiple of 4"),
            (
                "0\t100\n",
                "the offset 100 is past the end of the .rec file (100 bytes)",
            ),
            ("5\t0\n5\t8\n", "line 2: the key 5 stands in line 1 too"),
            ("5\t8\n6\t8\n", "line 2: the offset 8 stands in line 1 too"),
        ] {
            assert!(
                reason(text, Some(100)).contains(expected),
                "{}",
                reason(text, Some(100))
            );
        }
    }

    #[test]
    fn a_line_without_end_is_refused_without_reading_it_all() {
        assert!(
            load(&vec![b'1'; 3 * CHUNK], None)
                .unwrap_err()
                .to_string()
                .contains("longer than 4096 bytes")
        );
    }

    #[test]
    fn lines_across_chunks_are_whole() {
        let entries: Vec<Entry> = (0..200_000)
            .map(|key| Entry {
                key,
                offset: key * 8,
            })
            .collect();
        let mut text = Vec::new();
        write_to(&entries, &mut text).unwrap();
        let index = load(&text, None).unwrap();
        assert_eq!(
            (index.len(), index.offset(199_999).unwrap()),
            (200_000, 1_599_992)
        );
    }

    #[test]
    fn an_entry_takes_sixteen_bytes() {
        assert_eq!(size_of::<Entry>(), 16);
    }
}
