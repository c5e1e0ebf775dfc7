//! An open store: one connection, one key, and what is still to be done.
//!
//! Always: the write lock of the database is held while slots are written, so that of all processes one at a time does it.

use std::{
    path::PathBuf,
    sync::Arc,
    time::{Duration, Instant},
};

use mls_crypto::Secret;
use rusqlite::{Connection, Transaction, TransactionBehavior};

use super::{
    Mark, PublicClasses,
    change::Change,
    fault::fault,
    keys::Keys,
    known::Known,
    lease::Turns,
    meta::{Meta, Row},
    pages::Tree,
};
use crate::{Revision, Section, Space, StoreError, files::Files};

/// An open store.
pub(super) struct Session {
    /// `None` once it is closed.
    pub(super) connection: Option<Connection>,
    pub(super) keys: Keys,
    pub(super) rules: Rules,
    pub(super) files: Arc<dyn Files>,
    pub(super) dir: PathBuf,
    pub(super) turns: Turns,
    pub(super) known: Known,
    /// When we first saw that there is something to forget.
    pub(super) dirty_since: Option<Instant>,
    /// Whether two keys may be in the key source. Before that is settled nothing is forgotten, and nothing written.
    pub(super) unsettled: bool,
    pub(super) written: u64,
}

/// What the host chose.
#[derive(Clone, Copy)]
pub(super) struct Rules {
    pub(super) timeout: Duration,
    pub(super) shred_batches: u32,
    pub(super) shred_age: Duration,
    pub(super) public: PublicClasses,
}

/// Whether a transaction ends with a shred step.
#[derive(Clone, Copy, Eq, PartialEq)]
pub(super) enum Shred {
    IfDue,
    Now,
}

impl Session {
    pub(super) fn mark(&mut self) -> Result<Mark, StoreError> {
        let connection = self.connection.as_ref().ok_or(StoreError::Unavailable)?;
        let (_transaction, meta) = self.keys.begin_reading(connection)?;
        Ok(Mark { period: meta.period, revision: Revision::new(meta.revision) })
    }

