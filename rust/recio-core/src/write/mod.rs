//! Writing record files and the files beside them.
//!
//! ```text
//! record_writer    records → frames in a sink, with offsets and checksums
//! in_place         a .rec file that has its name while it grows, with .idx and .rsum: MXRecordIO
//! record_output    .rec, .idx and .rsum that get their names together, once complete: im2rec, tools
//! atomic           a file under a temporary name until it is complete
//! sidecar          .idx and .rsum files
//! index_writer     an .idx file that grows with its .rec file
//! append_check     whether files end where they should, before records are appended
//! background_sync  a thread that syncs a file while it is written
//! ```

pub(crate) mod append_check;
pub mod atomic;
mod background_sync;
pub mod file_system;
pub mod in_place;
mod index_writer;
pub mod record_output;
pub mod record_writer;
pub mod sidecar;
mod sticky_error;
