//! Buffer pool for batches.
//!
//! New memory costs more than writing into it: the kernel clears each page on its first touch,
//! which takes 0.15 ms for an image of 3×224×224 float32, against 0.03 ms in memory that was used
//! before. So the buffers of a batch come from a pool, and go back to it when the batch is dropped.
//! A batch that is kept keeps its buffers; the pool then allocates new ones. Where buffers are
//! large, a producer first waits for one that comes back.

use std::sync::{Arc, Condvar, Mutex, PoisonError};

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
    /// Copies the first `count` samples of another batch; this one has `slots` slots.
    pub(super) fn copy_first(&mut self, count: usize, other: &Self, slots: usize) {
        copy_chunks(&mut self.data, count, &other.data, slots);
        copy_chunks(&mut self.labels, count, &other.labels, slots);
        copy_chunks(&mut self.ids, count, &other.ids, slots);
        if let Some((to, from)) = self.masks.as_mut().zip(other.masks.as_ref()) {
            copy_chunks(to, count, from, slots);
        }
    }

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

/// Copies the first `count` of `chunks` chunks from other values.
fn copy_chunks<V: Copy>(values: &mut [V], count: usize, from: &[V], chunks: usize) {
    let end = values.len() / chunks * count;
    values[..end].copy_from_slice(&from[..end]);
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
    /// Buffers from which on [`BufferPool::wait`] waits for one that comes back.
    max_buffers: usize,
    state: Mutex<State<T>>,
    /// Signals that a buffer came back, or that one that is waited for is needed now.
    changed: Condvar,
}

/// The pools of a loader.
#[derive(Debug, Clone)]
pub struct BufferPools<T> {
    /// Images of a buffer.
    pub slots: usize,
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
struct State<T> {
    max_spare: usize,
    spare: Vec<Buffer<T>>,
    /// Buffers that exist, spare or in use.
    buffers: usize,
}

impl<T: Pod + Default> BufferPool<T> {
    /// A pool of buffers of `len` values, which keeps at most `max_spare` of them for later. New
    /// ones are made of memory of `allocator`, if there is one; [`wait`](Self::wait) makes them
    /// while there are fewer than `max_buffers`.
    #[must_use]
    pub fn new(
        len: usize,
        (max_spare, max_buffers): (usize, usize),
        allocator: Option<Arc<dyn Allocator>>,
    ) -> Arc<Self> {
        Arc::new(Self {
            len,
            allocator,
            max_buffers,
            state: Mutex::new(State {
                max_spare,
                spare: Vec::new(),
                buffers: 0,
            }),
            changed: Condvar::new(),
        })
    }

    /// Returns the buffer that came back last, with its old values, or a new one.
    ///
    /// # Errors
    /// [`ErrorKind::Memory`](crate::error::ErrorKind::Memory); an error of the allocator.
    pub fn take(self: &Arc<Self>) -> Result<PooledBuffer<T>> {
        self.wait(|| false)
    }

    /// Returns what [`take`](Self::take) does, unless that is a new buffer and there are as many as
    /// there should be.
    ///
    /// # Errors
    /// As [`take`](Self::take).
    pub fn try_take(self: &Arc<Self>) -> Result<Option<PooledBuffer<T>>> {
        let mut state = lock(&self.state);
        if state.spare.is_empty() && state.buffers >= self.max_buffers {
            return Ok(None);
        }
        let spare = state.pop();
        drop(state);
        self.pooled(spare).map(Some)
    }

    /// Returns what [`take`](Self::take) does; a new buffer, where there are as many as there
    /// should be, only when `may_wait` returns false after a [`wake`](Self::wake).
    ///
    /// # Errors
    /// As [`take`](Self::take).
    pub fn wait(self: &Arc<Self>, may_wait: impl Fn() -> bool) -> Result<PooledBuffer<T>> {
        let has_none = |state: &mut State<T>| {
            state.spare.is_empty() && state.buffers >= self.max_buffers && may_wait()
        };
        let state = self.changed.wait_while(lock(&self.state), has_none);
        let spare = state.unwrap_or_else(PoisonError::into_inner).pop();
        self.pooled(spare)
    }

