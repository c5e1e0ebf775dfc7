//! Parallelism is an argument: the engine starts no threads of its own.

use std::sync::Mutex;

/// Runs independent pieces of work, possibly at once.
pub trait Parallel: Send + Sync {
    /// How many pieces can make progress at once, at least one.
    fn width(&self) -> usize;

    /// Calls `work(0)`, …, `work(pieces - 1)`, each exactly once, and returns when all are done.
    fn run(&self, pieces: usize, work: &(dyn Fn(usize) + Sync));
}

impl dyn Parallel + '_ {
    /// Gives `items` to `work` in as many consecutive pieces as can make progress at once. Out: what it returned for
    /// each piece, in order; nothing for no items.
    pub fn in_pieces<T: Send, R: Send>(&self, mut items: Vec<T>, work: &(dyn Fn(Vec<T>) -> R + Sync)) -> Vec<R> {
        let piece_len = items.len().div_ceil(self.width().max(1)).max(1);
        let mut pieces = Vec::new();
        while !items.is_empty() {
            let rest = items.split_off(piece_len.min(items.len()));
            pieces.push(Mutex::new((Some(std::mem::replace(&mut items, rest)), None)));
        }
        self.run(pieces.len(), &|piece| {
            // A lock is poisoned only if `work` panicked, which `run` passes on.
            if let Some(Ok(mut slot)) = pieces.get(piece).map(Mutex::lock)
                && let Some(items) = slot.0.take()
            {
                slot.1 = Some(work(items));
            }
        });
        pieces.into_iter().filter_map(|slot| slot.into_inner().ok()?.1).collect()
    }
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

#[cfg(test)]
mod tests;
