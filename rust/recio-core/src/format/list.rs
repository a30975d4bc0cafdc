//! The `.lst` file: index, labels and path of each image.
//!
//! im2rec packs such files, and `path_imglist` takes the labels of records from them. Text in
//! UTF-8, one line per image: `index TAB label [TAB label …] TAB path NEWLINE`. The index is an
//! integer from 0 to 2⁶⁴−1, which becomes the id and the key of the record; the path is relative to
//! a root folder and may contain spaces. White space around a field is ignored.

use std::collections::{HashMap, HashSet};

use crate::error::{Error, Result};

/// Line of a list.
#[derive(Debug, Clone, PartialEq)]
pub struct Line {
    /// Id of the record.
    pub index: u64,
    /// At least one label.
    pub labels: Vec<f32>,
    /// Path of the image, relative to the root folder.
    pub path: String,
}

impl Line {
    /// Parses a line.
    ///
    /// # Errors
    /// The reason why it is invalid.
    pub fn parse(text: &str) -> Result<Self, String> {
        let fields: Vec<&str> = text
            .trim_end_matches(['\r', '\n'])
            .split('\t')
            .map(str::trim)
            .collect();
        let [index, labels @ .., path] = &fields[..] else {
            return Err(
                "a line must be index, label and path separated by tabs, got 1 field".into(),
            );
        };
        if labels.is_empty() {
            return Err(
                "a line must be index, label and path separated by tabs, got 2 fields".into(),
            );
        }
        let index = index
            .parse()
            .map_err(|_| format!("the index must be an integer from 0 to 2^64-1, got {index:?}"))?;
        let label = |text: &&str| {
            text.parse()
                .map_err(|_| format!("the label must be a number, got {text:?}"))
        };
        let labels = labels.iter().map(label).collect::<Result<_, String>>()?;
        if path.is_empty() {
            return Err("no path".into());
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
pub fn parse(text: &[u8]) -> Result<Vec<(u64, Result<Line, String>)>> {
    let text = str::from_utf8(text).map_err(|_| Error::corrupt("the list is not UTF-8"))?;
    let lines = text.trim_start_matches('\u{feff}').lines().zip(1..);
    Ok(lines
        .filter(|(line, _)| !line.trim().is_empty())
        .map(|(line, n)| (n, Line::parse(line)))
        .collect())
}

/// Parses a list of which every line must be valid, and no index used twice.
///
/// # Errors
/// [`ErrorKind::Corrupt`](crate::error::ErrorKind::Corrupt), with the line if it is one.
pub fn parse_strict(text: &[u8]) -> Result<Vec<Line>> {
    let mut indexes = HashSet::new();
    let mut unique = |line: Line| {
        if indexes.insert(line.index) {
            return Ok(line);
        }
        Err(format!("duplicate index {}", line.index))
    };
    parse(text)?
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
    labels: Vec<f32>,
    /// Position in `labels` and number of the labels of each record.
    by_id: HashMap<u64, (u32, u32)>,
}

impl Labels {
    /// Parses the labels of a list.
    ///
    /// # Errors
    /// As [`parse_strict`]; more than 2³² labels.
    pub fn parse(text: &[u8]) -> Result<Self> {
        let mut labels = Self::default();
        for line in parse_strict(text)? {
            let start = u32::try_from(labels.labels.len());
            let start = start.map_err(|_| Error::corrupt("more than 2^32 labels"))?;
            labels.labels.extend_from_slice(&line.labels);
            let len = line.labels.len() as u32;
            labels.by_id.insert(line.index, (start, len));
        }
        Ok(labels)
    }

    /// Returns the labels of the record with this id.
    #[must_use]
    pub fn get(&self, id: u64) -> Option<&[f32]> {
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

    #[test]
    fn a_line_has_labels_and_a_path_with_spaces() {
        let line = Line::parse("20\t3.000000\t-1.5\tspace/my cat.jpg\r\n").unwrap();
        assert_eq!(
            line,
            Line {
                index: 20,
                labels: vec![3.0, -1.5],
                path: "space/my cat.jpg".into()
            }
        );
    }

    #[test]
    fn errors_of_invalid_lines_state_the_reason() {
        for (text, reason) in [
            ("1 2 a.jpg", "got 1 field"),
            ("1\ta.jpg", "got 2 fields"),
            (
                "12.0\t1\ta.jpg",
                "the index must be an integer from 0 to 2^64-1, got \"12.0\"",
            ),
            (
                "-1\t1\ta.jpg",
                "the index must be an integer from 0 to 2^64-1, got \"-1\"",
            ),
            ("1\tcat\ta.jpg", "the label must be a number, got \"cat\""),
            ("1\t1\t", "no path"),
        ] {
            assert!(Line::parse(text).unwrap_err().contains(reason), "{text}");
        }
    }

    #[test]
    fn labels_are_found_by_id() {
        let labels = Labels::parse("\u{feff}7\t1\ta\n\n9\t2\t3\tb\n".as_bytes()).unwrap();
        assert_eq!(
            (labels.get(9), labels.get(8), labels.width()),
            (Some(&[2.0, 3.0][..]), None, 2)
        );
        let error = Labels::parse(b"7\t1\ta\n7\t1\ta\n").unwrap_err();
        assert_eq!(error.to_string(), "line 2: duplicate index 7");
    }
}
