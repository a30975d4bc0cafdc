//! Table of the samples that are read ahead: those that wait for a reader, are being read, or are
//! loaded.

use std::collections::{HashMap, VecDeque};
use std::ops::Range;
use std::sync::Arc;
use std::thread::Thread;

use super::walk::Key;
use crate::error::Result;

/// Bytes of a buffer that is kept for later, at most.
const MAX_SPARE_BYTES: usize = 4 << 20;

/// Bytes that are read at first for a sample.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::loader) struct FirstRead {
    /// Their number.
    pub(in crate::loader) len: usize,
    /// Their range in the concatenation of the record files, if they are all of the record.
    pub(in crate::loader) range: Option<Range<u64>>,
}

/// Bytes of a sample that were read ahead.
#[derive(Debug)]
pub(in crate::loader) struct Loaded {
    pub(in crate::loader) record: Bytes,
    /// The number of its mask, and the bytes of that.
    pub(in crate::loader) mask: Option<(usize, Bytes)>,
}

/// Bytes of one record.
#[derive(Debug)]
pub(in crate::loader) enum Bytes {
    /// The first bytes of a buffer.
    First(Vec<u8>, usize),
    /// Some of the bytes of several records.
    Shared(Arc<Vec<u8>>, Range<usize>),
}

/// A sample to be read, or several that are neighbors in a file.
#[derive(Debug)]
pub(super) struct Job {
    pub(super) samples: Vec<JobSample>,
    /// Bytes that are counted for it.
    pub(super) bytes: usize,
}

#[derive(Debug)]
pub(super) struct JobSample {
    pub(super) key: Key,
    number: u64,
    pub(super) first: FirstRead,
}

/// Answer to a thread that needs a sample.
pub(super) enum Found {
    /// It was read.
    Loaded(Result<Loaded>),
    /// It is being read: the thread is woken when it is loaded.
    Pending,
    /// The thread has to read it.
    Nothing,
}

#[derive(Debug)]
struct Entry {
    /// Number of the entry: another one of the same sample has another number.
    number: u64,
    /// Whether the walk has come to it since it started.
    is_current: bool,
    state: State,
}

#[derive(Debug)]
enum State {
    Waiting,
    /// The threads are those that need it. Two may: a sample fills the last batch of its epoch too.
    Reading(Vec<Thread>),
    /// The number is that of the bytes that are counted for it.
    Loaded(Result<Loaded>, usize),
}

/// The table.
#[derive(Debug)]
pub(super) struct Table {
    entries: HashMap<Key, Entry>,
    /// Those that wait for a reader, in order. Some may be gone.
    waiting: VecDeque<JobSample>,
    next_number: u64,
    /// Entries that the walk has come to since it started.
    current: usize,
    /// Bytes of the samples that are being read or are loaded.
    bytes: usize,
    max_bytes: usize,
    /// Buffers for later, and their bytes.
    spare: Vec<Vec<u8>>,
    spare_bytes: usize,
    /// Buffers that were taken and not kept since.
    lent: usize,
}

