//! One step, measured: wall time, the time all processors worked for it, and the heap.

use std::{
    sync::OnceLock,
    time::{Duration, Instant},
};

use rustix::time::{ClockId, clock_gettime};

use crate::{
    memory::{self, Memory},
    profile,
};

/// What one step took.
#[derive(Clone, Copy, Debug, Default)]
pub struct Sample {
    /// Wall time.
    pub time: Duration,
    /// Time of all threads of the process.
    pub cpu: Duration,
    /// Bytes on the wire that it made or took.
    pub bytes: usize,
    /// Bytes of keys and values handed to the store, if the implementation says.
    pub stored: Option<usize>,
    /// Bytes read from the store, if the implementation says.
    pub read: Option<usize>,
    /// Heap; only of steps that count it.
    pub memory: Option<Memory>,
}

/// Takes a step; it says how many bytes went over the wire. Counting the heap makes it a little slower.
pub fn timed(heap: bool, step: impl FnOnce() -> usize) -> Sample {
    let work = || {
        let (cpu, start) = (processors(), Instant::now());
        let bytes = profile::step(step);
        let (time, cpu) = (start.elapsed(), processors().saturating_sub(cpu).saturating_sub(overhead()));
        Sample { time, cpu, bytes, ..Sample::default() }
    };
    // Before the clock starts: the first call measures.
    overhead();
    if !heap {
        return work();
    }
    let (sample, memory) = memory::count(work);
    Sample { memory: Some(memory), ..sample }
}

/// The time that all threads of the process have worked.
pub fn processors() -> Duration {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    Duration::new(time.tv_sec.unsigned_abs(), u32::try_from(time.tv_nsec).unwrap_or_default())
}

/// What asking for the processors' time costs by itself.
fn overhead() -> Duration {
    static OVERHEAD: OnceLock<Duration> = OnceLock::new();
    *OVERHEAD.get_or_init(|| {
        let pairs = (0..999).map(|_| {
            let before = processors();
            std::hint::black_box(Instant::now().elapsed());
            processors().saturating_sub(before)
        });
        let mut pairs: Vec<_> = pairs.collect();
        pairs.sort();
        pairs[pairs.len() / 2]
    })
}
