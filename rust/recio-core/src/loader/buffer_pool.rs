//! Buffer pool for batches.
//!
//! New memory costs more than writing into it: the kernel clears each page on its first touch,
//! which takes 0.15 ms for an image of 3×224×224 float32, against 0.03 ms in memory that was used
//! before. So the buffers of a batch come from a pool, and go back to it when the batch is dropped.
//! A batch that is kept keeps its buffers; the pool then allocates new ones.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::error::Result;
use crate::memory;

/// Alignment of buffers in bytes, that of a page: other frameworks can then use the memory without
/// a copy. JAX needs 64.
const ALIGNMENT: usize = 4096;

/// Attempts to return a buffer to a pool whose lock is taken. The thread that holds it may have
/// lost the processor.
const TRIES: usize = 1000;

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

impl<T: Copy> Batch<T> {
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

/// Values whose address is a multiple of 4,096.
#[derive(Debug)]
pub struct AlignedBuffer<T> {
    /// The values, somewhere in a longer vector.
    values: Vec<T>,
    start: usize,
    len: usize,
}

impl<T: Copy + Default> AlignedBuffer<T> {
    /// Allocates a buffer of `len` default values.
    ///
    /// # Errors
    /// [`ErrorKind::Memory`](crate::error::ErrorKind::Memory).
    pub fn new(len: usize) -> Result<Self> {
        let room = ALIGNMENT / size_of::<T>();
        let values = memory::filled(T::default(), len.saturating_add(room))?;
        // Were it not known, the buffer would only be less aligned.
        let start = values.as_ptr().align_offset(ALIGNMENT).min(room);
        Ok(Self { values, start, len })
    }
}

impl<T> std::ops::Deref for AlignedBuffer<T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        &self.values[self.start..][..self.len]
    }
}

impl<T> std::ops::DerefMut for AlignedBuffer<T> {
    fn deref_mut(&mut self) -> &mut [T] {
        &mut self.values[self.start..][..self.len]
    }
}

/// A buffer of a [`BufferPool`], which goes back to the pool when it is dropped.
#[derive(Debug)]
pub struct PooledBuffer<T> {
    /// None only while it is dropped.
    values: Option<AlignedBuffer<T>>,
    pool: Arc<BufferPool<T>>,
}

/// A pool of buffers of one length.
#[derive(Debug)]
pub struct BufferPool<T> {
    len: usize,
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
    buffers: Vec<AlignedBuffer<T>>,
}

impl<T: Copy + Default> BufferPool<T> {
    /// A pool of buffers of `len` values, which keeps at most `max_spare` of them for later.
    #[must_use]
    pub fn new(len: usize, max_spare: usize) -> Arc<Self> {
        Arc::new(Self {
            len,
            spare: Mutex::new(Spare {
                max: max_spare,
                buffers: Vec::new(),
            }),
        })
    }

    /// Returns the buffer that came back last, with its old values, or a new one.
    ///
    /// # Errors
    /// [`ErrorKind::Memory`](crate::error::ErrorKind::Memory).
    pub fn take(self: &Arc<Self>) -> Result<PooledBuffer<T>> {
        let spare = self.lock().buffers.pop();
        let values = spare.map_or_else(|| AlignedBuffer::new(self.len), Ok)?;
        Ok(PooledBuffer {
            values: Some(values),
            pool: Arc::clone(self),
        })
    }
}

impl<T> BufferPool<T> {
    /// Frees the spare buffers, and keeps none from now on.
    pub fn close(&self) {
        *self.lock() = Spare {
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
    fn put_back(&self, buffer: AlignedBuffer<T>) {
        let spare = (0..TRIES).find_map(|_| {
            let spare = self.spare.try_lock().ok();
            if spare.is_none() {
                std::thread::yield_now();
            }
            spare
        });
        if let Some(mut spare) = spare
            && spare.buffers.len() < spare.max
        {
            spare.buffers.push(buffer);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Spare<T>> {
        // A list of buffers is sound even if a thread that held the lock panicked.
        self.spare.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T> std::ops::Deref for PooledBuffer<T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        self.values.as_deref().unwrap_or_default()
    }
}

impl<T> std::ops::DerefMut for PooledBuffer<T> {
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
        let pool = BufferPool::<f32>::new(8, 2);
        let (first, kept) = (pool.take().unwrap(), pool.take().unwrap());
        let address = first.as_ptr();
        drop(first);
        let again = pool.take().unwrap();
        assert_eq!(again.as_ptr(), address);
        assert!(kept.as_ptr() != address && pool.take().unwrap().as_ptr() != address);
    }

    #[test]
    fn buffers_are_aligned_to_pages() {
        for len in [0, 1, 5, 100_000] {
            let (bytes, floats) = (
                AlignedBuffer::<u8>::new(len),
                AlignedBuffer::<f64>::new(len),
            );
            assert_eq!(bytes.unwrap().as_ptr() as usize % ALIGNMENT, 0);
            let mut floats = floats.unwrap();
            assert_eq!(floats.as_mut_ptr() as usize % ALIGNMENT, 0);
            assert_eq!(floats.len(), len);
        }
    }

    #[test]
    fn a_buffer_that_does_not_fit_into_memory_is_an_error() {
        assert!(BufferPool::<f32>::new(usize::MAX / 8, 1).take().is_err());
    }

    #[test]
    fn no_buffer_is_lost_when_threads_put_them_back_at_once() {
        let pool = BufferPool::<u8>::new(1, 8);
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
        let pool = BufferPool::<u8>::new(8, 2);
        drop([
            pool.take().unwrap(),
            pool.take().unwrap(),
            pool.take().unwrap(),
        ]);
        assert_eq!(pool.lock().buffers.len(), 2);
        let late = pool.take().unwrap();
        pool.close();
        drop(late);
        assert_eq!(pool.lock().buffers.len(), 0);
    }
}
