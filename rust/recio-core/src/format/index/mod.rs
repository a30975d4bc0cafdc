//! The `.idx` file: key → offset of each record.
//!
//! Text, one line per record: `key TAB offset NEWLINE`, both decimal. The key is the id given when
//! the record was written, the offset the position of its first header. Lines may be in any order.
//! Any white space separates the fields; further columns are ignored, as MXNet's readers do. Lines
//! on which those readers crash or lose records are errors here, with the line number: keys or
//! offsets that are not integers or occur twice, and offsets where no record can begin.
//!
//! An entry takes 16 bytes: 680 MB for the 42 million of WebFace42M, where a Python dictionary and
//! list take 4.8 GB. For a file of a store, the sorted offsets take 8 more.

mod text;

use std::borrow::Cow;
use std::io::{Read, Seek};
use std::sync::OnceLock;

use crate::error::{Error, ErrorKind, Result};
pub(crate) use text::PAST_END;
pub use text::{Entry, write_to};
use text::{check_offset, for_each_line, parse};

/// Contents of a `.idx` file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Index {
    /// Sorted by key. Keys and offsets are unique.
    entries: Box<[Entry]>,
    /// The offsets in order, made when they are first needed.
    offsets: OnceLock<Box<[u64]>>,
}

impl Index {
    /// Reads a `.idx` file.
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
        Self::from_entries(entries).map_err(|duplicate| duplicate.error_with_lines(reader))
    }

    /// Creates an index of these entries.
    ///
    /// # Errors
    /// [`ErrorKind::Corrupt`] if two have the same key or the same offset.
    pub fn new(entries: Vec<Entry>) -> Result<Self> {
        Self::from_entries(entries).map_err(|duplicate| duplicate.error())
    }

    fn from_entries(mut entries: Vec<Entry>) -> Result<Self, Duplicate> {
        let by_offset = |entry: &Entry| entry.offset;
        if !is_sorted_strictly(&entries, by_offset) {
            entries.sort_unstable_by_key(by_offset);
            Duplicate::find(&entries, by_offset, "offset").map_or(Ok(()), Err)?;
        }
        let by_key = |entry: &Entry| entry.key;
        if !is_sorted_strictly(&entries, by_key) {
            entries.sort_unstable_by_key(by_key);
            Duplicate::find(&entries, by_key, "key").map_or(Ok(()), Err)?;
        }
        Ok(Self {
            entries: entries.into_boxed_slice(),
            offsets: OnceLock::new(),
        })
    }

    /// Returns the offset of the record with this key.
    ///
    /// # Errors
    /// [`ErrorKind::UnknownKey`].
    pub fn offset(&self, key: u64) -> Result<u64> {
        self.position(key).map(|at| self.entries[at].offset)
    }

    /// Returns the offset of the record with this key, and the bytes to the record of the next key,
    /// if that follows in the file. With consecutive keys, that is mostly the length of the frame.
    ///
    /// # Errors
    /// [`ErrorKind::UnknownKey`].
    pub fn offset_and_distance(&self, key: u64) -> Result<(u64, Option<u64>)> {
        let at = self.position(key)?;
        let offset = self.entries[at].offset;
        let next = self.entries.get(at + 1);
        Ok((
            offset,
            next.and_then(|next| next.offset.checked_sub(offset)),
        ))
    }

    fn position(&self, key: u64) -> Result<usize> {
        // Most keys are consecutive.
        let first = self.entries.first().map_or(0, |entry| entry.key);
        let guess = key.wrapping_sub(first) as usize;
        if self
            .entries
            .get(guess)
            .is_some_and(|entry| entry.key == key)
        {
            return Ok(guess);
        }
        let found = self.entries.binary_search_by_key(&key, |entry| entry.key);
        found.map_err(|_| Error::new(ErrorKind::UnknownKey(key)))
    }

    /// Returns the offset of the record that follows the one at `offset` in the file.
    #[must_use]
    pub fn next_offset(&self, offset: u64) -> Option<u64> {
        let offsets = self.offsets.get_or_init(|| {
            let mut offsets: Vec<u64> = self.entries.iter().map(|entry| entry.offset).collect();
            offsets.sort_unstable();
            offsets.into()
        });
        let next = offsets.partition_point(|&other| other <= offset);
        offsets.get(next).copied()
    }

    /// Returns the number of records before `offset` in the file. If the index lists all, this is
    /// the ordinal of the record at `offset`.
    #[must_use]
    pub fn rank(&self, offset: u64) -> u64 {
        self.entries
            .iter()
            .filter(|entry| entry.offset < offset)
            .count() as u64
    }

    /// Returns the number of records.
    #[must_use]
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Returns whether there are no records.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Returns the entries by ascending key.
    #[must_use]
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// Returns the entries by ascending offset.
    #[must_use]
    pub fn in_file_order(&self) -> Cow<'_, [Entry]> {
        let by_offset = |entry: &Entry| entry.offset;
        if is_sorted_strictly(&self.entries, by_offset) {
            return Cow::Borrowed(&self.entries);
        }
        let mut entries = self.entries.to_vec();
        entries.sort_unstable_by_key(by_offset);
        Cow::Owned(entries)
    }

    /// Returns the entries by ascending offset, and frees the rest.
    #[must_use]
    pub fn into_file_order(self) -> Vec<Entry> {
        let mut entries = self.entries.into_vec();
        entries.sort_unstable_by_key(|entry| entry.offset);
        entries
    }
}

fn is_sorted_strictly(entries: &[Entry], by: impl Fn(&Entry) -> u64) -> bool {
    entries.is_sorted_by(|a, b| by(a) < by(b))
}

/// Two entries with the same key or offset.
struct Duplicate {
    what: &'static str,
    number: u64,
    pair: [Entry; 2],
}

impl Duplicate {
    /// Finds a duplicate among entries that are sorted by `by`.
    fn find(entries: &[Entry], by: impl Fn(&Entry) -> u64, what: &'static str) -> Option<Self> {
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
            "duplicate {what} {number}: key {} at byte {} and key {} at byte {}",
            pair[0].key, pair[0].offset, pair[1].key, pair[1].offset
        ))
    }

    /// Returns the error with the lines of the two entries, for which the file is read again.
    fn error_with_lines(&self, mut reader: impl Read + Seek) -> Error {
        let mut first = None;
        let outcome = reader.rewind().map_err(Error::from).and_then(|()| {
            for_each_line(reader, |line, text| {
                let entry = parse(text).ok().flatten();
                if !entry.is_some_and(|entry| self.pair.contains(&entry)) {
                    return Ok(());
                }
                let Some(earlier) = first.replace(line) else {
                    return Ok(());
                };
                let Self { what, number, .. } = self;
                let text =
                    format!("line {line}: duplicate {what} {number}, first in line {earlier}");
                Err(Error::corrupt(text))
            })
        });
        outcome.err().unwrap_or_else(|| self.error())
    }
}

#[cfg(test)]
mod tests;
