//! Writing record files and the files beside them.
//!
//! ```text
//! record_writer    records → frames in a sink, with offsets and checksums
//! file_writer      a .rec file that is written record by record, with sidecars: MXRecordIO
//! in_place         a local one, under its final name while it grows
//! object_writer    one of a store, which appears when it is closed
//! record_output    .rec, .idx and .rsum, which appear when all are complete: im2rec, tools
//! pending_file     a file that appears when it is complete: an atomic file, or an object
//! atomic           a local file under a temporary name, renamed when it is complete
//! sidecar          .idx and .rsum files
//! index_writer     an .idx file that grows with its .rec file
//! append_check     checks of the ends of files, before records are appended
//! file_system      remove, sync, parent folder
//! sticky_error     the first error of a writer, repeated by later writes
//! background_sync  a thread that syncs a file while it is written
//! ```

pub(crate) mod append_check;
pub mod atomic;
mod background_sync;
pub mod file_system;
pub mod file_writer;
pub mod in_place;
mod index_writer;
pub mod object_writer;
pub mod pending_file;
pub mod record_output;
pub mod record_writer;
pub mod sidecar;
mod sticky_error;