    pub(super) fn read<R>(
        &mut self,
        read: impl FnOnce(&mut Tree<'_>) -> Result<R, StoreError>,
    ) -> Result<R, StoreError> {
        let connection = self.connection.as_ref().ok_or(StoreError::Unavailable)?;
        let (transaction, meta) = self.keys.begin_reading(connection)?;
        read(&mut self.keys.tree(&transaction, &meta)?)
    }

    pub(super) fn apply(&mut self, batch: &[Section<'_>]) -> Result<Revision, StoreError> {
        let all = |change: &mut Change<'_>, revision| {
            batch.iter().try_for_each(|section| change.section(section, revision)).map(|()| true)
        };
        let revision = self.write(Shred::IfDue, all)?;
        self.known.moved(batch, revision);
        Ok(revision)
    }

    pub(super) fn delete(&mut self, space: &Space, expected: Revision) -> Result<(), StoreError> {
        self.write(Shred::Now, |change, _| change.remove(space, expected)).map(|_| ())
    }

    pub(super) fn shred(&mut self) -> Result<(), StoreError> {
        self.settle_if_needed()?;
        self.finish_change()?;
        self.shred_if(|_| true)?;
        // An old key that could not be erased at once.
        self.settle_if_needed()
    }

    pub(super) fn maintain(&mut self) -> Result<(), StoreError> {
        self.settle_if_needed()?;
        self.finish_change()?;
        let (rules, since) = (self.rules, self.dirty_since);
        self.shred_if(|meta| rules.due(meta, since))?;
        self.empty_log()
    }

    pub(super) fn close(&mut self) -> Result<(), StoreError> {
        if self.connection.is_none() {
            return Ok(());
        }
        let shredded = self.shred();
        let emptied = self.empty_log();
        let closed =
            self.connection.take().map_or(Ok(()), |connection| connection.close().map_err(|(_, error)| fault(error)));
        shredded.and(emptied).and(closed)
    }

    /// Makes sure that the current period is durable, then erases the keys of others.
    ///
    /// After a process was killed, or the medium failed, the log may hold a transaction that is readable but not durable,
    /// or durable but not readable. A transaction of our own, when durable, settles it: the log is durable up to it, and
    /// whatever lay in its place is overwritten.
    pub(super) fn settle(&mut self) -> Result<(), StoreError> {
        self.unsettled = true;
        let connection = self.connection.as_ref().ok_or(StoreError::Unavailable)?;
        let (transaction, meta) = self.keys.begin(connection, TransactionBehavior::Immediate)?;
        let store = self.keys.store;
        meta.write(&transaction, store, self.keys.of(meta.period)?)?;
        commit(transaction)?;
        self.retire(meta.period)?;
        self.unsettled = false;
        Ok(())
    }

    /// Forgets if the condition holds and there is something to forget.
    fn shred_if(&mut self, wanted: impl FnOnce(&Meta) -> bool) -> Result<(), StoreError> {
        self.settle_if_needed()?;
        let connection = self.connection.as_ref().ok_or(StoreError::Unavailable)?;
        let (transaction, meta) = self.keys.begin_reading(connection)?;
        drop(transaction);
        if meta.pending > 0 && wanted(&meta) {
            let revision = self.write(Shred::Now, |_, _| Ok(true))?;
            self.known.moved(&[], revision);
        }
        Ok(())
    }

    pub(super) fn settle_if_needed(&mut self) -> Result<(), StoreError> {
        if self.unsettled { self.settle() } else { Ok(()) }
    }

    /// One transaction. The change says whether there is anything to write.
    pub(super) fn write(
        &mut self,
        shred: Shred,
        make: impl FnOnce(&mut Change<'_>, Revision) -> Result<bool, StoreError>,
    ) -> Result<Revision, StoreError> {
        self.settle_if_needed()?;
        let connection = self.connection.as_ref().ok_or(StoreError::Unavailable)?;
        let (transaction, mut meta) = self.keys.begin(connection, TransactionBehavior::Immediate)?;
        if self.left_by_others(&meta, shred)? {
            drop(transaction);
            self.settle()?;
            return self.write(shred, make);
        }
        let revision = Revision::new(meta.revision.checked_add(1).ok_or(StoreError::Damaged)?);
        let tree = self.keys.tree(&transaction, &meta)?;
        let mut change = Change { tree, public: self.rules.public, dirty: false, marks: meta.marks, written: 0 };
        if !make(&mut change, revision)? {
            return Ok(revision);
        }
        (meta.revision, meta.marks) = (revision.get(), change.marks);
        meta.pending = meta.pending.saturating_add(change.dirty.into());
        self.dirty_since = if meta.pending > 0 { self.dirty_since.or_else(|| Some(Instant::now())) } else { None };
        let now = shred == Shred::Now || self.rules.due(&meta, self.dirty_since);
        let (next, written) = self.keys.conclude(change, &mut meta, now)?;
        if let Err(error) = commit(transaction) {
            self.unsettled = true;
            return Err(error);
        }
        self.written = self.written.saturating_add(u64::try_from(written).unwrap_or(u64::MAX));
        if let Some(key) = next {
            self.begin_period(meta.period, key);
        }
        Ok(revision)
    }

    /// A period has begun, durably: the key of the old one goes. If that fails the batch has happened all the same, and
    /// the erasing is tried again before the next one.
    fn begin_period(&mut self, period: u64, key: Secret) {
        self.keys.set(period, key);
        self.dirty_since = None;
        self.unsettled = self.retire(period).is_err();
    }

    /// Whether a shred step that is due soon would meet the key of another one, which some process began and did not end.
    /// Its transaction may still lie in the log, and ask for that key after a power failure: that is settled first.
    fn left_by_others(&self, meta: &Meta, shred: Shred) -> Result<bool, StoreError> {
        let next = Meta { pending: meta.pending.saturating_add(1), ..*meta };
        let since = self.dirty_since.or_else(|| Some(Instant::now()));
        let soon = shred == Shred::Now || self.rules.due(&next, since);
        Ok(soon && self.keys.ring.has(meta.period.saturating_add(1))?)
    }

    pub(super) fn empty_log(&self) -> Result<(), StoreError> {
        let connection = self.connection.as_ref().ok_or(StoreError::Unavailable)?;
        // Somebody who reads just now keeps the log from being emptied: not waited for, but done the next time.
        connection.busy_timeout(Duration::ZERO).map_err(fault)?;
        let emptied = connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())).map_err(fault);
        connection.busy_timeout(self.rules.timeout).map_err(fault)?;
        match emptied {
            Err(StoreError::TimedOut) => Ok(()),
            other => other,
        }
    }

    /// Erases the keys of other periods, if this is still the current one.
    fn retire(&mut self, period: u64) -> Result<(), StoreError> {
        let connection = self.connection.as_ref().ok_or(StoreError::Unavailable)?;
        let transaction = Transaction::new_unchecked(connection, TransactionBehavior::Immediate).map_err(fault)?;
        // If another process moved on already, the slot to erase may hold its next key.
        if Row::read(&transaction)?.period() == period {
            self.keys.ring.retain(period)?;
        }
        Ok(())
    }
}

impl Rules {
    /// Whether what is to be forgotten has waited long enough.
    fn due(self, meta: &Meta, since: Option<Instant>) -> bool {
        let waited = || since.is_none_or(|since| since.elapsed() >= self.shred_age);
        meta.pending > 0 && (meta.pending >= self.shred_batches || waited())
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        // Whoever wants to know calls `close`.
        let _closed = self.close();
    }
}

/// Durable on return. If that fails, nobody knows whether it happened.
fn commit(transaction: Transaction<'_>) -> Result<(), StoreError> {
    transaction.commit().map_err(|_| StoreError::Unsure)
}

#[cfg(test)]
mod tests;
