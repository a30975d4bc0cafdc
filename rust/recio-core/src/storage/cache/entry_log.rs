//! Format of the log of a cached object: which blocks its data file has.
//!
//! Little-endian. The log only grows: each process appends the entries of the blocks that it has
//! written, with one system call for those that follow each other.
//!
//! | size | content |
//! |---|---|
//! | 8 | `RECIOCA1` |
//! | 8 | length of the object |
//! | 4 | length of the text |
//! | n | text: URL without credentials, line feed, identity |
//! | 4 | CRC32C of everything before it |
//! | 12 · entries | per block: number (4), CRC32C of its bytes (4), CRC32C of the entry (4) |

use super::cached_file::ObjectKey;

const MAGIC: &[u8; 8] = b"RECIOCA1";

/// Bytes of an entry.
pub(super) const ENTRY_LEN: usize = 12;

/// A block that the data file has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) block: u32,
    /// CRC32C of the bytes.
    pub(super) crc: u32,
}

impl Entry {
    pub(super) fn to_bytes(self) -> [u8; ENTRY_LEN] {
        let mut bytes = [0; ENTRY_LEN];
        bytes[..4].copy_from_slice(&self.block.to_le_bytes());
        bytes[4..8].copy_from_slice(&self.crc.to_le_bytes());
        let check = crc32c::crc32c(&bytes[..8]);
        bytes[8..].copy_from_slice(&check.to_le_bytes());
        bytes
    }

    /// Parses an entry; `None` if it is damaged.
    pub(super) fn parse(bytes: &[u8; ENTRY_LEN]) -> Option<Self> {
        let number = |at: usize| u32::from_le_bytes(bytes[at..at + 4].try_into().expect("4 bytes"));
        let is_valid = crc32c::crc32c(&bytes[..8]) == number(8);
        is_valid.then(|| Self {
            block: number(0),
            crc: number(4),
        })
    }
}

/// Returns the header of the log of an object.
pub(super) fn header(key: &ObjectKey) -> Vec<u8> {
    let text = format!("{}\n{}", key.url, key.identity);
    let mut bytes = MAGIC.to_vec();
    bytes.extend(key.len.to_le_bytes());
    bytes.extend((text.len() as u32).to_le_bytes());
    bytes.extend(text.as_bytes());
    bytes.extend(crc32c::crc32c(&bytes).to_le_bytes());
    bytes
}

/// Parses entries up to the first that is damaged or incomplete.
pub(super) fn parse_entries(bytes: &[u8]) -> Vec<Entry> {
    let (entries, _) = bytes.as_chunks::<ENTRY_LEN>();
    entries.iter().map_while(Entry::parse).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_are_read_up_to_the_first_that_is_damaged() {
        let entry = |block| Entry { block, crc: 9 };
        let blocks = [0, 1 << 20, u32::MAX];
        let mut bytes: Vec<u8> = blocks
            .iter()
            .flat_map(|&block| entry(block).to_bytes())
            .collect();
        assert_eq!(parse_entries(&bytes), blocks.map(entry));
        assert_eq!(parse_entries(&bytes[..35]).len(), 2);
        bytes[13] ^= 1;
        assert_eq!(parse_entries(&bytes), [entry(0)]);
    }
}
