//! Reads of samples: by waiting in the thread of a reader or, where the storage can, started there
//! and ended elsewhere.

use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::thread::{self, ThreadId};
use std::time::Instant;

use super::files::{Files, RecordOf};
use super::table::{Bytes, FirstRead, Job, JobSample, Loaded};
use super::{ReadAhead, Source};
use crate::error::Result;
use crate::storage::store::OnRead;

/// Bytes of neighbors that are read at once, at most.
const MAX_JOINED: usize = 1 << 20;

/// What a reader reads for, and from.
#[derive(Clone)]
pub(super) struct Reader {
    pub(super) ahead: Arc<ReadAhead>,
    pub(super) source: Arc<dyn Source>,
}

/// A sample that is being read. If it is dropped, the thread that needs it reads it itself.
struct Reading {
    reader: Reader,
    sample: JobSample,
    /// Bytes that are counted for it.
    bytes: usize,
    begin: Instant,
    /// The thread of the reader.
    thread: ThreadId,
    is_complete: bool,
}

/// Receives the bytes of a record.
type OnRecord = Box<dyn FnOnce(Reading, Result<Vec<u8>>) + Send>;

/// Whether samples that wait for a reader are read with those before them.
pub(super) fn joins(files: &Files<'_>, samples: &[JobSample], next: &FirstRead) -> bool {
    let total: usize = samples.iter().map(|sample| sample.first.len).sum();
    let last = samples
        .last()
        .and_then(|sample| sample.first.range.as_ref());
    total + next.len <= MAX_JOINED
        && last
            .zip(next.range.as_ref())
            .is_some_and(|(last, next)| files.are_neighbors(last, next))
}

impl Reader {
    /// Reads until records are not read ahead any more.
    pub(super) fn run(&self) {
        while let Some(job) = self.ahead.next_job(&*self.source) {
            // Samples that are not completed are read by the threads that need them.
            _ = catch_unwind(AssertUnwindSafe(|| self.read(job)));
        }
    }

    /// Reads the samples of a job, or starts that.
    fn read(&self, job: Job) {
        let begin = Instant::now();
        let Job { samples, bytes } = job;
        let count = samples.len();
        let mut readings: Vec<Reading> = samples
            .into_iter()
            .map(|sample| Reading {
                reader: self.clone(),
                bytes: if count == 1 { bytes } else { sample.first.len },
                sample,
                begin,
                thread: thread::current().id(),
                is_complete: false,
            })
            .collect();
        if count > 1 {
            return self.read_joined(readings);
        }
        let Some(reading) = readings.pop() else {
            return;
        };
        if self.ahead.starts_reads {
            let number = reading.sample.key.1;
            let done: OnRecord = Box::new(|reading, record| match record {
                Ok(record) => reading.start_mask(record),
                Err(error) => reading.complete(Some(Err(error))),
            });
            return reading.start(RecordOf::Sample(number), Vec::new(), done);
        }
        self.ahead.add_readers(self);
        reading.load();
    }

    /// Reads samples that are neighbors in one read.
    fn read_joined(&self, readings: Vec<Reading>) {
        let files = self.source.files();
        let ranges = readings
            .iter()
            .filter_map(|reading| reading.sample.first.range.clone());
        let ranges: Vec<Range<u64>> = ranges.collect();
        let (Some(first), Some(last)) = (ranges.first(), ranges.last()) else {
            return;
        };
        let range = first.start..last.end;
        let begin = range.start;
        let divide = move |bytes: Result<Vec<u8>>| {
            // Each record is read again by the thread that needs it, and the error reported.
            let Ok(bytes) = bytes else { return };
            let bytes = Arc::new(bytes);
            for (reading, range) in readings.into_iter().zip(ranges) {
                let range = (range.start - begin) as usize..(range.end - begin) as usize;
                let record = Bytes::Shared(Arc::clone(&bytes), range);
                reading.complete(Some(Ok(Loaded { record, mask: None })));
            }
        };
        if let Err(divide) = files.start_range(range.clone(), self.on_read(divide)) {
            self.ahead.add_readers(self);
            let mut buffer = self.ahead.take_buffer();
            let read = files.load_range(range, &mut buffer);
            divide.call(read.map(|()| buffer));
        }
    }