impl Table {
    pub(super) fn new(max_bytes: usize) -> Self {
        Self {
            entries: HashMap::new(),
            waiting: VecDeque::new(),
            next_number: 0,
            current: 0,
            bytes: 0,
            max_bytes,
            spare: Vec::new(),
            spare_bytes: 0,
            lent: 0,
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Number of samples that the walk has come to.
    pub(super) fn len(&self) -> usize {
        self.current
    }

    /// Adds a sample, unless it is there already.
    pub(super) fn add(&mut self, key: Key, first: FirstRead) {
        if let Some(entry) = self.entries.get_mut(&key) {
            self.current += usize::from(!entry.is_current);
            entry.is_current = true;
            return;
        }
        if first.len > self.max_bytes {
            return;
        }
        let number = self.next_number;
        self.next_number += 1;
        self.current += 1;
        let entry = Entry {
            number,
            is_current: true,
            state: State::Waiting,
        };
        self.entries.insert(key, entry);
        self.waiting.push_back(JobSample { key, number, first });
    }

    /// Takes the next sample that waits for a reader, and those after it that `joins` them in one
    /// read; none if there is none, or no room for its bytes.
    pub(super) fn begin(
        &mut self,
        joins: impl Fn(&[JobSample], &FirstRead) -> bool,
    ) -> Option<Job> {
        self.drop_gone();
        let len = self.waiting.front()?.first.len;
        if self.bytes + len > self.max_bytes {
            self.drop_old();
        }
        let mut bytes = 0;
        let mut samples = Vec::new();
        while let Some(next) = self.waiting.front() {
            let len = next.first.len;
            let is_first = samples.is_empty();
            if self.bytes + bytes + len > self.max_bytes
                || !is_first && !joins(&samples, &next.first)
            {
                break;
            }
            bytes += len;
            let sample = self.waiting.pop_front().expect("it was the first");
            if let Some(entry) = self.entries.get_mut(&sample.key) {
                entry.state = State::Reading(Vec::new());
            }
            samples.push(sample);
            self.drop_gone();
        }
        if samples.is_empty() {
            return None;
        }
        self.bytes += bytes;
        if self.bytes + self.spare_bytes > self.max_bytes {
            self.drop_spare();
        }
        Some(Job { samples, bytes })
    }

    /// Whether a sample waits for a reader.
    pub(super) fn has_waiting(&mut self) -> bool {
        self.drop_gone();
        !self.waiting.is_empty()
    }

    /// Removes the first samples of `waiting` that are gone.
    fn drop_gone(&mut self) {
        while let Some(JobSample { key, number, .. }) = self.waiting.front() {
            let entry = self
                .entries
                .get(key)
                .filter(|entry| entry.number == *number);
            if entry.is_some_and(|entry| matches!(entry.state, State::Waiting)) {
                return;
            }
            self.waiting.pop_front();
        }
    }

    /// Counts more bytes for a job, if there is room for them.
    pub(super) fn grow(&mut self, more: usize) -> bool {
        let has_room = more <= self.max_bytes.saturating_sub(self.bytes);
        if has_room {
            self.bytes += more;
        }
        has_room
    }

    /// Adds what was read for a sample, of which `bytes` are counted; nothing was read if there is
    /// none.
    pub(super) fn complete(
        &mut self,
        sample: &JobSample,
        loaded: Option<Result<Loaded>>,
        bytes: usize,
    ) {
        let entry = self.entries.get_mut(&sample.key);
        let entry = entry.filter(|entry| entry.number == sample.number);
        match (entry, loaded) {
            (Some(entry), Some(loaded)) => {
                let state = State::Loaded(loaded, bytes);
                wake(std::mem::replace(&mut entry.state, state));
            }
            (Some(_), None) => {
                self.bytes -= bytes;
                self.remove(&sample.key);
            }
            (None, loaded) => self.discard(loaded, bytes),
        }
    }

    /// Takes what was read for a sample.
    pub(super) fn take(&mut self, key: &Key) -> Found {
        let Some(entry) = self.entries.get_mut(key) else {
            return Found::Nothing;
        };
        if let State::Reading(waiters) = &mut entry.state {
            waiters.push(std::thread::current());
            return Found::Pending;
        }
        match self.remove(key) {
            Some(State::Loaded(loaded, bytes)) => {
                self.bytes -= bytes;
                Found::Loaded(loaded)
            }
            _ => Found::Nothing,
        }
    }

    /// Keeps a buffer for later, in place of one that was taken.
    pub(super) fn keep(&mut self, buffer: Vec<u8>) {
        let bytes = buffer.capacity();
        let has_room = self.bytes + self.spare_bytes + bytes <= self.max_bytes;
        if self.lent > 0 && bytes > 0 && bytes <= MAX_SPARE_BYTES && has_room {
            self.lent -= 1;
            self.spare_bytes += bytes;
            self.spare.push(buffer);
        }
    }

    /// Takes a buffer that was kept, or a new one.
    pub(super) fn take_spare(&mut self) -> Vec<u8> {
        let buffer = self.spare.pop().unwrap_or_default();
        self.spare_bytes -= buffer.capacity();
        self.lent += 1;
        buffer
    }

    /// Removes these samples, unless they are being read and needed.
    pub(super) fn drop_samples(&mut self, keys: &[Key]) {
        for key in keys {
            self.drop_unneeded(key);
        }
    }

    /// Marks all samples as old: those that the walk does not come to again are dropped when there
    /// is no room for others.
    pub(super) fn mark_old(&mut self) {
        self.current = 0;
        for entry in self.entries.values_mut() {
            entry.is_current = false;
        }
    }

    /// Drops the old samples.
    pub(super) fn drop_old(&mut self) {
        if self.current == self.entries.len() {
            return;
        }
        let entries = self.entries.iter();
        let old: Vec<Key> = entries
            .filter(|(_, entry)| !entry.is_current)
            .map(|(key, _)| *key)
            .collect();
        self.drop_samples(&old);
    }

    /// Drops all samples and buffers. Threads that need one are woken.
    pub(super) fn clear(&mut self) {
        for (_, entry) in std::mem::take(&mut self.entries) {
            if let State::Loaded(_, bytes) = entry.state {
                self.bytes -= bytes;
            }
            wake(entry.state);
        }
        self.current = 0;
        self.waiting.clear();
        self.drop_spare();
    }

    fn drop_spare(&mut self) {
        self.spare.clear();
        self.spare_bytes = 0;
        self.lent = 0;
    }

    fn drop_unneeded(&mut self, key: &Key) {
        let Some(entry) = self.entries.get(key) else {
            return;
        };
        if matches!(&entry.state, State::Reading(waiters) if !waiters.is_empty()) {
            return;
        }
        if let Some(State::Loaded(loaded, bytes)) = self.remove(key) {
            self.discard(Some(loaded), bytes);
        }
    }

    fn discard(&mut self, loaded: Option<Result<Loaded>>, bytes: usize) {
        self.bytes -= bytes;
        if let Some(Ok(Loaded { record, mask })) = loaded {
            let mask = mask.map(|(_, bytes)| bytes);
            for bytes in [Some(record), mask].into_iter().flatten() {
                if let Bytes::First(buffer, _) = bytes {
                    self.keep(buffer);
                }
            }
        }
    }

    fn remove(&mut self, key: &Key) -> Option<State> {
        let entry = self.entries.remove(key)?;
        self.current -= usize::from(entry.is_current);
        if let State::Reading(_) = entry.state {
            wake(entry.state);
            return None;
        }
        Some(entry.state)
    }
}

impl Loaded {
    /// Number of bytes that were read.
    pub(super) fn len(&self) -> usize {
        self.record.len() + self.mask.as_ref().map_or(0, |(_, bytes)| bytes.len())
    }
}

impl Bytes {
    fn len(&self) -> usize {
        match self {
            Self::First(_, len) => *len,
            Self::Shared(_, range) => range.len(),
        }
    }

    /// Moves the bytes to the beginning of `buffer`, and returns their number and a buffer that is
    /// not needed any more.
    pub(super) fn move_to(self, buffer: &mut Vec<u8>) -> Result<(usize, Vec<u8>)> {
        match self {
            Self::First(bytes, len) => Ok((len, std::mem::replace(buffer, bytes))),
            Self::Shared(bytes, range) => {
                let len = range.len();
                if buffer.len() < len {
                    crate::memory::resize(buffer, len, 0)?;
                }
                buffer[..len].copy_from_slice(&bytes[range]);
                Ok((len, Arc::into_inner(bytes).unwrap_or_default()))
            }
        }
    }
}

/// Wakes the thread that needs a sample.
fn wake(state: State) {
    if let State::Reading(waiters) = state {
        waiters.iter().for_each(Thread::unpark);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Barrier, Mutex};

    use super::*;
    use crate::error::Error;
    use crate::loader::lock::lock;

    fn first(len: usize) -> FirstRead {
        FirstRead { len, range: None }
    }

    fn table(max_bytes: usize, samples: &[(usize, usize)]) -> Table {
        let mut table = Table::new(max_bytes);
        for &(sample, len) in samples {
            table.add((0, sample), first(len));
        }
        table
    }

    fn begin(table: &mut Table) -> Option<Job> {
        table.begin(|_, _| false)
    }

    fn loaded(job: Job) -> (JobSample, Option<Result<Loaded>>, usize) {
        let bytes = Loaded {
            record: Bytes::First(vec![7; 10], 3),
            mask: None,
        };
        let sample = job.samples.into_iter().next().unwrap();
        (sample, Some(Ok(bytes)), job.bytes)
    }

    fn complete(table: &mut Table, job: Job) {
        let (sample, loaded, bytes) = loaded(job);
        table.complete(&sample, loaded, bytes);
    }

    #[test]
    fn samples_are_read_in_order_within_the_bytes_and_taken() {
        let mut table = table(10, &[(4, 6), (2, 4), (3, 1)]);
        let jobs = [begin(&mut table).unwrap(), begin(&mut table).unwrap()];
        assert_eq!(jobs[0].samples[0].key, (0, 4));
        assert!(begin(&mut table).is_none() && table.has_waiting());
        let [job, other] = jobs;
        complete(&mut table, job);
        let Found::Loaded(Ok(taken)) = table.take(&(0, 4)) else {
            panic!("it is loaded")
        };
        let mut buffer = vec![1];
        let (len, old) = taken.record.move_to(&mut buffer).unwrap();
        assert_eq!((len, buffer.len(), old.len()), (3, 10, 1));
        assert!(begin(&mut table).is_some());
        assert!(matches!(table.take(&(0, 2)), Found::Pending));
        complete(&mut table, other);
        assert!(matches!(table.take(&(0, 2)), Found::Loaded(Ok(_))));
        assert!(matches!(table.take(&(0, 2)), Found::Nothing));
    }

    #[test]
    fn a_sample_that_no_reader_has_begun_is_read_by_the_thread_that_needs_it() {
        let mut table = table(10, &[(0, 1), (1, 1)]);
        assert!(matches!(table.take(&(0, 0)), Found::Nothing));
        assert_eq!(begin(&mut table).unwrap().samples[0].key, (0, 1));
        assert!(begin(&mut table).is_none());
    }

    #[test]
    fn all_threads_that_wait_for_a_sample_are_woken() {
        let table = Mutex::new(table(10, &[(0, 1)]));
        let job = begin(&mut lock(&table)).unwrap();
        let pending = Barrier::new(3);
        let wait = || {
            assert!(matches!(lock(&table).take(&(0, 0)), Found::Pending));
            pending.wait();
            while matches!(lock(&table).take(&(0, 0)), Found::Pending) {
                std::thread::park();
            }
        };
        std::thread::scope(|scope| {
            scope.spawn(wait);
            scope.spawn(wait);
            pending.wait();
            complete(&mut lock(&table), job);
        });
    }

    #[test]
    fn records_larger_than_the_bound_are_not_read_ahead() {
        let mut table = table(10, &[(0, 11), (1, 10)]);
        assert_eq!(table.len(), 1);
        assert_eq!(begin(&mut table).unwrap().samples[0].key, (0, 1));
        assert!(!table.grow(1));
    }

    #[test]
    fn what_is_read_for_a_sample_that_was_dropped_is_discarded() {
        let mut table = table(10, &[(0, 6)]);
        let job = begin(&mut table).unwrap();
        table.drop_samples(&[(0, 0)]);
        table.add((0, 0), first(4));
        complete(&mut table, job);
        assert_eq!(table.bytes, 0);
        let again = begin(&mut table).unwrap();
        table.complete(&again.samples[0], None, again.bytes);
        assert!(table.is_empty() && table.bytes == 0);
        table.add((0, 1), first(1));
        let job = begin(&mut table).unwrap();
        let error = Some(Err(Error::image("bad")));
        table.complete(&job.samples[0], error, job.bytes);
        assert!(matches!(table.take(&(0, 1)), Found::Loaded(Err(_))));
        assert_eq!((table.bytes, table.len()), (0, 0));
    }

    #[test]
    fn after_a_restart_samples_that_come_again_are_kept_and_others_make_room() {
        let mut table = table(10, &[(0, 5), (1, 5)]);
        for _ in 0..2 {
            let job = begin(&mut table).unwrap();
            complete(&mut table, job);
        }
        table.mark_old();
        assert_eq!(table.len(), 0);
        table.add((0, 1), first(5));
        table.add((0, 2), first(5));
        assert_eq!(begin(&mut table).unwrap().samples[0].key, (0, 2));
        assert!(matches!(table.take(&(0, 1)), Found::Loaded(_)));
        assert!(matches!(table.take(&(0, 0)), Found::Nothing));
    }

    #[test]
    fn neighbors_are_read_in_one_job() {
        let mut table = table(100, &[(0, 5), (1, 5), (2, 5)]);
        let job = table.begin(|samples, _| samples.len() < 2).unwrap();
        assert_eq!((job.samples.len(), job.bytes), (2, 10));
        let run = Arc::new(vec![9; 10]);
        for (i, sample) in job.samples.iter().enumerate() {
            let record = Bytes::Shared(Arc::clone(&run), 5 * i..5 * i + 5);
            let loaded = Loaded { record, mask: None };
            table.complete(sample, Some(Ok(loaded)), 5);
        }
        drop(run);
        for sample in 0..2 {
            let Found::Loaded(Ok(loaded)) = table.take(&(0, sample)) else {
                panic!("it is loaded")
            };
            let mut buffer = Vec::new();
            let (len, old) = loaded.record.move_to(&mut buffer).unwrap();
            assert_eq!((len, &buffer[..]), (5, &[9; 5][..]));
            assert_eq!(old.len(), 10 * sample);
        }
        assert_eq!(table.bytes, 0);
    }

    #[test]
    fn buffers_that_were_taken_are_kept_within_the_bytes() {
        let mut table = table(10, &[]);
        table.keep(Vec::with_capacity(8));
        assert_eq!(table.spare.len(), 0, "it was not taken from here");
        let _buffers = [table.take_spare(), table.take_spare()];
        table.keep(Vec::with_capacity(8));
        table.keep(Vec::with_capacity(8));
        assert_eq!(table.spare.len(), 1);
    }
}
