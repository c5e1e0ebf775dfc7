//! Opening: settings, header, keys, tables, and whether this is an old copy.
//!
//! Always: nothing is deleted or overwritten before the store is known to be ours and current; a store that is not there is
//! made as a whole, or made anew if that was interrupted.

use std::{
    path::Path,
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

use rusqlite::{Connection, OpenFlags, Transaction, TransactionBehavior};

use super::{
    Mark, SqliteStore,
    door::Door,
    fault::fault,
    keys::Keys,
    known::Known,
    lease::Turns,
    meta::Meta,
    pages::Tree,
    schema::{self, Found, MIGRATIONS},
    session::{Rules, Session},
    settings,
};
use crate::{
    FileSlots, KeySource, Space, StoreError, Unlock,
    files::{Disk, Files, make_dir, unavailable},
    header::{self, Header},
    place::SCHEMA,
    seal,
};

/// Which classes of a space are no secret: public tree nodes. They are sealed too, but need not be forgotten.
pub type PublicClasses = fn(&Space, u8) -> bool;

/// How to open a store.
#[derive(Debug)]
#[must_use]
pub struct OpenOptions {
    unlock: Unlock,
    files: Arc<dyn Files>,
    vfs: Option<String>,
    timeout: Duration,
    shred_batches: u32,
    shred_age: Duration,
    public: PublicClasses,
    at_least: Option<Mark>,
}

impl OpenOptions {
    /// Opens a store, or makes it; waits 5 s for other processes; forgets after 32 batches or 1 s; no class is public.
    pub fn new(unlock: Unlock) -> Self {
        Self {
            unlock,
            files: Arc::new(Disk),
            vfs: None,
            timeout: Duration::from_secs(5),
            shred_batches: 32,
            shred_age: Duration::from_secs(1),
            public: |_, _| false,
            at_least: None,
        }
    }

    /// Other files than those of the operating system. They and the VFS must see the same directory.
    pub fn files(self, files: Arc<dyn Files>) -> Self {
        Self { files, ..self }
    }

    /// Another VFS of SQLite, by its registered name.
    pub fn vfs(self, name: &str) -> Self {
        Self { vfs: Some(name.to_owned()), ..self }
    }

    /// How long to wait for other processes before [`StoreError::TimedOut`].
    pub fn timeout(self, timeout: Duration) -> Self {
        Self { timeout, ..self }
    }

    /// What was deleted or replaced is forgotten after this many batches that did so, or after this time, whichever is
    /// first. 1 batch: at once.
    pub fn shred_after(self, batches: u32, time: Duration) -> Self {
        Self { shred_batches: batches, shred_age: time, ..self }
    }

    /// Which classes are no secret.
    pub fn public_classes(self, public: PublicClasses) -> Self {
        Self { public, ..self }
    }

    /// Refuses a store that has not come as far as this.
    pub fn at_least(self, mark: Mark) -> Self {
        Self { at_least: Some(mark), ..self }
    }

    /// Opens the store in this directory, which holds nothing else; makes both if need be.
    ///
    /// # Errors
    /// Each of [`StoreError`] but [`StoreError::Conflict`]. Nothing was changed then.
    pub fn open(self, dir: &Path) -> Result<SqliteStore, StoreError> {
        settings::check_version(rusqlite::version_number())?;
        header::refuse_wiped(self.files.as_ref(), dir)?;
        let (connection, keys) = self.wait(dir)?;
        let Self { timeout, shred_batches, shred_age, public, .. } = self;
        let rules = Rules { timeout, shred_batches, shred_age, public };
        let mut session = Session {
            connection: Some(connection),
            keys,
            rules,
            files: self.files,
            dir: dir.to_owned(),
            turns: Turns::unknown(),
            known: Known::default(),
            dirty_since: None,
            unsettled: true,
            written: 0,
        };
        if let Err(error) = session.check(self.at_least) {
            // Closed as it is: to settle and to forget is for stores that are ours and current.
            session.connection = None;
            return Err(error);
        }
        // The log that is there is emptied before anything is written behind it: a disk that loses power in the middle of
        // that may harm the last sector of what was there, if it is no disk as SQLite assumes it.
        //
        // On a full disk a store can still be read; what is to be forgotten then waits for the first write.
        let _later = session.empty_log().and_then(|()| session.settle()).and_then(|()| session.shred());
        Ok(SqliteStore { session: session.into() })
    }

    /// SQLite does not wait for a process that just makes the log: we do.
    fn wait(&self, dir: &Path) -> Result<(Connection, Keys), StoreError> {
        let begun = Instant::now();
        loop {
            let opened = self.connect(dir).and_then(|connection| Ok((self.keys(&connection, dir)?, connection)));
            match opened {
                Ok((keys, connection)) => return Ok((connection, keys)),
                Err(StoreError::TimedOut) if begun.elapsed() < self.timeout => thread::sleep(PAUSE),
                Err(error) => return Err(error),
            }
        }
    }

    fn connect(&self, dir: &Path) -> Result<Connection, StoreError> {
        let path = dir.join("store.db");
        if self.files.len(&path).map_err(unavailable)?.is_none() {
            make_dir(self.files.as_ref(), dir).map_err(unavailable)?;
            match self.files.create(&path) {
                Err(error) if error.kind() != std::io::ErrorKind::AlreadyExists => return Err(unavailable(error)),
                _ => self.files.sync_dir(dir).map_err(unavailable)?,
            }
        }
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = match &self.vfs {
            Some(vfs) => Connection::open_with_flags_and_vfs(&path, flags, vfs.as_str()),
            None => Connection::open_with_flags(&path, flags),
        }
        .map_err(fault)?;
        connection.busy_timeout(self.timeout).map_err(fault)?;
        // Looked at before the settings, of which one would change a file that is not ours.
        let look = Transaction::new_unchecked(&connection, TransactionBehavior::Deferred).map_err(fault)?;
        schema::inspect(&look).map_err(unreadable)?;
        drop(look);
        settings::apply(&connection).map_err(unreadable)?;
        Ok(connection)
    }

    /// The keys of the store, which is made if it is not there.
    fn keys(&self, connection: &Connection, dir: &Path) -> Result<Keys, StoreError> {
        let transaction = Transaction::new_unchecked(connection, TransactionBehavior::Immediate)
            .map_err(fault)
            .map_err(unreadable)?;
        match schema::inspect(&transaction).map_err(unreadable)? {
            Found::Empty => self.create(transaction, dir),
            Found::Version(_) => {
                drop(transaction);
                let unlocked = Header::open(self.files.as_ref(), dir, &self.unlock)?;
                Ok(Keys::new(self.source(dir), self.door(dir), unlocked))
            }
        }
    }

    fn create(&self, transaction: Transaction<'_>, dir: &Path) -> Result<Keys, StoreError> {
        header::refuse_wiped(self.files.as_ref(), dir)?;
        let source = self.source(dir);
        let counter = source.counter()?;
        if counter > 0 {
            // There was a store, and this is not it.
            return Err(StoreError::RolledBack { found: 0, expected: counter });
        }
        let unlocked = Header::create(&self.unlock)?;
        header::write(self.files.as_ref(), dir, &unlocked.bytes)?;
        let keys = Keys::new(source, self.door(dir), unlocked);
        let key = seal::new_key()?;
        keys.ring.store(1, &key)?;
        schema::migrate(&transaction, 0, &MIGRATIONS)?;
        Tree::create(&transaction, keys.store, &key)?.flush()?;
        Meta { period: 1, ..Meta::default() }.write(&transaction, keys.store, &key)?;
        transaction.commit().map_err(|_| StoreError::Unsure)?;
        Ok(keys)
    }

    fn door(&self, dir: &Path) -> Door {
        Door::new(Arc::clone(&self.files), dir)
    }

    fn source(&self, dir: &Path) -> Arc<dyn KeySource> {
        match &self.unlock.source {
            Some(source) => Arc::clone(source),
            None => Arc::new(FileSlots::new(Arc::clone(&self.files), dir)),
        }
    }
}

impl Session {
    /// Whether the store is ours, whole as far as can be seen, and not an old copy.
    fn check(&mut self, at_least: Option<Mark>) -> Result<(), StoreError> {
        let connection = self.connection.as_ref().ok_or(StoreError::Unavailable)?;
        let (transaction, meta) = self.keys.begin(connection, TransactionBehavior::Immediate)?;
        if let Found::Version(version) = schema::inspect(&transaction)?
            && version < SCHEMA
        {
            schema::migrate(&transaction, version, &MIGRATIONS)?;
        }
        schema::verify(&transaction)?;
        self.turns = Turns::new(&self.keys.tree(&transaction, &meta)?);
        let Mark { period, revision } = at_least.unwrap_or_default();
        for (found, expected) in [(meta.period, period), (meta.revision, revision.get())] {
            if found < expected {
                return Err(StoreError::RolledBack { found, expected });
            }
        }
        transaction.commit().map_err(|_| StoreError::Unsure)
    }
}

/// What SQLite finds damaged before we have seen a row is no database, or part of one.
fn unreadable(error: StoreError) -> StoreError {
    match error {
        StoreError::Damaged => StoreError::NotAStore,
        other => other,
    }
}

const PAUSE: Duration = Duration::from_millis(2);
