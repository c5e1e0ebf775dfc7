//! Parallelism is an argument: threads for work that splits, such as checking a large tree.
//!
//! In: independent pieces of work. Out: nothing until all of them are done.
//! Always: the calling thread works too, so a machine that refuses a thread is slower, not wrong.

use std::{
    num::NonZeroUsize,
    sync::atomic::{AtomicUsize, Ordering},
    thread,
};

use mls_crypto::Parallel;

/// Scoped threads, as many as asked for; they live no longer than the call.
#[derive(Clone, Copy, Debug)]
pub struct Threads {
    width: NonZeroUsize,
}

impl Threads {
    /// At most `width` pieces at once.
    ///
    /// ```
    /// use std::num::NonZeroUsize;
    /// use spacepanda_core::core_mls::{Parallel, Threads};
    ///
    /// assert_eq!(Threads::new(NonZeroUsize::MIN).width(), 1);
    /// ```
    pub const fn new(width: NonZeroUsize) -> Self {
        Self { width }
    }
}

impl Default for Threads {
    /// One thread for each processor the operating system offers; one if it does not tell.
    fn default() -> Self {
        Self::new(thread::available_parallelism().unwrap_or(NonZeroUsize::MIN))
    }
}

impl Parallel for Threads {
    fn width(&self) -> usize {
        self.width.get()
    }

    fn run(&self, pieces: usize, work: &(dyn Fn(usize) + Sync)) {
        let next = AtomicUsize::new(0);
        let worker = || {
            loop {
                let piece = next.fetch_add(1, Ordering::Relaxed);
                if piece >= pieces {
                    break;
                }
                work(piece);
            }
        };
        thread::scope(|scope| {
            for _ in 1..self.width.get().min(pieces) {
                // A thread that cannot be had is not needed: the loop below takes what is left.
                let _ = thread::Builder::new().spawn_scoped(scope, worker);
            }
            worker();
        });
    }
}

#[cfg(test)]
mod tests;
