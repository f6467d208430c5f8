//! The number of heap allocations and their bytes.

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

/// The heap use of a piece of work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Heap {
    /// The number of allocations and reallocations.
    pub allocations: u64,
    /// The bytes allocated, freed or not.
    pub bytes: u64,
    /// The bytes in use afterwards, less those in use before.
    pub growth: i64,
    /// The most bytes in use at any time, less those in use before.
    pub peak: i64,
}

/// True during [`heap_of`]. Otherwise counting costs one load of a value that no thread writes.
static COUNTING: AtomicBool = AtomicBool::new(false);
static ALLOCATIONS: AtomicU64 = AtomicU64::new(0);
static BYTES: AtomicU64 = AtomicU64::new(0);
static IN_USE: AtomicI64 = AtomicI64::new(0);
static PEAK: AtomicI64 = AtomicI64::new(0);

/// The heap use of this work while other threads rest; its result stays in use.
///
/// Counts allocations by Rust, not by libraries in C with `malloc`. Counts nothing if
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

// SAFETY: every call goes to `System` unchanged; counting touches atomics only.
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
