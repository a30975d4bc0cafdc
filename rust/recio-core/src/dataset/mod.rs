//! Data sets: samples by number, from record files or from image files.
//!
//! ```text
//! record_set       several .rec files as one sequence of records
//! offsets          offsets of records, in 4 bytes each
//! record_offsets   offsets of their records
//! index_beside     the index beside a record file, where the caller names none
//! image_files      image files of a list
//! id_index         numbers of records by id
//! source           samples of a record set or of image files
//! shard            ranges of a data set, one for each rank
//! detection_label  labels ⇄ bounding boxes
//! box_check        boxes that look like pixels or sizes
//! ```

pub mod box_check;
pub mod detection_label;
pub mod id_index;
pub mod image_files;
mod index_beside;
mod offsets;
mod record_offsets;
pub mod record_set;
pub mod shard;
pub mod source;
