//! Threads for ours, as spacepanda-core has them: a pool that stays, one thread for each processor but the caller's.
//!
//! spacepanda-core itself cannot be linked here: it and OpenMLS ask for different versions of SQLite.

use std::{
    sync::atomic::{AtomicUsize, Ordering},
    thread,
};

use mls_crypto::Parallel;
use rayon::{ThreadPool, ThreadPoolBuilder};

use crate::profile;

/// As many as there are processors.
#[derive(Debug)]
pub struct Threads {
    width: usize,
    helpers: ThreadPool,
}

impl Default for Threads {
    fn default() -> Self {
        let width = thread::available_parallelism().map_or(1, std::num::NonZero::get).max(2);
        let helpers = ThreadPoolBuilder::new().num_threads(width - 1).build().unwrap();
        Self { width, helpers }
    }
}

impl Parallel for Threads {
    fn width(&self) -> usize {
        self.width
    }

    fn run(&self, pieces: usize, work: &(dyn Fn(usize) + Sync)) {
        let next = AtomicUsize::new(0);
        let worker = || {
            std::iter::repeat_with(|| next.fetch_add(1, Ordering::Relaxed))
                .take_while(|piece| *piece < pieces)
                .for_each(work);
        };
        self.helpers.in_place_scope(|scope| {
            (1..self.width.min(pieces)).for_each(|_| scope.spawn(|_| profile::helper(worker)));
            worker();
        });
    }
}
