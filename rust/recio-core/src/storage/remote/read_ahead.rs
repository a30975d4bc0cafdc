//! Reads that follow each other, in blocks that are requested ahead.
//!
//! A reader that goes through an object in small steps would wait for a request at each. After a
//! few steps it is recognized: then blocks are requested, twice as long each time, and the next one
//! while the reader is in the current. Reads elsewhere pass by. Several readers may go through one
//! object at once.

use std::collections::VecDeque;
use std::mem;
use std::ops::Range;
use std::process;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, TryLockError};

use bytes::Bytes;

use super::runtime::Pending;
use crate::error::Result;

/// Number of readers that are followed at once.
const READERS: usize = 4;

/// Number of reads after each other from which a reader is followed.
const MIN_STEPS: u32 = 2;

/// The same for steps with gaps, such as from header to header: all bytes between are requested, so
/// it must be certain.
const MIN_STEPS_WITH_GAPS: u32 = 4;

/// Longest gap.
const MAX_GAP: u64 = 256 << 10;

/// Number of reads elsewhere after which a reader is forgotten: among random reads of a short
/// object, some follow an earlier one by chance.
const MAX_READS_BETWEEN: u64 = 16;

const FIRST_BLOCK: u64 = 256 << 10;
const MAX_BLOCK: u64 = 8 << 20;

/// Starts the request of a range.
pub(super) trait Fetch {
    fn start(&self, range: Range<u64>) -> Result<Pending<Bytes>>;
    fn len(&self) -> u64;
}

/// Readers that go through an object.
#[derive(Debug, Default)]
pub(super) struct ReadAhead {
    /// Number of reads.
    reads: AtomicU64,
    readers: [Mutex<Reader>; READERS],
}

/// Progress of one reader. Each has a lock of its own, which is held while it waits, and which is
/// only tried: a lock that is held during a fork is never released in the child.
#[derive(Debug, Default)]
struct Reader {
    process: u32,
    /// Number of the last read.
    last_read: u64,
    /// Offset after the last read.
    next: u64,
    steps: u32,
    has_gaps: bool,
    blocks: VecDeque<Block>,
}

#[derive(Debug)]
struct Block {
    range: Range<u64>,
    bytes: Bytes,
    /// The request, until its bytes are here.
    pending: Option<Pending<Bytes>>,
}

impl ReadAhead {
    /// Keeps the beginning of an object, which arrived when it was opened.
    pub(super) fn starting_with(beginning: Bytes) -> Self {
        let block = Block {
            range: 0..beginning.len() as u64,
            bytes: beginning,
            pending: None,
        };
        let reader = Reader {
            process: process::id(),
            blocks: VecDeque::from([block]),
            ..Reader::default()
        };
        let mut readers = <[Mutex<Reader>; READERS]>::default();
        readers[0] = Mutex::new(reader);
        Self {
            readers,
            ..Self::default()
        }
    }

    /// Reads as much from blocks as there is, or shall be; returns the number of bytes.
    ///
    /// # Errors
    /// Those of the request of a block.
    pub(super) fn read(&self, bytes: &mut [u8], offset: u64, fetch: &impl Fetch) -> Result<usize> {
        let Some(mut reader) = self.reader_at(offset) else {
            return Ok(0);
        };
        reader.step(offset, bytes.len() as u64);
        let read = reader.read(bytes, offset, fetch);
        if read.is_err() {
            reader.blocks.clear();
            reader.steps = 0;
        }
        read
    }

    /// Returns the reader that is at an offset, or else one that may start there; `None` if all are
    /// busy.
    fn reader_at(&self, offset: u64) -> Option<MutexGuard<'_, Reader>> {
        let now = self.reads.fetch_add(1, Ordering::Relaxed) + 1;
        let mut idle = None;
        for reader in &self.readers {
            let Some(mut reader) = try_lock(reader) else {
                continue;
            };
            reader.forget_other_process();
            if now - reader.last_read > MAX_READS_BETWEEN {
                reader.steps = 0;
            }
            if reader.is_at(offset) {
                reader.last_read = now;
                return Some(reader);
            }
            let is_better = |idle: &MutexGuard<'_, Reader>| reader.rank() < idle.rank();
            if idle.as_ref().is_none_or(is_better) {
                idle = Some(reader);
            }
        }
        idle.as_mut()
            .into_iter()
            .for_each(|reader| reader.last_read = now);
        idle
    }
}

impl Reader {
    /// Requests of another process never arrive here.
    fn forget_other_process(&mut self) {
        if self.process != process::id() {
            mem::forget(mem::take(self));
            self.process = process::id();
        }
    }

    fn is_at(&self, offset: u64) -> bool {
        let is_in_block = self
            .blocks
            .iter()
            .any(|block| block.range.contains(&offset));
        is_in_block || self.steps > 0 && (self.next..=self.next + MAX_GAP).contains(&offset)
    }

    /// Order in which readers are replaced: the oldest, but those that are followed last.
    fn rank(&self) -> (bool, u64) {
        (self.steps > 0 && self.is_sequential(), self.last_read)
    }

    /// Counts a read.
    fn step(&mut self, offset: u64, len: u64) {
        if self.is_at(offset) {
            self.has_gaps |= self.steps > 0 && offset != self.next;
            self.steps += 1;
        } else {
            self.blocks.clear();
            (self.steps, self.has_gaps) = (1, false);
        }
        self.next = offset + len;
    }

    fn is_sequential(&self) -> bool {
        let steps = if self.has_gaps {
            MIN_STEPS_WITH_GAPS
        } else {
            MIN_STEPS
        };
        self.steps > steps
    }

