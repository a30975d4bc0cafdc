//! Readers of record files, and of the files beside them.
//!
//! ```text
//! record_file   the record at an offset, by positioned reads
//! sequential    one record after another
//! stream        records of bytes that arrive in pieces
//! scan          offsets of all records, without reading the images
//! header        header and labels of one record, without the image
//! header_table  headers and labels of many records
//! face_property  the file property of a face data set
//! face_set      layout of face data sets: images and identity records
//! file_checksum  checksum of all bytes of a file
//! salvage       records of a damaged file, and the regions between them
//! sidecar       .idx and .rsum files
//! list_file     .lst files
//! parallel      opening many objects at once
//! window        small reads, served by larger ones
//! ```

pub mod face_property;
pub mod face_set;
pub mod file_checksum;
pub mod header;
pub mod header_table;
pub mod list_file;
pub(crate) mod parallel;
pub mod record_file;
pub mod salvage;
pub mod scan;
pub mod sequential;
pub mod sidecar;
pub mod stream;
mod window;
