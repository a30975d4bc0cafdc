//! All bytes of a file, once, as whole records and what lies between them: how damage is measured, and what is left is saved.
//!
//! Records are checked as strictly as by the readers. Where one is not sound, the walk goes on at the next place where one is:
//! on the file's 4-byte grid a magic word is always a header, so that is exact. Only where bytes were put in or taken out does
//! the grid shift; off it a header counts only if sound records follow one another there, for a payload may hold anything.
//!
//! A record that is whole, but followed by damage, cannot be told by its framing from one whose length is damaged. Whoever
//! walks may know more (an index, a checksum, the end of an image) and is asked ([`Walk::new`]); who does not loses the record
//! rather than invent one.
//!
//! Reading goes ahead in large pieces, and no further than a damaged length is believed: each byte is looked at a few times at
//! most, whatever the file claims.

use crate::error::Result;
use crate::record::file::RecordFile;
use crate::record::frame::{self, FrameError, HEADER_LEN, Header, MAGIC, Progress};

/// Bytes read at a time: they fit a core's cache.
const PIECE: usize = 1 << 20;
/// Sound records that must follow one another where the grid has shifted, unless the file ends.
const CHAIN: usize = 2;
const MAGIC_BYTES: [u8; 4] = MAGIC.to_le_bytes();

/// A part of a file. Together, they are all of it.
#[derive(Debug)]
pub enum Stretch<'b> {
    /// A whole record.
    Record(Whole<'b>),
    /// Bytes that are of no whole record.
    Skipped(Skipped),
}

/// A whole record: where it stands, and its bytes.
#[derive(Debug)]
pub struct Whole<'b> {
    /// The offset of its first header.
    pub offset: u64,
    /// All of it, headers and padding included. [`frame::join`] makes its payload of them.
    pub frames: &'b mut [u8],
}

/// Bytes that are of no whole record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Skipped {
    /// The first of them.
    pub begin: u64,
    /// Where they end.
    pub end: u64,
    /// Why the record that should be at the beginning is not whole.
    pub reason: String,
}

/// A record of which framing alone cannot tell whether it ends where its length says.
#[derive(Debug)]
pub struct Doubtful<'b> {
    /// The offset of its first header.
    pub offset: u64,
    /// Its bytes, if it does.
    pub frames: &'b [u8],
}

/// A walk over a file. `V` is asked whether doubtful records are whole.
#[derive(Debug)]
pub struct Walk<'f, V> {
    file: &'f RecordFile,
    vouches: V,
    /// Where the walk is.
    at: u64,
    /// Bytes of the file from `base` on.
    window: Vec<u8>,
    base: u64,
    have: usize,
}

