//! RecordIO once more: its rules one after another, on bytes in memory, written without a look at
//! recio-core's reader.

/// Begins every part of a record.
pub const MAGIC: [u8; 4] = [0x0a, 0x23, 0xd7, 0xce];

/// Bytes of the magic and the length word.
const HEAD: usize = 8;

/// A record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// Where its first header stands.
    pub offset: usize,
    /// Where its last padding ends.
    pub end: usize,
    /// Its bytes.
    pub payload: Vec<u8>,
}

/// The records from the beginning, up to the end or to the first rule that is broken; and whether
/// that is the end.
pub fn records(file: &[u8]) -> (Vec<Found>, bool) {
    let (mut found, mut at): (Vec<Found>, _) = (Vec::new(), 0);
    while at < file.len() {
        let Some(record) = record(file, at, None) else {
            return (found, false);
        };
        at = record.end;
        found.push(record);
    }
    (found, true)
}

/// The record at `offset`, if all rules are kept. `next` is where an index says that another one
/// begins: of a record that ends there, nobody asks what follows.
pub fn record(file: &[u8], offset: usize, next: Option<u64>) -> Option<Found> {
    let (mut payload, mut at) = (Vec::new(), offset);
    loop {
        let (flag, len) = head(file.get(at..)?)?;
        let (is_first, is_last) = (matches!(flag, 0 | 1), matches!(flag, 0 | 3));
        if is_first != (at == offset) || !(is_last || len.is_multiple_of(4)) {
            return None;
        }
        if !is_first {
            payload.extend(MAGIC);
        }
        let (data, rest) = file[at + HEAD..].split_at_checked(len)?;
        let padding = rest.get(..len.next_multiple_of(4) - len)?;
        if data.chunks_exact(4).any(|word| word == MAGIC) || padding.iter().any(|&byte| byte != 0) {
            return None;
        }
        payload.extend(data);
        at += HEAD + len + padding.len();
        if is_last {
            break;
        }
    }
    let is_sound = next == Some(at as u64) || may_follow(&file[at..]);
    is_sound.then_some(Found {
        offset,
        end: at,
        payload,
    })
}

/// The flag and the length of a header.
fn head(bytes: &[u8]) -> Option<(u32, usize)> {
    let word = u32::from_le_bytes(*bytes.strip_prefix(&MAGIC)?.first_chunk()?);
    (word >> 29 <= 3).then_some((word >> 29, (word & 0x1fff_ffff) as usize))
}

/// Whether these bytes are those of a file behind a record: none, or the beginning of another.
fn may_follow(rest: &[u8]) -> bool {
    if rest.len() < HEAD {
        let magic = rest.len().min(MAGIC.len());
        return rest[..magic] == MAGIC[..magic];
    }
    matches!(head(rest), Some((0 | 1, _)))
}
