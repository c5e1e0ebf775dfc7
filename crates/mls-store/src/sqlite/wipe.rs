//! The end of a store.
//!
//! Always: first the header says so, then the keys go, then the files, the header last. Whatever cannot be removed holds nothing
//! that can be read; whoever is stopped leaves a store that says what happened to it.

use std::{path::Path, sync::Arc};

use rusqlite::{Connection, Transaction, TransactionBehavior};

use super::{fault::fault, lease::every_file, session::Session};
use crate::{
    FileSlots, KeySource, StoreError,
    files::{Files, unavailable},
    header,
};

impl Session {
    pub(super) fn wipe(&mut self) -> Result<(), StoreError> {
        let connection = self.connection.take().ok_or(StoreError::Unavailable)?;
        let emptied = self.empty(&connection);
        if emptied == Err(StoreError::TimedOut) {
            self.connection = Some(connection);
            return emptied;
        }
        let destroyed = self.keys.ring.destroy();
        let closed = connection.close().map_err(|(_, error)| fault(error));
        remove_files(self.files.as_ref(), &self.dir, destroyed).and(emptied).and(closed)
    }

    /// Other processes that have the store open must not go on with rows that are gone from the directory.
    fn empty(&self, connection: &Connection) -> Result<(), StoreError> {
        let transaction = Transaction::new_unchecked(connection, TransactionBehavior::Immediate).map_err(fault)?;
        let marked = header::write_wiped(self.files.as_ref(), &self.dir);
        for table in ["records", "pages", "spaces", "dirty", "meta"] {
            transaction.execute(&format!("DELETE FROM {table}"), []).map_err(fault)?;
        }
        marked.and(transaction.commit().map_err(|_| StoreError::Unsure))
    }
}

/// What is left of a store, or a whole one.
pub(super) fn destroy(dir: &Path, files: Arc<dyn Files>) -> Result<(), StoreError> {
    let len = |path: &Path| files.len(path).map_err(unavailable);
    match (len(&header::path(dir))?, len(&dir.join("store.db"))?) {
        (None, None) => return Ok(()),
        // A store that was being made.
        (None, Some(0)) => {}
        (None, Some(_)) => return Err(StoreError::NotAStore),
        (Some(_), _) if !header::is_ours(&header::read(files.as_ref(), dir)?) => return Err(StoreError::NotAStore),
        (Some(_), _) => header::write_wiped(files.as_ref(), dir)?,
    }
    let destroyed = FileSlots::new(Arc::clone(&files), dir).destroy();
    remove_files(files.as_ref(), dir, destroyed)
}

/// All files; the header last, and only if the keys are gone: what is left without it would be nobody's.
fn remove_files(files: &dyn Files, dir: &Path, destroyed: Result<(), StoreError>) -> Result<(), StoreError> {
    let names = ["store.db", "store.db-wal", "store.db-shm", "header.new"].map(|name| dir.join(name));
    let remove = || {
        every_file(dir).chain(names).try_for_each(|path| files.remove(&path))?;
        files.sync_dir(dir)
    };
    remove().map_err(unavailable).and(destroyed)?;
    let remove = || {
        files.remove(&header::path(dir))?;
        files.sync_dir(dir)
    };
    remove().map_err(unavailable)
}
