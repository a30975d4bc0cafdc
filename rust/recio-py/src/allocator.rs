//! Memory allocator: small blocks with a reserve, large ones mapped.
//!
//! Memory that a file or an argument asks for is allocated by functions that return an error
//! (`recio_core::memory`). All other allocations are small, but when there is no memory left, one
//! of them would end the process. They are made from a reserve then: it is a block of address space
//! that is never touched, freed when a small allocation fails, and allocated again after a large
//! block was freed.
//!
//! Large blocks are mapped, so that they go back to the system when they are freed: the heap of a
//! thread would keep them, such as the coefficients of the largest progressive JPEG that it has
//! decoded. They are made of huge pages where the system has them, as NumPy's arrays are. Otherwise
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
/// Smallest block that is mapped; NumPy's number for huge pages. After one is freed, the reserve is
/// allocated again.
const MIN_LARGE: usize = 4 << 20;
/// Greatest alignment of mapped memory that is certain.
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

    /// Moves a block that becomes large, or small.
    ///
    /// # Safety
    /// As for [`GlobalAlloc::realloc`].
    unsafe fn move_block(&self, block: *mut u8, layout: Layout, new_layout: Layout) -> *mut u8 {
        // SAFETY: as for the caller; both blocks have the bytes that are copied.
        unsafe {
            let moved = self.alloc(new_layout);
            if !moved.is_null() {
                let count = layout.size().min(new_layout.size());
                ptr::copy_nonoverlapping(block, moved, count);
                self.dealloc(block, layout);
            }
            moved
        }
    }
}

fn free_reserve(block: *mut u8) {
    if !block.is_null() {
        // SAFETY: the block was allocated with this layout, and taken out of the reserve by the
        // caller alone.
        unsafe { System.dealloc(block, RESERVE) };
    }
}

fn is_mapped(layout: Layout) -> bool {
    layout.size() >= MIN_LARGE && layout.align() <= PAGE
}

/// Maps memory, which is zero; returns null if there is none.
fn map(size: usize) -> *mut u8 {
    let access = libc::PROT_READ | libc::PROT_WRITE;
    let kind = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS;
    // SAFETY: new memory, at an address that the kernel chooses.
    let block = unsafe { libc::mmap(ptr::null_mut(), size, access, kind, -1, 0) };
    if block == libc::MAP_FAILED {
        return ptr::null_mut();
    }
    advise_huge_pages(block.cast(), size);
    block.cast()
}

/// Changes the size of mapped memory, which may move; returns null if there is none.
///
/// # Safety
/// The block was mapped with the former size.
unsafe fn remap(block: *mut u8, former: usize, size: usize) -> *mut u8 {
    #[cfg(target_os = "linux")]
    // SAFETY: as for the caller.
    let moved = unsafe { libc::mremap(block.cast(), former, size, libc::MREMAP_MAYMOVE) };
    if moved == libc::MAP_FAILED {
        return ptr::null_mut();
    }
    moved.cast()
}

/// Asks the kernel for huge pages.
fn advise_huge_pages(block: *mut u8, size: usize) {
    #[cfg(target_os = "linux")]
    // SAFETY: the memory was just mapped, and the advice changes nothing in it.
    unsafe {
        libc::madvise(block.cast(), size, libc::MADV_HUGEPAGE);
    }
}

// SAFETY: small blocks are those of the system's allocator, to which calls are passed on as they
// are; large ones are mapped memory of their own. Their layout says which.
unsafe impl GlobalAlloc for Allocator {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        if is_mapped(layout) {
            return map(layout.size());
        }
        // SAFETY: as for the caller.
        let block = unsafe { System.alloc(layout) };
        if block.is_null() && self.use_reserve(layout.size()) {
            // SAFETY: as for the caller.
            return unsafe { System.alloc(layout) };
        }
        block
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        if is_mapped(layout) {
            return map(layout.size());
        }
        // SAFETY: as for the caller.
        let block = unsafe { System.alloc_zeroed(layout) };
        if block.is_null() && self.use_reserve(layout.size()) {
            // SAFETY: as for the caller.
            return unsafe { System.alloc_zeroed(layout) };
        }
        block
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        // SAFETY: the caller's size is valid with this alignment.
        let new_layout = unsafe { Layout::from_size_align_unchecked(size, layout.align()) };
        match (is_mapped(layout), is_mapped(new_layout)) {
            (false, false) => {}
            // SAFETY: as for the caller; the block was mapped with this size.
            (true, true) => return unsafe { remap(block, layout.size(), size) },
            // SAFETY: as for the caller.
            _ => return unsafe { self.move_block(block, layout, new_layout) },
        }
        // SAFETY: as for the caller.
        let moved = unsafe { System.realloc(block, layout, size) };
        if moved.is_null() && self.use_reserve(size) {
            // SAFETY: as for the caller; the first attempt left the block as it was.
            return unsafe { System.realloc(block, layout, size) };
        }
        moved
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        if is_mapped(layout) {
            // SAFETY: the block was mapped with this size, and the caller does not use it any more.
            unsafe { libc::munmap(block.cast(), layout.size()) };
            self.fill_reserve();
            return;
        }
        // SAFETY: as for the caller.
        unsafe { System.dealloc(block, layout) };
    }
}
