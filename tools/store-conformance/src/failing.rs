//! A store that stops writing when it is told to, for tests of who uses one.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use mls_crypto::Secret;
use mls_store::{Key, Lease, Leases, MemoryStore, Revision, Section, Space, StateStore, StoreError};

/// Another store, which can be read always, and written as long as nobody says no.
#[derive(Debug)]
pub struct FailingStore {
    store: Arc<dyn StateStore>,
    fails: AtomicBool,
}

impl FailingStore {
    /// Over this store. It does not fail yet.
    pub fn over(store: Arc<dyn StateStore>) -> Self {
        Self { store, fails: AtomicBool::new(false) }
    }

    /// From now on every write fails with [`StoreError::Unavailable`], or none does.
    pub fn fail(&self, fails: bool) {
        self.fails.store(fails, Ordering::SeqCst);
    }

    fn check(&self) -> Result<(), StoreError> {
        if self.fails.load(Ordering::SeqCst) { Err(StoreError::Unavailable) } else { Ok(()) }
    }
}

impl Default for FailingStore {
    fn default() -> Self {
        Self::over(Arc::new(MemoryStore::new()))
    }
}

impl Leases for FailingStore {
    fn lease(&self, space: &Space, patience: Duration) -> Result<Lease, StoreError> {
        self.store.lease(space, patience)
    }
}

impl StateStore for FailingStore {
    fn apply(&self, batch: &[Section<'_>]) -> Result<Revision, StoreError> {
        self.check()?;
        self.store.apply(batch)
    }

    fn get(&self, space: &Space, key: &Key) -> Result<Option<Secret>, StoreError> {
        self.store.get(space, key)
    }

    fn scan(&self, space: &Space, class: u8, epoch: Option<u64>) -> Result<Vec<(Key, Secret)>, StoreError> {
        self.store.scan(space, class, epoch)
    }

    fn spaces(&self, only: Option<&Space>) -> Result<Vec<(Space, Revision)>, StoreError> {
        self.store.spaces(only)
    }

    fn delete(&self, space: &Space, expected: Revision) -> Result<(), StoreError> {
        self.check()?;
        self.store.delete(space, expected)
    }
}
