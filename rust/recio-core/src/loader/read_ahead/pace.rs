//! Pace of reading and of making images, which determines whether records are read ahead, and how
//! many.
//!
//! Each read of a record is timed. From the page cache it takes a few dozen microseconds, and a
//! thread that makes images does better to read its own record: nothing is handed over. Reads that
//! are slow one after another begin reading ahead at once. What other reads take beyond that is
//! added up: a single one may have lost the processor, but where much is lost, as from a file that
//! is cached in part, records are read ahead too. Fast reads pay the sum off again, and then
//! nothing is read ahead any more.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use crate::loader::lock::lock;

/// Seconds of a read that are not lost, and those for each byte: a thread reads and checks more
/// than a gigabyte a second from the page cache.
const ALLOWED: f64 = 0.2e-3;
const ALLOWED_PER_BYTE: f64 = 1e-9;
/// A read that takes at least as many seconds, besides those for its bytes, is slow.
const SLOW: f64 = 0.5e-3;
/// Fraction of the time for making an image that is not lost either: on a busy machine, both take
/// longer.
const ALLOWED_OF_WORK: f64 = 0.05;
/// Seconds that one read may lose.
const MAX_LOST_BY_ONE: f64 = 10e-3;
/// Lost seconds after which records are read ahead, and that are counted at most.
const MAX_LOST: f64 = 60e-3;
/// Slow reads, one after another, after which records are read ahead.
const SLOW_IN_A_ROW: u32 = 3;
/// Seconds that each of two slow reads takes after which records are read ahead.
const VERY_SLOW: f64 = 15e-3;
/// Weights of a new value in a mean.
const READ_WEIGHT: f64 = 1.0 / 8.0;
const WORK_WEIGHT: f64 = 1.0 / 32.0;
/// Seconds that making an image takes, until one was made.
const FIRST_WORK: f64 = 1e-3;
/// Records that are read ahead are as many as images are made during a read, times this.
const RESERVE: f64 = 1.5;
/// Records that are read ahead at least, for each thread that makes images.
const MIN_PER_THREAD: usize = 4;
/// Records that are read ahead of remote storage until a read has ended.
const FIRST_REMOTE: usize = 64;

/// Pace of reading and of making images.
#[derive(Debug)]
pub(super) struct Pace {
    /// Threads that make images.
    threads: usize,
    max_records: usize,
    /// Whether records are read ahead whatever reads take.
    is_remote: bool,
    is_slow: AtomicBool,
    records: AtomicUsize,
    measured: Mutex<Measured>,
}

/// Times in seconds.
#[derive(Debug, Default)]
struct Measured {
    lost: f64,
    slow_in_a_row: u32,
    very_slow_in_a_row: u32,
    /// Mean of the slow reads.
    read: Option<f64>,
    /// Mean of making an image.
    work: Option<f64>,
}

impl Pace {
    pub(super) fn new(threads: usize, max_records: usize, is_remote: bool) -> Self {
        Self {
            threads,
            max_records,
            is_remote,
            is_slow: AtomicBool::new(is_remote && max_records > 0),
            records: AtomicUsize::new(FIRST_REMOTE.min(max_records)),
            measured: Mutex::default(),
        }
    }

    /// Whether reads are slow, so that records are to be read ahead.
    pub(super) fn is_slow(&self) -> bool {
        self.is_slow.load(Ordering::Relaxed)
    }

    /// Number of records to be read ahead.
    pub(super) fn records(&self) -> usize {
        self.records.load(Ordering::Relaxed)
    }

    /// Notes how long a read of so many bytes took.
    pub(super) fn note_read(&self, took: Duration, bytes: usize) {
        let mut measured = lock(&self.measured);
        if measured.note_read(took.as_secs_f64(), bytes) {
            self.set_records(&measured);
        }
        if !self.is_remote && self.max_records > 0 {
            let is_slow = measured.is_slow(self.is_slow());
            self.is_slow.store(is_slow, Ordering::Relaxed);
        }
    }

    /// Notes how long making an image took, without reading it.
    pub(super) fn note_work(&self, took: Duration) {
        let mut measured = lock(&self.measured);
        let took = took.as_secs_f64();
        measured.work = Some(mean(measured.work, took, WORK_WEIGHT));
        if self.is_slow() {
            self.set_records(&measured);
        }
    }

