//! Text files with a sample in each line.
//!
//! ```text
//! files     several files, read as one from a position; their lines
//! number    decimal numbers
//! dense     numbers separated by commas → rows of a matrix
//! sparse    LibSVM's format → labels, and rows of a sparse matrix
//! ```
//!
//! Only plain lines are parsed here: ASCII, with numbers as most programs write them. Rows of
//! other lines are not returned; the caller reads their text, and parses it or reports what is
//! wrong.

mod dense;
mod files;
mod number;
mod sparse;

pub use dense::{Value, read_dense};
pub use files::{Line, Lines, Position, TextFile, TextFiles};
pub use sparse::{SparseRows, read_sparse};

use crate::error::Result;

/// Lines whose samples fill a batch.
#[derive(Clone, Copy, Debug)]
pub struct Span {
    /// Position of the first line.
    pub start: Position,
    /// Number of lines; there are fewer at the end of the last file.
    pub lines: usize,
    /// Number of samples of a batch, at least as many.
    pub rows: usize,
    /// Lines that fill the batch, repeatedly if necessary: position and number. Without them,
    /// zeros do.
    pub fill: Option<(Position, usize)>,
    /// Number of bytes that the lines will have, about.
    pub expected_bytes: usize,
}

/// Samples of a batch.
#[derive(Debug)]
pub struct Read<T> {
    /// The samples; none if a line is not plain.
    pub samples: Option<T>,
    /// Number of lines that were read, but for those that fill the batch.
    pub lines: usize,
    /// Position after them.
    pub end: Position,
}

/// Reads a batch: calls `push` with its lines, which returns nothing if one is not plain.
fn read(
    files: &TextFiles,
    span: Span,
    mut push: impl FnMut(&[u8]) -> Option<()>,
) -> Result<Read<()>> {
    let mut is_plain = true;
    let mut each = |line: &[u8]| is_plain = is_plain && push(line).is_some();
    let (lines, end) = files.for_each(span.start, span.lines, span.expected_bytes, &mut each)?;
    let mut missing = if lines > 0 { span.rows - lines } else { 0 };
    while missing > 0
        && let Some((start, available)) = span.fill
    {
        let (filled, _) = files.for_each(start, available.min(missing), 0, &mut each)?;
        missing = if filled > 0 { missing - filled } else { 0 };
    }
    Ok(Read {
        samples: is_plain.then_some(()),
        lines,
        end,
    })
}

impl Read<()> {
    /// Returns the samples that were pushed, if all are plain.
    fn with<T>(self, samples: T) -> Read<T> {
        Read {
            samples: self.samples.map(|()| samples),
            lines: self.lines,
            end: self.end,
        }
    }
}

/// Returns whether a float32 may differ from the number in the text: it has all integers up to
/// 2^24 only. Such a label may be of another class than the one in the text.
fn is_inexact(label: f32) -> bool {
    label.abs() >= (1 << 24) as f32
}
