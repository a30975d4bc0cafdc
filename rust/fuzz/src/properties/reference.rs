//! Reference implementation of RecordIO: the rules of the format one after another, on bytes in
//! memory, independent of recio-core's reader.

/// Magic number at the start of every frame.
pub const MAGIC: [u8; 4] = [0x0a, 0x23, 0xd7, 0xce];

/// Bytes of the magic number and the length word.
const HEADER_LEN: usize = 8;

/// Record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReferenceRecord {
    /// Position of its first frame.
    pub offset: usize,
    /// Position after its last padding.
    pub end: usize,
    /// Payload.
    pub payload: Vec<u8>,
}

/// Return the records up to the end or the first violation, and whether the end was reached.
pub fn records(file: &[u8]) -> (Vec<ReferenceRecord>, bool) {
    let (mut records, mut position): (Vec<ReferenceRecord>, _) = (Vec::new(), 0);
    while position < file.len() {
        let Some(record) = record(file, position, None) else {
            return (records, false);
        };
        position = record.end;
        records.push(record);
    }
    (records, true)
}

/// Return the record at `offset`, if it is valid. `next` is the position of the next record
/// according to an index; the bytes after a record that ends there are not checked.
pub fn record(file: &[u8], offset: usize, next: Option<u64>) -> Option<ReferenceRecord> {
    let (mut payload, mut position) = (Vec::new(), offset);
    loop {
        let (flag, len) = header(file.get(position..)?)?;
        let (is_first, is_last) = (matches!(flag, 0 | 1), matches!(flag, 0 | 3));
        if is_first != (position == offset) || !(is_last || len.is_multiple_of(4)) {
            return None;
        }
        if !is_first {
            payload.extend(MAGIC);
        }
        let (data, rest) = file[position + HEADER_LEN..].split_at_checked(len)?;
        let padding = rest.get(..len.next_multiple_of(4) - len)?;
        if data.chunks_exact(4).any(|word| word == MAGIC) || padding.iter().any(|&byte| byte != 0) {
            return None;
        }
        payload.extend(data);
        position += HEADER_LEN + len + padding.len();
        if is_last {
            break;
        }
    }
    let is_valid = next == Some(position as u64) || may_follow(&file[position..]);
    is_valid.then_some(ReferenceRecord {
        offset,
        end: position,
        payload,
    })
}

/// Parse the flag and the length of a frame.
fn header(bytes: &[u8]) -> Option<(u32, usize)> {
    let word = u32::from_le_bytes(*bytes.strip_prefix(&MAGIC)?.first_chunk()?);
    (word >> 29 <= 3).then_some((word >> 29, (word & 0x1fff_ffff) as usize))
}

/// Whether these bytes may follow a record: nothing, or the start of another record.
fn may_follow(rest: &[u8]) -> bool {
    if rest.len() < HEADER_LEN {
        let magic = rest.len().min(MAGIC.len());
        return rest[..magic] == MAGIC[..magic];
    }
    matches!(header(rest), Some((0 | 1, _)))
}