impl<'f, V: FnMut(Doubtful<'_>) -> bool> Walk<'f, V> {
    /// A walk from the beginning. `vouches` is asked whether a record is whole that is followed by damage.
    pub fn new(file: &'f RecordFile, vouches: V) -> Self {
        Self {
            file,
            vouches,
            at: 0,
            window: Vec::new(),
            base: 0,
            have: 0,
        }
    }

    /// How far it has come, in bytes.
    #[must_use]
    pub fn position(&self) -> u64 {
        self.at
    }

    /// The next part of the file; none at its end.
    ///
    /// # Errors
    /// [`ErrorKind::Io`](crate::error::ErrorKind::Io), or `Corrupt` if the file has become shorter.
    pub fn stretch(&mut self) -> Result<Option<Stretch<'_>>> {
        if self.at == self.file.len() {
            return Ok(None);
        }
        let begin = self.at;
        match self.whole(begin)? {
            Ok(len) => {
                self.at += len as u64;
                let start = (begin - self.base) as usize;
                let frames = &mut self.window[start..start + len];
                Ok(Some(Stretch::Record(Whole {
                    offset: begin,
                    frames,
                })))
            }
            Err(error) => {
                let end = self.resume(begin)?;
                self.at = end;
                Ok(Some(Stretch::Skipped(Skipped {
                    begin,
                    end,
                    reason: error.to_string(),
                })))
            }
        }
    }

    /// The length of the record at `at`, or why there is no whole one.
    fn whole(&mut self, at: u64) -> Result<Result<usize, FrameError>> {
        match self.check(at)? {
            Ok(len) => Ok(Ok(len)),
            Err((len, error @ FrameError::Follow(_))) => {
                let start = (at - self.base) as usize;
                let end = start + len;
                // That the next header has lost its length says nothing against this record.
                let is_met = self.window[end..self.have].starts_with(&MAGIC_BYTES);
                let doubtful = Doubtful {
                    offset: at,
                    frames: &self.window[start..end],
                };
                let is_whole = is_met || (self.vouches)(doubtful);
                Ok(if is_whole { Ok(len) } else { Err(error) })
            }
            Err((_, error)) => Ok(Err(error)),
        }
    }

    /// The length of the sound record at `at`. With an error goes the length that the record has if only what follows it is
    /// wrong.
    fn check(&mut self, at: u64) -> Result<Result<usize, (usize, FrameError)>> {
        let left = self.file.len() - at;
        let mut want = left.min(HEADER_LEN as u64) as usize;
        loop {
            self.ensure(at, want)?;
            let bytes = &self.window[(at - self.base) as usize..self.have];
            match frame::check(bytes, left, None) {
                Ok(Progress::Whole(len)) => return Ok(Ok(len)),
                Err((part, error)) => return Ok(Err((part + part_len(bytes, part), error))),
                Ok(Progress::Needs(more)) => {
                    if let Some(error) = contradicted(bytes) {
                        return Ok(Err((0, error)));
                    }
                    // Not all at once, for a length may be damaged; and then twice as much, for a record of many parts is
                    // checked from its beginning each time.
                    want = more.min(bytes.len().max(PIECE) * 2);
                }
            }
        }
    }

    /// Where a record begins again, after the one at `begin` that is not whole; or the end of the file.
    fn resume(&mut self, begin: u64) -> Result<u64> {
        let len = self.file.len();
        let mut at = begin + 1;
        while len - at >= MAGIC_BYTES.len() as u64 {
            self.ensure(at, MAGIC_BYTES.len())?;
            let bytes = &self.window[(at - self.base) as usize..self.have];
            let Some(found) = memchr::memmem::find(bytes, &MAGIC_BYTES) else {
                // A magic word may lie across the end of what is here.
                at += (bytes.len() - MAGIC_BYTES.len() + 1) as u64;
                continue;
            };
            at += found as u64;
            if self.resumes(begin, at)? {
                return Ok(at);
            }
            at += 1;
        }
        Ok(len)
    }

    /// Whether a record begins at `place`, where a magic word stands.
    fn resumes(&mut self, begin: u64, place: u64) -> Result<bool> {
        if (place - begin).is_multiple_of(4) {
            return Ok(self.whole(place)?.is_ok());
        }
        let mut at = place;
        for _ in 0..CHAIN {
            let Ok(len) = self.check(at)? else {
                return Ok(false);
            };
            at += len as u64;
            if at == self.file.len() {
                break;
            }
        }
        Ok(true)
    }

    /// Has `len` bytes from `at` on in the window, of which `at` and what follows stay.
    fn ensure(&mut self, at: u64, len: usize) -> Result<()> {
        let is_inside = at >= self.base && at - self.base <= self.have as u64;
        if !is_inside {
            (self.base, self.have) = (at, 0);
        }
        let start = (at - self.base) as usize;
        if self.have - start >= len {
            return Ok(());
        }
        self.window.copy_within(start..self.have, 0);
        (self.base, self.have) = (at, self.have - start);
        if self.window.len() < len.max(PIECE) {
            self.window.resize(len.max(PIECE), 0);
        }
        let room = self.file.len() - at;
        let want = (self.window.len() as u64).min(room) as usize;
        let read = self
            .file
            .read_exact(&mut self.window[self.have..want], at + self.have as u64);
        read.map_err(|error| error.at_offset(at).at_path(self.file.path()))?;
        self.have = want;
        Ok(())
    }
}

/// The length of the part whose header stands at `part`, with its header and padding.
fn part_len(bytes: &[u8], part: usize) -> usize {
    let header = bytes.get(part..).and_then(|rest| rest.first_chunk());
    let header = header.and_then(|bytes| Header::parse(*bytes).ok());
    header.map_or(0, |header| HEADER_LEN + header.padded_len())
}

