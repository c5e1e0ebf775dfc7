//! Why a store did not do as told.
//!
//! Always: after an error nothing has changed, but for [`StoreError::Unsure`]; no text names a group, a record or a key.

/// Why a store did not do as told. Nothing has changed then, and nothing was deleted.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// Somebody else changed a space first; read it again.
    #[error("state is at revision {actual}, not {expected}")]
    Conflict {
        /// The revision the caller expected.
        expected: u64,
        /// The revision that is there.
        actual: u64,
    },
    /// Another process held the store for longer than this one was told to wait.
    #[error("another process holds the store")]
    TimedOut,
    /// The store cannot be reached, or cannot write.
    #[error("store is not available")]
    Unavailable,
    /// The medium failed in the middle of making a batch durable: it may have happened or not. Read the state again.
    #[error("the medium failed; the batch may have happened or not")]
    Unsure,
    /// What is stored cannot be read.
    #[error("stored state is damaged")]
    Damaged,
    /// A row is not what was written at its place: changed, moved, or of another store.
    #[error("a row of {table} is damaged or not in its place")]
    RowDamaged {
        /// Where.
        table: Table,
    },
    /// The file is no store: it is cut short, or something else.
    #[error("not a store, or cut short")]
    NotAStore,
    /// The file is no sealed file of the kind that was asked for: it is not there, cut short, or something else.
    #[error("not a sealed file of this kind, or cut short")]
    NotASealedFile,
    /// The store is being wiped, or was and was stopped: nothing of it can be read. `SqliteStore::destroy` removes the rest.
    #[error("the store was wiped in part; destroy the rest")]
    Wiped,
    /// The passphrase or key does not open this store.
    #[error("wrong passphrase or key")]
    WrongKey,
    /// The store is opened with a passphrase, and was made for a raw key, or the other way round.
    #[error("the store is locked by another kind of key")]
    WrongKind,
    /// A key that the store needs is gone from its key source.
    #[error("the key of period {period} is gone")]
    KeyLost {
        /// Which.
        period: u64,
    },
    /// A newer version of this program wrote the store.
    #[error("store has schema {found}; this program knows up to {known}")]
    NewerSchema {
        /// What the store has.
        found: u32,
        /// What we know.
        known: u32,
    },
    /// The parameters of the passphrase derivation are too weak to be ours.
    #[error("key derivation is too weak: {memory_kib} KiB, {passes} passes, {lanes} lanes")]
    KdfTooWeak {
        /// Memory in KiB.
        memory_kib: u32,
        /// Passes over the memory.
        passes: u32,
        /// Degree of parallelism.
        lanes: u32,
    },
    /// The parameters of the passphrase derivation would exhaust this machine.
    #[error("key derivation is too costly: {memory_kib} KiB, {passes} passes, {lanes} lanes")]
    KdfTooCostly {
        /// Memory in KiB.
        memory_kib: u32,
        /// Passes over the memory.
        passes: u32,
        /// Degree of parallelism.
        lanes: u32,
    },
    /// A new passphrase is too short.
    #[error("passphrase has {characters} characters; at least {needed} are needed")]
    WeakPassphrase {
        /// Its length.
        characters: usize,
        /// What policy asks for.
        needed: usize,
    },
    /// The SQLite in use has known defects.
    #[error("SQLite {found} is older than {needed}")]
    SqliteTooOld {
        /// Its version number, as SQLite counts: 3051003 is 3.51.3.
        found: i32,
        /// The oldest that will do.
        needed: i32,
    },
    /// A setting that the store relies on did not take.
    #[error("setting {name} did not take")]
    SettingRefused {
        /// Which.
        name: &'static str,
    },
    /// The store is older than what is known of it: somebody put back an old copy.
    #[error("store is at {found}, but was at {expected} before: an old copy")]
    RolledBack {
        /// Where the store is.
        found: u64,
        /// Where it was before.
        expected: u64,
    },
    /// A name is longer than the contract allows.
    #[error("name of {len} bytes; at most {limit} are allowed")]
    NameTooLong {
        /// Its length.
        len: usize,
        /// The limit.
        limit: usize,
    },
}

/// A part of a store on disk.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Table {
    /// Where the store is in time.
    Meta,
    /// Keys, wrapped by other keys.
    Pages,
    /// Names and revisions of spaces.
    Spaces,
    /// Records.
    Records,
    /// What is to be forgotten.
    Dirty,
}

impl core::fmt::Display for Table {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(match self {
            Self::Meta => "meta",
            Self::Pages => "pages",
            Self::Spaces => "spaces",
            Self::Records => "records",
            Self::Dirty => "dirty",
        })
    }
}
