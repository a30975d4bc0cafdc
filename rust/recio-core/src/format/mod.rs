//! File formats: bytes ⇄ values, without files.
//!
//! ```text
//! frame         .rec: frames of records
//! image_header  the beginning of an image record (IRHeader)
//! index         .idx: key → offset
//! list          .lst: index, labels, path
//! label         labels as text, and the numbers that their type represents
//! checksum      .rsum: offset → CRC32C of a record's frame
//! content       what another file is, by its first bytes
//! ```

pub mod checksum;
pub mod content;
pub mod frame;
pub mod image_header;
pub mod index;
pub mod label;
pub mod list;
