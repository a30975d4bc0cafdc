//! Blocks of frames that a thread appends to an output while the caller reads the next ones.

use std::ops::ControlFlow;
use std::panic::resume_unwind;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, bounded};

use crate::error::{Error, Result};
use crate::storage::wait;
use crate::write::record_output::RecordOutput;

/// Blocks that are filled, queued or written at a time.
const BLOCKS: usize = 4;
/// Time between two polls while another thread works.
pub(super) const INTERVAL: Duration = Duration::from_millis(50);

/// Checked frames of records that follow each other in an output.
#[derive(Default)]
pub(super) struct Block {
    /// Begins with the frames.
    pub(super) buffer: Vec<u8>,
    /// Bytes of the frames.
    pub(super) len: usize,
    /// Key and position of each record.
    pub(super) records: Vec<(u64, usize)>,
}

/// Blocks to fill, and the queue of those to write.
pub(super) struct Blocks {
    free: Receiver<Block>,
    full: Sender<Block>,
}

impl Blocks {
    /// Waits for a block to fill. Breaks if the writer has failed, or if `poll` breaks.
    pub(super) fn next(&self, mut poll: impl FnMut() -> ControlFlow<()>) -> ControlFlow<(), Block> {
        loop {
            match self.free.recv_timeout(INTERVAL) {
                Ok(block) => return ControlFlow::Continue(block),
                Err(RecvTimeoutError::Timeout) => poll()?,
                Err(RecvTimeoutError::Disconnected) => return ControlFlow::Break(()),
            }
        }
    }

    /// Queues a block.
    pub(super) fn send(&self, block: Block) {
        // If the writer has failed, there is no next block.
        _ = self.full.send(block);
    }
}

/// Calls `fill`, which fills blocks, and appends these to `output` on another thread. Breaks if
/// `fill` does.
///
/// # Errors
/// Those of `fill`; as [`RecordOutput::append_frames`].
pub(super) fn append_blocks(
    output: &mut RecordOutput,
    fill: impl FnOnce(&Blocks) -> Result<ControlFlow<()>>,
) -> Result<ControlFlow<()>> {
    let is_stopped = Arc::new(AtomicBool::new(false));
    let (full, queue) = bounded(BLOCKS);
    let (recycled, free) = bounded(BLOCKS);
    (0..BLOCKS).for_each(|_| _ = recycled.send(Block::default()));
    thread::scope(|scope| {
        let flag = Arc::clone(&is_stopped);
        let write = move || {
            let stopped = Arc::clone(&flag);
            wait::stoppable(
                move || stopped.load(Ordering::Relaxed),
                || write_all(output, &queue, &recycled),
            )
        };
        let writer = thread::Builder::new()
            .name("recio-write".into())
            .spawn_scoped(scope, write)
            .map_err(|cause| Error::thread(&cause))?;
        let filled = fill(&Blocks { free, full });
        let is_complete = matches!(filled, Ok(ControlFlow::Continue(())));
        is_stopped.store(!is_complete, Ordering::Relaxed);
        let written = writer.join().unwrap_or_else(|panic| resume_unwind(panic));
        match (filled?, written) {
            (ControlFlow::Break(()), Err(error)) if error.is_interrupted() => {
                Ok(ControlFlow::Break(()))
            }
            (flow, written) => written.map(|()| flow),
        }
    })
}

/// Appends the blocks of a queue until it is closed.
fn write_all(
    output: &mut RecordOutput,
    queue: &Receiver<Block>,
    recycled: &Sender<Block>,
) -> Result<()> {
    for block in queue {
        let frames = &block.buffer[..block.len];
        output.append_frames(frames, block.records.iter().copied())?;
        _ = recycled.send(block);
    }
    Ok(())
}
