//! The `.lst` file: index, labels and path of each image.
//!
//! im2rec packs such files, and `path_imglist` takes the labels of records from them. Text in
//! UTF-8, one line per image: `index TAB label [TAB label …] TAB path NEWLINE`. The index is an
//! integer from 0 to 2⁶⁴−1, which becomes the id and the key of the record; the path is relative to
//! a root folder and may contain spaces. White space around a line and around a field is ignored,
//! as in MXNet. A label that its type would change is an error: see [`LabelType`].

use std::collections::{HashMap, HashSet};

use crate::error::{Error, Result};
use crate::format::label::{self, LabelType};

/// Line of a list.
#[derive(Debug, Clone, PartialEq)]
pub struct Line {
    /// Id of the record.
    pub index: u64,
    /// At least one label.
    pub labels: Vec<f64>,
    /// Path of the image, relative to the root folder.
    pub path: String,
}

impl Line {
    /// Parses a line with labels of a type.
    ///
    /// # Errors
    /// The reason why it is invalid.
    pub fn parse(text: &str, label_type: LabelType) -> Result<Self, String> {
        let fields: Vec<&str> = text.trim().split('\t').map(str::trim).collect();
        let (index, labels, path) = match &fields[..] {
            [index, labels @ .., path] if !labels.is_empty() => (index, labels, path),
            _ => {
                return Err(format!(
                    "a line must be index, label and path separated by tabs, got {} field{}",
                    fields.len(),
                    if fields.len() == 1 { "" } else { "s" }
                ));
            }
        };
        let index = index.parse().map_err(|_| {
            let index = label::quoted(index);
            format!("the index must be an integer from 0 to 2^64-1, got {index}")
        })?;
        let labels = labels.iter().map(|text| label::parse(text, label_type));
        let labels = labels.collect::<Result<_, String>>()?;
        if path.contains('\0') {
            return Err("the path contains a NUL character".into());
        }
        Ok(Self {
            index,
            labels,
            path: (*path).to_owned(),
        })
    }
}

/// Parses the lines of a list, each with its number from 1. Blank lines are skipped; an invalid
/// line is returned as the reason why it is invalid.
///
/// # Errors
/// [`ErrorKind::Corrupt`](crate::error::ErrorKind::Corrupt) if the text is not UTF-8.
pub fn parse(text: &[u8], label_type: LabelType) -> Result<Vec<(u64, Result<Line, String>)>> {
    let text = str::from_utf8(text).map_err(|_| Error::corrupt("the list is not UTF-8"))?;
    let lines = text.trim_start_matches('\u{feff}').lines().zip(1..);
    Ok(lines
        .filter(|(line, _)| !line.trim().is_empty())
        .map(|(line, n)| (n, Line::parse(line, label_type)))
        .collect())
}

/// Parses a list of which every line must be valid, and no index used twice.
///
/// # Errors
/// [`ErrorKind::Corrupt`](crate::error::ErrorKind::Corrupt), with the line if it is one.
pub fn parse_strict(text: &[u8], label_type: LabelType) -> Result<Vec<Line>> {
    let mut indexes = HashSet::new();
    let mut unique = |line: Line| {
        if indexes.insert(line.index) {
            return Ok(line);
        }
        Err(format!("duplicate index {}", line.index))
    };
    parse(text, label_type)?
        .into_iter()
        .map(|(number, line)| {
            line.and_then(&mut unique)
                .map_err(|reason| Error::corrupt(format!("line {number}: {reason}")))
        })
        .collect()
}

/// Labels of a list by record id.
#[derive(Debug, Default, Clone)]
pub struct Labels {
    /// Labels of all records, concatenated.
    labels: Vec<f64>,
    /// Position in `labels` and number of the labels of each record.
    by_id: HashMap<u64, (u32, u32)>,
}

impl Labels {
    /// Parses the labels of a list.
    ///
    /// # Errors
    /// As [`parse_strict`]; more than 2³² labels.
    pub fn parse(text: &[u8], label_type: LabelType) -> Result<Self> {
        let mut labels = Self::default();
        for line in parse_strict(text, label_type)? {
            let start = u32::try_from(labels.labels.len());
            let start = start.map_err(|_| Error::corrupt("more than 2^32 labels"))?;
            labels.labels.extend_from_slice(&line.labels);
            let len = line.labels.len() as u32;
            labels.by_id.insert(line.index, (start, len));
        }
        Ok(labels)
    }

    /// Returns the CRC32C of all ids and labels, in the order of the ids.
    #[must_use]
    pub fn digest(&self) -> u32 {
        let mut ids: Vec<_> = self.by_id.keys().copied().collect();
        ids.sort_unstable();
        ids.into_iter().fold(0, |digest, id| {
            let digest = crc32c::crc32c_append(digest, &id.to_le_bytes());
            let labels = self.get(id).unwrap_or_default();
            labels.iter().fold(digest, |digest, label| {
                crc32c::crc32c_append(digest, &label.to_le_bytes())
            })
        })
    }

    /// Returns the labels of the record with this id.
    #[must_use]
    pub fn get(&self, id: u64) -> Option<&[f64]> {
        self.by_id
            .get(&id)
            .map(|&(start, len)| &self.labels[start as usize..][..len as usize])
    }

    /// Returns the maximum number of labels of a record.
    #[must_use]
    pub fn width(&self) -> usize {
        self.by_id
            .values()
            .map(|&(_, len)| len as usize)
            .max()
            .unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FLOAT32: LabelType = LabelType::Float32;

    #[test]
    fn a_line_has_labels_and_a_path_with_spaces() {
        let line = Line {
            index: 20,
            labels: vec![3.0, -1.5],
            path: "space/my cat.jpg".into(),
        };
        for text in [
            "20\t3.000000\t-1.5\tspace/my cat.jpg\r\n",
            "\t20 \t 3\t-1.5\t space/my cat.jpg \t \n",
        ] {
            assert_eq!(Line::parse(text, FLOAT32).as_ref(), Ok(&line), "{text:?}");
        }
    }

    #[test]
    fn errors_of_invalid_lines_state_the_reason() {
        for (text, reason) in [
            ("1 2 a.jpg", "got 1 field"),
            ("1\ta.jpg", "got 2 fields"),
            ("1\t1\t", "got 2 fields"),
            (
                "12.0\t1\ta.jpg",
                "the index must be an integer from 0 to 2^64-1, got \"12.0\"",
            ),
            (
                "-1\t1\ta.jpg",
                "the index must be an integer from 0 to 2^64-1, got \"-1\"",
            ),
            ("1\tcat\ta.jpg", "the label must be a number, got \"cat\""),
            (
                "1\t25130987\ta.jpg",
                "the label 25130987 is not representable",
            ),
            ("1\t1\ta\0.jpg", "the path contains a NUL character"),
        ] {
            let error = Line::parse(text, FLOAT32).unwrap_err();
            assert!(error.contains(reason), "{text}: {error}");
        }
    }

    #[test]
    fn labels_are_found_by_id() {
        let labels = Labels::parse("\u{feff}7\t1\ta\n\n9\t2\t3\tb\n".as_bytes(), FLOAT32).unwrap();
        assert_eq!(
            (labels.get(9), labels.get(8), labels.width()),
            (Some(&[2.0, 3.0][..]), None, 2)
        );
        let error = Labels::parse(b"7\t1\ta\n7\t1\ta\n", FLOAT32).unwrap_err();
        assert_eq!(error.to_string(), "line 2: duplicate index 7");
    }
}
