//! Formats: bytes ⇄ values.
//!
//! ```text
//! frame         bytes ⇄ frames       record framing
//! image_header  payload ⇄ IRHeader   the header of an image record
//! index         .idx: key → offset
//! list          .lst: index, labels, path
//! checksum      .rsum: offset → CRC of a record's bytes
//! ```

pub mod checksum;
pub mod frame;
pub mod image_header;
pub mod index;
pub mod list;
