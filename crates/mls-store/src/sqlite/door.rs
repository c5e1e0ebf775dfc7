//! The header of an open store, and its change: another passphrase or key.
//!
//! ```text
//! header of the old one      key of the period under the old wrap key
//! header of the new one, in which the old wrap key is sealed         durable before anything else
//! the same                   key of the next period under the new wrap key, the old key erased: a shred step
//! header of the new one
//! ```
//!
//! Always: whichever of the two headers is there, it opens the store. The write lock of the database is held while a header
//! is written, and the one that is there was looked at under it: of two changes at once one fails.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use mls_crypto::Secret;
use rusqlite::{Connection, Transaction, TransactionBehavior};

use super::{
    fault::fault,
    keys::Keys,
    session::{Session, Shred},
};
use crate::{
    StoreError, Unlock,
    files::Files,
    header::{self, Header, Unlocked},
};

/// The header of an open store.
pub(super) struct Door {
    files: Arc<dyn Files>,
    dir: PathBuf,
    /// What the file holds if nothing is being changed.
    header: Vec<u8>,
    change: Option<Change>,
}

/// A change that is not finished.
struct Change {
    /// The new header, with the old wrap key.
    during: Vec<u8>,
    /// The new header.
    after: Vec<u8>,
    old: Secret,
    new: Secret,
    /// Whether the header may be the new one already.
    begun: bool,
}

/// Which header is there.
#[derive(Clone, Copy, Eq, PartialEq)]
enum There {
    Old,
    During,
    After,
}

impl Door {
    pub(super) fn new(files: Arc<dyn Files>, dir: &Path) -> Self {
        Self { files, dir: dir.to_owned(), header: Vec::new(), change: None }
    }

    /// With the header that unlocked the store; also, what seals the keys of periods.
    pub(super) fn opened(self, unlocked: Unlocked) -> (Self, Vec<Secret>) {
        let Unlocked { bytes, wrap, old, header: _ } = unlocked;
        let (wraps, change) = match (wrap, old) {
            // The new header may still be lost with the power, and the old one come back: new keys go under the old one.
            (Some(new), Some(old)) => {
                let wraps = vec![old.duplicate(), new.duplicate()];
                (wraps, Some(Change::new(bytes.clone(), old, new, true)))
            }
            (wrap, _) => (wrap.into_iter().collect(), None),
        };
        (Self { header: bytes, change, ..self }, wraps)
    }

    /// A key that is not there for us may be there for whoever changed what unlocks the store.
    pub(super) fn reason(&self, error: StoreError) -> StoreError {
        let changed = || self.there().is_err_and(|error| error == StoreError::WrongKey);
        if matches!(error, StoreError::KeyLost { .. }) && changed() { StoreError::WrongKey } else { error }
    }

    fn there(&self) -> Result<There, StoreError> {
        let found = header::read(self.files.as_ref(), &self.dir)?;
        match &self.change {
            Some(change) if found == change.after => Ok(There::After),
            Some(change) if found == change.during => Ok(There::During),
            _ if found == self.header => Ok(There::Old),
            _ => Err(StoreError::WrongKey),
        }
    }

    fn write(&self, header: &[u8]) -> Result<(), StoreError> {
        header::write(self.files.as_ref(), &self.dir, header)
    }

    /// The new header, with the old wrap key, is there and durable on return.
    fn begin(&mut self) -> Result<There, StoreError> {
        let there = self.there()?;
        let Some(change) = &mut self.change else { return Ok(there) };
        if there == There::After {
            return Ok(there);
        }
        let during = change.during.clone();
        change.begun = true;
        if let Err(error) = self.write(&during) {
            // If the old one is there, the new one never was: a header is replaced as a whole.
            let untouched = self.there() == Ok(There::Old);
            self.change.iter_mut().for_each(|change| change.begun = !untouched);
            return Err(error);
        }
        Ok(There::During)
    }

    /// The new header is there by itself, and durable on return.
    fn end(&self) -> Result<(), StoreError> {
        match (&self.change, self.there()?) {
            (Some(change), There::During) => self.write(&change.after),
            (_, There::After) => Ok(()),
            _ => Err(StoreError::WrongKey),
        }
    }
}

impl Change {
    fn new(during: Vec<u8>, old: Secret, new: Secret, begun: bool) -> Self {
        Self { after: header::without_handover(&during), during, old, new, begun }
    }
}

impl Keys {
    /// From now on new keys of periods are sealed for the new header.
    fn seal_for_new(&mut self) {
        if let Some(Change { old, new, .. }) = &self.door.change {
            self.ring.wraps = vec![new.duplicate(), old.duplicate()];
        }
    }

    /// The change is over.
    fn forget_old(&mut self) {
        if let Some(Change { after, new, .. }) = self.door.change.take() {
            self.ring.wraps = vec![new];
            self.door.header = after;
        }
    }
}

impl Session {
    pub(super) fn change_unlock(&mut self, new: &Unlock) -> Result<(), StoreError> {
        self.settle_if_needed()?;
        self.finish_change()?;
        if new.source.is_some() != header::has_source(&self.keys.door.header) {
            return Err(StoreError::WrongKind);
        }
        let old = self.keys.ring.wraps.first().ok_or(StoreError::WrongKind)?.duplicate();
        let Unlocked { header: _, bytes, wrap, old } = Header::renew(new, self.keys.store, Some(old))?;
        let (Some(new), Some(old)) = (wrap, old) else { return Err(StoreError::WrongKind) };
        self.keys.door.change = Some(Change::new(bytes, old, new, false));
        self.finish_change()
    }

    /// Ends a change that was begun, here or by a process that was stopped.
    pub(super) fn finish_change(&mut self) -> Result<(), StoreError> {
        if self.keys.door.change.is_none() {
            return Ok(());
        }
        let finished = self.try_to_finish();
        let begun = self.keys.door.change.as_ref().is_some_and(|change| change.begun);
        match finished {
            // Another process has changed it since.
            Err(error) if !begun || error == StoreError::WrongKey => {
                self.keys.door.change = None;
                Err(error)
            }
            Err(_) => Err(StoreError::Unsure),
            Ok(()) => Ok(()),
        }
    }

    fn try_to_finish(&mut self) -> Result<(), StoreError> {
        let lock = lock(self.connection.as_ref())?;
        let there = self.keys.door.begin()?;
        drop(lock);
        if there != There::After {
            self.keys.seal_for_new();
            // A shred step, whether something is to be forgotten or not: the key of the old period is.
            self.write(Shred::Now, |_, _| Ok(true))?;
            self.settle_if_needed()?;
            let lock = self::lock(self.connection.as_ref())?;
            self.keys.door.end()?;
            drop(lock);
        }
        self.keys.forget_old();
        Ok(())
    }
}

/// The write lock of the database; nothing is written to it.
fn lock(connection: Option<&Connection>) -> Result<Transaction<'_>, StoreError> {
    let connection = connection.ok_or(StoreError::Unavailable)?;
    Transaction::new_unchecked(connection, TransactionBehavior::Immediate).map_err(fault)
}
