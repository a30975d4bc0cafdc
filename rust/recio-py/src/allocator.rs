//! Memory allocator with a reserve for small allocations.
//!
//! Memory that a file or an argument asks for is allocated by functions that return an error
//! (`recio_core::memory`). All other allocations are small, but when there is no memory left, one
//! of them would end the process. They are made from a reserve then: it is a block of address space
//! that is never touched, freed when a small allocation fails, and allocated again after a large
//! block was freed.
//!
//! Large blocks are made of huge pages where the system has them, as NumPy's arrays are. Otherwise
//! the kernel maps each 4 KB of a new block when they are first written: an image of 12 megapixels
//! in floats then takes five times as long as NumPy's.
#![allow(unsafe_code, reason = "an allocator is unsafe to implement")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::ptr;
use std::sync::atomic::{AtomicPtr, Ordering};

/// The reserve: enough for what is allocated until an error for want of memory reaches the caller.
const RESERVE: Layout = match Layout::from_size_align(16 << 20, 4096) {
    Ok(layout) => layout,
    Err(_) => panic!("the layout is valid"),
};
/// Largest allocation that may use the reserve.
const MAX_SMALL: usize = 4 << 20;
/// Freed block after which the reserve is allocated again.
const MIN_LARGE: usize = 4 << 20;
/// Smallest block that is made of huge pages; NumPy's number.
const MIN_HUGE: usize = 4 << 20;
/// Alignment of the memory that the kernel takes advice on; with another one it ignores the advice.
const PAGE: usize = 4096;

/// The system's allocator with a reserve.
pub(crate) struct Allocator {
    reserve: AtomicPtr<u8>,
}

impl Allocator {
    pub(crate) const fn new() -> Self {
        Self {
            reserve: AtomicPtr::new(ptr::null_mut()),
        }
    }

    /// Allocates the reserve, unless it is there or there is no memory.
    pub(crate) fn fill_reserve(&self) {
        if !self.reserve.load(Ordering::Acquire).is_null() {
            return;
        }
        // SAFETY: the layout has a size.
        let block = unsafe { System.alloc(RESERVE) };
        let former = self.reserve.swap(block, Ordering::AcqRel);
        free_reserve(former);
    }

    /// Frees the reserve for an allocation of `size` bytes that failed; returns whether it is worth
    /// another attempt.
    #[cold]
    fn use_reserve(&self, size: usize) -> bool {
        if size > MAX_SMALL {
            return false;
        }
        let block = self.reserve.swap(ptr::null_mut(), Ordering::AcqRel);
        free_reserve(block);
        // Another thread may have freed it just now.
        true
    }
}

fn free_reserve(block: *mut u8) {
    if !block.is_null() {
        // SAFETY: the block was allocated with this layout, and taken out of the reserve by the
        // caller alone.
        unsafe { System.dealloc(block, RESERVE) };
    }
}

/// Asks the kernel for huge pages, if the block is large.
fn advise_huge_pages(block: *mut u8, size: usize) {
    #[cfg(target_os = "linux")]
    if size >= MIN_HUGE && !block.is_null() {
        let start = block.align_offset(PAGE);
        // SAFETY: the range is within the block, and the advice changes nothing in it.
        unsafe { libc::madvise(block.add(start).cast(), size - start, libc::MADV_HUGEPAGE) };
    }
}

// SAFETY: all blocks are those of the system's allocator, to which all calls are passed on as they
// are.
unsafe impl GlobalAlloc for Allocator {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: as for the caller.
        let block = unsafe { System.alloc(layout) };
        if block.is_null() && self.use_reserve(layout.size()) {
            // SAFETY: as for the caller.
            return unsafe { System.alloc(layout) };
        }
        advise_huge_pages(block, layout.size());
        block
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: as for the caller.
        let block = unsafe { System.alloc_zeroed(layout) };
        if block.is_null() && self.use_reserve(layout.size()) {
            // SAFETY: as for the caller.
            return unsafe { System.alloc_zeroed(layout) };
        }
        advise_huge_pages(block, layout.size());
        block
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        // SAFETY: as for the caller.
        let moved = unsafe { System.realloc(block, layout, size) };
        if moved.is_null() && self.use_reserve(size) {
            // SAFETY: as for the caller; the first attempt left the block as it was.
            return unsafe { System.realloc(block, layout, size) };
        }
        moved
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        // SAFETY: as for the caller.
        unsafe { System.dealloc(block, layout) };
        if layout.size() >= MIN_LARGE {
            self.fill_reserve();
        }
    }
}
