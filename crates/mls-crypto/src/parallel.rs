//! Parallelism is an argument: the engine starts no threads of its own.

/// Runs independent pieces of work, possibly at once.
pub trait Parallel: Send + Sync {
    /// How many pieces can make progress at once, at least one.
    fn width(&self) -> usize;

    /// Calls `work(0)`, …, `work(pieces - 1)`, each exactly once, and returns when all are done.
    fn run(&self, pieces: usize, work: &(dyn Fn(usize) + Sync));
}

/// One after the other, on the calling thread.
#[derive(Clone, Copy, Debug, Default)]
pub struct Sequential;

impl Parallel for Sequential {
    fn width(&self) -> usize {
        1
    }

    fn run(&self, pieces: usize, work: &(dyn Fn(usize) + Sync)) {
        (0..pieces).for_each(work);
    }
}
