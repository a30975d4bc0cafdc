//! Rows of `LibSVM`'s format: a label, and an index and a value for each number that is not zero.

use super::{Read, Span, TextFiles, is_inexact, number};
use crate::error::Result;
use crate::memory;

/// Labels, and a sparse matrix in CSR format.
#[derive(Debug, Default, PartialEq)]
pub struct SparseRows {
    /// A label for each row.
    pub labels: Vec<f32>,
    /// Index of the first value of each row, and after the last row the number of values.
    pub starts: Vec<i64>,
    /// Columns of the values, ascending within a row.
    pub columns: Vec<i64>,
    /// The values.
    pub values: Vec<f32>,
}

/// Reads rows of `width` columns.
///
/// # Errors
/// Those of the operating system; if a file has changed; if there is no memory for the rows.
pub fn read_sparse(files: &TextFiles, span: Span, width: usize) -> Result<Read<SparseRows>> {
    let mut samples = SparseRows::default();
    memory::reserve(&mut samples.labels, span.rows)?;
    memory::reserve(&mut samples.starts, span.rows.saturating_add(1))?;
    samples.starts.push(0);
    let read = super::read(files, span, |line| samples.push(line, width))?;
    let end = samples.values.len() as i64;
    samples.labels.resize(span.rows, 0.0);
    samples.starts.resize(span.rows + 1, end);
    Ok(read.with(samples))
}

impl SparseRows {
    /// Appends a row; nothing is returned, and the rows are of no use any more, if it is not plain.
    fn push(&mut self, line: &[u8], width: usize) -> Option<()> {
        let (label, mut rest) = number::float(line)?;
        let label = label as f32;
        if is_inexact(label) {
            return None;
        }
        if let [b':', weight @ ..] = rest {
            rest = skip_field(weight)?;
        }
        let first = self.values.len();
        while let Some(field) = next_field(rest)? {
            rest = if field.starts_with(b"qid:") {
                skip_field(field)?
            } else {
                self.push_value(field, width)?
            };
        }
        self.sort(first)?;
        self.labels.push(label);
        self.starts.push(self.values.len() as i64);
        Some(())
    }

    /// Appends a value, and returns what follows it.
    fn push_value<'a>(&mut self, field: &'a [u8], width: usize) -> Option<&'a [u8]> {
        let (column, after) = number::int(field)?;
        let (value, rest) = number::float(after.strip_prefix(b":")?)?;
        if !usize::try_from(column).is_ok_and(|column| column < width) {
            return None;
        }
        self.columns.push(column);
        self.values.push(value as f32);
        Some(rest)
    }

    /// Sorts the values from `first` on by their columns, none of which may be repeated.
    fn sort(&mut self, first: usize) -> Option<()> {
        let is_ascending = |columns: &[i64]| columns.windows(2).all(|pair| pair[0] < pair[1]);
        if is_ascending(&self.columns[first..]) {
            return Some(());
        }
        let columns = self.columns.drain(first..);
        let mut row: Vec<_> = columns.zip(self.values.drain(first..)).collect();
        row.sort_by_key(|&(column, _)| column);
        self.columns.extend(row.iter().map(|&(column, _)| column));
        self.values.extend(row.iter().map(|&(_, value)| value));
        is_ascending(&self.columns[first..]).then_some(())
    }
}

/// Returns text from its first field on, or no field if there is none; nothing if there is no
/// space before it.
#[allow(
    clippy::option_option,
    reason = "no field, or a line that is not plain"
)]
fn next_field(text: &[u8]) -> Option<Option<&[u8]>> {
    let field = text.trim_ascii_start();
    if field.is_empty() {
        return Some(None);
    }
    (field.len() < text.len()).then_some(Some(field))
}

/// Returns what follows the field at the beginning of text, which has only printable ASCII.
fn skip_field(text: &[u8]) -> Option<&[u8]> {
    let end = text.iter().position(|byte| !byte.is_ascii_graphic());
    let rest = &text[end.unwrap_or(text.len())..];
    rest.first()
        .is_none_or(u8::is_ascii_whitespace)
        .then_some(rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(line: &str) -> Option<SparseRows> {
        let mut rows = SparseRows::default();
        rows.push(line.as_bytes(), 3).map(|()| rows)
    }

    #[test]
    fn plain_rows_are_parsed() {
        let lines = [
            "1 0:5 2:7",
            "1\t2:7 0:5",
            "1:0.5 0:5 2:7",
            "1 qid:3 0:5  2:7",
            "+1e0 0:+5 02:.7e1",
        ];
        for line in lines {
            let expected = SparseRows {
                labels: vec![1.0],
                starts: vec![2],
                columns: vec![0, 2],
                values: vec![5.0, 7.0],
            };
            assert_eq!(row(line), Some(expected), "{line}");
        }
        assert_eq!(row("-2").unwrap().labels, [-2.0]);
    }

    #[test]
    fn other_rows_are_not() {
        let lines = [
            "1 3:5",
            "1 -1:5",
            "1 2:5 2:3",
            "1 0 2",
            "1 0:y",
            "1 a:1",
            "x 0:5",
            "1,2 0:5",
            "1 0:1_0",
            "1 0:1x",
            "1 0:1\u{a0}1:2",
            "1:a\u{a0}b 0:5",
            "1 qid:3\x1c0:5",
            "16777216 0:1",
            "1 0:1:2",
            "1 :2",
        ];
        for line in lines {
            assert_eq!(row(line), None, "{line}");
        }
    }
}
