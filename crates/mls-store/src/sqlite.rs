//! The durable store: SQLite, with every record sealed and every deleted one forgotten.
//!
//! In: batches. Out: records as they were put. The bytes are drawn in docs/storage-format.md.
//! Always: a batch is one durable transaction; a deleted or replaced record can be read from no old copy of the files once
//! the next shred step is over, which is at most [`OpenOptions::shred_after`] batches or that much time later.

mod change;
mod door;
mod fault;
mod forget;
mod keys;
mod known;
mod lease;
mod meta;
mod names;
mod open;
mod pages;
mod records;
mod schema;
mod session;
mod settings;
mod spaces;
mod wipe;

use core::fmt;
use std::{
    path::Path,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use mls_crypto::Secret;

use crate::{Key, Revision, Section, Space, StateStore, StoreError, Unlock, files::Files};

pub use open::{OpenOptions, PublicClasses};

use session::Session;

/// A store in a directory of its own. It may be opened by several processes at once.
///
/// ```
/// # use mls_store::{Key, OpenOptions, Revision, Secret, Section, Space, StateStore, Unlock, Write};
/// # let dir = std::env::temp_dir().join(format!("mls-store-doc-{}", std::process::id()));
/// let key = || Unlock::raw_key(Secret::copy_from(&[7; 32]));
/// let store = OpenOptions::new(key()?).open(&dir)?;
/// let name = Key { class: 1, epoch: 0, id: b"name".to_vec() };
/// let value = Secret::copy_from(b"value");
/// let writes = vec![Write::Put(name.clone(), &value)];
/// store.apply(&[Section { space: Space::Client, expected: Revision::NONE, writes }])?;
/// store.close()?;
///
/// let store = OpenOptions::new(key()?).open(&dir)?;
/// assert!(store.get(&Space::Client, &name)?.is_some_and(|found| found.ct_eq(&value)));
/// store.wipe()?;
/// # Ok::<(), mls_store::StoreError>(())
/// ```
pub struct SqliteStore {
    session: Mutex<Session>,
}

/// How far a store has come: a receipt to keep elsewhere, against old copies.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Mark {
    /// How often keys were forgotten, plus one.
    pub period: u64,
    /// Of the last batch.
    pub revision: Revision,
}

