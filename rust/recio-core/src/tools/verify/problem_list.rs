//! The problems that all threads of verify find.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::tools::problem::{Problem, ProblemKind};

/// Number of problems that are listed; further ones are only counted.
const MAX_LISTED: usize = 100_000;

/// A list of problems that threads share.
pub(super) struct ProblemList(Mutex<State>);

#[derive(Default)]
struct State {
    /// Records without the header of an image record, which may be no problem at all: they are
    /// listed apart, so that they do not displace others.
    headers: Vec<Problem>,
    others: Vec<Problem>,
    counts: BTreeMap<ProblemKind, u64>,
}

impl State {
    fn add(&mut self, problem: Problem) {
        *self.counts.entry(problem.kind).or_default() += 1;
        let list = match problem.kind {
            ProblemKind::Header => &mut self.headers,
            _ => &mut self.others,
        };
        if list.len() < MAX_LISTED {
            list.push(problem);
        }
    }
}

impl ProblemList {
    /// Creates a list that begins with these problems.
    pub(super) fn new(problems: Vec<Problem>) -> Self {
        let list = Self(Mutex::default());
        list.extend(problems);
        list
    }

    pub(super) fn extend(&self, problems: impl IntoIterator<Item = Problem>) {
        for problem in problems {
            self.lock().add(problem);
        }
    }

    /// Returns the problems in the order of the file, and the number of all problems of each kind.
    pub(super) fn into_sorted(self, records: u64) -> (Vec<Problem>, BTreeMap<ProblemKind, u64>) {
        let state = self.0.into_inner().unwrap_or_else(PoisonError::into_inner);
        let State {
            headers,
            others: mut problems,
            mut counts,
        } = state;
        if counts.get(&ProblemKind::Header) == Some(&records) {
            // No record has a header: they are no image records, and need none.
            counts.remove(&ProblemKind::Header);
        } else {
            problems.extend(headers);
        }
        problems.sort_by_key(|problem| (problem.offset, problem.kind));
        problems.truncate(MAX_LISTED);
        (problems, counts)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(kinds: &[(ProblemKind, usize)]) -> ProblemList {
        let list = ProblemList::new(Vec::new());
        for &(kind, count) in kinds {
            list.extend((0..count).map(|_| Problem::of_file(kind, String::new())));
        }
        list
    }

    #[test]
    fn any_number_of_records_without_headers_is_no_problem() {
        for records in [0, 1, MAX_LISTED, MAX_LISTED + 1] {
            let (problems, counts) =
                list(&[(ProblemKind::Header, records)]).into_sorted(records as u64);
            assert!(problems.is_empty() && counts.is_empty(), "{records}");
        }
    }

    #[test]
    fn problems_beyond_the_list_are_counted() {
        let headers = MAX_LISTED + 5;
        let list = list(&[(ProblemKind::Header, headers), (ProblemKind::Image, 3)]);
        let (problems, counts) = list.into_sorted(headers as u64 + 1);
        assert_eq!(problems.len(), MAX_LISTED);
        let expected = [
            (ProblemKind::Header, headers as u64),
            (ProblemKind::Image, 3),
        ];
        assert_eq!(counts, BTreeMap::from(expected));
    }
}
