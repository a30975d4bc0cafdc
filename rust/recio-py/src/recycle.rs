//! Memory of dropped images, reused for new ones.
//!
//! The kernel clears each page of new memory on its first touch, and memory that is freed soon goes
//! back to the kernel: a block above 32 MB at once, others when they are at the end of the heap.
//! Decoding an image of 12 megapixels then takes 8,800 page faults, and a third of the time.

use std::collections::VecDeque;
use std::ops::{Deref, DerefMut};
use std::sync::Mutex;

use numpy::Element;
use recio_core::image::Subpixel;

/// Smallest buffer that is kept, in bytes: smaller ones are reused by the allocator.
pub(crate) const MIN_BYTES: usize = 64 << 10;

/// Maximum of all buffers that a pool keeps, in bytes, and of their number.
const MAX_BYTES: usize = 64 << 20;
const MAX_BUFFERS: usize = 8;

/// A buffer that was not used while so many others came back is freed.
const MAX_AGE: u64 = 64;

/// Values of images whose memory is reused.
pub(crate) trait Recyclable: Element + Subpixel {
    /// Return the pool of buffers of such values.
    fn pool() -> &'static Pool<Self>;
}

impl Recyclable for u8 {
    fn pool() -> &'static Pool<Self> {
        static POOL: Pool<u8> = Pool::new();
        &POOL
    }
}

impl Recyclable for f32 {
    fn pool() -> &'static Pool<Self> {
        static POOL: Pool<f32> = Pool::new();
        &POOL
    }
}

/// Buffers that no image uses.
#[derive(Debug)]
pub(crate) struct Pool<T>(Mutex<Spare<T>>);

#[derive(Debug)]
struct Spare<T> {
    /// Number of buffers that have come back.
    returned: u64,
    /// Buffers, each with its number; the last one came back last.
    buffers: VecDeque<(u64, Vec<T>)>,
}

impl<T> Pool<T> {
    const fn new() -> Self {
        Self(Mutex::new(Spare {
            returned: 0,
            buffers: VecDeque::new(),
        }))
    }

    /// Return a buffer for `len` values, with any contents; an empty one if no spare buffer fits.
    pub(crate) fn take(&self, len: usize) -> Vec<T> {
        // Attempting to lock is enough, here and below: without the pool, memory comes from the
        // allocator. In a forked process the lock may be taken forever.
        let Ok(mut spare) = self.0.try_lock() else {
            return Vec::new();
        };
        // An image that is kept wastes at most a quarter of its size.
        let fits = len..=len + len / 4;
        let is_fit = |(_, buffer): &(u64, Vec<T>)| fits.contains(&buffer.capacity());
        let found = spare.buffers.iter().rposition(is_fit);
        let buffer = found.and_then(|at| spare.buffers.remove(at));
        buffer.map_or_else(Vec::new, |(_, buffer)| buffer)
    }

    fn put_back(&self, buffer: Vec<T>) {
        let Ok(mut spare) = self.0.try_lock() else {
            return;
        };
        spare.returned += 1;
        let number = spare.returned;
        spare.buffers.push_back((number, buffer));
        let excess = spare.take_excess();
        drop(spare);
        // Freeing large memory takes a while: not while the pool is locked.
        drop(excess);
    }
}

impl<T> Spare<T> {
    /// Remove the oldest buffers until those that remain are within the limits.
    fn take_excess(&mut self) -> Vec<Vec<T>> {
        let mut excess = Vec::new();
        while self.is_excessive()
            && let Some((_, buffer)) = self.buffers.pop_front()
        {
            excess.push(buffer);
        }
        excess
    }

    fn is_excessive(&self) -> bool {
        let values: usize = self
            .buffers
            .iter()
            .map(|(_, buffer)| buffer.capacity())
            .sum();
        let oldest = self
            .buffers
            .front()
            .map_or(self.returned, |(number, _)| *number);
        values.saturating_mul(size_of::<T>()) > MAX_BYTES
            || self.buffers.len() > MAX_BUFFERS
            || self.returned - oldest > MAX_AGE
    }
}

/// The values of an image, whose memory goes back to the pool.
#[derive(Debug)]
pub(crate) struct Recycled<T: Recyclable>(Vec<T>);

impl<T: Recyclable> Recycled<T> {
    pub(crate) fn new(values: Vec<T>) -> Self {
        Self(values)
    }
}

impl<T: Recyclable> Deref for Recycled<T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        &self.0
    }
}

impl<T: Recyclable> DerefMut for Recycled<T> {
    fn deref_mut(&mut self) -> &mut [T] {
        &mut self.0
    }
}

impl<T: Recyclable> Drop for Recycled<T> {
    fn drop(&mut self) {
        T::pool().put_back(std::mem::take(&mut self.0));
    }
}
