//! Buffer pool for batches.
//!
//! New memory costs more than writing into it: the kernel clears each page on its first touch,
//! which takes 0.15 ms for an image of 3×224×224 float32, against 0.03 ms in memory that was used
//! before. So the buffers of a batch come from a pool, and go back to it when the batch is dropped.
//! A batch that is kept keeps its buffers; the pool then allocates new ones.

use std::sync::{Arc, Mutex};

use bytemuck::Pod;

use crate::error::Result;
use crate::loader::buffer::{Allocator, Buffer};
use crate::loader::lock::{lock, lock_unless_stuck};

/// A batch: images, labels or masks, ids.
#[derive(Debug)]
pub struct Batch<T> {
    /// `batch_size` images, one after another.
    pub data: PooledBuffer<T>,
    /// `batch_size × label_width` labels.
    pub labels: Vec<f64>,
    /// `batch_size` masks of class numbers, one after another, if the images have masks; then there
    /// are no labels.
    pub masks: Option<PooledBuffer<u8>>,
    /// The ids of the samples.
    pub ids: Vec<u64>,
    /// Slots that are not filled by new samples of the epoch.
    pub pad: usize,
}

impl<T: Pod> Batch<T> {
    /// Copies the sample of one of `slots` slots to another.
    pub(super) fn copy_slot(&mut self, from: usize, to: usize, slots: usize) {
        copy_chunk(&mut self.data, from, to, slots);
        copy_chunk(&mut self.labels, from, to, slots);
        copy_chunk(&mut self.ids, from, to, slots);
        if let Some(masks) = &mut self.masks {
            copy_chunk(masks, from, to, slots);
        }
    }
}

/// Copies one of `chunks` chunks to another.
fn copy_chunk<V: Copy>(values: &mut [V], from: usize, to: usize, chunks: usize) {
    let len = values.len() / chunks;
    values.copy_within(from * len..(from + 1) * len, to * len);
}

/// A buffer of a [`BufferPool`], which goes back to the pool when it is dropped.
#[derive(Debug)]
pub struct PooledBuffer<T> {
    /// None only while it is dropped.
    values: Option<Buffer<T>>,
    pool: Arc<BufferPool<T>>,
}

/// A pool of buffers of one length.
#[derive(Debug)]
pub struct BufferPool<T> {
    len: usize,
    /// The caller's allocator, if there is one.
    allocator: Option<Arc<dyn Allocator>>,
    spare: Mutex<Spare<T>>,
}

/// The pools of a loader.
#[derive(Debug, Clone)]
pub struct BufferPools<T> {
    /// Buffers for images.
    pub data: Arc<BufferPool<T>>,
    /// Buffers for masks, if images have masks.
    pub masks: Option<Arc<BufferPool<u8>>>,
}

impl<T> BufferPools<T> {
    /// Frees the spare buffers, and keeps none from now on.
    pub fn close(&self) {
        self.data.close();
        self.masks.iter().for_each(|pool| pool.close());
    }
}

#[derive(Debug)]
struct Spare<T> {
    max: usize,
    buffers: Vec<Buffer<T>>,
}

impl<T: Pod + Default> BufferPool<T> {
    /// A pool of buffers of `len` values, which keeps at most `max_spare` of them for later. New
    /// ones are made of memory of `allocator`, if there is one.
    #[must_use]
    pub fn new(len: usize, max_spare: usize, allocator: Option<Arc<dyn Allocator>>) -> Arc<Self> {
        Arc::new(Self {
            len,
            allocator,
            spare: Mutex::new(Spare {
                max: max_spare,
                buffers: Vec::new(),
            }),
        })
    }

    /// Returns the buffer that came back last, with its old values, or a new one.
    ///
    /// # Errors
    /// [`ErrorKind::Memory`](crate::error::ErrorKind::Memory); an error of the allocator.
    pub fn take(self: &Arc<Self>) -> Result<PooledBuffer<T>> {
        let spare = lock(&self.spare).buffers.pop();
        // Without the lock: an allocator may wait for what another thread holds.
        let values = spare.map_or_else(|| self.new_buffer(), Ok)?;
        Ok(PooledBuffer {
            values: Some(values),
            pool: Arc::clone(self),
        })
    }

    fn new_buffer(&self) -> Result<Buffer<T>> {
        match &self.allocator {
            None => Buffer::new(self.len),
            Some(allocator) => Buffer::of_allocator(self.len, &**allocator),
        }
    }
}

impl<T> BufferPool<T> {
    /// Frees the spare buffers, and keeps none from now on.
    pub fn close(&self) {
        *lock(&self.spare) = Spare {
            max: 0,
            buffers: Vec::new(),
        };
    }

    /// Puts a buffer back, unless the lock stays taken: in a forked process it may be taken for
    /// ever.
    ///
    /// One attempt is not enough, although another thread holds the lock for a moment only. A
    /// buffer that is not put back goes to the allocator, which keeps its memory, and so does the
    /// next one: in ten million images that was half as much memory again.
    fn put_back(&self, buffer: Buffer<T>) {
        if let Some(mut spare) = lock_unless_stuck(&self.spare)
            && spare.buffers.len() < spare.max
        {
            spare.buffers.push(buffer);
        }
    }
}

impl<T: Pod> std::ops::Deref for PooledBuffer<T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        self.values.as_deref().unwrap_or_default()
    }
}

impl<T: Pod> std::ops::DerefMut for PooledBuffer<T> {
    fn deref_mut(&mut self) -> &mut [T] {
        self.values.as_deref_mut().unwrap_or_default()
    }
}

impl<T> Drop for PooledBuffer<T> {
    fn drop(&mut self) {
        if let Some(values) = self.values.take() {
            self.pool.put_back(values);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_buffer_that_is_put_back_is_used_again_and_one_that_is_kept_is_not() {
        let pool = BufferPool::<f32>::new(8, 2, None);
        let (first, kept) = (pool.take().unwrap(), pool.take().unwrap());
        let address = first.as_ptr();
        drop(first);
        let again = pool.take().unwrap();
        assert_eq!(again.as_ptr(), address);
        assert!(kept.as_ptr() != address && pool.take().unwrap().as_ptr() != address);
    }

    #[test]
    fn a_buffer_that_does_not_fit_into_memory_is_an_error() {
        assert!(
            BufferPool::<f32>::new(usize::MAX / 8, 1, None)
                .take()
                .is_err()
        );
    }

    #[test]
    fn no_buffer_is_lost_when_threads_put_them_back_at_once() {
        let pool = BufferPool::<u8>::new(1, 8, None);
        let used: Vec<_> = (0..8).map(|_| pool.take().unwrap()).collect();
        used.into_iter().for_each(|mut buffer| buffer[0] = 7);
        let all_used = || (0..300_000).all(|_| pool.take().unwrap()[0] == 7);
        std::thread::scope(|scope| {
            let threads: Vec<_> = (0..4).map(|_| scope.spawn(all_used)).collect();
            assert!(threads.into_iter().all(|thread| thread.join().unwrap()));
        });
    }

    #[test]
    fn spare_buffers_are_at_most_the_maximum_and_none_after_closing() {
        let pool = BufferPool::<u8>::new(8, 2, None);
        drop([
            pool.take().unwrap(),
            pool.take().unwrap(),
            pool.take().unwrap(),
        ]);
        assert_eq!(lock(&pool.spare).buffers.len(), 2);
        let late = pool.take().unwrap();
        pool.close();
        drop(late);
        assert_eq!(lock(&pool.spare).buffers.len(), 0);
    }
}
