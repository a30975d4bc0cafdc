//! Records copied into new files, byte for byte: merge, split, shuffle.
//!
//! A record that is copied is read as strictly as any, and against its checksum where there is one, so damage is never
//! carried into a new file: it is an error, and no file is written. Keys go with their records. They are those of the
//! `.idx` beside a file, which must then list all of its records: where it lists some, nobody but the user knows whether
//! the others are to be kept or were taken out on purpose. A file without one has the keys that a rebuilt index has.
//!
//! What is written goes through [`output`](crate::output): whole files, or none. Nothing is known here of what is in a
//! record.

mod course;
mod merge;
mod places;
mod shuffle;
mod source;
mod split;

pub use course::Progress;
pub use merge::{Merged, merge};
pub use shuffle::shuffle;
pub use split::split;

/// A file that was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Written {
    /// The number of its records.
    pub records: usize,
    /// Its length in bytes.
    pub bytes: u64,
}

impl From<&crate::output::Output> for Written {
    fn from(output: &crate::output::Output) -> Self {
        Self {
            records: output.records(),
            bytes: output.bytes(),
        }
    }
}

#[cfg(test)]
mod tests;
