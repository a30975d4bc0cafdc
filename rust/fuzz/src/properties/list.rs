//! Any bytes as a `.lst` file: lines, each read or with words on what is wrong with it, or one
//! error that names the file. A line that was read, written once more, is read as the same. Labels
//! can be loaded if every line is good and no index stands twice, and are then found by it.

use std::collections::HashSet;
use std::fmt::Write;
use std::path::Path;

use recio_core::format::list::Line;
use recio_core::read::list_file::{load_labels, load_lines};

use super::Desk;

/// Checks it.
pub fn check(bytes: &[u8], desk: &mut Desk) {
    let path = desk.lay(bytes);
    match load_lines(path) {
        Err(error) => {
            assert!(str::from_utf8(bytes).is_err(), "{error}");
            assert_eq!(error.position().path.as_deref(), Some(path));
        }
        Ok(lines) => {
            let numbers = lines.iter().map(|(number, _)| *number);
            assert!(numbers.is_sorted_by(|a, b| a < b), "{lines:?}");
            let good: Vec<_> = lines.iter().filter_map(|(_, l)| l.as_ref().ok()).collect();
            good.iter().for_each(|line| check_again(line));
            check_labels(&good, good.len() == lines.len(), path);
        }
    }
}

fn check_again(line: &Line) {
    let mut text = line.index.to_string();
    for label in &line.labels {
        write!(text, "\t{label}").expect("a string takes all");
    }
    write!(text, "\t{}", line.path).expect("a string takes all");
    let again = Line::parse(&text).unwrap_or_else(|error| panic!("{text:?}: {error}"));
    assert_eq!((again.index, &again.path), (line.index, &line.path));
    assert_eq!(bits(&again.labels), bits(&line.labels), "{text:?}");
}

fn check_labels(lines: &[&Line], are_all: bool, path: &Path) {
    let ids: HashSet<_> = lines.iter().map(|line| line.index).collect();
    let is_good = are_all && ids.len() == lines.len();
    let labels = match load_labels(path) {
        Ok(labels) => labels,
        Err(error) => return assert!(!is_good, "{error}"),
    };
    assert!(is_good, "labels of {lines:?}");
    for line in lines {
        assert_eq!(labels.get(line.index).map(bits), Some(bits(&line.labels)));
    }
    let widest = lines.iter().map(|line| line.labels.len()).max();
    assert_eq!(labels.width(), widest.unwrap_or(0));
}

/// As they are in memory, but for what a number that is none carries: text does not tell it.
fn bits(labels: &[f32]) -> Vec<Option<u32>> {
    let bits = |label: &f32| (!label.is_nan()).then(|| label.to_bits());
    labels.iter().map(bits).collect()
}
