//! Recognizes the records of a `.rsum`, also where they have moved.

use std::collections::HashSet;

use crate::format::checksum::{self, Checksums};

/// Compares records with the checksums of a file.
pub(super) struct ChecksumMatcher<'a> {
    checksums: &'a Checksums,
    /// CRC and length of each record. Built at the first record that does not match the checksum at
    /// its offset, as if bytes before it were inserted or removed.
    at_any_offset: Option<HashSet<(u32, u64)>>,
}

impl<'a> ChecksumMatcher<'a> {
    pub(super) fn new(checksums: &'a Checksums) -> Self {
        Self {
            checksums,
            at_any_offset: None,
        }
    }

    /// Whether the frame at `offset` matches the checksum of a record, at this or another offset.
    pub(super) fn matches(&mut self, offset: u64, frame: &[u8]) -> bool {
        let (checksums, crc) = (self.checksums, checksum::crc(frame));
        if checksums.get(offset).is_some_and(|entry| entry.crc == crc) {
            return true;
        }
        let at_any_offset = self.at_any_offset.get_or_insert_with(|| {
            let entries = checksums.entries();
            entries
                .map(|entry| (entry.crc, entry.end - entry.offset))
                .collect()
        });
        at_any_offset.contains(&(crc, frame.len() as u64))
    }
}
