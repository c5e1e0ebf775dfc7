//! How often somebody may do something: the generic cell rate algorithm, in memory or in a row.
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

/// What there is for each group and user, over all nodes on one database. `None` is no bound.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Shares {
    /// Commits that are taken in one group, whoever makes them.
    pub group_commits: Option<Rate>,
    /// Commits of one user's devices that are taken, in all groups together.
    pub user_commits: Option<Rate>,
    /// Groups that one user's devices make.
    pub user_groups: Option<Rate>,
    /// How often one user's devices claim key packages.
    pub user_claims: Option<Rate>,
    /// How often the key packages of one user are claimed, by whomever.
    pub claimed: Option<Rate>,
}

impl Shares {
    /// What is right for people: no group moves on faster than its members can follow, and nobody empties others' stocks.
    pub const fn usual() -> Self {
        const MINUTE: u64 = 60_000;
        const DAY: u64 = 24 * 60 * MINUTE;
        Self {
            group_commits: Some(Rate { count: 30, period_ms: MINUTE, burst: 60 }),
            user_commits: Some(Rate { count: 60, period_ms: MINUTE, burst: 120 }),
            user_groups: Some(Rate { count: 500, period_ms: DAY, burst: 200 }),
            user_claims: Some(Rate { count: 120, period_ms: 60 * MINUTE, burst: 120 }),
            claimed: Some(Rate { count: 100, period_ms: DAY, burst: 100 }),
        }
    }
}

impl Rate {
    /// One more, for somebody who will have used up nothing again at `full_again`: when that is afterwards.
    ///
    /// # Errors
    /// In how many milliseconds to come back.
    pub fn next(self, full_again: u64, now_ms: u64) -> Result<u64, u64> {
        let (step, tolerance) = self.pace();
        let due = full_again.max(now_ms);
        let early = due.saturating_sub(now_ms);
        if early > tolerance { Err(early.saturating_sub(tolerance)) } else { Ok(due.saturating_add(step)) }
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
        if self.full_again.len() >= self.capacity && !self.full_again.contains_key(&key) {
            self.full_again.retain(|_, full_again| *full_again > now_ms);
            if self.full_again.len() >= self.capacity {
                return Err(self.rate.period_ms);
            }
        }
        let full_again = self.full_again.entry(key).or_insert(now_ms);
        *full_again = self.rate.next(*full_again, now_ms)?;
        Ok(())
    }
}

#[cfg(test)]
mod tests;
