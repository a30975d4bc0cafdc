//! Memory of one array of a batch: recio's own, or the caller's.
//!
//! recio's own is mapped, not taken from the heap: so it starts at a page, and goes back to the
//! system when it is freed. Huge pages were not faster (task A, 5 pairs: 1.05 times the CPU time).

use std::fmt::Debug;
use std::marker::PhantomData;
use std::ops::{Deref, DerefMut};

pub use bytemuck::Pod;
use memmap2::MmapMut;

use crate::error::{Error, Result};
use crate::memory;

/// Bytes of the caller's that nothing else uses until they are dropped.
pub trait Block: DerefMut<Target = [u8]> + Send + Sync + Debug {}

impl<B: DerefMut<Target = [u8]> + Send + Sync + Debug> Block for B {}

/// Allocator of the caller's: of pinned or shared memory, for example.
pub trait Allocator: Send + Sync + Debug {
    /// Allocates this many bytes.
    ///
    /// # Errors
    /// An error of the caller's, or what it returned is not such memory.
    fn allocate(&self, bytes: usize) -> Result<Box<dyn Block>>;
}

/// Values of one array.
#[derive(Debug)]
pub struct Buffer<T>(Memory<T>);

#[derive(Debug)]
enum Memory<T> {
    Own {
        map: MmapMut,
        values: PhantomData<T>,
    },
    /// Bytes whose length and alignment were checked.
    Caller(Box<dyn Block>),
}

impl<T: Pod + Default> Buffer<T> {
    /// Allocates a buffer of `len` zeros, whose address is that of a page: other frameworks can
    /// then use the memory without a copy. JAX needs multiples of 64.
    ///
    /// # Errors
    /// [`ErrorKind::Memory`](crate::error::ErrorKind::Memory).
    pub fn new(len: usize) -> Result<Self> {
        let bytes = len.saturating_mul(size_of::<T>());
        let map = MmapMut::map_anon(bytes).map_err(|_| memory::out_of_memory(bytes))?;
        let values = PhantomData;
        Ok(Self(Memory::Own { map, values }))
    }

    /// Makes a buffer of `len` values, whatever they are, of memory of an allocator.
    ///
    /// # Errors
    /// That of the allocator; its memory has another length, or is not aligned as values are.
    pub fn of_allocator(len: usize, allocator: &dyn Allocator) -> Result<Self> {
        let bytes = len * size_of::<T>();
        let block = allocator.allocate(bytes)?;
        match bytemuck::try_cast_slice::<u8, T>(&block) {
            Ok(values) if values.len() == len => Ok(Self(Memory::Caller(block))),
            _ => Err(Error::argument(format!(
                "allocator must return {bytes} bytes at an address that is a multiple of {}, got {} bytes at {:p}",
                align_of::<T>(),
                block.len(),
                block.as_ptr(),
            ))),
        }
    }
}

impl<T: Pod> Deref for Buffer<T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        match &self.0 {
            Memory::Own { map, .. } => bytemuck::cast_slice(map),
            Memory::Caller(block) => bytemuck::cast_slice(block),
        }
    }
}

impl<T: Pod> DerefMut for Buffer<T> {
    fn deref_mut(&mut self) -> &mut [T] {
        match &mut self.0 {
            Memory::Own { map, .. } => bytemuck::cast_slice_mut(map),
            Memory::Caller(block) => bytemuck::cast_slice_mut(block),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buffers_are_aligned_to_pages() {
        for len in [0, 1, 5, 100_000] {
            let (bytes, floats) = (Buffer::<u8>::new(len), Buffer::<f64>::new(len));
            assert_eq!(bytes.unwrap().as_ptr() as usize % 4096, 0);
            let mut floats = floats.unwrap();
            assert_eq!(floats.as_mut_ptr() as usize % 4096, 0);
            assert_eq!(floats.len(), len);
        }
    }

    /// Returns blocks from the middle of larger ones.
    #[derive(Debug)]
    struct Shifted {
        shift: usize,
        missing: usize,
    }

    #[derive(Debug)]
    struct Part(Buffer<u64>, usize, usize);

    impl Deref for Part {
        type Target = [u8];

        fn deref(&self) -> &[u8] {
            &bytemuck::cast_slice(&self.0)[self.1..][..self.2]
        }
    }

    impl DerefMut for Part {
        fn deref_mut(&mut self) -> &mut [u8] {
            &mut bytemuck::cast_slice_mut(&mut self.0)[self.1..][..self.2]
        }
    }

    impl Allocator for Shifted {
        fn allocate(&self, bytes: usize) -> Result<Box<dyn Block>> {
            let values = Buffer::new(bytes + self.shift)?;
            Ok(Box::new(Part(values, self.shift, bytes - self.missing)))
        }
    }

    #[test]
    fn memory_of_an_allocator_has_the_length_and_the_alignment_of_the_values() {
        let buffer = |shift, missing| Buffer::<f32>::of_allocator(3, &Shifted { shift, missing });
        let mut values = buffer(4, 0).unwrap();
        values.copy_from_slice(&[1.0, 2.0, 3.0]);
        assert_eq!(*values, [1.0, 2.0, 3.0]);
        assert!(buffer(2, 0).is_err() && buffer(0, 4).is_err() && buffer(0, 1).is_err());
    }
}
