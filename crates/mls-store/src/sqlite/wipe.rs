//! The end of a store.
//!
//! Always: keys go first. Files that cannot be removed then hold nothing that can be read.

use rusqlite::{Transaction, TransactionBehavior};

use super::{fault::fault, lease::every_file, session::Session};
use crate::{StoreError, files::unavailable, header};

impl Session {
    pub(super) fn wipe(&mut self) -> Result<(), StoreError> {
        let connection = self.connection.take().ok_or(StoreError::Unavailable)?;
        let emptied = empty(&connection);
        if emptied == Err(StoreError::TimedOut) {
            self.connection = Some(connection);
            return emptied;
        }
        let destroyed = self.keys.ring.destroy();
        let closed = connection.close().map_err(|(_, error)| fault(error));
        destroyed.and(self.remove_files()).and(emptied).and(closed)
    }

    fn remove_files(&self) -> Result<(), StoreError> {
        let names = ["store.db", "store.db-wal", "store.db-shm", "header.new"].map(|name| self.dir.join(name));
        for path in every_file(&self.dir).chain(names).chain([header::path(&self.dir)]) {
            self.files.remove(&path).map_err(unavailable)?;
        }
        self.files.sync_dir(&self.dir).map_err(unavailable)
    }
}

/// Other processes that have the store open must not go on with rows that are gone from the directory.
fn empty(connection: &rusqlite::Connection) -> Result<(), StoreError> {
    let transaction = Transaction::new_unchecked(connection, TransactionBehavior::Immediate).map_err(fault)?;
    for table in ["records", "pages", "spaces", "dirty", "meta"] {
        transaction.execute(&format!("DELETE FROM {table}"), []).map_err(fault)?;
    }
    transaction.commit().map_err(|_| StoreError::Unsure)
}
