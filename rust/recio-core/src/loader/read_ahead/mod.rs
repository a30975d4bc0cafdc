//! Reading ahead: records are read before the threads that make images need them.
//!
//! As long as reads are fast, as from the page cache, each thread reads its own record, which costs
//! least. Where they are slow, readers read the samples of the coming batches ahead, many at a
//! time, in the order in which they are needed: the order of an epoch is a function of its seed. A
//! thread that needs a sample takes it, waits for it if it is being read, or reads it itself if no
//! reader has begun to. So batches never depend on what was read ahead.
//!
//! | module | contents |
//! |---|---|
//! | `pace` | pace of reading and of making images: whether and how far records are read ahead |
//! | `walk` | the samples of the coming batches |
//! | `table` | samples that wait for a reader, are being read, or are loaded |
//! | `files` | what is read for a sample: its record, the record of its mask |
//! | `fetch` | reads of samples |
//! | `reader_threads` | threads that read |

mod fetch;
mod files;
mod pace;
mod reader_threads;
mod table;
mod walk;

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::error::{Error, Result};
use crate::loader::lock::lock;
use crate::loader::masks;
use crate::loader::position::Claim;
use fetch::{Reader, joins};
use pace::Pace;
use reader_threads::ReaderThreads;
use table::{Found, Job, JobSample, Loaded, Table};
use walk::{BatchInProduction, Walk};

pub(super) use files::Files;
pub(super) use walk::{Key, Upcoming};

/// Records ahead at most, unless the caller chooses.
const MAX_RECORDS: usize = 512;
/// Records ahead at least in the order of the file, so that several are read at once.
const MIN_SEQUENTIAL: usize = 64;

/// Coming batches, and the files that they are made from.
pub(super) trait Source: Upcoming + Send + Sync {
    /// Returns the files.
    fn files(&self) -> Files<'_>;
}

/// Bounds of reading ahead.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bounds {
    /// Threads that make images.
    pub(super) threads: usize,
    /// Records ahead at most; chosen by the storage if not given.
    pub(super) max_records: Option<usize>,
    /// Bytes of records ahead at most.
    pub(super) max_bytes: usize,
    /// Whether samples are read in the order of their files.
    pub(super) is_sequential: bool,
}

/// Records that are read ahead, and their readers.
#[derive(Debug)]
pub(super) struct ReadAhead {
    pace: Pace,
    max_records: usize,
    is_sequential: bool,
    /// Whether reads are started and end elsewhere, if the storage can do that.
    starts_reads: bool,
    /// Whether there are samples in the table.
    is_used: AtomicBool,
    is_closed: AtomicBool,
    /// Locked before `shared`, if both are.
    walk: Mutex<Walk>,
    shared: Mutex<Shared>,
    /// Signals that readers may have something to do.
    work: Condvar,
    threads: ReaderThreads,
}

#[derive(Debug)]
struct Shared {
    table: Table,
    /// Readers that wait for something to do.
    idle: usize,
    /// Whether a reader walks on.
    is_walking: bool,
    /// Whether the walk has come to the end of what may be claimed now.
    is_at_end: bool,
}

/// A batch in production. When it is dropped, what was read for it and not used is dropped too.
pub(super) struct BatchReads<'a> {
    ahead: &'a ReadAhead,
    batch: Arc<BatchInProduction>,
}

impl ReadAhead {
    /// Reading ahead of files.
    pub(super) fn new(bounds: Bounds, files: &Files<'_>) -> Self {
        let max_records = bounds.max_records.unwrap_or(MAX_RECORDS);
        let is_remote = files.is_remote();
        let is_sequential = bounds.is_sequential && files.has_records();
        Self {
            pace: Pace::new(bounds.threads, max_records, is_remote),
            max_records,
            is_sequential,
            starts_reads: is_remote,
            is_used: AtomicBool::new(false),
            is_closed: AtomicBool::new(false),
            walk: Mutex::default(),
            shared: Mutex::new(Shared {
                table: Table::new(bounds.max_bytes),
                idle: 0,
                is_walking: false,
                is_at_end: false,
            }),
            work: Condvar::new(),
            threads: ReaderThreads::default(),
        }
    }