/// What is wrong with the part that goes on beyond these bytes, if they show it: then no more of it need be read.
fn contradicted(bytes: &[u8]) -> Option<FrameError> {
    let mut part = 0;
    while let len @ 1.. = part_len(bytes, part) {
        if part + len > bytes.len() {
            return frame::check_data(&bytes[part + HEADER_LEN..]).err();
        }
        part += len;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    const NEVER: fn(Doubtful<'_>) -> bool = |_| false;

    /// What a walk over these bytes finds: the payloads, and the regions skipped.
    fn walked(
        bytes: &[u8],
        vouches: impl FnMut(Doubtful<'_>) -> bool,
    ) -> (Vec<Vec<u8>>, Vec<Skipped>) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.rec");
        std::fs::write(&path, bytes).unwrap();
        let file = RecordFile::open(&path).unwrap();
        let mut walk = Walk::new(&file, vouches);
        let (mut records, mut skipped, mut at) = (vec![], vec![], 0);
        while let Some(stretch) = walk.stretch().unwrap() {
            match stretch {
                Stretch::Record(whole) => {
                    assert_eq!(whole.offset, at);
                    at += whole.frames.len() as u64;
                    let payload = frame::join(whole.frames);
                    records.push(whole.frames[payload].to_vec());
                }
                Stretch::Skipped(region) => {
                    assert_eq!(region.begin, at);
                    at = region.end;
                    skipped.push(region);
                }
            }
        }
        assert_eq!(at, bytes.len() as u64);
        (records, skipped)
    }

    /// Records of many lengths, some with magic words, and where they begin.
    fn sample() -> (Vec<Vec<u8>>, Vec<u8>, Vec<usize>) {
        let (mut records, mut bytes, mut offsets) = (vec![], vec![], vec![]);
        for n in 0..60usize {
            let mut record = vec![n as u8 + 1; n * 7 % 90];
            if n % 5 == 0 {
                record.extend(MAGIC_BYTES);
                record.extend([7; 3]);
            }
            offsets.push(bytes.len());
            frame::encode(&record, &mut bytes).unwrap();
            records.push(record);
        }
        (records, bytes, offsets)
    }

    #[test]
    fn a_sound_file_is_its_records() {
        let (records, bytes, _) = sample();
        assert_eq!(walked(&bytes, NEVER), (records, vec![]));
        assert_eq!(walked(b"", NEVER), (vec![], vec![]));
    }

    #[test]
    fn damage_costs_the_records_that_it_touches() {
        let (mut records, mut bytes, offsets) = sample();
        bytes[offsets[20] + 9] = 0;
        bytes[offsets[31]..offsets[33] + 2].fill(0xaa);
        // Followed by damage, record 30 needs somebody who knows it.
        let (found, skipped) = walked(&bytes, |doubtful| doubtful.offset == offsets[30] as u64);
        records[20][1] = 0;
        records.drain(31..34);
        assert_eq!(found, records);
        assert_eq!(skipped.len(), 1);
        assert_eq!(
            (skipped[0].begin, skipped[0].end),
            (offsets[31] as u64, offsets[34] as u64)
        );
        assert!(
            skipped[0].reason.starts_with("magic 0xaaaaaaaa"),
            "{}",
            skipped[0].reason
        );
        let (found, skipped) = walked(&bytes, NEVER);
        records.remove(30);
        assert_eq!(found, records);
        assert_eq!(skipped[0].begin, offsets[30] as u64);
    }

    #[test]
    fn a_record_before_a_header_of_damaged_length_is_whole() {
        let (records, mut bytes, offsets) = sample();
        bytes[offsets[12] + 7] |= 0xf0;
        let (found, skipped) = walked(&bytes, NEVER);
        assert_eq!(found.len(), records.len() - 1);
        assert_eq!(skipped[0].begin, offsets[12] as u64);
        assert_eq!(skipped[0].reason, "part flag 7, expected 0 to 3");
    }

    #[test]
    fn records_are_found_where_bytes_were_put_in_or_taken_out() {
        let (records, bytes, offsets) = sample();
        for (at, taken, put) in [(20, 0, 1), (20, 3, 0), (20, 0, 4), (20, 2, 5), (40, 1, 0)] {
            let at = offsets[at] + 10;
            let mut bytes = bytes.clone();
            bytes.splice(at..at + taken, vec![0x55; put]);
            let (found, skipped) = walked(&bytes, NEVER);
            assert!(found.iter().all(|record| records.contains(record)));
            assert!(
                found.len() >= records.len() - 2,
                "{} {skipped:?}",
                found.len()
            );
        }
    }

    #[test]
    fn the_end_that_a_cut_leaves_is_skipped() {
        let (records, bytes, offsets) = sample();
        for cut in offsets[58] + 1..offsets[59] {
            let (found, skipped) = walked(&bytes[..cut], NEVER);
            assert_eq!(found, records[..58]);
            assert_eq!(
                (skipped[0].begin, skipped[0].end),
                (offsets[58] as u64, cut as u64)
            );
        }
    }

    #[test]
    fn lengths_that_lie_do_not_make_the_walk_read_all_again_and_again() {
        let header = Header {
            part: frame::Part::Whole,
            len: 200 << 20,
        };
        let mut bytes = header.to_bytes().repeat(1 << 20);
        bytes.resize(bytes.len() + (210 << 20), 1);
        let start = std::time::Instant::now();
        let (found, skipped) = walked(&bytes, NEVER);
        assert_eq!((found.len(), skipped.len()), (0, 1));
        assert!(start.elapsed().as_secs() < 20, "{:?}", start.elapsed());
    }

    #[test]
    fn a_header_within_a_payload_off_the_grid_counts_for_nothing() {
        let mut inner = b"x".to_vec();
        frame::encode(b"not a record", &mut inner).unwrap();
        inner.extend([9; 30]);
        let mut bytes = Vec::new();
        frame::encode(&inner, &mut bytes).unwrap();
        frame::encode(b"sound", &mut bytes).unwrap();
        bytes[0] = 0;
        let (found, _) = walked(&bytes, NEVER);
        assert_eq!(found, [b"sound".to_vec()]);
    }
}