impl SqliteStore {
    /// How far the store has come.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn mark(&self) -> Result<Mark, StoreError> {
        self.session().mark()
    }

    /// Forgets now whatever was deleted or replaced, whether due or not.
    ///
    /// # Errors
    /// [`StoreError`]; what could not be forgotten is tried again with the next batch.
    pub fn shred(&self) -> Result<(), StoreError> {
        self.session().shred()
    }

    /// To be called from time to time, once a second perhaps: forgets what is due, and empties the log.
    ///
    /// # Errors
    /// [`StoreError`]; what could not be done is tried again the next time.
    pub fn maintain(&self) -> Result<(), StoreError> {
        self.session().maintain()
    }

    /// Changes what unlocks the store: another passphrase, another raw key, or one in place of the other. Where the keys of
    /// periods are does not change: `new` names a key source if the store has one, and it is the same one.
    ///
    /// On return the old passphrase or key opens nothing of the files as they are, whatever is put beside them of older
    /// headers. Whoever has read keys before, with the old one, still knows what they open: this is for a passphrase that
    /// others may come to know, and not for a machine that others have been on. Other processes that have the store open get
    /// [`StoreError::WrongKey`], and open it anew.
    ///
    /// ```
    /// # use mls_store::{OpenOptions, Secret, StoreError, Unlock};
    /// # let dir = std::env::temp_dir().join(format!("mls-store-unlock-{}", std::process::id()));
    /// let key = |byte| Unlock::raw_key(Secret::copy_from(&[byte; 32]));
    /// let store = OpenOptions::new(key(1)?).open(&dir)?;
    /// store.change_unlock(key(2)?)?;
    /// store.close()?;
    /// assert_eq!(OpenOptions::new(key(1)?).open(&dir).unwrap_err(), StoreError::WrongKey);
    /// OpenOptions::new(key(2)?).open(&dir)?.wipe()?;
    /// # Ok::<(), StoreError>(())
    /// ```
    ///
    /// # Errors
    /// [`StoreError::WeakPassphrase`]; [`StoreError::WrongKind`] if the key source protects its keys by itself, or `new` has one
    /// and the store none, or the other way round; [`StoreError::WrongKey`] if another process has changed it;
    /// [`StoreError::TimedOut`]; [`StoreError::Unavailable`]; nothing has changed then. After [`StoreError::Unsure`] the store
    /// opens with the new one, or if that does not with the old one, and with nothing else; call again, or open it anew.
    pub fn change_unlock(&self, new: Unlock) -> Result<(), StoreError> {
        self.session().change_unlock(&new)
    }

    /// Bytes that were written to rows since the store was opened.
    pub fn bytes_written(&self) -> u64 {
        self.session().written
    }

    /// Forgets what is to be forgotten, empties the log and closes the store. Dropping it does the same, in silence.
    ///
    /// # Errors
    /// [`StoreError`]; the store is closed all the same, and the rest is done when it is opened again.
    pub fn close(self) -> Result<(), StoreError> {
        self.session().close()
    }

    /// Destroys the store: its keys first, so that nothing of it can be read any more, then its files. Other processes
    /// that have it open get errors.
    ///
    /// # Errors
    /// [`StoreError::TimedOut`] if another process holds the store; then nothing was destroyed. Otherwise, as the medium
    /// fails: some files may be left, which do not open but with [`StoreError::Wiped`], and which [`SqliteStore::destroy`]
    /// removes.
    pub fn wipe(self) -> Result<(), StoreError> {
        self.session().wipe()
    }

    /// Destroys the store in a directory without opening it: what a wipe that was stopped has left, or a whole store, if its
    /// passphrase is not known any more. Nobody may have it open. A directory without a store is left as it is. Keys in a key
    /// source of the host are not known here: see [`crate::KeySource::destroy`].
    ///
    /// # Errors
    /// [`StoreError::NotAStore`] if there is a database and no header of ours; nothing was removed then.
    /// [`StoreError::Unavailable`] as the medium fails; to be called again then.
    ///
    /// ```
    /// # use std::sync::Arc;
    /// # use mls_store::{OpenOptions, Secret, SqliteStore, StoreError, Unlock, files::Disk};
    /// # let dir = std::env::temp_dir().join(format!("mls-store-destroy-{}", std::process::id()));
    /// drop(OpenOptions::new(Unlock::raw_key(Secret::copy_from(&[7; 32]))?).open(&dir)?);
    /// SqliteStore::destroy(&dir, Arc::new(Disk))?;
    /// SqliteStore::destroy(&dir, Arc::new(Disk))?;
    /// assert_eq!(std::fs::read_dir(&dir).map(Iterator::count).ok(), Some(0));
    /// # Ok::<(), StoreError>(())
    /// ```
    pub fn destroy(dir: &Path, files: Arc<dyn Files>) -> Result<(), StoreError> {
        wipe::destroy(dir, files)
    }

    /// A panic elsewhere leaves no transaction open: it ends with its scope.
    fn session(&self) -> MutexGuard<'_, Session> {
        self.session.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for SqliteStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { session: _ } = self;
        f.debug_struct("SqliteStore").finish_non_exhaustive()
    }
}

impl StateStore for SqliteStore {
    fn apply(&self, batch: &[Section<'_>]) -> Result<Revision, StoreError> {
        self.session().apply(batch)
    }

    fn get(&self, space: &Space, key: &Key) -> Result<Option<Secret>, StoreError> {
        self.session().read(|tree| {
            let space = tree.space_id(space);
            if tree.open_space(space)? { tree.record(space, key) } else { Ok(None) }
        })
    }

    fn scan(&self, space: &Space, class: u8, epoch: Option<u64>) -> Result<Vec<(Key, Secret)>, StoreError> {
        self.session().read(|tree| {
            let space = tree.space_id(space);
            if !tree.open_space(space)? {
                return Ok(Vec::new());
            }
            let mut found = Vec::new();
            for segment in tree.segments(space)? {
                if segment.class == class && epoch.is_none_or(|epoch| segment.epoch == epoch) {
                    found.extend(tree.records(space, segment)?);
                }
            }
            Ok(found)
        })
    }

    fn spaces(&self, only: Option<&Space>) -> Result<Vec<(Space, Revision)>, StoreError> {
        self.session().spaces(only)
    }

    fn delete(&self, space: &Space, expected: Revision) -> Result<(), StoreError> {
        self.session().delete(space, expected)
    }
}