    /// Adds a batch that a producer has claimed.
    pub(super) fn begin_batch(&self, claim: &Claim, samples: &[Key]) -> BatchReads<'_> {
        let batch = Arc::new(BatchInProduction::new(claim, samples));
        let goes_on = lock(&self.walk).claim(Arc::clone(&batch));
        if self.pace.is_slow() {
            let mut shared = self.lock();
            shared.is_at_end = false;
            if !goes_on {
                shared.table.mark_old();
            }
            self.wake_reader(&mut shared);
        }
        BatchReads { ahead: self, batch }
    }

    /// Starts a reader if records are to be read ahead and there is none. More are started as they
    /// are needed.
    pub(super) fn ensure_reader(self: &Arc<Self>, source: impl FnOnce() -> Arc<dyn Source>) {
        if self.pace.is_slow() && !self.is_closed() && self.threads.add_first() {
            let reader = Reader {
                ahead: Arc::clone(self),
                source: source(),
            };
            self.threads.start(reader);
        }
    }

    /// Takes what was read for a sample: its record into `record`, and its mask; waits if it is
    /// being read. Returns the number of bytes; none if the caller has to read the sample.
    ///
    /// # Errors
    /// The error of reading it; the loader is closed.
    pub(super) fn take(
        &self,
        key: Key,
        record: &mut Vec<u8>,
        masks: &mut masks::Scratch,
    ) -> Result<Option<usize>> {
        if !self.is_used.load(Ordering::Relaxed) {
            return Ok(None);
        }
        let Some(Loaded {
            record: bytes,
            mask,
        }) = self.wait_for(key)?
        else {
            return Ok(None);
        };
        let (len, old) = bytes.move_to(record)?;
        let mut unused = vec![old];
        if let Some((number, bytes)) = mask {
            let (len, old) = bytes.move_to(masks.record())?;
            masks.set_loaded(number, len);
            unused.push(old);
        }
        let mut shared = self.lock();
        unused
            .into_iter()
            .for_each(|buffer| shared.table.keep(buffer));
        Ok(Some(len))
    }

    fn wait_for(&self, key: Key) -> Result<Option<Loaded>> {
        loop {
            let mut shared = self.lock();
            match shared.table.take(&key) {
                Found::Pending => {
                    drop(shared);
                    std::thread::park();
                }
                Found::Nothing if self.is_closed() => {
                    return Err(Error::argument("the iterator is closed"));
                }
                Found::Nothing => return Ok(None),
                Found::Loaded(loaded) => {
                    self.wake_reader(&mut shared);
                    return loaded.map(Some);
                }
            }
        }
    }

    /// Notes how long a thread that makes images took to read a sample of so many bytes.
    pub(super) fn note_read(&self, took: Duration, bytes: usize) {
        self.pace.note_read(took, bytes);
    }

    /// Notes how long making an image took.
    pub(super) fn note_work(&self, took: Duration) {
        self.pace.note_work(took);
    }

    /// Stops reading ahead. Threads that wait for a sample are woken.
    pub(super) fn close(&self) {
        self.is_closed.store(true, Ordering::Relaxed);
        self.stop();
    }

    /// Waits for at most this long until the readers have ended; returns whether they have.
    pub(super) fn wait(&self, timeout: Duration) -> bool {
        self.threads.wait(timeout)
    }

    /// Makes later calls of [`wait`](Self::wait) return at once.
    pub(super) fn abandon(&self) {
        self.threads.abandon();
    }

    fn is_closed(&self) -> bool {
        self.is_closed.load(Ordering::Relaxed)
    }

    /// Waits for the next job of a reader; none if records are not read ahead any more.
    fn next_job(&self, source: &dyn Source) -> Option<Job> {
        let files = source.files();
        let mut shared = self.lock();
        loop {
            if self.is_closed() || !self.pace.is_slow() {
                drop(shared);
                self.stop();
                return None;
            }
            let joins =
                |samples: &[JobSample], next: &table::FirstRead| joins(&files, samples, next);
            if let Some(job) = shared.table.begin(joins) {
                if shared.table.has_waiting() {
                    self.wake_reader(&mut shared);
                }
                return Some(job);
            }
            let room = self.room(&mut shared);
            if room > 0 && !shared.is_walking && !shared.is_at_end {
                shared.is_walking = true;
                drop(shared);
                self.walk_on(room, source);
                shared = self.lock();
                continue;
            }
            shared.idle += 1;
            let waited = self.work.wait(shared);
            shared = waited.unwrap_or_else(PoisonError::into_inner);
            shared.idle -= 1;
        }
    }

    /// Adds samples of the coming batches to the table, at most this many.
    fn walk_on(&self, room: usize, source: &dyn Source) {
        // Without the lock: a sampler is a function of the caller's.
        source.prepare();
        let mut walk = lock(&self.walk);
        let files = source.files();
        let samples = walk.take(room, source).into_iter();
        let samples: Vec<_> = samples.map(|key| (key, files.first_read(key.1))).collect();
        let mut shared = self.lock();
        shared.is_walking = false;
        shared.is_at_end = samples.is_empty();
        if self.is_closed() {
            return;
        }
        for (key, first) in samples {
            shared.table.add(key, first);
        }
        self.is_used
            .store(!shared.table.is_empty(), Ordering::Relaxed);
    }

    /// Returns how many more samples may be read ahead; none until there are so many that readers
    /// are not woken for each.
    fn room(&self, shared: &mut Shared) -> usize {
        let (records, step) = self.records_ahead();
        let room = records.saturating_sub(shared.table.len());
        if room < step {
            shared.table.drop_old();
            return 0;
        }
        room
    }

    /// Returns the number of records to be read ahead, and of those that are added at once.
    fn records_ahead(&self) -> (usize, usize) {
        let records = self.pace.records();
        if !self.is_sequential {
            return (records, (records / 8).max(1));
        }
        let records = (2 * records).max(MIN_SEQUENTIAL).min(self.max_records);
        (records, (records / 4).max(1))
    }

    fn wake_reader(&self, shared: &mut Shared) {
        if shared.idle > 0 && (shared.table.has_waiting() || self.room(shared) > 0) {
            self.work.notify_one();
        }
    }

    /// Starts another reader if samples wait for one.
    fn add_readers(&self, reader: &Reader) {
        let is_needed = {
            let mut shared = self.lock();
            shared.idle == 0 && (shared.table.has_waiting() || self.room(&mut shared) > 0)
        };
        let max = self.records_ahead().0;
        if is_needed && !self.is_closed() && self.threads.add(max) {
            self.threads.start(reader.clone());
        }
    }

    fn take_buffer(&self) -> Vec<u8> {
        self.lock().table.take_spare()
    }

    fn grow(&self, more: usize) -> bool {
        self.lock().table.grow(more)
    }

    fn complete(&self, sample: &JobSample, loaded: Option<Result<Loaded>>, bytes: usize) {
        let mut shared = self.lock();
        shared.table.complete(sample, loaded, bytes);
        self.wake_reader(&mut shared);
    }

    /// Forgets all samples. Readers and the threads that wait for them are woken.
    fn stop(&self) {
        let mut walk = lock(&self.walk);
        walk.stop();
        let mut shared = self.lock();
        shared.table.clear();
        shared.is_at_end = false;
        self.is_used.store(false, Ordering::Relaxed);
        self.work.notify_all();
    }

    fn lock(&self) -> MutexGuard<'_, Shared> {
        lock(&self.shared)
    }
}

impl BatchReads<'_> {
    /// Notes that a thread begins to make the next sample.
    pub(super) fn begin_sample(&self) {
        self.batch.begin_sample();
    }
}

impl Drop for BatchReads<'_> {
    fn drop(&mut self) {
        lock(&self.ahead.walk).release(&self.batch);
        if self.ahead.is_used.load(Ordering::Relaxed) {
            let mut shared = self.ahead.lock();
            shared.table.drop_samples(self.batch.samples());
            self.ahead.wake_reader(&mut shared);
        }
    }
}
