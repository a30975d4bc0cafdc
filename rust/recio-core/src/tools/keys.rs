//! Keys of records.

/// Whether no two keys are equal.
pub(super) fn all_unique(mut keys: Vec<u64>) -> bool {
    keys.sort_unstable();
    keys.is_sorted_by(|a, b| a < b)
}
