//! One pass over all bytes of a file that may be damaged: its records, and the regions between
//! them.
//!
//! ```text
//! window ◀─ scanner ◀─ boundary ◀─ reader ─▶ segment   complete_image
//! bytes     records at  heuristics  segments            confirms the length of a record
//!           an offset
//! ```
//!
//! Every byte belongs to a record or to a skipped region, so their lengths add up to that of the
//! file. A record must have a frame that is valid by the rules of [`frame`](crate::format::frame),
//! and its end must be confirmed by what follows: the header of another record, the end of the
//! file, or the offset at which the `.rsum` or the `.idx` lists the next record. If what follows is
//! damaged, the caller is asked, who may know more (a checksum, the end of an image); else the
//! record is kept unless something contradicts its length (`boundary`).
//!
//! After damage, reading continues at the next magic word that begins a valid record. At offsets
//! that are aligned with the records before, a magic word is always a header. At other offsets,
//! where bytes were inserted or removed, it may also be part of a payload; so it must begin several
//! valid records in a row, or valid records up to the end of the file. A payload that is itself a
//! RecordIO file can deceive that, if the header before it is damaged.
//!
//! The contents of records are not checked: damage that leaves the frames valid is found by
//! checksums and decoders.
//!
//! Reads are large, and a damaged length is not trusted: each byte is looked at a few times at
//! most, whatever the file claims.

mod boundary;
mod complete_image;
mod reader;
mod scanner;
mod segment;
mod window;

pub use complete_image::has_complete_image;
pub use reader::SalvageReader;
pub use segment::{SalvagedRecord, Segment, SkippedRegion, UnconfirmedRecord};

#[cfg(test)]
mod tests;
