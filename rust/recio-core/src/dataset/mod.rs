//! Data sets: samples by number, from record files or from image files.
//!
//! ```text
//! record_set       several .rec files as one numbered sequence
//! image_files      image files that a list names
//! id_index         the numbers of records by their ids
//! source           samples, from either
//! detection_label  labels ⇄ objects
//! ```

pub mod detection_label;
pub mod id_index;
pub mod image_files;
mod record_offsets;
pub mod record_set;
pub mod shard;
pub mod source;
