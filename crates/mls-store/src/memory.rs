//! A store in memory: for tests, and for clients that forget everything when they end.
//!
//! Always: spaces have locks of their own, so that two groups never wait for each other.

mod turns;

use core::fmt;
use std::{
    collections::BTreeMap,
    sync::{
        Mutex, MutexGuard, PoisonError, RwLock,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use mls_crypto::Secret;

use crate::{Key, Lease, Leases, Revision, Section, Space, StateStore, StoreError, Write};

use turns::Turns;

/// State in memory, wiped when dropped.
#[derive(Default)]
pub struct MemoryStore {
    batches: AtomicU64,
    /// Locked for writing only to create or delete a space.
    spaces: RwLock<BTreeMap<Space, Mutex<Records>>>,
    turns: Turns,
}

/// One space.
#[derive(Default)]
struct Records {
    revision: Revision,
    rows: BTreeMap<Key, Secret>,
}

impl MemoryStore {
    /// An empty store.
    ///
    /// ```
    /// # use mls_store::{MemoryStore, StateStore};
    /// assert!(MemoryStore::new().spaces(None)?.is_empty());
    /// # Ok::<(), mls_store::StoreError>(())
    /// ```
    pub fn new() -> Self {
        Self::default()
    }

    /// Makes room for spaces that do not exist yet; an empty one is at [`Revision::NONE`] and is not listed.
    fn prepare(&self, batch: &[Section<'_>]) {
        let spaces = read(&self.spaces);
        if batch.iter().all(|section| spaces.contains_key(&section.space)) {
            return;
        }
        drop(spaces);
        let mut spaces = self.spaces.write().unwrap_or_else(PoisonError::into_inner);
        for section in batch {
            spaces.entry(section.space.clone()).or_default();
        }
    }
}

impl fmt::Debug for MemoryStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { batches, spaces: _, turns: _ } = self;
        f.debug_struct("MemoryStore").field("batches", batches).finish_non_exhaustive()
    }
}

impl Leases for MemoryStore {
    fn lease(&self, space: &Space, patience: Duration) -> Result<Lease, StoreError> {
        self.turns.wait(space, patience).map(Lease::until_dropped)
    }
}

impl StateStore for MemoryStore {
    fn apply(&self, batch: &[Section<'_>]) -> Result<Revision, StoreError> {
        self.prepare(batch);
        let spaces = read(&self.spaces);
        let mut ordered: Vec<_> = batch.iter().collect();
        // Everybody locks in the order of the spaces, so nobody waits in a circle.
        ordered.sort_by(|a, b| a.space.cmp(&b.space));
        let mut locked = Vec::with_capacity(ordered.len());
        for section in ordered {
            // A space that is gone again is as one that never was.
            let records = spaces.get(&section.space).ok_or_else(|| conflict(section.expected, Revision::NONE))?;
            let records = lock(records);
            check(&records, section.expected)?;
            locked.push((records, section));
        }
        let revision = Revision::new(self.batches.fetch_add(1, Ordering::SeqCst).saturating_add(1));
        for (records, section) in &mut locked {
            records.revision = revision;
            for write in &section.writes {
                records.write(write);
            }
        }
        Ok(revision)
    }

    fn get(&self, space: &Space, key: &Key) -> Result<Option<Secret>, StoreError> {
        let spaces = read(&self.spaces);
        Ok(spaces.get(space).and_then(|records| lock(records).rows.get(key).map(Secret::duplicate)))
    }

    fn scan(&self, space: &Space, class: u8, epoch: Option<u64>) -> Result<Vec<(Key, Secret)>, StoreError> {
        let spaces = read(&self.spaces);
        let Some(records) = spaces.get(space) else { return Ok(Vec::new()) };
        let records = lock(records);
        Ok(records.range(class, epoch).map(|(key, value)| (key.clone(), value.duplicate())).collect())
    }

    fn spaces(&self, only: Option<&Space>) -> Result<Vec<(Space, Revision)>, StoreError> {
        let spaces = read(&self.spaces);
        let exists = |(space, records): (&Space, &Mutex<Records>)| {
            let revision = lock(records).revision;
            (revision != Revision::NONE).then(|| (space.clone(), revision))
        };
        Ok(match only {
            Some(space) => spaces.get_key_value(space).and_then(exists).into_iter().collect(),
            None => spaces.iter().filter_map(exists).collect(),
        })
    }

    fn delete(&self, space: &Space, expected: Revision) -> Result<(), StoreError> {
        let mut spaces = self.spaces.write().unwrap_or_else(PoisonError::into_inner);
        match spaces.get(space) {
            Some(records) => check(&lock(records), expected)?,
            None => check(&Records::default(), expected)?,
        }
        spaces.remove(space);
        Ok(())
    }
}

impl Records {
    /// The rows of a class, of one epoch or of all, without looking at others.
    fn range(&self, class: u8, epoch: Option<u64>) -> impl Iterator<Item = (&Key, &Secret)> {
        let first = Key { class, epoch: epoch.unwrap_or_default(), id: Vec::new() };
        let wanted = move |key: &Key| key.class == class && epoch.is_none_or(|epoch| key.epoch == epoch);
        self.rows.range(first..).take_while(move |(key, _)| wanted(key))
    }

    fn write(&mut self, write: &Write<'_>) {
        match write {
            Write::Put(key, value) => {
                self.rows.insert(key.clone(), value.duplicate());
            }
            Write::Delete(key) => {
                self.rows.remove(key);
            }
            Write::DeleteEpoch { class, epoch } => {
                let doomed: Vec<_> = self.range(*class, Some(*epoch)).map(|(key, _)| key.clone()).collect();
                for key in &doomed {
                    self.rows.remove(key);
                }
            }
            Write::Clear => self.rows.clear(),
        }
    }
}

fn check(records: &Records, expected: Revision) -> Result<(), StoreError> {
    if records.revision == expected {
        return Ok(());
    }
    Err(conflict(expected, records.revision))
}

fn conflict(expected: Revision, actual: Revision) -> StoreError {
    StoreError::Conflict { expected: expected.get(), actual: actual.get() }
}

/// A panic elsewhere leaves records whole: each change is a single map operation.
fn lock(records: &Mutex<Records>) -> MutexGuard<'_, Records> {
    records.lock().unwrap_or_else(PoisonError::into_inner)
}

fn read(
    spaces: &RwLock<BTreeMap<Space, Mutex<Records>>>,
) -> std::sync::RwLockReadGuard<'_, BTreeMap<Space, Mutex<Records>>> {
    spaces.read().unwrap_or_else(PoisonError::into_inner)
}
