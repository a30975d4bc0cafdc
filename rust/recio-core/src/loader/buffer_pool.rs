//! A batch, and the memory that it lies in.
//!
//! Fresh memory costs more than what is written into it (the kernel clears each page on its first touch: 0.15 ms for an
//! image of 3×224×224 float32, against 0.03 ms in memory that was used before). So batches come from a pool: whoever is
//! done with one gives its memory back, and the next batch is written there. What is kept is never overwritten; then the
//! pool makes new memory instead.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::error::{Error, Result};

/// How often memory is offered to a pool that is in use. Whoever holds it may have lost the processor.
const TRIES: usize = 1000;

/// The samples of some images, with their labels.
#[derive(Debug)]
pub struct Batch<T> {
    /// `batch_size` images, one after another.
    pub data: PooledBuffer<T>,
    /// `batch_size × label_width` labels.
    pub labels: Vec<f32>,
    /// `batch_size` masks of class numbers, one after another, if the images have some; then there are no labels.
    pub masks: Option<PooledBuffer<u8>>,
    /// The records' ids.
    pub ids: Vec<u64>,
    /// How many images at the end are there only to fill the batch.
    pub pad: usize,
}

/// Memory on loan from a [`BufferPool`]. It goes back when it is dropped.
#[derive(Debug)]
pub struct PooledBuffer<T> {
    samples: Vec<T>,
    pool: Arc<BufferPool<T>>,
}

/// The memory of an iterator's batches.
#[derive(Debug)]
pub struct BufferPool<T> {
    len: usize,
    /// How many pieces of memory are kept for later at most; none once the iterator is gone.
    spare: Mutex<Spare<T>>,
}

/// The memory of the parts of an iterator's batches.
#[derive(Debug, Clone)]
pub struct BufferPools<T> {
    /// For the images.
    pub data: Arc<BufferPool<T>>,
    /// For their masks, if they have some.
    pub masks: Option<Arc<BufferPool<u8>>>,
}

impl<T> BufferPools<T> {
    /// Keeps no memory from now on.
    pub fn close(&self) {
        self.data.close();
        self.masks.iter().for_each(|pool| pool.close());
    }
}

#[derive(Debug)]
struct Spare<T> {
    most: usize,
    samples: Vec<Vec<T>>,
}

impl<T: Copy + Default> BufferPool<T> {
    /// A pool of pieces of `len` samples, which keeps at most `most` of them for later.
    #[must_use]
    pub fn new(len: usize, most: usize) -> Arc<Self> {
        Arc::new(Self {
            len,
            spare: Mutex::new(Spare {
                most,
                samples: Vec::new(),
            }),
        })
    }

    /// A piece of memory: the one that was given back last, as it was left, or a new one.
    #[must_use]
    pub fn take(self: &Arc<Self>) -> PooledBuffer<T> {
        let used = self.lock().samples.pop();
        let samples = used.unwrap_or_else(|| vec![T::default(); self.len]);
        PooledBuffer {
            samples,
            pool: Arc::clone(self),
        }
    }
}

impl<T> BufferPool<T> {
    /// Keeps no memory from now on.
    pub fn close(&self) {
        *self.lock() = Spare {
            most: 0,
            samples: Vec::new(),
        };
    }

    /// Takes memory back, unless the pool stays in use: in a forked process it may be for ever. Another thread is done in no time;
    /// what is not taken back goes to the allocator, which holds on to it, and so does the next piece: in ten million images
    /// that was half as much memory again.
    fn give(&self, samples: Vec<T>) {
        let spare = (0..TRIES).find_map(|_| {
            let spare = self.spare.try_lock().ok();
            if spare.is_none() {
                std::thread::yield_now();
            }
            spare
        });
        if let Some(mut spare) = spare
            && spare.samples.len() < spare.most
        {
            spare.samples.push(samples);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Spare<T>> {
        // A list of buffers is sound even if a thread that held it panicked.
        self.spare.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T> std::ops::Deref for PooledBuffer<T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        &self.samples
    }
}

impl<T> std::ops::DerefMut for PooledBuffer<T> {
    fn deref_mut(&mut self) -> &mut [T] {
        &mut self.samples
    }
}

impl<T> Drop for PooledBuffer<T> {
    fn drop(&mut self) {
        self.pool.give(std::mem::take(&mut self.samples));
    }
}

/// Refuses a batch for whose parts there can be no memory: running out of it later would end the process.
///
/// # Errors
/// [`ErrorKind::Argument`](crate::error::ErrorKind::Argument).
pub fn check_memory<T>(len: usize, what: &str) -> Result<()> {
    Vec::<T>::new().try_reserve_exact(len).map_err(|_| {
        Error::argument(format!(
            "there is no memory for the {len} {what} of a batch; give a smaller batch_size"
        ))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_that_is_given_back_is_used_again_and_kept_memory_is_not() {
        let pool = BufferPool::<f32>::new(8, 2);
        let (first, kept) = (pool.take(), pool.take());
        let address = first.as_ptr();
        drop(first);
        let again = pool.take();
        assert_eq!(again.as_ptr(), address);
        assert!(kept.as_ptr() != address && pool.take().as_ptr() != address);
    }

    #[test]
    fn no_memory_is_lost_when_threads_give_back_at_once() {
        let pool = BufferPool::<u8>::new(1, 8);
        let used: Vec<_> = (0..8).map(|_| pool.take()).collect();
        used.into_iter().for_each(|mut slots| slots[0] = 7);
        let all_used = || (0..300_000).all(|_| pool.take()[0] == 7);
        std::thread::scope(|scope| {
            let threads: Vec<_> = (0..4).map(|_| scope.spawn(all_used)).collect();
            assert!(threads.into_iter().all(|thread| thread.join().unwrap()));
        });
    }

    #[test]
    fn no_more_than_the_most_is_kept_and_nothing_after_closing() {
        let pool = BufferPool::<u8>::new(8, 2);
        drop([pool.take(), pool.take(), pool.take()]);
        assert_eq!(pool.lock().samples.len(), 2);
        let late = pool.take();
        pool.close();
        drop(late);
        assert_eq!(pool.lock().samples.len(), 0);
    }
}
