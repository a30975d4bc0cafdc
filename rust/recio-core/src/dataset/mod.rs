//! Data sets: samples by number, from record files or from image files.
//!
//! ```text
//! record_set       several .rec files as one numbered sequence
//! image_files      image files that a list names
//! by_id            the numbers of records by their ids
//! source           samples, from either
//! detection_label  labels ⇄ objects
//! ```

pub mod by_id;
pub mod detection_label;
pub mod image_files;
pub mod record_set;
pub mod source;
