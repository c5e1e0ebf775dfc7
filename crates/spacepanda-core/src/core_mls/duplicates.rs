//! Recognising a second delivery of the same envelope (CAP-22, CON-04).
//!
//! This saves work and noise. It is not what stops replay: used keys are gone, whatever is remembered here.
//!
//! In: hashes of messages that were handled. Out: whether one was among the last.
//! Always: bounded; the oldest is forgotten first.

use std::collections::{HashSet, VecDeque};

use mls_crypto::Hash;

/// Hashes of the last messages handled.
#[derive(Debug)]
pub(crate) struct Duplicates {
    capacity: usize,
    known: HashSet<Hash>,
    order: VecDeque<Hash>,
}

impl Duplicates {
    pub(crate) fn new(capacity: usize) -> Self {
        Self { capacity, known: HashSet::new(), order: VecDeque::new() }
    }

    pub(crate) fn contains(&self, id: &Hash) -> bool {
        self.known.contains(id)
    }

    pub(crate) fn insert(&mut self, id: Hash) {
        if self.capacity == 0 || !self.known.insert(id) {
            return;
        }
        self.order.push_back(id);
        if self.order.len() > self.capacity
            && let Some(oldest) = self.order.pop_front()
        {
            self.known.remove(&oldest);
        }
    }
}

#[cfg(test)]
mod tests;
