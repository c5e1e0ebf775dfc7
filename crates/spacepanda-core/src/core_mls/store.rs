//! Where state lives: named records, changed in batches that happen as a whole or not at all.
//!
//! In: batches made by the client. Out: records as they were put.
//! Always: a store knows ids and bytes, not MLS. What it holds is secret, all of it.

pub use mls_store::{
    FileKey, FileKind, FileSlots, KdfParams, Key, KeySource, Lease, Leases, MAX_ENTRY, Mark, MemoryKeySource,
    MemoryStore, OpenOptions, PublicClasses, Revision, Section, Space, SqliteStore, StateStore, StoreError, Table,
    Unlock, Write, files, read_file, write_file,
};
