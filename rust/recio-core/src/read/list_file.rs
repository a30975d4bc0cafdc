//! Reads `.lst` files.

use crate::error::{Error, Result};
use crate::format::content::{self, Content};
use crate::format::label::LabelType;
use crate::format::list::{self, Labels, Line};
use crate::storage::location::Location;

/// Reads the lines of a list, each with its number from 1. Blank lines are skipped; an invalid line
/// is returned as the reason why it is invalid.
///
/// # Errors
/// [`ErrorKind::Io`](crate::error::ErrorKind::Io), or `Corrupt` if the file is not UTF-8; with the
/// path.
pub fn load_lines(
    location: impl Into<Location>,
    label_type: LabelType,
) -> Result<Vec<(u64, Result<Line, String>)>> {
    load(&location.into(), |text| list::parse(text, label_type))
}

/// Reads the lines of a list of which every one must be valid.
///
/// # Errors
/// As [`load_lines`]; `Corrupt` with the line if one is invalid or repeats an index.
pub fn load_strict(location: impl Into<Location>, label_type: LabelType) -> Result<Vec<Line>> {
    load(&location.into(), |text| {
        list::parse_strict(text, label_type)
    })
}

/// Reads the labels of a list.
///
/// # Errors
/// As [`load_strict`].
pub fn load_labels(location: impl Into<Location>, label_type: LabelType) -> Result<Labels> {
    load(&location.into(), |text| Labels::parse(text, label_type))
}

fn load<T>(location: &Location, parse: impl FnOnce(&[u8]) -> Result<T>) -> Result<T> {
    let text = location.read()?;
    parse(&text).map_err(|error| explain(error, &text).at_path(&location.shown()))
}

/// Explains an error of a file that is known to be something else.
fn explain(error: Error, text: &[u8]) -> Error {
    let is_other = |content: &Content| !matches!(content.name, "a list (.lst)" | "text");
    match content::identify(text).filter(is_other) {
        Some(Content {
            name: name @ "an index (.idx)",
            ..
        }) => Error::corrupt(format!(
            "this is {name} or a list without paths: {}",
            error.kind()
        ))
        .advise(format!(
            "add a column of paths, of which record iterators only need that it exists; or {}",
            content::SWAPPED
        )),
        Some(Content { name, advice }) => {
            let error = Error::corrupt(format!("this is {name}, not a list: {}", error.kind()));
            advice.into_iter().fold(error, Error::advise)
        }
        None => error,
    }
}
