//! File formats: bytes ⇄ values, without files.
//!
//! ```text
//! frame         .rec: frames of records
//! image_header  the beginning of an image record (IRHeader)
//! index         .idx: key → offset
//! list          .lst: index, labels, path
//! checksum      .rsum: offset → CRC32C of a record's frame
//! ```

pub mod checksum;
pub mod frame;
pub mod image_header;
pub mod index;
pub mod list;
