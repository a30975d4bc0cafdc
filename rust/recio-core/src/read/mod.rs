//! Record readers.
//!
//! ```text
//! record_file   positioned reads     one record at an offset, strictly checked
//! sequential    one record after another
//! scan          the offsets of a file, from header to header
//! header        headers and labels without images
//! header_table  the headers and labels of many records, without their images
//! sidecar       .idx and .rsum files
//! list_file     .lst files
//! salvage       all bytes of a damaged file: its sound records, and the regions between them
//! ```

pub mod header;
pub mod header_table;
pub mod list_file;
pub mod record_file;
pub mod salvage;
pub mod scan;
pub mod sequential;
pub mod sidecar;
