//! Operations on files of records: merge, split, shuffle; verify, repair, info.
//!
//! A record that is copied is read as strictly as any, and against its checksum where there is one, so damage is never
//! carried into a new file: it is an error, and no file is written. Keys go with their records. They are those of the
//! `.idx` beside a file, which must then list all of its records: where it lists some, nobody but the user knows whether
//! the others are to be kept or were taken out on purpose. A file without one has the keys that a rebuilt index has.
//!
//! ```text
//! file.rec ─▶ read::salvage ─▶ records ─▶ verify: checksum, header, image, in parallel    ─▶ problems
//! file.idx ─▶ sidecars         skipped    repair: records into another file              ─▶ regions skipped
//! file.rsum                               info: ids, labels, formats, sizes              ─▶ a summary
//! ```
//!
//! What is written goes through [`write`](crate::write): whole files, or none. Nothing is changed of the file that is
//! read.

mod info;
mod merge;
mod overwrite_guard;
mod record_check;
mod record_copier;
mod repair;
mod shuffle;
mod sidecars;
mod source;
mod split;
mod verify;

pub use info::{Info, info};
pub use merge::{Merged, merge};
pub use repair::{Keys, Repaired, repair};
pub use shuffle::shuffle;
pub use split::split;
pub use verify::{Options, Report, verify};

/// What is wrong at a place of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// In which respect.
    pub kind: Kind,
    /// What it is.
    pub reason: String,
    /// The record's ordinal among the whole ones, from 0.
    pub record: Option<u64>,
    /// Its id.
    pub id: Option<u64>,
    /// Where it begins, in bytes.
    pub offset: Option<u64>,
    /// Where it ends.
    pub end: Option<u64>,
}

/// In which respect something is wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// Bytes that are of no whole record.
    Framing,
    /// The index does not fit the file.
    Index,
    /// The bytes are not those that the checksums were made of.
    Checksum,
    /// A record's header.
    Header,
    /// Its image.
    Image,
}

impl Kind {
    /// Its name in lower case.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Framing => "framing",
            Self::Index => "index",
            Self::Checksum => "checksum",
            Self::Header => "header",
            Self::Image => "image",
        }
    }
}

/// A file that was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Written {
    /// The number of its records.
    pub records: usize,
    /// Its length in bytes.
    pub bytes: u64,
}

impl From<&crate::write::record_output::RecordOutput> for Written {
    fn from(output: &crate::write::record_output::RecordOutput) -> Self {
        Self {
            records: output.records(),
            bytes: output.bytes(),
        }
    }
}

#[cfg(test)]
mod tests;
