//! The key of the current period, in memory while the store is open.
//!
//! Always: one key at most; that of a period that is over is wiped when the store notices.

use std::sync::Arc;

use mls_crypto::Secret;
use rusqlite::{Connection, Transaction, TransactionBehavior};

use super::{
    change::Change,
    door::Door,
    fault::fault,
    forget::forget,
    meta::{Meta, Row},
    pages::Tree,
};
use crate::{KeySource, StoreError, header::Unlocked, place::StoreId, unlock::Keyring};

/// Where keys come from, and the current one.
pub(super) struct Keys {
    pub(super) ring: Keyring,
    pub(super) store: StoreId,
    /// The period whose key is in memory, and the key.
    pub(super) current: Option<(u64, Secret)>,
    pub(super) door: Door,
}

impl Keys {
    pub(super) fn new(source: Arc<dyn KeySource>, door: Door, unlocked: Unlocked) -> Self {
        let store = unlocked.header.store;
        let (door, wraps) = door.opened(unlocked);
        Self { ring: Keyring::new(source, store, wraps), store, current: None, door }
    }

    /// The key of this period, which is the current one.
    pub(super) fn of(&mut self, period: u64) -> Result<&Secret, StoreError> {
        let known = self.current.take().filter(|(known, _)| *known == period);
        let current = match known {
            Some(current) => current,
            None => (period, self.ring.load(period).map_err(|error| self.door.reason(error))?),
        };
        Ok(&self.current.insert(current).1)
    }

    /// The key of a period that has just begun.
    pub(super) fn set(&mut self, period: u64, key: Secret) {
        self.current = Some((period, key));
    }

    /// Begins a transaction, and verifies where the store is.
    pub(super) fn begin<'c>(
        &mut self,
        connection: &'c Connection,
        behavior: TransactionBehavior,
    ) -> Result<(Transaction<'c>, Meta), StoreError> {
        let transaction = Transaction::new_unchecked(connection, behavior).map_err(fault)?;
        let row = Row::read(&transaction)?;
        let store = self.store;
        let key = self.of(row.period())?;
        let meta = row.verify(store, key)?;
        Ok((transaction, meta))
    }

    /// Begins to read. Another process may move to the next period between our look at the database and our look at the
    /// key source; then the store is locked, so that both stand still.
    pub(super) fn begin_reading<'c>(
        &mut self,
        connection: &'c Connection,
    ) -> Result<(Transaction<'c>, Meta), StoreError> {
        match self.begin(connection, TransactionBehavior::Deferred) {
            Err(StoreError::KeyLost { .. } | StoreError::RolledBack { .. }) => {
                self.begin(connection, TransactionBehavior::Immediate)
            }
            other => other,
        }
    }

    /// The tree of keys.
    pub(super) fn tree<'c>(&mut self, transaction: &'c Connection, meta: &Meta) -> Result<Tree<'c>, StoreError> {
        let store = self.store;
        Tree::open(transaction, store, self.of(meta.period)?)
    }

    /// Writes what a change left in the tree, and where the store is then. If something is to be forgotten, there is a new
    /// period, whose key is returned. Also returned: how many bytes went into rows, with those of the change.
    pub(super) fn conclude(
        &mut self,
        change: Change<'_>,
        meta: &mut Meta,
        shred: bool,
    ) -> Result<(Option<Secret>, usize), StoreError> {
        let Change { mut tree, written, .. } = change;
        let forgotten = if shred { Some(forget(&mut tree, &self.ring, meta)?) } else { None };
        let (next, resealed) = forgotten.map_or((None, 0), |(key, resealed)| (Some(key), resealed));
        let pages = tree.flush()?;
        let store = self.store;
        let key = match &next {
            Some(key) => key,
            None => self.of(meta.period)?,
        };
        meta.write(tree.connection, store, key)?;
        Ok((next, written.saturating_add(resealed).saturating_add(pages)))
    }
}
