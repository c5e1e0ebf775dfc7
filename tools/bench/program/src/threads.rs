//! Threads for ours, as spacepanda-core has them: scoped, one for each processor, for as long as the call lasts.
//!
//! spacepanda-core itself cannot be linked here: it and OpenMLS ask for different versions of SQLite.

use std::{
    sync::atomic::{AtomicUsize, Ordering},
    thread,
};

use mls_crypto::Parallel;

use crate::profile;

/// As many as there are processors.
#[derive(Clone, Copy, Debug)]
pub struct Threads(usize);

impl Default for Threads {
    fn default() -> Self {
        Self(thread::available_parallelism().map_or(1, std::num::NonZero::get))
    }
}

impl Parallel for Threads {
    fn width(&self) -> usize {
        self.0
    }

    fn run(&self, pieces: usize, work: &(dyn Fn(usize) + Sync)) {
        let next = AtomicUsize::new(0);
        let worker = || {
            std::iter::repeat_with(|| next.fetch_add(1, Ordering::Relaxed))
                .take_while(|piece| *piece < pieces)
                .for_each(work);
        };
        thread::scope(|scope| {
            for _ in 1..self.0.min(pieces) {
                scope.spawn(|| profile::helper(worker));
            }
            worker();
        });
    }
}