    fn read(&mut self, bytes: &mut [u8], offset: u64, fetch: &impl Fetch) -> Result<usize> {
        let mut done = 0;
        while done < bytes.len() {
            let position = offset + done as u64;
            self.blocks.retain(|block| block.range.end > position);
            if self.is_sequential() {
                self.request(position, fetch)?;
            }
            let Some(block) = self
                .blocks
                .iter_mut()
                .find(|block| block.range.contains(&position))
            else {
                break;
            };
            let available = block.bytes_from(position)?;
            let len = available.len().min(bytes.len() - done);
            bytes[done..done + len].copy_from_slice(&available[..len]);
            done += len;
        }
        Ok(done)
    }

    /// Requests the block at a position, and the one after it.
    fn request(&mut self, position: u64, fetch: &impl Fetch) -> Result<()> {
        while self.blocks.len() < 2 {
            let last = self.blocks.back().map(|block| block.range.clone());
            let (start, len) = match last {
                Some(range) => (range.end, 2 * (range.end - range.start)),
                None => (position, FIRST_BLOCK),
            };
            let end = fetch.len().min(start + len.clamp(FIRST_BLOCK, MAX_BLOCK));
            if start >= end {
                break;
            }
            self.blocks.push_back(Block {
                range: start..end,
                bytes: Bytes::new(),
                pending: Some(fetch.start(start..end)?),
            });
        }
        Ok(())
    }
}

impl Block {
    fn bytes_from(&mut self, position: u64) -> Result<&[u8]> {
        if let Some(pending) = &self.pending {
            self.bytes = pending.wait()?;
            self.pending = None;
        }
        Ok(&self.bytes[(position - self.range.start) as usize..])
    }
}

fn try_lock(reader: &Mutex<Reader>) -> Option<MutexGuard<'_, Reader>> {
    match reader.try_lock() {
        Ok(reader) => Some(reader),
        Err(TryLockError::Poisoned(reader)) => Some(reader.into_inner()),
        Err(TryLockError::WouldBlock) => None,
    }
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use super::*;

    /// Object of which byte `i` is `i % 251`, and the ranges that were requested.
    struct Requests(RefCell<Vec<Range<u64>>>);

    const LEN: u64 = 40 << 20;

    impl Fetch for Requests {
        fn start(&self, range: Range<u64>) -> Result<Pending<Bytes>> {
            self.0.borrow_mut().push(range.clone());
            Pending::start(async move { Ok(range.map(byte).collect()) })
        }

        fn len(&self) -> u64 {
            LEN
        }
    }

    fn byte(position: u64) -> u8 {
        (position % 251) as u8
    }

    /// Reads, and returns how many bytes came from blocks.
    fn read(ahead: &ReadAhead, requests: &Requests, offset: u64, len: usize) -> usize {
        let mut bytes = vec![0; len];
        let read = ahead.read(&mut bytes, offset, requests).unwrap();
        assert!(
            (offset..)
                .zip(&bytes[..read])
                .all(|(position, &got)| got == byte(position))
        );
        read
    }

    #[test]
    fn a_sequential_reader_gets_growing_blocks() {
        let (ahead, requests) = (ReadAhead::default(), Requests(RefCell::default()));
        let step = 100_000;
        let passed_by =
            (0..LEN / step).filter(|i| read(&ahead, &requests, i * step, step as usize) == 0);
        assert_eq!(passed_by.count(), 2);
        let requested = requests.0.into_inner();
        assert!(requested.len() < 15, "{requested:?}");
        assert!(
            requested
                .windows(2)
                .all(|pair| pair[0].end == pair[1].start)
        );
        assert!(
            requested
                .iter()
                .all(|range| range.end - range.start <= MAX_BLOCK)
        );
        assert_eq!(requested.last().unwrap().end, LEN);
    }

    #[test]
    fn random_reads_pass_by() {
        let (ahead, requests) = (ReadAhead::default(), Requests(RefCell::default()));
        for i in 0..10_000_u64 {
            let offset = (i.wrapping_mul(i).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 20) % LEN;
            assert_eq!(read(&ahead, &requests, offset, 1000), 0);
        }
        assert!(requests.0.into_inner().is_empty());
    }

    #[test]
    fn a_reader_of_headers_is_sequential_too() {
        let (ahead, requests) = (ReadAhead::default(), Requests(RefCell::default()));
        let passed_by = (0..1000).filter(|i| read(&ahead, &requests, i * 30_000, 24) == 0);
        assert_eq!(passed_by.count(), 4);
        assert!(requests.0.into_inner().len() < 12);
    }

    #[test]
    fn readers_at_several_offsets_are_followed() {
        let (ahead, requests) = (ReadAhead::default(), Requests(RefCell::default()));
        let mut passed_by = 0;
        for i in 0..100 {
            for start in [0, LEN / 4, LEN / 2] {
                passed_by += u64::from(read(&ahead, &requests, start + i * 10_000, 10_000) == 0);
            }
            read(
                &ahead,
                &requests,
                31 * 1_000_000 + i * 999_983 % 8_000_000,
                10,
            );
        }
        assert_eq!(passed_by, 6);
    }

    #[test]
    fn the_beginning_is_read_without_a_request() {
        let beginning = (0..1000).map(byte).collect();
        let (ahead, requests) = (
            ReadAhead::starting_with(beginning),
            Requests(RefCell::default()),
        );
        assert_eq!(read(&ahead, &requests, 0, 8), 8);
        assert_eq!(read(&ahead, &requests, 990, 20), 10);
        assert!(requests.0.into_inner().is_empty());
    }
}
