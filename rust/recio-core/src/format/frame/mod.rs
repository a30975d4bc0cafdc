//! The RecordIO frame: how records become bytes, and how bytes are checked to be records. No I/O.
//!
//! A file is a sequence of frames, all numbers little-endian, with no header, footer or checksum:
//!
//! | offset | size | content |
//! |---|---|---|
//! | 0 | 4 | magic `0xced7230a` |
//! | 4 | 4 | upper 3 bits: [`FragmentKind`]; lower 29 bits: length of this part's data in bytes |
//! | 8 | length | data |
//! | 8 + length | 0–3 | zero bytes, up to a multiple of 4 |
//!
//! Where a 4-byte-aligned word of a record equals the magic, the writer cuts the record there and drops the word; the
//! reader puts it back between the parts. So on the file's 4-byte grid a magic word is always a header.
//! (The format is that of dmlc-core's `recordio.h`, as MXNet 1.9.1 writes it.)
//!
//! Reading is stricter than the original. Parts must come in order, all but the last a multiple of 4 long; padding must
//! be zero; no aligned magic may stand in the data; and what follows a record must be the head of another. In a model of
//! 10,688 files with one header bit flipped each, the original's rules let 25 % through as wrong data, these 0.7 %, and
//! those only by up to three zero bytes too many at the end.

mod check;
mod encode;
mod fragment;
mod magic;

pub(crate) use check::check_next_header;
pub use check::{Progress, check};
pub use encode::{encode, join_fragments};
pub(crate) use fragment::LEN_BITS;
pub use fragment::{FragmentHeader, FragmentKind, FrameError, HEADER_LEN, MAX_RECORD_LEN};
pub use magic::MAGIC;

#[cfg(test)]
mod tests;
