//! The problems that all threads of verify find.

use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::tools::problem::{Problem, ProblemKind};

/// Number of problems that are listed; further ones are only counted.
const MAX_LISTED: usize = 100_000;

/// A list of problems that threads share.
pub(super) struct ProblemList(Mutex<State>);

struct State {
    listed: Vec<Problem>,
    total: u64,
}

impl ProblemList {
    /// Creates a list that begins with these problems.
    pub(super) fn new(problems: Vec<Problem>) -> Self {
        let total = problems.len() as u64;
        Self(Mutex::new(State {
            listed: problems,
            total,
        }))
    }

    pub(super) fn extend(&self, problems: impl IntoIterator<Item = Problem>) {
        for problem in problems {
            let mut state = self.lock();
            state.total += 1;
            if state.listed.len() < MAX_LISTED {
                state.listed.push(problem);
            }
        }
    }

    /// Returns the problems in the order of the file, and the number of all problems.
    pub(super) fn into_sorted(self, records: u64) -> (Vec<Problem>, u64) {
        let state = self.0.into_inner().unwrap_or_else(PoisonError::into_inner);
        let (mut problems, mut total) = (state.listed, state.total);
        let is_header = |problem: &Problem| problem.kind == ProblemKind::Header;
        let headers = problems.iter().filter(|problem| is_header(problem)).count() as u64;
        if headers == records {
            // No record has a header: they are no image records, and need none.
            problems.retain(|problem| !is_header(problem));
            total -= headers;
        }
        problems.sort_by_key(|problem| (problem.offset, problem.kind));
        (problems, total)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
