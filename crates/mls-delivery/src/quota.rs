//! How often somebody may do something: the generic cell rate algorithm, in memory.
//!
//! In: who, and when. Out: yes, or when to come back.
//! Always: one number per key, and a cap on keys; keys that have been quiet cost nothing.

use std::collections::BTreeMap;

/// So many at once, and so many in a time.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Rate {
    /// How many in [`Rate::period_ms`], evenly.
    pub count: u64,
    /// Milliseconds.
    pub period_ms: u64,
    /// How many of them at once.
    pub burst: u64,
}

/// Who has done how much.
#[derive(Debug)]
pub struct Quota<K> {
    rate: Rate,
    capacity: usize,
    /// When each will have used up nothing again, in milliseconds.
    full_again: BTreeMap<K, u64>,
}

impl<K: Ord> Quota<K> {
    /// A quota for so many keys at a time.
    pub fn new(rate: Rate, capacity: usize) -> Self {
        Self { rate, capacity, full_again: BTreeMap::new() }
    }

    /// Whether `key` may do it once more at `now_ms`, which then counts.
    ///
    /// # Errors
    /// In how many milliseconds to come back. If there are too many keys, whoever is new waits one period.
    pub fn take(&mut self, key: K, now_ms: u64) -> Result<(), u64> {
        let step = self.rate.period_ms.checked_div(self.rate.count).unwrap_or(self.rate.period_ms).max(1);
        let tolerance = step.saturating_mul(self.rate.burst.saturating_sub(1));
        if self.full_again.len() >= self.capacity && !self.full_again.contains_key(&key) {
            self.full_again.retain(|_, full_again| *full_again > now_ms);
            if self.full_again.len() >= self.capacity {
                return Err(self.rate.period_ms);
            }
        }
        let full_again = self.full_again.entry(key).or_insert(now_ms);
        let due = (*full_again).max(now_ms);
        let early = due.saturating_sub(now_ms);
        if early > tolerance {
            return Err(early.saturating_sub(tolerance));
        }
        *full_again = due.saturating_add(step);
        Ok(())
    }
}

#[cfg(test)]
mod tests;
