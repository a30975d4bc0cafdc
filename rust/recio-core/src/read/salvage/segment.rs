//! The pieces into which a damaged file is divided.

/// A piece of a file. Together, the segments are all of it.
#[derive(Debug)]
pub enum Segment<'b> {
    /// A record with a valid frame.
    Record(SalvagedRecord<'b>),
    /// Bytes that belong to no such record.
    Skipped(SkippedRegion),
}

/// A record with a valid frame.
#[derive(Debug)]
pub struct SalvagedRecord<'b> {
    /// Offset of its first header.
    pub offset: u64,
    /// Its bytes with headers and padding, which the caller may overwrite.
    /// [`frame::join_fragments`](crate::format::frame::join_fragments) turns them into the record.
    pub frame: &'b mut [u8],
}

/// Bytes that belong to no valid record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SkippedRegion {
    /// Offset of the first byte.
    pub begin: u64,
    /// Offset after the last byte.
    pub end: u64,
    /// Why there is no valid record at the beginning.
    pub reason: String,
}

/// A record with a valid frame that is followed by damage, so that its length may be wrong.
#[derive(Debug)]
pub struct UnconfirmedRecord<'b> {
    /// Offset of its first header.
    pub offset: u64,
    /// Its bytes, if its length is right.
    pub frame: &'b [u8],
}
