//! Records of bytes that arrive in pieces: of a pipe, a socket, an object store.

use crate::error::{Error, Result};
use crate::format::content;
use crate::format::frame::{self, FrameError, HEADER_LEN, MAGIC, Progress};
use crate::read::record_file::not_records;

/// Maximum number of bytes requested for a record of which few have arrived: a damaged length may
/// ask for any number.
const CHUNK: usize = 1 << 20;

/// Parser of records, which is fed with bytes.
#[derive(Debug, Default)]
pub struct RecordStream {
    /// Bytes that belong to no record yet.
    bytes: Vec<u8>,
    /// Position of the next record in `bytes`.
    start: usize,
    /// Offset of the next record in the stream.
    offset: u64,
    /// Number of records so far.
    records: u64,
    /// Number of bytes without which the next record is not complete.
    needed: usize,
    has_ended: bool,
}

/// Result of [`RecordStream::parse_next`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Parsed {
    /// A record.
    Record(Vec<u8>),
    /// At least this many more bytes are needed, or the end of the stream.
    NeedsMore(usize),
    /// All records were returned.
    End,
}

impl RecordStream {
    /// Appends bytes.
    pub fn feed(&mut self, bytes: &[u8]) {
        self.bytes.drain(..std::mem::take(&mut self.start));
        self.bytes.extend_from_slice(bytes);
    }

    /// Declares that no more bytes follow.
    pub fn finish(&mut self) {
        self.has_ended = true;
    }

    /// Returns the next record.
    ///
    /// A record is only returned when the header of the next one has arrived, or the end: this is
    /// how a damaged length is noticed.
    ///
    /// # Errors
    /// A [`FrameError`], with number and offset of the record, also at each further call.
    pub fn parse_next(&mut self) -> Result<Parsed> {
        let bytes = &mut self.bytes[self.start..];
        if !self.has_ended && bytes.len() < self.needed.max(HEADER_LEN) {
            return Ok(Parsed::NeedsMore(self.needed.max(HEADER_LEN) - bytes.len()));
        }
        if bytes.is_empty() {
            return Ok(Parsed::End);
        }
        let left = if self.has_ended {
            bytes.len() as u64
        } else {
            u64::MAX
        };
        match frame::check(bytes, left, None) {
            Ok(Progress::Complete(len)) => {
                let range = frame::join_fragments(&mut bytes[..len]);
                let record = bytes[range].to_vec();
                self.start += len;
                self.offset += len as u64;
                self.records += 1;
                self.needed = 0;
                Ok(Parsed::Record(record))
            }
            Ok(Progress::NeedsMore(total)) => {
                let len = bytes.len();
                self.needed = total.min(CHUNK.max(2 * len));
                Ok(Parsed::NeedsMore(self.needed - len))
            }
            Err((at, error)) => Err(self.locate(at, error)),
        }
    }

    fn locate(&self, at: usize, error: FrameError) -> Error {
        let position = self.offset + at as u64;
        let start = &self.bytes[self.start..];
        let is_record = start.starts_with(&MAGIC.to_le_bytes());
        let error = match content::identify(start) {
            Some(content) if position == 0 && !is_record => not_records(content),
            _ => Error::from(error),
        };
        error.at_offset(position).at_record(self.records)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn records() -> Vec<Vec<u8>> {
        let magic = MAGIC.to_le_bytes();
        let split = [&[1; 4][..], &magic, &[2; 8], &magic].concat();
        vec![
            b"one".to_vec(),
            Vec::new(),
            split,
            vec![7; 3 * CHUNK],
            b"end".to_vec(),
        ]
    }

    fn encoded(records: &[Vec<u8>]) -> Vec<u8> {
        let mut bytes = Vec::new();
        for record in records {
            frame::encode(record, &mut bytes).unwrap();
        }
        bytes
    }

    /// Feeds pieces of a length, and returns the records and the error.
    fn parse(bytes: &[u8], piece: usize) -> (Vec<Vec<u8>>, Option<String>) {
        let (mut stream, mut pieces) = (RecordStream::default(), bytes.chunks(piece));
        let mut found = Vec::new();
        loop {
            match stream.parse_next() {
                Ok(Parsed::Record(record)) => found.push(record),
                Ok(Parsed::End) => return (found, None),
                Ok(Parsed::NeedsMore(more)) => {
                    assert!(more > 0);
                    match pieces.next() {
                        Some(piece) => stream.feed(piece),
                        None => stream.finish(),
                    }
                }
                Err(error) => return (found, Some(error.to_string())),
            }
        }
    }

    #[test]
    fn pieces_of_any_length_have_the_same_records() {
        let bytes = encoded(&records());
        for piece in [7, 1000, CHUNK, bytes.len()] {
            assert_eq!(parse(&bytes, piece), (records(), None), "{piece}");
        }
        assert_eq!(parse(&[], 1), (Vec::new(), None));
    }

    #[test]
    fn damage_is_an_error_with_number_and_offset() {
        let mut bytes = encoded(&records());
        bytes.truncate(bytes.len() - 4);
        let (found, error) = parse(&bytes, 4096);
        assert_eq!(found.len(), 4);
        assert!(
            error
                .unwrap()
                .starts_with("record 4 at byte 3145792: a fragment of 3 bytes")
        );
        let (found, error) = parse(b"<html>Not found", 4096);
        assert!(found.is_empty() && error.unwrap().contains("an HTML page, not a record file"));
    }

    #[test]
    fn a_damaged_length_does_not_ask_for_all_bytes_that_it_claims() {
        let mut bytes = encoded(&vec![vec![7; 100]; 50_000]);
        bytes[7] = 0x1f;
        let mut stream = RecordStream::default();
        stream.feed(&bytes[..1000]);
        assert!(stream.parse_next().is_err());
        let mut stream = RecordStream::default();
        stream.feed(&bytes[..100]);
        assert_eq!(stream.parse_next().unwrap(), Parsed::NeedsMore(CHUNK - 100));
    }
}
