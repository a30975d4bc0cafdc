//! Any bytes as a `.lst` file: each line is parsed or has an error, or there is one error with the
//! file's path. A parsed line that is written and parsed again is the same. Labels are loaded if
//! every line is valid and no index is repeated, and are found by index.

use std::collections::HashSet;
use std::fmt::Write;
use std::path::Path;

use recio_core::format::label::LabelType;
use recio_core::format::list::Line;
use recio_core::read::list_file::{load_labels, load_lines};

use super::InputFile;

/// Check the property.
pub fn check(bytes: &[u8], input: &mut InputFile) {
    let path = input.write(bytes);
    match load_lines(path, LabelType::Float32) {
        Err(error) => {
            assert!(str::from_utf8(bytes).is_err(), "{error}");
            assert_eq!(error.position().path.as_deref(), Some(path));
        }
        Ok(lines) => {
            let numbers = lines.iter().map(|(number, _)| *number);
            assert!(numbers.is_sorted_by(|a, b| a < b), "{lines:?}");
            let valid: Vec<_> = lines.iter().filter_map(|(_, l)| l.as_ref().ok()).collect();
            valid.iter().for_each(|line| check_round_trip(line));
            check_labels(&valid, valid.len() == lines.len(), path);
        }
    }
}

fn check_round_trip(line: &Line) {
    let mut text = line.index.to_string();
    for label in &line.labels {
        write!(text, "\t{label}").expect("writing to a string cannot fail");
    }
    write!(text, "\t{}", line.path).expect("writing to a string cannot fail");
    let repeated =
        Line::parse(&text, LabelType::Float32).unwrap_or_else(|error| panic!("{text:?}: {error}"));
    assert_eq!((repeated.index, &repeated.path), (line.index, &line.path));
    assert_eq!(bits(&repeated.labels), bits(&line.labels), "{text:?}");
}

fn check_labels(lines: &[&Line], are_all: bool, path: &Path) {
    let ids: HashSet<_> = lines.iter().map(|line| line.index).collect();
    let is_valid = are_all && ids.len() == lines.len();
    let labels = match load_labels(path, LabelType::Float32) {
        Ok(labels) => labels,
        Err(error) => return assert!(!is_valid, "{error}"),
    };
    assert!(is_valid, "labels of {lines:?}");
    for line in lines {
        assert_eq!(labels.get(line.index).map(bits), Some(bits(&line.labels)));
    }
    let widest = lines.iter().map(|line| line.labels.len()).max();
    assert_eq!(labels.width(), widest.unwrap_or(0));
}

/// Return the bit patterns of labels. Text does not preserve those of NaN.
fn bits(labels: &[f64]) -> Vec<Option<u64>> {
    let bits = |label: &f64| (!label.is_nan()).then(|| label.to_bits());
    labels.iter().map(bits).collect()
}
