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

impl Rate {
    /// Milliseconds that one costs, and how far ahead of its time one may come.
    fn pace(self) -> (u64, u64) {
        let step = self.period_ms.checked_div(self.count).unwrap_or(self.period_ms).max(1);
        (step, step.saturating_mul(self.burst.saturating_sub(1)))
    }
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

    /// Whether `key` may do it once more at `now_ms`, without counting it.
    ///
    /// # Errors
    /// In how many milliseconds to come back.
    pub fn check(&self, key: &K, now_ms: u64) -> Result<(), u64> {
        let (_, tolerance) = self.rate.pace();
        let early = self.full_again.get(key).map_or(0, |full_again| full_again.saturating_sub(now_ms));
        if early > tolerance { Err(early.saturating_sub(tolerance)) } else { Ok(()) }
    }

    /// Whether `key` may do it once more at `now_ms`, which then counts.
    ///
    /// # Errors
    /// In how many milliseconds to come back. If there are too many keys, whoever is new waits one period.
    pub fn take(&mut self, key: K, now_ms: u64) -> Result<(), u64> {
        let (step, tolerance) = self.rate.pace();
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