    fn set_records(&self, measured: &Measured) {
        let Some(read) = measured.read else { return };
        let images = read / measured.work.unwrap_or(FIRST_WORK) * self.threads as f64;
        let records = (images * RESERVE).ceil() as usize;
        let records = records.max(MIN_PER_THREAD * self.threads);
        self.records
            .store(records.min(self.max_records), Ordering::Relaxed);
    }
}

impl Measured {
    /// Returns whether the read was slow.
    fn note_read(&mut self, took: f64, bytes: usize) -> bool {
        let waited = (took - bytes as f64 * ALLOWED_PER_BYTE).max(0.0);
        let allowed = ALLOWED + ALLOWED_OF_WORK * self.work.unwrap_or(FIRST_WORK);
        let lost = waited.min(MAX_LOST_BY_ONE) - allowed;
        self.lost = (self.lost + lost).clamp(0.0, MAX_LOST);
        let is_slow = waited >= SLOW;
        let count = |count: u32, is_one: bool| if is_one { count + 1 } else { 0 };
        self.slow_in_a_row = count(self.slow_in_a_row, is_slow);
        self.very_slow_in_a_row = count(self.very_slow_in_a_row, waited >= VERY_SLOW);
        if is_slow {
            self.read = Some(mean(self.read, took, READ_WEIGHT));
        }
        is_slow
    }

    /// Whether reads are slow; once they are, until what was lost is paid off.
    fn is_slow(&mut self, was_slow: bool) -> bool {
        if was_slow {
            return self.lost > 0.0;
        }
        let is_slow = self.slow_in_a_row >= SLOW_IN_A_ROW
            || self.very_slow_in_a_row >= 2
            || self.lost >= MAX_LOST;
        if is_slow {
            self.lost = MAX_LOST;
        }
        is_slow
    }
}

/// Returns a running mean with a new value.
fn mean(mean: Option<f64>, value: f64, weight: f64) -> f64 {
    mean.map_or(value, |mean| mean + (value - mean) * weight)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(pace: &Pace, millis: f64) {
        pace.note_read(Duration::from_secs_f64(millis / 1e3), 1000);
    }

    fn local() -> Pace {
        Pace::new(2, 512, false)
    }

    #[test]
    fn slow_reads_begin_and_fast_reads_end_it() {
        let pace = local();
        for _ in 0..3 {
            assert!(!pace.is_slow());
            read(&pace, 5.0);
        }
        assert!(pace.is_slow());
        for _ in 0..1000 {
            read(&pace, 0.03);
        }
        assert!(!pace.is_slow());
        for _ in 0..2 {
            assert!(!pace.is_slow());
            read(&pace, 20.0);
        }
        assert!(pace.is_slow());
    }

    #[test]
    fn single_slow_reads_do_not_begin_it() {
        let pace = local();
        for _ in 0..100 {
            read(&pace, 50.0);
            assert!(!pace.is_slow());
            for _ in 0..50 {
                read(&pace, 0.04);
            }
        }
    }

    #[test]
    fn reads_of_many_bytes_may_take_longer() {
        let pace = local();
        for _ in 0..100 {
            pace.note_read(Duration::from_millis(5), 10 << 20);
        }
        assert!(!pace.is_slow());
    }

    #[test]
    fn reads_of_a_file_that_is_cached_in_part_are_slow() {
        let pace = local();
        for i in 0..2000 {
            read(&pace, if i % 10 == 0 { 5.0 } else { 0.03 });
        }
        assert!(pace.is_slow());
    }

    #[test]
    fn as_many_records_are_read_ahead_as_images_are_made_meanwhile() {
        let pace = local();
        for _ in 0..100 {
            pace.note_work(Duration::from_millis(2));
        }
        for (millis, records) in [(5.0, 8), (20.0, 30), (100.0, 150), (1000.0, 512)] {
            for _ in 0..100 {
                read(&pace, millis);
            }
            assert!(pace.records().abs_diff(records) <= 1, "{millis} ms");
        }
    }

    #[test]
    fn remote_storage_is_slow_from_the_start_unless_nothing_is_read_ahead() {
        let remote = Pace::new(2, 512, true);
        assert_eq!((remote.is_slow(), remote.records()), (true, 64));
        for _ in 0..1000 {
            read(&remote, 0.01);
        }
        assert!(remote.is_slow());
        let off = Pace::new(2, 0, true);
        read(&off, 900.0);
        read(&off, 900.0);
        assert!(!off.is_slow());
    }
}