    /// Returns what receives bytes, which are wanted until the loader is closed.
    fn on_read(&self, done: impl FnOnce(Result<Vec<u8>>) + Send + 'static) -> OnRead {
        let ahead = Arc::clone(&self.ahead);
        OnRead::new(done, move || !ahead.is_closed())
    }
}

impl Reading {
    /// Reads the sample, and waits for that.
    fn load(mut self) {
        let (ahead, source) = (
            Arc::clone(&self.reader.ahead),
            Arc::clone(&self.reader.source),
        );
        let files = source.files();
        let mask = files.masks.map_or_else(Vec::new, |_| ahead.take_buffer());
        let buffers = [ahead.take_buffer(), mask];
        let index = self.sample_index();
        let loaded = files.load(index, buffers, &mut |more| self.grow(more));
        self.complete(loaded.transpose());
    }

    /// Starts to read what is missing of a record, of which `bytes` are the first. In the thread of
    /// a reader it waits for that if the storage has only such reads.
    fn start(mut self, record: RecordOf, bytes: Vec<u8>, done: OnRecord) {
        let reader = self.reader.clone();
        let Some((records, i)) = reader.source.files().records(record) else {
            return;
        };
        let have = bytes.len();
        let may_wait = thread::current().id() == self.thread;
        let want = records.required(i, &bytes);
        let Some(want) = want.filter(|&want| have == 0 || self.grow(want - have)) else {
            return done(self, Ok(bytes));
        };
        let on_read = move |more: Result<Vec<u8>>| match more {
            Ok(more) if more.is_empty() => done(self, Ok(bytes)),
            Ok(more) => self.start(record, appended(bytes, more), done),
            Err(error) => done(self, Err(error)),
        };
        let Err(on_read) = records.start_read(i, have..want, reader.on_read(on_read)) else {
            return;
        };
        if !may_wait {
            // Other reads may end in this thread. The one that needs the sample reads the rest.
            return on_read.call(Ok(Vec::new()));
        }
        reader.ahead.add_readers(&reader);
        let mut bytes = Vec::new();
        let read = records.read_part(i, have..want, &mut bytes);
        on_read.call(read.map(|()| bytes));
    }

    /// Starts to read the mask of the sample, whose record was read, if it has one.
    fn start_mask(self, record: Vec<u8>) {
        let files = self.reader.source.files();
        let mask = files.mask_of(self.sample_index(), &record);
        let len = record.len();
        let record = Bytes::First(record, len);
        let Some(mask) = mask else {
            return self.complete(Some(Ok(Loaded { record, mask: None })));
        };
        let done: OnRecord = Box::new(move |reading, bytes| {
            // As for `Files::load`.
            let mask = bytes.ok().map(|bytes| {
                let len = bytes.len();
                (mask, Bytes::First(bytes, len))
            });
            reading.complete(Some(Ok(Loaded { record, mask })));
        });
        self.start(RecordOf::Mask(mask), Vec::new(), done);
    }

    fn sample_index(&self) -> usize {
        self.sample.key.1
    }

    /// Counts more bytes, if there is room for them.
    fn grow(&mut self, more: usize) -> bool {
        let has_room = self.reader.ahead.grow(more);
        self.bytes += if has_room { more } else { 0 };
        has_room
    }

    fn complete(mut self, loaded: Option<Result<Loaded>>) {
        self.is_complete = true;
        let ahead = &self.reader.ahead;
        if let Some(loaded) = &loaded {
            let bytes = loaded.as_ref().map_or(0, Loaded::len);
            ahead.pace.note_read(self.begin.elapsed(), bytes);
        }
        ahead.complete(&self.sample, loaded, self.bytes);
    }
}

impl Drop for Reading {
    fn drop(&mut self) {
        if !self.is_complete {
            self.reader.ahead.complete(&self.sample, None, self.bytes);
        }
    }
}

/// Appends bytes to others.
fn appended(mut bytes: Vec<u8>, more: Vec<u8>) -> Vec<u8> {
    if bytes.is_empty() {
        return more;
    }
    bytes.extend_from_slice(&more);
    bytes
}
