//! Bytes on disk ⇄ records: the first stage of the flow.
//!
//! ```text
//! frame    bytes ⇄ frames           the format itself; no I/O
//! header   payload ⇄ IRHeader       what image records begin with
//! file     positioned reads         one record at an offset, strictly checked
//! reader   one record after another
//! writer   records → a file
//! checksum .rsum: offset → CRC of a record's bytes
//! scan     the offsets of a file    by hopping from header to header
//! headers  the labels of many       without their images
//! walk     all bytes of a file       whole records, damage and all
//! index    .idx: key → offset
//! list     .lst: index, labels, path
//! root     the folder that a list's paths must not leave
//! loose    image files that a list names, in place of records
//! set      several .rec files as one numbered sequence
//! by_id    the numbers of its records by their ids
//! ```
//!
//! Nothing here knows what is in an image.

pub mod by_id;
pub mod checksum;
pub mod file;
pub mod frame;
pub mod header;
pub mod headers;
pub mod index;
pub mod list;
pub mod loose;
pub mod reader;
pub mod root;
pub mod scan;
pub mod set;
pub mod walk;
pub mod writer;