    /// Returns a spare buffer, or a new one, which is counted already.
    fn pooled(self: &Arc<Self>, spare: Option<Buffer<T>>) -> Result<PooledBuffer<T>> {
        // Without the lock: an allocator may wait for what another thread holds.
        let values = spare.map_or_else(|| self.new_buffer(), Ok);
        if values.is_err() {
            lock(&self.state).buffers -= 1;
        }
        Ok(PooledBuffer {
            values: Some(values?),
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

impl<T> State<T> {
    /// Takes a spare buffer; if there is none, counts the one that is made instead.
    fn pop(&mut self) -> Option<Buffer<T>> {
        let spare = self.spare.pop();
        self.buffers += usize::from(spare.is_none());
        spare
    }
}

impl<T> BufferPool<T> {
    /// Frees the spare buffers, and keeps none from now on.
    pub fn close(&self) {
        let mut state = lock(&self.state);
        state.max_spare = 0;
        state.buffers -= state.spare.len();
        state.spare = Vec::new();
    }

    /// Makes those that wait for a buffer look again whether they may.
    pub(super) fn wake(&self) {
        // With the lock, none of them is between looking and waiting.
        drop(lock(&self.state));
        self.changed.notify_all();
    }

    /// Puts a buffer back, unless the lock stays taken: in a forked process it may be taken for
    /// ever.
    ///
    /// One attempt is not enough, although another thread holds the lock for a moment only. A
    /// buffer that is not put back goes to the allocator, which keeps its memory, and so does the
    /// next one: in ten million images that was half as much memory again.
    fn put_back(&self, buffer: Buffer<T>) {
        if let Some(mut state) = lock_unless_stuck(&self.state) {
            if state.spare.len() < state.max_spare {
                state.spare.push(buffer);
            } else {
                state.buffers -= 1;
            }
            self.changed.notify_one();
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
    use std::sync::atomic::{AtomicBool, Ordering};

    use super::*;

    #[test]
    fn a_buffer_that_is_put_back_is_used_again_and_one_that_is_kept_is_not() {
        let pool = BufferPool::<f32>::new(8, (2, usize::MAX), None);
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
            BufferPool::<f32>::new(usize::MAX / 8, (1, usize::MAX), None)
                .take()
                .is_err()
        );
    }

    #[test]
    fn no_buffer_is_lost_when_threads_put_them_back_at_once() {
        let pool = BufferPool::<u8>::new(1, (8, usize::MAX), None);
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
        let pool = BufferPool::<u8>::new(8, (2, usize::MAX), None);
        drop([
            pool.take().unwrap(),
            pool.take().unwrap(),
            pool.take().unwrap(),
        ]);
        assert_eq!(lock(&pool.state).spare.len(), 2);
        let late = pool.take().unwrap();
        pool.close();
        drop(late);
        assert_eq!(lock(&pool.state).spare.len(), 0);
    }

    #[test]
    fn a_buffer_is_waited_for_until_one_comes_back_or_it_is_needed_now() {
        let pool = BufferPool::<u8>::new(8, (2, 2), None);
        let (first, _second) = (pool.take().unwrap(), pool.take().unwrap());
        assert!(pool.try_take().unwrap().is_none());
        let is_needed = AtomicBool::new(false);
        let wait = || pool.wait(|| !is_needed.load(Ordering::Relaxed)).unwrap();
        std::thread::scope(|scope| {
            let waiting = scope.spawn(wait);
            drop(first);
            let third = waiting.join().unwrap();
            let waiting = scope.spawn(wait);
            is_needed.store(true, Ordering::Relaxed);
            pool.wake();
            drop((third, waiting.join().unwrap()));
        });
        assert!(pool.try_take().unwrap().is_some());
    }

    #[test]
    fn first_samples_are_copied_to_another_batch() {
        let batch = |slots: usize, first: u8| Batch {
            data: {
                let mut data = BufferPool::new(2 * slots, (1, 1), None).take().unwrap();
                data.iter_mut()
                    .zip(first..)
                    .for_each(|(value, number)| *value = number);
                data
            },
            labels: (0..slots)
                .map(|slot| f64::from(first) + slot as f64)
                .collect(),
            masks: None,
            ids: (0..slots)
                .map(|slot| u64::from(first) + slot as u64)
                .collect(),
            pad: 0,
        };
        let mut target = batch(3, 0);
        target.copy_first(1, &batch(2, 90), 3);
        assert_eq!(*target.data, [90, 91, 2, 3, 4, 5]);
        assert_eq!(
            (&target.labels[..], &target.ids[..]),
            (&[90.0, 1.0, 2.0][..], &[90, 1, 2][..])
        );
    }
}
