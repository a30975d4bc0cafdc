//! Report of the skipped samples, for the consumer.

use std::collections::HashSet;
use std::sync::Arc;

use crate::error::Error;

/// The samples skipped on the way to what the consumer received.
#[derive(Debug, Default)]
pub(super) struct SkipReport {
    samples: HashSet<usize>,
    /// Errors that the consumer has not taken yet.
    new: Vec<Arc<Error>>,
}

impl SkipReport {
    /// A report that begins with damage found when the files were opened.
    pub(super) fn new(damage: Vec<Error>) -> Self {
        Self {
            samples: HashSet::new(),
            new: damage.into_iter().map(Arc::new).collect(),
        }
    }

    /// Adds the samples that are not in the report yet.
    pub(super) fn add(&mut self, skipped: &[usize], reason: impl Fn(usize) -> Option<Arc<Error>>) {
        for &sample in skipped {
            if self.samples.insert(sample) {
                self.new.extend(reason(sample));
            }
        }
    }

    /// Adds errors of samples that are not from the files.
    pub(super) fn extend(&mut self, errors: Vec<Arc<Error>>) {
        self.new.extend(errors);
    }

    /// Takes the new errors.
    pub(super) fn take(&mut self) -> Vec<Arc<Error>> {
        std::mem::take(&mut self.new)
    }
}
