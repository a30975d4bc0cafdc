//! Memory of batches: buffer pools of the sizes that a loader needs.

use std::sync::Arc;

use crate::error::{Error, ErrorKind, Result};
use crate::loader::buffer::Allocator;
use crate::loader::buffer_pool::{BufferPool, BufferPools};
use crate::loader::masks::Masks;
use crate::loader::options::Options;
use crate::loader::sample_task::SampleTask;
use crate::loader::thread_counts::ThreadCounts;
use crate::memory;
use crate::render::normalize::Element;

/// Returns pools for the memory of batches.
pub(super) fn buffer_pools<T: Element>(
    task: &SampleTask<T>,
    options: &Options,
    counts: ThreadCounts,
) -> Result<BufferPools<T>> {
    let batch_size = options.batch_size;
    let max_spare = counts.max_claimed + counts.producers;
    // Running out of memory is an error of the first batch, too, but here its cause is known.
    let checked = |values: usize, size: usize| {
        let bytes = batch_size.saturating_mul(values).saturating_mul(size);
        memory::check(bytes).map_err(|_| {
            Error::new(ErrorKind::Memory(format!(
                "out of memory: batch_size={batch_size} needs {bytes} bytes for one array of a batch"
            )))
        })
    };
    checked(task.slot_len(), size_of::<T>())?;
    checked(task.labels().width(), size_of::<f64>())?;
    if let Some(masks) = task.masks() {
        checked(masks.slot_len(), 1)?;
    }
    let limits = (max_spare, counts.max_buffers);
    Ok(pools_of(
        task,
        batch_size,
        limits,
        options.allocator.as_ref(),
    ))
}

/// Returns pools for the first images of batches that wait for their buffers.
pub(super) fn early_buffers<T: Element>(
    task: &SampleTask<T>,
    counts: ThreadCounts,
) -> BufferPools<T> {
    let limits = (counts.producers, usize::MAX);
    pools_of(task, counts.early_images, limits, None)
}

fn pools_of<T: Element>(
    task: &SampleTask<T>,
    slots: usize,
    (max_spare, max_buffers): (usize, usize),
    allocator: Option<&Arc<dyn Allocator>>,
) -> BufferPools<T> {
    let masks = task.masks().map(Masks::slot_len);
    BufferPools {
        slots,
        data: BufferPool::new(
            slots * task.slot_len(),
            (max_spare, max_buffers),
            allocator.cloned(),
        ),
        masks: masks
            .map(|len| BufferPool::new(slots * len, (max_spare, usize::MAX), allocator.cloned())),
    }
}
