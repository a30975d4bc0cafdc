//! Threads that check the headers and images of records.

use std::mem;
use std::ops::ControlFlow;
use std::thread;

use crossbeam_channel::{Receiver, Sender, bounded};

use super::pass::CheckRecord;
use super::problem_list::ProblemList;
use crate::error::{Error, Result};
use crate::limits::Limits;
use crate::memory;
use crate::tools::record_check::{RecordChecker, RecordLocation};

/// Bytes of records that are sent to a thread at once.
const CHUNK_LEN: usize = 1 << 20;

/// Consecutive records.
#[derive(Default)]
struct Chunk {
    frames: Vec<u8>,
    locations: Vec<RecordLocation>,
}

/// Calls `pass` with a function that has a record checked by one of the threads.
pub(super) fn check_in_parallel(
    threads: usize,
    limits: Limits,
    problems: &ProblemList,
    pass: impl FnOnce(&mut CheckRecord<'_>) -> Result<ControlFlow<()>>,
) -> Result<ControlFlow<()>> {
    thread::scope(|scope| {
        let threads = threads.max(1);
        let (chunks, queue) = bounded::<Chunk>(threads);
        for number in 0..threads {
            let (queue, checker) = (queue.clone(), RecordChecker::new(limits, true));
            thread::Builder::new()
                .name(format!("recio-verify-{number}"))
                .spawn_scoped(scope, move || check_chunks(&queue, checker, problems))
                .map_err(|cause| Error::thread(&cause))?;
        }
        drop(queue);
        let mut chunk = Chunk::default();
        let flow = pass(&mut |location, frame| {
            chunk.locations.push(location);
            if frame.len() >= CHUNK_LEN {
                memory::reserve_or_unwind(&mut chunk.frames, frame.len());
            }
            chunk.frames.extend_from_slice(frame);
            if chunk.frames.len() >= CHUNK_LEN {
                send(&chunks, mem::take(&mut chunk));
            }
        });
        send(&chunks, chunk);
        flow
    })
}

fn send(chunks: &Sender<Chunk>, chunk: Chunk) {
    // Threads catch panics of decoders and receive until the channel is closed.
    _ = chunks.send(chunk);
}

fn check_chunks(queue: &Receiver<Chunk>, mut checker: RecordChecker, problems: &ProblemList) {
    while let Ok(Chunk {
        mut frames,
        locations,
    }) = queue.recv()
    {
        let mut rest = &mut frames[..];
        for location in locations {
            let (frame, others) = rest.split_at_mut(location.len);
            problems.extend(checker.check(location, frame));
            rest = others;
        }
    }
}
