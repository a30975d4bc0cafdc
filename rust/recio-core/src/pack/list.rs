//! A list to be packed, in one file or in shards.

use std::collections::HashSet;

use crate::error::Result;
use crate::format::label::LabelType;
use crate::format::list::Line;
use crate::read::list_file::load_lines;
use crate::storage::location::Location;

/// A line of the list.
#[derive(Debug)]
pub(super) struct ListEntry {
    /// Its number, from 1.
    pub(super) number: u64,
    /// The line, or why it is invalid.
    pub(super) line: Result<Line, String>,
    /// Whether an earlier line has its index.
    pub(super) is_duplicate: bool,
}

impl ListEntry {
    /// Returns the line, or why it is not packed.
    pub(super) fn packable(&self) -> Result<&Line, String> {
        let line = self.line.as_ref().map_err(Clone::clone)?;
        if self.is_duplicate {
            return Err(format!("duplicate index {}", line.index));
        }
        Ok(line)
    }
}

/// The lines of a list.
#[derive(Debug)]
pub struct PackList {
    pub(super) location: Location,
    pub(super) entries: Vec<ListEntry>,
}

impl PackList {
    /// Reads a list. A line with the index of an earlier one is not packed, as keys must be unique.
    ///
    /// # Errors
    /// As [`load_lines`].
    pub fn load(location: &Location) -> Result<Self> {
        let lines = load_lines(location, LabelType::Float32)?;
        let mut indices = HashSet::new();
        let entries = lines.into_iter().map(|(number, line)| ListEntry {
            number,
            is_duplicate: line.as_ref().is_ok_and(|line| !indices.insert(line.index)),
            line,
        });
        Ok(Self {
            location: location.clone(),
            entries: entries.collect(),
        })
    }

    /// Returns the number of lines, without blank ones.
    #[must_use]
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Returns the number of the line at a position, from 1, which also counts blank lines; none
    /// after the last one.
    #[must_use]
    pub fn line_number(&self, position: usize) -> Option<u64> {
        self.entries.get(position).map(|entry| entry.number)
    }

    /// Returns whether there are no lines.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }
}
