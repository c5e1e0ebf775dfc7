//! Recognising a second delivery of the same envelope (CAP-22, CON-04).
//!
//! This saves work and noise. It is not what stops replay: used keys are gone, whatever is remembered here.
//!
//! In: hashes of messages that were handled. Out: whether one was among the last.
//! Always: bounded; the oldest is forgotten first.

use std::collections::{BTreeMap, HashSet, VecDeque};

use mls_crypto::Hash;

/// Hashes of the last messages handled.
#[derive(Debug)]
pub(crate) struct Duplicates {
    capacity: usize,
    known: HashSet<[u8; SHORT]>,
    order: VecDeque<[u8; SHORT]>,
    /// How many were ever taken up.
    count: u64,
    /// Those of the last block, shortened.
    block: Vec<[u8; SHORT]>,
}

impl Duplicates {
    pub(crate) fn new(capacity: usize) -> Self {
        Self { capacity, known: HashSet::new(), order: VecDeque::new(), count: 0, block: Vec::new() }
    }

    pub(crate) fn contains(&self, id: &Hash) -> bool {
        self.known.contains(&short(id))
    }

    pub(crate) fn insert(&mut self, id: Hash) {
        self.insert_short(short(&id));
    }

    fn insert_short(&mut self, id: [u8; SHORT]) {
        if self.capacity == 0 || !self.known.insert(id) {
            return;
        }
        if self.block.len() >= BLOCK {
            self.block.clear();
        }
        self.block.push(id);
        self.count = self.count.saturating_add(1);
        self.order.push_back(id);
        if self.order.len() > self.capacity
            && let Some(oldest) = self.order.pop_front()
        {
            self.known.remove(&oldest);
        }
    }
}

impl Duplicates {
    /// The record, number and content, that will have to be stored to know this one as well; `None` if it is known.
    /// A block has room for some, and takes the place of the oldest.
    pub(crate) fn block_with(&self, id: &Hash) -> Option<(u32, Vec<u8>)> {
        let id = short(id);
        if self.capacity == 0 || self.known.contains(&id) {
            return None;
        }
        let block = if self.block.len() >= BLOCK { &[] } else { self.block.as_slice() };
        let first = self.count.saturating_sub(u64::try_from(block.len()).ok()?);
        let mut record = first.to_be_bytes().to_vec();
        block.iter().chain([&id]).for_each(|known| record.extend(known));
        let blocks = u64::try_from(self.capacity.div_ceil(BLOCK)).ok()?.saturating_add(1);
        let number = first.checked_div(u64::try_from(BLOCK).ok()?)?.checked_rem(blocks)?;
        Some((u32::try_from(number).ok()?, record))
    }

    /// The records that will have to be stored to know all of these as well, each as it is in the end.
    pub(crate) fn blocks_with(&self, ids: &[Hash]) -> BTreeMap<u32, Vec<u8>> {
        let block = self.block.clone();
        let mut ahead = Self { known: HashSet::new(), order: VecDeque::new(), block, ..*self };
        let mut blocks = BTreeMap::new();
        for id in ids.iter().filter(|id| !self.contains(id)) {
            blocks.extend(ahead.block_with(id));
            ahead.insert(*id);
        }
        blocks
    }

    /// Takes up what was stored.
    pub(crate) fn load<'a>(&mut self, blocks: impl Iterator<Item = &'a [u8]>) {
        let mut blocks: Vec<_> = blocks.filter_map(<[u8]>::split_first_chunk::<8>).collect();
        blocks.sort();
        for (first, ids) in blocks {
            // Blocks begin at fixed numbers, whatever was skipped.
            self.count = u64::from_be_bytes(*first);
            self.block.clear();
            ids.as_chunks::<SHORT>().0.iter().for_each(|id| self.insert_short(*id));
        }
    }
}

/// What is kept of a hash: enough to tell messages apart.
fn short(id: &Hash) -> [u8; SHORT] {
    let mut short = [0; SHORT];
    short.iter_mut().zip(id.as_slice()).for_each(|(to, from)| *to = *from);
    short
}

/// Bytes kept of a hash.
const SHORT: usize = 16;
/// Hashes in one record.
const BLOCK: usize = 16;

#[cfg(test)]
mod tests;
