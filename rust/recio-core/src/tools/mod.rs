//! Operations on record files: merge, split, shuffle; verify, repair, info.
//!
//! ```text
//! file.rec ─▶ source_file ──────▶ record_copier            merge, split, shuffle ─▶ CopyReport
//! file.idx                        ├─▶ gather               shuffle
//! file.rsum                       └─▶ block_writer ─▶ write, on another thread
//!
//! file.rec ─▶ read::salvage ─┬──▶ record_check             verify ─▶ VerifyReport
//! file.idx ─▶ sidecars ──────┼──▶ write                    repair ─▶ RepairReport
//! file.rsum                  └──▶ headers                  info   ─▶ Info
//! ```
//!
//! Merge, split and shuffle read records strictly and compare them with their checksums, if there
//! are any. Damage is an error and no file is written, so it is never copied. Records keep their
//! keys. These are those of the `.idx`, which must list all records of its file: of records that it
//! does not list, only the user knows whether they were removed on purpose. Without a `.idx`, the
//! keys are those of a rebuilt index.
//!
//! Face data sets stay face data sets: where records get new keys or labels, the header record and
//! the identity records are written anew, and the file `property` beside the output.
//!
//! Output files are complete, or not written at all. Input files are never changed.

mod block_writer;
mod copy_report;
mod face_check;
mod face_property_file;
mod face_writer;
mod gather;
mod info;
mod keys;
mod merge;
mod overwrite_guard;
mod problem;
mod record_check;
mod record_copier;
mod repair;
mod shuffle;
mod sidecars;
mod source_file;
mod split;
mod verify;

pub use copy_report::CopyReport;
pub use info::{Info, info};
pub use merge::merge;
pub use problem::{Problem, ProblemKind};
pub use repair::{RepairKeys, RepairReport, repair};
pub use shuffle::shuffle;
pub use split::split;
pub use verify::{VerifyOptions, VerifyReport, verify};

#[cfg(test)]
mod tests;
