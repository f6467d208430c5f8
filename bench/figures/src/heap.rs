//! How many times, and for how many bytes, the heap is asked.

use std::{
    alloc::{GlobalAlloc, Layout, System},
    sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering::Relaxed},
};

/// The system's allocator, which counts while [`heap_of`] runs:
///
/// ```
/// #[global_allocator]
/// static HEAP: figures::CountingHeap = figures::CountingHeap;
///
/// let (text, heap) = figures::heap_of(|| String::from("hello"));
/// assert_eq!((heap.allocations, heap.bytes, heap.growth), (1, 5, 5), "{text}");
/// ```
#[derive(Debug)]
pub struct CountingHeap;

/// What a piece of work asked of the heap.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Heap {
    /// How many times memory was asked for, or an allocation asked to grow or shrink.
    pub allocations: u64,
    /// How many bytes were asked for, given back or not.
    pub bytes: u64,
    /// How many bytes are in use now that were not before.
    pub growth: i64,
    /// The most that were in use at any time, beyond those of before.
    pub peak: i64,
}

/// Outside of [`heap_of`], one load that no other thread ever writes: what is timed is not slowed.
static COUNTING: AtomicBool = AtomicBool::new(false);
static ALLOCATIONS: AtomicU64 = AtomicU64::new(0);
static BYTES: AtomicU64 = AtomicU64::new(0);
static IN_USE: AtomicI64 = AtomicI64::new(0);
static PEAK: AtomicI64 = AtomicI64::new(0);

/// What this work does to the heap, other threads at rest; what it returns stays in use.
///
/// Counts what Rust asks for, not what a library in C takes by `malloc`; and nothing where
/// [`CountingHeap`] is not the global allocator.
pub fn heap_of<T>(work: impl FnOnce() -> T) -> (T, Heap) {
    for counter in [&ALLOCATIONS, &BYTES] {
        counter.store(0, Relaxed);
    }
    for counter in [&IN_USE, &PEAK] {
        counter.store(0, Relaxed);
    }
    COUNTING.store(true, Relaxed);
    let result = work();
    COUNTING.store(false, Relaxed);
    let heap = Heap {
        allocations: ALLOCATIONS.load(Relaxed),
        bytes: BYTES.load(Relaxed),
        growth: IN_USE.load(Relaxed),
        peak: PEAK.load(Relaxed),
    };
    (result, heap)
}

fn took(bytes: usize) {
    ALLOCATIONS.fetch_add(1, Relaxed);
    BYTES.fetch_add(bytes as u64, Relaxed);
    let in_use = IN_USE.fetch_add(bytes as i64, Relaxed) + bytes as i64;
    PEAK.fetch_max(in_use, Relaxed);
}

fn gave(bytes: usize) {
    IN_USE.fetch_sub(bytes as i64, Relaxed);
}

// SAFETY: every call goes to `System` as it came; counting touches atomics only.
unsafe impl GlobalAlloc for CountingHeap {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        if COUNTING.load(Relaxed) {
            took(layout.size());
        }
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        if COUNTING.load(Relaxed) {
            took(layout.size());
        }
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        if COUNTING.load(Relaxed) {
            gave(layout.size());
            took(size);
        }
        unsafe { System.realloc(pointer, layout, size) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        if COUNTING.load(Relaxed) {
            gave(layout.size());
        }
        unsafe { System.dealloc(pointer, layout) }
    }
}
