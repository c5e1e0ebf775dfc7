//! A key source in memory: for tests, and for stores that nobody shall open again.

use core::fmt;
use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use mls_crypto::Secret;

use super::KeySource;
use crate::StoreError;

/// Keys in memory, wiped when forgotten.
#[derive(Default)]
pub struct MemoryKeySource {
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    keys: BTreeMap<u64, Secret>,
    counter: u64,
}

impl MemoryKeySource {
    /// No keys.
    ///
    /// ```
    /// # use mls_store::{KeySource, MemoryKeySource};
    /// assert_eq!(MemoryKeySource::new().counter(), Ok(0));
    /// ```
    pub fn new() -> Self {
        Self::default()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for MemoryKeySource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { state: _ } = self;
        f.debug_struct("MemoryKeySource").finish_non_exhaustive()
    }
}

impl KeySource for MemoryKeySource {
    fn load(&self, period: u64) -> Result<Option<Secret>, StoreError> {
        Ok(self.state().keys.get(&period).map(Secret::duplicate))
    }

    fn store(&self, period: u64, key: &Secret) -> Result<(), StoreError> {
        self.state().keys.insert(period, key.duplicate());
        Ok(())
    }

    fn retain(&self, period: u64) -> Result<(), StoreError> {
        let mut state = self.state();
        state.keys.retain(|known, _| *known == period);
        state.counter = state.counter.max(period);
        Ok(())
    }

    fn counter(&self) -> Result<u64, StoreError> {
        Ok(self.state().counter)
    }

    fn destroy(&self) -> Result<(), StoreError> {
        *self.state() = State::default();
        Ok(())
    }
}
