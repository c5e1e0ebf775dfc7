//! Parallelism is an argument: threads for work that splits, such as checking a large tree.
//!
//! In: independent pieces of work. Out: nothing until all of them are done.
//! Always: the calling thread works too, so a machine that refuses a thread is slower, not wrong.

use std::{
    num::NonZeroUsize,
    sync::{
        Arc, LazyLock, OnceLock,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

use mls_crypto::Parallel;
use rayon::{ThreadPool, ThreadPoolBuilder};

/// Those of the process: whoever asks for the default shares them.
static SHARED: LazyLock<Threads> =
    LazyLock::new(|| Threads::new(thread::available_parallelism().unwrap_or(NonZeroUsize::MIN)));

/// Threads that stay and wait for work: started when there is some for the first time, ended with the last clone.
#[derive(Clone, Debug)]
pub struct Threads {
    width: NonZeroUsize,
    /// One less than `width`: the caller is one of them. Nothing if the system gave none.
    helpers: Arc<OnceLock<Option<ThreadPool>>>,
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
    pub fn new(width: NonZeroUsize) -> Self {
        Self { width, helpers: Arc::default() }
    }

    fn helpers(&self) -> Option<&ThreadPool> {
        let start = || {
            let count = self.width.get().saturating_sub(1);
            ThreadPoolBuilder::new().num_threads(count).thread_name(|number| format!("mls-{number}")).build().ok()
        };
        self.helpers.get_or_init(start).as_ref()
    }
}

impl Default for Threads {
    /// One thread for each processor the operating system offers, one if it does not tell; the same for everyone.
    fn default() -> Self {
        SHARED.clone()
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
        let asked = self.width.get().min(pieces);
        // A pool of no threads would be one of as many as there are processors.
        match if asked > 1 { self.helpers() } else { None } {
            Some(helpers) => helpers.in_place_scope(|scope| {
                (1..asked).for_each(|_| scope.spawn(|_| worker()));
                worker();
            }),
            None => worker(),
        }
    }
}

#[cfg(test)]
mod tests;
