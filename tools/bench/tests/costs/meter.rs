//! Counting what a piece of work costs.

use std::alloc::System;

use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};
use testkit::counting::Counter;

use crate::table::Row;

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

/// Measures the work of hosts whose cryptography counts into `counter`.
#[derive(Default)]
pub(crate) struct Meter {
    pub(crate) counter: Counter,
    members: u32,
    pub(crate) rows: Vec<Row>,
}

impl Meter {
    pub(crate) fn new(members: u32) -> Self {
        Self { members, ..Self::default() }
    }

    /// Notes what `work` costs; it returns its result and how many bytes are to be made durable.
    pub(crate) fn measure<T>(&mut self, workload: &'static str, work: impl FnOnce() -> (T, usize)) -> T {
        let _ = self.counter.take();
        let region = Region::new(ALLOCATOR);
        let (result, durable) = work();
        let change = region.change();
        let counts = self.counter.take();
        self.rows.push(Row {
            workload: workload.to_owned(),
            members: self.members,
            operations: counts.operations(),
            touched: counts.bytes,
            durable,
            allocations: change.allocations + change.reallocations,
            allocated: change.bytes_allocated,
            held: change.bytes_allocated.saturating_sub(change.bytes_deallocated),
        });
        result
    }
}
