//! What one step costs.

use std::alloc::System;

use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};
use testkit::counting::{Counter, Counts};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

/// The cost of a step.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cost {
    pub(crate) counts: Counts,
    /// Bytes to be made durable.
    pub(crate) changes: usize,
    pub(crate) allocations: usize,
    /// Bytes allocated, whether freed again or not.
    pub(crate) allocated: usize,
}

/// Measures steps of members whose cryptography counts into `counter`.
#[derive(Default)]
pub(crate) struct Meter {
    pub(crate) counter: Counter,
}

impl Meter {
    /// What `work` costs; it returns its result and its bytes of changes.
    pub(crate) fn measure<T>(&self, work: impl FnOnce() -> (T, usize)) -> (T, Cost) {
        let _ = self.counter.take();
        let region = Region::new(ALLOCATOR);
        let (result, changes) = work();
        let change = region.change();
        let allocations = change.allocations + change.reallocations;
        let cost = Cost { counts: self.counter.take(), changes, allocations, allocated: change.bytes_allocated };
        (result, cost)
    }
}
