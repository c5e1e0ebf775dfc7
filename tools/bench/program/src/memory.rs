//! Counting allocations: the system's allocator, and what one step asks of it.
//!
//! In: a piece of work. Out: how often it allocated, how much it held at its peak, and how much is left of it.
//! Always: nothing is counted unless [`count`] runs; the clock sees one test of a flag for each allocation.
#![expect(unsafe_code, reason = "the trait of allocators is unsafe; every call is passed on as it came")]

use std::{
    alloc::{GlobalAlloc, Layout, System},
    sync::atomic::{AtomicBool, AtomicI64, Ordering::Relaxed},
};

#[global_allocator]
static ALLOCATOR: Counting = Counting;

static COUNTS: AtomicBool = AtomicBool::new(false);
static CALLS: AtomicI64 = AtomicI64::new(0);
static LIVE: AtomicI64 = AtomicI64::new(0);
static PEAK: AtomicI64 = AtomicI64::new(0);

/// What a piece of work did to the heap.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Memory {
    /// Allocations, and changes of size.
    pub allocations: i64,
    /// Bytes more than before, at the most.
    pub peak: i64,
    /// Bytes more than before, at the end.
    pub held: i64,
}

/// Does the work and counts what it allocates, in all threads. Not to be nested.
pub fn count<T>(work: impl FnOnce() -> T) -> (T, Memory) {
    for counter in [&CALLS, &LIVE, &PEAK] {
        counter.store(0, Relaxed);
    }
    COUNTS.store(true, Relaxed);
    let result = work();
    COUNTS.store(false, Relaxed);
    let memory = Memory { allocations: CALLS.load(Relaxed), peak: PEAK.load(Relaxed), held: LIVE.load(Relaxed) };
    (result, memory)
}

struct Counting;

fn note(calls: i64, bytes: i64) {
    if COUNTS.load(Relaxed) {
        CALLS.fetch_add(calls, Relaxed);
        let live = LIVE.fetch_add(bytes, Relaxed) + bytes;
        if bytes > 0 {
            PEAK.fetch_max(live, Relaxed);
        }
    }
}

const fn signed(bytes: usize) -> i64 {
    bytes as i64
}

// SAFETY: every call goes to `System` unchanged.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        note(1, signed(layout.size()));
        // SAFETY: the caller's promises are those of `System`.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        note(1, signed(layout.size()));
        // SAFETY: as above.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        note(0, -signed(layout.size()));
        // SAFETY: as above.
        unsafe { System.dealloc(pointer, layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        note(1, signed(size) - signed(layout.size()));
        // SAFETY: as above.
        unsafe { System.realloc(pointer, layout, size) }
    }
}
