//! An allocator that counts what is in use and the most that ever was. Its figures are of the whole
//! process: who measures runs alone.

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicUsize, Ordering};

/// The system's allocator, counted.
#[derive(Debug)]
pub struct Counting {
    used: AtomicUsize,
    peak: AtomicUsize,
}

/// What an allocation takes with the allocator's own word before it, as glibc has it.
const fn taken(layout: Layout) -> usize {
    let with_word = (layout.size() + 8).next_multiple_of(16);
    if with_word < 32 { 32 } else { with_word }
}

impl Counting {
    /// Nothing is in use yet.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            used: AtomicUsize::new(0),
            peak: AtomicUsize::new(0),
        }
    }

    /// How many bytes are in use.
    pub fn used(&self) -> usize {
        self.used.load(Ordering::SeqCst)
    }

    /// Runs something and gives how many bytes more than before were in use at most, meanwhile.
    pub fn peak_of<T>(&self, run: impl FnOnce() -> T) -> (T, usize) {
        let before = self.used.load(Ordering::SeqCst);
        self.peak.store(before, Ordering::SeqCst);
        let result = run();
        (result, self.peak.load(Ordering::SeqCst) - before)
    }
}

impl Default for Counting {
    fn default() -> Self {
        Self::new()
    }
}

// Growing in place is not counted as such: both the old and the new memory are, as if it moved.
#[expect(
    unsafe_code,
    reason = "every allocator is unsafe; this one passes on to the system's"
)]
// SAFETY: each function passes its arguments on to the system's allocator unchanged.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let used = self.used.fetch_add(taken(layout), Ordering::SeqCst) + taken(layout);
        self.peak.fetch_max(used, Ordering::SeqCst);
        // SAFETY: the caller's promise about `layout`.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        self.used.fetch_sub(taken(layout), Ordering::SeqCst);
        // SAFETY: the caller's promise about `memory` and `layout`.
        unsafe { System.dealloc(memory, layout) }
    }
}
