//! RecordIO frames: records ⇄ bytes of a `.rec` file.
//!
//! A file is a sequence of frames, without header, footer or checksum. A frame is one fragment, or
//! several if the record is split. All numbers are little-endian:
//!
//! | offset | size | content |
//! |---|---|---|
//! | 0 | 4 | magic `0xced7230a` |
//! | 4 | 4 | upper 3 bits: [`FragmentKind`]; lower 29 bits: length of the data in bytes |
//! | 8 | length | data |
//! | 8 + length | 0–3 | zero bytes, up to a multiple of 4 |
//!
//! Where a 4-byte-aligned word of a record equals the magic, the writer splits the record there and
//! drops the word; the reader inserts it again between the fragments. So a magic word at a multiple
//! of 4 in the file is always a header. (The format is that of dmlc-core's `recordio.h`, as
//! MXNet 1.9.1 writes it.)
//!
//! Reading is stricter than the original. Fragments must be in order, and the length of all but the
//! last a multiple of 4; padding must be zero; no aligned magic word may occur in the data; and a
//! record must be followed by the header of another or by the end of the file. In a model of 10,688
//! files with one header bit flipped each, the original's rules accept 25 % with wrong data, these
//! 0.7 %, and those only with up to three additional zero bytes at the end.

mod check;
mod encode;
mod fragment;
mod magic;

pub(crate) use check::check_next_header;
pub use check::{Progress, check};
pub use encode::{encode, encoded_len, join_fragments, whole};
pub(crate) use fragment::LEN_BITS;
pub use fragment::{FragmentHeader, FragmentKind, FrameError, HEADER_LEN, MAX_RECORD_LEN};
pub use magic::MAGIC;

#[cfg(test)]
mod tests;
